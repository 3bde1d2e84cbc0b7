"""The line at the foot: the worst thing known, what to do about it, and what comes next."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QHBoxLayout, QLabel, QWidget

from dynoai_desktop.ui.messages import Notice, Severity
from dynoai_desktop.ui.widgets.elided import ElidedLabel, set_state

_SIGNS = {Severity.INFO: "", Severity.ATTENTION: "! Attention", Severity.DANGER: "× Alarm"}
BLINK_MS = 500  # half a turn: once a second, well under the two that are bearable


class Footer(QWidget):
    """One line. Only an alarm blinks, and only until it has been read."""

    def __init__(self) -> None:
        """Start with nothing to say."""
        super().__init__()
        self.setProperty("role", "bar")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._severity = Severity.INFO
        self._lit = False
        self._blink = QTimer(self, interval=BLINK_MS)
        self._blink.timeout.connect(self._toggle)
        self.sign = QLabel()
        self.sign.setProperty("role", "heading")
        self.sign.setMargin(2)
        self.line = ElidedLabel("", "Notice")
        self.more = QLabel()
        self.more.setAccessibleDescription("More alerts, key F8")
        self.next = ElidedLabel("", "Next pull")
        self.next.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.hint = QLabel("? keys")
        self.hint.setProperty("role", "small")
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 4, 16, 4)
        row.setSpacing(12)
        row.addWidget(self.sign)
        row.addWidget(self.line, 3)
        row.addWidget(self.more)
        row.addWidget(self.next, 2)
        row.addWidget(self.hint)
        self.show_notice(None)
        self.show_next("")

    @property
    def is_blinking(self) -> bool:
        """Return whether the sign calls for attention."""
        return self._blink.isActive()

    def show_notice(self, notice: Notice | None) -> None:
        """Show *notice*; None clears the line."""
        notice = notice or Notice("")
        self._severity = notice.severity
        self.line.setText(notice.text)
        self.sign.setText(_SIGNS[notice.severity])
        self.sign.setVisible(notice.severity is not Severity.INFO)
        self.more.setText(f"+{notice.more} more  [F8]")
        self.more.setVisible(notice.more > 0)
        set_state(self.line, notice.severity.value)
        if notice.blinks != self._blink.isActive():
            self._lit = notice.blinks
            if notice.blinks:
                self._blink.start()
            else:
                self._blink.stop()
        self._light()

    def show_next(self, text: str) -> None:
        """Say what comes next; "" for nothing."""
        self.next.setText(text)
        self.next.setVisible(bool(text))

    def show_voice(self, on: bool) -> None:
        """Say whether the voice is on."""
        self.hint.setText(f"V voice {'on' if on else 'off'}   ? keys")

    def _toggle(self) -> None:
        self._lit = not self._lit
        self._light()

    def _light(self) -> None:
        set_state(self.sign, "alarm" if self._lit else self._severity.value)
