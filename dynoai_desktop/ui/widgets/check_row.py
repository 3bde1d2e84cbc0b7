"""One check of a preflight: sign and word, what was measured, what to do, and going on anyway."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QLineEdit, QWidget

from dynoai_desktop.core.trust.preflight import CheckResult
from dynoai_desktop.ui.verdict import OUTCOMES, Outcome
from dynoai_desktop.ui.widgets.buttons import glove_button
from dynoai_desktop.ui.widgets.elided import set_state
from dynoai_desktop.ui.wording import plain

_MARK_EM, _TITLE_EM = 7, 16  # widths of the first columns, in text sizes


class CheckRow(QFrame):
    """A card; the chosen one of a list is framed."""

    pressed = Signal(str)  # id: with the mouse
    page_wanted = Signal(str)
    overridden = Signal(str, str)  # id and reason; "" takes the override back
    opened = Signal(str)  # id: the reason is about to be typed
    closed = Signal()  # it is no longer

    def __init__(
        self, check: CheckResult, outcome: Outcome, reason: str, page: tuple[str, str, str] | None
    ) -> None:
        """Show *check*. *page* is where the fix is made: key of the page, its title, its key."""
        super().__init__()
        self.check, self.outcome = check, outcome
        shown = OUTCOMES[outcome]
        self.setProperty("role", "check")
        self.setAccessibleName(f"{check.title}: {shown.word}")
        self.mark = _text(f"{shown.sign} {shown.word}", "heading")
        set_state(self.mark, shown.state)
        self.title = _text(check.title, "heading")
        self.message = _text(check.message)
        self.fix = _text(f"→ {plain(check.fix)}" if check.fix else "")
        self.reason = _text(f"Overridden: {plain(reason)}" if reason else "")
        set_state(self.reason, "attention")
        for label in (self.message, self.fix, self.reason):
            label.setWordWrap(True)
        self.grid = QGridLayout(self)
        self.grid.setContentsMargins(12, 6, 8, 6)
        self.grid.setHorizontalSpacing(12)
        self.grid.setVerticalSpacing(4)
        top = Qt.AlignmentFlag.AlignTop
        self.grid.addWidget(self.mark, 0, 0, top)
        self.grid.addWidget(self.title, 0, 1, top)
        self.grid.addWidget(self.message, 0, 2, top)
        self.grid.setColumnStretch(2, 1)
        for line, label in enumerate((self.fix, self.reason), start=1):
            label.setVisible(bool(label.text()))
            self.grid.addWidget(label, line, 2, top)
        self.grid.setRowStretch(3, 1)
        self._add_buttons(page)
        self.form: QWidget | None = None
        self.set_em(20)

    def _add_buttons(self, page: tuple[str, str, str] | None) -> None:
        row = QHBoxLayout()
        row.setSpacing(8)
        if page is not None and self.outcome in (Outcome.FAIL, Outcome.WARNING):
            key, title, shortcut = page
            row.addWidget(glove_button(title, shortcut, lambda: self.page_wanted.emit(key)))
        if self.outcome is Outcome.OVERRIDDEN:
            self.button = glove_button("Take back", "Enter", self.act)
            row.addWidget(self.button)
        elif self.can_override:
            self.button = glove_button("Override", "Enter", self.act)
            row.addWidget(self.button)
        if row.count():
            self.grid.addLayout(row, 0, 3, 4, 1, Qt.AlignmentFlag.AlignTop)

    @property
    def can_override(self) -> bool:
        """Return True for a failure that the user may overrule."""
        return self.outcome is Outcome.FAIL and not self.check.blocking

    def set_em(self, pixels: float) -> None:
        """Give the first columns their width for a text size, so that rows line up."""
        self.mark.setFixedWidth(round(pixels * _MARK_EM))
        self.title.setFixedWidth(round(pixels * _TITLE_EM))
        self.title.setWordWrap(True)

    def act(self) -> None:
        """Do what the row offers: ask for a reason, or take the override back."""
        if self.outcome is Outcome.OVERRIDDEN:
            self.overridden.emit(self.check.id, "")
        elif self.can_override and self.form is None:
            self._ask()

    def _ask(self) -> None:
        self.form = QWidget()
        row = QHBoxLayout(self.form)
        row.setContentsMargins(0, 4, 0, 0)
        row.setSpacing(8)
        self.line = QLineEdit()
        self.line.setPlaceholderText("Why go on? The reason is kept with the session.")
        self.line.setAccessibleName(f"Reason to override {self.check.title}")
        self.line.setMaxLength(200)
        self.line.returnPressed.connect(self._confirm)
        row.addWidget(self.line, 1)
        row.addWidget(glove_button("Override", "Enter", self._confirm))
        row.addWidget(glove_button("Cancel", "Esc", self.close_form))
        self.button.hide()
        self.grid.addWidget(self.form, 4, 0, 1, 4)
        self.opened.emit(self.check.id)
        self.line.setFocus()

    def close_form(self) -> None:
        """Forget the reason begun."""
        if self.form is not None:
            form, self.form = self.form, None
            self.grid.removeWidget(form)
            form.hide()
            form.deleteLater()
            self.button.show()
            self.closed.emit()

    def _confirm(self) -> None:
        reason = self.line.text().strip()
        if reason:
            self.close_form()
            self.overridden.emit(self.check.id, reason)
        else:
            self.line.setPlaceholderText("A reason is needed: it is kept with the session.")

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Keep the Enter that ended a reason from the list, which would ask for the next one."""
        if event.key() not in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Choose the row."""
        super().mousePressEvent(event)
        self.pressed.emit(self.check.id)


def _text(text: str, role: str = "") -> QLabel:
    label = QLabel(plain(text))
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setProperty("role", role)
    return label
