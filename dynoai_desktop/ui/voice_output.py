"""What is heard of the voice: the shape of an output, and those that are parts of Qt.

Which of them a machine has is found in voice_ways.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QLocale, QObject, Signal

from dynoai_desktop.ui import tones
from dynoai_desktop.ui.voice import Priority, Utterance

SPEAKS = "Warnings and call-outs are spoken."
SOUNDS = "There is no speech on this computer, so warnings and call-outs are tones."
SILENT = (
    "There is no voice on this platform: neither speech nor a program that plays sound is "
    "installed, or there is no loudspeaker. Alerts are shown only."
)
TONES: dict[Priority, Callable[[], bytes]] = {
    Priority.DANGER: tones.alarm,
    Priority.WARNING: tones.warning,
    Priority.CALL_OUT: tones.call_out,
}


class VoiceOutput(QObject):
    """What cannot be heard. Others are heard and say when they have finished."""

    finished = Signal()
    failed = Signal(str)  # why nothing was heard, in a sentence
    words = SILENT
    can_speak = False  # anything at all
    can_sound = False  # the tone of the error

    def say(self, utterance: Utterance) -> None:
        """Say this at once, instead of what is being said."""

    def sound(self, samples: bytes) -> None:
        """Play a tone beside what is being said."""

    def stop(self) -> None:
        """Fall silent."""

    def close(self) -> None:
        """Fall silent for good: nothing that was started goes on."""
        self.stop()


class ToneOutput(VoiceOutput):
    """Tones on the default loudspeaker."""

    words = SOUNDS
    can_speak = can_sound = True

    def __init__(self, multimedia: Any, device: Any, parent: QObject | None = None) -> None:
        """Play on *device* of the module *multimedia*, QtMultimedia."""
        super().__init__(parent)
        layout = multimedia.QAudioFormat()
        layout.setSampleRate(tones.RATE_HZ)
        layout.setChannelCount(1)
        layout.setSampleFormat(multimedia.QAudioFormat.SampleFormat.Int16)
        self._states = multimedia.QAudio.State
        self._sink = multimedia.QAudioSink(device, layout, self)
        self._buffer = QBuffer(self)
        self._saying = False
        self._sink.stateChanged.connect(self._changed)

    def say(self, utterance: Utterance) -> None:
        """Play the tone of the utterance's priority."""
        self._play(TONES[utterance.priority]())
        self._saying = True

    def sound(self, samples: bytes) -> None:
        """Play *samples* unless something is being said."""
        if not self._saying:
            self._play(samples)

    def stop(self) -> None:
        """Fall silent."""
        self._saying = False
        self._sink.stop()
        self._buffer.close()

    def _play(self, samples: bytes) -> None:
        self.stop()
        self._buffer.setData(QByteArray(samples))
        self._buffer.open(QIODevice.OpenModeFlag.ReadOnly)
        self._sink.start(self._buffer)

    def _changed(self, state: Any) -> None:
        if self._saying and state in (self._states.IdleState, self._states.StoppedState):
            self._saying = False
            self.finished.emit()


class SpeechOutput(VoiceOutput):
    """Qt's text to speech, in English where the machine has an English voice."""

    words = SPEAKS
    can_speak = True

    def __init__(
        self, speech: Any, tone_output: VoiceOutput | None, parent: QObject | None = None
    ) -> None:
        """Speak with *speech*, a QTextToSpeech; errors sound on *tone_output*."""
        super().__init__(parent)
        self._speech = speech
        self._states = type(speech).State
        self._tones = tone_output
        self.can_sound = tone_output is not None
        # An interrupted utterance may report its end after the next has been asked for, so an end
        # counts only once the beginning was heard.
        self._begun = False
        speech.setParent(self)
        english = [locale for locale in speech.availableLocales() if _is_english(locale)]
        if english and not _is_english(speech.locale()):
            speech.setLocale(english[0])
        speech.stateChanged.connect(self._changed)

    def say(self, utterance: Utterance) -> None:
        """Speak at once."""
        self._begun = False
        if self._speech.state() == self._states.Speaking:
            self._speech.stop()
        self._begun = False
        self._speech.say(utterance.text)

    def sound(self, samples: bytes) -> None:
        """Play a tone."""
        if self._tones is not None:
            self._tones.sound(samples)

    def stop(self) -> None:
        """Fall silent."""
        self._begun = False
        self._speech.stop()
        if self._tones is not None:
            self._tones.stop()

    def close(self) -> None:
        """Fall silent for good, tones too."""
        self.stop()
        if self._tones is not None:
            self._tones.close()

    def _changed(self, state: Any) -> None:
        if state == self._states.Speaking:
            self._begun = True
        elif state == self._states.Error or (state == self._states.Ready and self._begun):
            self._begun = False
            self.finished.emit()


def _is_english(locale: QLocale) -> bool:
    return locale.language() == QLocale.Language.English
