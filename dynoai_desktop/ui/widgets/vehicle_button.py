"""The vehicle in use and the session, on a button that opens the vehicles."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QPushButton, QSizePolicy

from dynoai_desktop.ui.widgets.elided import ElidedLabel


class VehicleButton(QPushButton):
    """Two lines in the height of a button."""

    def __init__(self) -> None:
        """Start without a vehicle."""
        super().__init__()
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # F9 is its key from everywhere
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.name = ElidedLabel("heading", "Vehicle")
        self.session = ElidedLabel("small", "Session")
        key = QLabel("▾ [F9]")
        key.setProperty("role", "small")
        grid = QGridLayout(self)
        grid.setContentsMargins(12, 4, 12, 4)
        grid.setVerticalSpacing(0)
        grid.addWidget(self.name, 0, 0)
        grid.addWidget(key, 0, 1)
        grid.addWidget(self.session, 1, 0, 1, 2)
        grid.setColumnStretch(0, 1)
        for label in (self.name, self.session, key):
            label.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    def show_names(self, vehicle: str, session: str) -> None:
        """Name vehicle and session."""
        self.name.setText(vehicle)
        self.session.setText(session)
        self.setAccessibleName(f"{vehicle}, key F9")

    def sizeHint(self) -> QSize:
        """Return the width of a long name; both lines shorten theirs in less."""
        hint = super().sizeHint()
        return QSize(240, hint.height())

    def minimumSizeHint(self) -> QSize:
        """Return the least width that tells one vehicle from another."""
        return QSize(120, super().minimumSizeHint().height())
