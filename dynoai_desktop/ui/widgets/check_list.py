"""The checks of a preflight, worst first: arrows choose one, Enter does what it offers."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QScrollArea, QVBoxLayout, QWidget

from dynoai_desktop.ui.look import Look
from dynoai_desktop.ui.messages import PreflightState
from dynoai_desktop.ui.verdict import reason_for, worst_first
from dynoai_desktop.ui.widgets.check_row import CheckRow
from dynoai_desktop.ui.widgets.elided import set_state

# Where what a check complains about is put right.
FIX_PAGES: Mapping[str, str] = {
    "connectivity": "connect",
    "loss": "connect",
    "one_dyno": "mapping",
    "required_channels": "mapping",
    "recommended_channels": "mapping",
    "mapping": "mapping",
    "mixture": "mapping",
    "manifold_pressure": "mapping",
    "power_torque": "mapping",
    "cylinders": "mapping",
    "throttle": "mapping",
    "rpm": "mapping",
    "freshness": "health",
    "rate": "health",
    "held_values": "health",
    "non_finite": "health",
    "range": "health",
    "rpm_frozen": "health",
    "rpm_dropouts": "health",
}


class CheckList(QScrollArea):
    """Rows are made anew for another report; the chosen check stays chosen."""

    overridden = Signal(str, str)  # check id, reason; "" takes it back
    page_wanted = Signal(str)

    def __init__(self, look: Look, pages: Mapping[str, tuple[str, str]]) -> None:
        """Start empty. *pages*: title and key of each page that FIX_PAGES leads to."""
        super().__init__()
        self._look, self._pages = look, pages
        self._shown = PreflightState()
        self._waiting: PreflightState | None = None  # while a reason is being typed
        self.rows: list[CheckRow] = []
        self.chosen = ""
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Checks, worst first")
        self._holder = QWidget()
        self._holder.setProperty("role", "ground")
        self._column = QVBoxLayout(self._holder)
        self._column.setContentsMargins(0, 0, 8, 0)
        self._column.setSpacing(4)
        self._column.addStretch(1)
        self.setWidget(self._holder)

    def show_state(self, state: PreflightState) -> None:
        """List the checks of a report; a reason being typed is finished first."""
        if (state.report, state.overrides) == (self._shown.report, self._shown.overrides):
            return
        if self.open_row is not None:
            self._waiting = state
            return
        self._shown = state
        for row in self.rows:
            self._column.removeWidget(row)
            row.hide()
            row.deleteLater()
        self.rows = []
        for check, outcome in worst_first(state):
            page = FIX_PAGES.get(check.id, "")
            go = (page, *self._pages[page]) if page in self._pages else None
            row = CheckRow(check, outcome, reason_for(check, state.overrides), go)
            row.pressed.connect(self.choose)
            row.page_wanted.connect(self.page_wanted)
            row.overridden.connect(self.overridden)
            row.opened.connect(self.choose)
            row.closed.connect(self._take_waiting)
            row.set_em(self._look.sizes.body)
            self._column.insertWidget(len(self.rows), row)
            self.rows.append(row)
        ids = [row.check.id for row in self.rows]
        self.choose(self.chosen if self.chosen in ids else ids[0] if ids else "")

    def set_look(self, look: Look) -> None:
        """Change the scale."""
        self._look = look
        for row in self.rows:
            row.set_em(look.sizes.body)

    @property
    def open_row(self) -> CheckRow | None:
        """Return the row whose reason is being typed."""
        return next((row for row in self.rows if row.form is not None), None)

    def close_form(self) -> bool:
        """Forget a reason begun; False when there is none."""
        row = self.open_row
        if row is None:
            return False
        row.close_form()
        self.setFocus()
        return True

    def choose(self, check_id: str) -> None:
        """Frame a row and bring it into sight."""
        self.chosen = check_id
        for row in self.rows:
            set_state(row, "chosen" if row.check.id == check_id else "")
            if row.check.id == check_id:
                self.ensureWidgetVisible(row, 0, 8)

    def act(self) -> None:
        """Do what the chosen row offers."""
        for row in self.rows:
            if row.check.id == self.chosen:
                row.act()

    def _take_waiting(self) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            self.show_state(waiting)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move along the rows, or do what the chosen one offers."""
        steps = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1}
        key = Qt.Key(event.key())
        ids = [row.check.id for row in self.rows]
        if key in steps and self.chosen in ids:
            at = min(max(ids.index(self.chosen) + steps[key], 0), len(ids) - 1)
            self.choose(ids[at])
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.act()
        else:
            super().keyPressEvent(event)
