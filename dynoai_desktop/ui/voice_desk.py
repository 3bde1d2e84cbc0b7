"""Between the snapshots and the loudspeaker: asks what is to be said, and has it said."""

from __future__ import annotations

import time
from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from dynoai_desktop.core.live.snapshot import Snapshot
from dynoai_desktop.core.units import Display
from dynoai_desktop.ui.preferences import VoiceMode
from dynoai_desktop.ui.tones import error_tone
from dynoai_desktop.ui.voice import Announcer, Priority, Utterance
from dynoai_desktop.ui.voice_output import VoiceOutput

TRIAL = "This is the voice."
_TONE_WORDS = "The error tone rises when the mixture is lean and falls when it is rich."


class VoiceDesk(QObject):
    """Off, nothing is loaded and nothing is followed."""

    words_changed = Signal(str)

    def __init__(
        self,
        make: Callable[[QObject], VoiceOutput] | None = None,
        clock: Callable[[], float] = time.monotonic,
        parent: QObject | None = None,
    ) -> None:
        """Start off. *make* builds the output when it is first needed; None: the best there is."""
        super().__init__(parent)
        self._make, self._clock = make, clock
        self._output: VoiceOutput | None = None
        self._announcer = Announcer(Display())
        self._mode = VoiceMode.OFF
        self._trouble = ""

    @property
    def output(self) -> VoiceOutput:
        """Return what is heard on this machine."""
        if self._output is None:
            self._output = _best(self) if self._make is None else self._make(self)
            self._output.finished.connect(self._go_on)
            self._output.failed.connect(self._note)
        return self._output

    @property
    def words(self) -> str:
        """Return in a sentence or two what can be heard here."""
        output = self.output
        more = _TONE_WORDS if output.can_sound else ""
        return " ".join(part for part in (output.words, more, self._trouble) if part)

    @property
    def is_heard(self) -> bool:
        """Return whether the voice is on and this machine has one."""
        return self._mode is not VoiceMode.OFF and self.output.can_speak

    def set_mode(self, mode: VoiceMode, display: Display) -> None:
        """Switch the voice on or off; call-outs are made in the units of *display*."""
        self._announcer.display = display
        if mode is VoiceMode.OFF:
            self.silence()
        self._mode = mode

    def hear(self, snapshot: Snapshot) -> None:
        """Say what a snapshot asks for."""
        if not self.is_heard:
            return
        now_s = self._clock()
        self._say(self._announcer.hear(snapshot, now_s))
        if self._mode is VoiceMode.TONE and self.output.can_sound:
            error = self._announcer.tone(snapshot, now_s)
            if error is not None:
                self.output.sound(error_tone(error))

    def try_out(self) -> None:
        """Say something, whether the voice is on or off."""
        self._announcer.silence()
        self._forget_trouble()
        self.output.say(Utterance(TRIAL, Priority.CALL_OUT, "trial", self._clock()))

    def close(self) -> None:
        """Fall silent for good, as when the window closes."""
        self.silence()
        if self._output is not None:
            self._output.close()

    def silence(self) -> None:
        """Stop, and forget what was to be said: another source begins, or nobody wants to hear."""
        self._announcer.silence()
        if self._output is not None:
            self._output.stop()

    def _note(self, trouble: str) -> None:
        if trouble != self._trouble:
            self._trouble = trouble
            self.words_changed.emit(self.words)

    def _forget_trouble(self) -> None:
        if self._trouble:
            self._trouble = ""
            self.words_changed.emit(self.words)

    def _go_on(self) -> None:
        self._say(self._announcer.finished(self._clock()))

    def _say(self, utterance: Utterance | None) -> None:
        if utterance is not None:
            self.output.say(utterance)


def _best(parent: QObject) -> VoiceOutput:
    # What a machine has is looked for when the voice is first wanted, not while the window opens.
    from dynoai_desktop.ui.voice_ways import make_output

    return make_output(parent)
