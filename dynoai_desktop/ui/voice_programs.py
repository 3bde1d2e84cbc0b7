"""The voice by programs that come with the platform: they speak, or play a tone from a file.

A program is started directly, never through a shell. What it speaks goes in by its standard input,
so no text can be taken for an option, and only letters, digits and plain punctuation go in: speech
programs obey commands in brackets. Nothing here waits for a program. One that is interrupted is
killed at once and collected when the system reports its end; `close` alone waits.
"""

from __future__ import annotations

import io
import wave
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, QProcess, QTemporaryDir, Signal

from dynoai_desktop.ui import tones
from dynoai_desktop.ui.voice import Utterance
from dynoai_desktop.ui.voice_output import SOUNDS, SPEAKS, TONES, VoiceOutput

CLOSING_MS = 2000
_LONGEST_TEXT = 300
_PLAIN = " .,;:%+-±°'/"
_FILES = 8  # taken in turns, so that a file is not written while it is still played


@dataclass(frozen=True, slots=True)
class Program:
    """A program and its arguments. A player gets the file as its last one."""

    name: str  # as it is found on the PATH
    arguments: tuple[str, ...] = ()


_WINDOWS_SPEECH = (
    "Add-Type -AssemblyName System.Speech; "
    "(New-Object System.Speech.Synthesis.SpeechSynthesizer).Speak([Console]::In.ReadToEnd())"
)
# Platform to programs, best first. spd-say is not among them: its speech is a service's, and goes
# on when the program is killed.
SPEAKERS: dict[str, tuple[Program, ...]] = {
    "linux": (
        Program("espeak-ng", ("--stdin", "-v", "en")),
        Program("espeak", ("--stdin", "-v", "en")),
    ),
    "darwin": (Program("say"),),
    "win32": (
        Program("powershell", ("-NoProfile", "-NonInteractive", "-Command", _WINDOWS_SPEECH)),
    ),
}
PLAYERS: dict[str, tuple[Program, ...]] = {
    "linux": (Program("pw-play"), Program("paplay"), Program("aplay", ("-q",))),
    "darwin": (Program("afplay"),),
}


def plain_text(text: str) -> str:
    """Return what may be spoken: no brackets, no control characters, no more than is listened to.

    >>> plain_text("Lean [[volm 0]] 12.5 %\\n")
    'Lean   volm 0   12.5 % '
    """
    return "".join(c if c.isalnum() or c in _PLAIN else " " for c in text[:_LONGEST_TEXT])


def wav_file(samples: bytes) -> bytes:
    """Return 16-bit mono *samples* as a WAV file."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(tones.RATE_HZ)
        file.writeframes(samples)
    return out.getvalue()


class _Runner(QObject):
    """Runs one program at a time; another start or `stop` kills the one before."""

    ended = Signal()  # by itself
    failed = Signal(str)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._process: QProcess | None = None
        self._dying: list[QProcess] = []

    @property
    def is_running(self) -> bool:
        return self._process is not None

    def start(self, path: str, arguments: Sequence[str], text: str | None = None) -> None:
        self.stop()
        process = self._process = QProcess(self)
        process.setProgram(path)
        process.setArguments(list(arguments))
        process.setStandardOutputFile(QProcess.nullDevice())
        process.setStandardErrorFile(QProcess.nullDevice())
        if text is None:
            process.setStandardInputFile(QProcess.nullDevice())
        process.finished.connect(lambda code, _status: self._end(process, code))
        process.errorOccurred.connect(lambda error: self._trip(process, error))
        process.start()
        if text is not None and self._process is process:
            process.write(text.encode())
            process.closeWriteChannel()

    def stop(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            self._dying.append(process)
            process.kill()

    def close(self) -> None:
        self.stop()
        for process in list(self._dying):
            process.waitForFinished(CLOSING_MS)

    def _end(self, process: QProcess, code: int) -> None:
        if process is self._process:
            self._process = None
            if code:
                self.failed.emit(f"{Path(process.program()).name} ended with code {code}")
            self.ended.emit()
        self._forget(process)

    def _trip(self, process: QProcess, error: QProcess.ProcessError) -> None:
        # A program that did not start never reports an end; others do.
        if error is not QProcess.ProcessError.FailedToStart:
            return
        if process is self._process:
            self._process = None
            self.failed.emit(f"{Path(process.program()).name} did not start")
            self.ended.emit()
        self._forget(process)

    def _forget(self, process: QProcess) -> None:
        if process in self._dying:
            self._dying.remove(process)
        process.deleteLater()


class PlayerOutput(VoiceOutput):
    """Tones by a program that plays files."""

    words = SOUNDS
    can_speak = can_sound = True

    def __init__(self, path: str, program: Program, parent: QObject | None = None) -> None:
        """Play with *program*, found at *path*."""
        super().__init__(parent)
        self._path, self._arguments = path, program.arguments
        self._runner = _Runner(self)
        self._runner.ended.connect(self._ended)
        self._runner.failed.connect(self._tell)
        self._saying = False
        self._folder: QTemporaryDir | None = None
        self._next = 0

    def say(self, utterance: Utterance) -> None:
        """Play the tone of the utterance's priority."""
        self._saying = True
        self._play(TONES[utterance.priority]())

    def sound(self, samples: bytes) -> None:
        """Play *samples* unless something is being said or the last tone still sounds."""
        if not self._runner.is_running:
            self._play(samples)

    def stop(self) -> None:
        """Fall silent."""
        self._saying = False
        self._runner.stop()

    def close(self) -> None:
        """Wait for the end of what was killed, and take the files away."""
        self.stop()
        self._runner.close()
        self._folder = None

    def _play(self, samples: bytes) -> None:
        if self._folder is None:
            self._folder = QTemporaryDir()
        file = Path(self._folder.filePath(f"tone_{self._next}.wav"))
        self._next = (self._next + 1) % _FILES
        try:
            file.write_bytes(wav_file(samples))
        except OSError as error:
            self._tell(f"a tone cannot be written: {error.strerror}")
            self._ended()
            return
        self._runner.start(self._path, (*self._arguments, str(file)))

    def _ended(self) -> None:
        if self._saying:
            self._saying = False
            self.finished.emit()

    def _tell(self, why: str) -> None:
        self.failed.emit(f"No tone was heard: {why}. Check the loudspeaker of this computer.")


class SpeakerOutput(VoiceOutput):
    """Speech by a program that reads aloud what it is given."""

    words = SPEAKS
    can_speak = True

    def __init__(
        self,
        path: str,
        program: Program,
        tone_output: VoiceOutput | None = None,
        parent: QObject | None = None,
    ) -> None:
        """Speak with *program*, found at *path*; errors sound on *tone_output*."""
        super().__init__(parent)
        self._path, self._arguments = path, program.arguments
        self._tones = tone_output
        self.can_sound = tone_output is not None
        self._runner = _Runner(self)
        self._runner.ended.connect(self.finished)
        self._runner.failed.connect(self._tell)

    def say(self, utterance: Utterance) -> None:
        """Speak at once."""
        self._runner.start(self._path, self._arguments, plain_text(utterance.text))

    def sound(self, samples: bytes) -> None:
        """Play a tone."""
        if self._tones is not None:
            self._tones.sound(samples)

    def stop(self) -> None:
        """Fall silent."""
        self._runner.stop()
        if self._tones is not None:
            self._tones.stop()

    def close(self) -> None:
        """Wait for the end of what was killed."""
        self._runner.stop()
        self._runner.close()
        if self._tones is not None:
            self._tones.close()

    def _tell(self, why: str) -> None:
        self.failed.emit(f"No word was heard: {why}. Check the loudspeaker of this computer.")
