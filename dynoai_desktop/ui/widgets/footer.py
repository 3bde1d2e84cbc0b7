"""The bar at the bottom: the worst thing known, with sign and word, and what to do."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QWidget

from dynoai_desktop.ui.messages import Notice, Severity
from dynoai_desktop.ui.widgets.elided import ElidedLabel, set_state

_SIGNS = {Severity.INFO: "", Severity.ATTENTION: "! Attention", Severity.DANGER: "× Alarm"}


class Footer(QWidget):
    """One line."""

    def __init__(self) -> None:
        """Start with nothing to say."""
        super().__init__()
        self.setProperty("role", "bar")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.sign = QLabel()
        self.sign.setProperty("role", "heading")
        self.line = ElidedLabel("", "Notice")
        self.hint = QLabel("? keys")
        self.hint.setProperty("role", "small")
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 6, 16, 6)
        row.setSpacing(12)
        row.addWidget(self.sign)
        row.addWidget(self.line, 1)
        row.addWidget(self.hint)
        self.show_notice(None)

    def show_notice(self, notice: Notice | None) -> None:
        """Show *notice*; None clears the line."""
        severity = notice.severity if notice else Severity.INFO
        self.line.setText(notice.text if notice else "")
        self.sign.setText(_SIGNS[severity])
        self.sign.setVisible(severity is not Severity.INFO)
        set_state(self.sign, severity.value)
        set_state(self.line, severity.value)
