"""Tones by the sound service of Windows, which plays a file in the background and says no more.

So the end of a tone is known by its length.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QTemporaryDir, QTimer

from dynoai_desktop.ui import tones
from dynoai_desktop.ui.voice import Utterance
from dynoai_desktop.ui.voice_output import SOUNDS, TONES, VoiceOutput
from dynoai_desktop.ui.voice_programs import wav_file

_FILES = 8


def windows_sound() -> Any | None:
    """Return the module winsound; None on other platforms."""
    if sys.platform != "win32":
        return None
    import winsound

    return winsound


class WindowsTones(VoiceOutput):
    """Tones on the default loudspeaker of Windows."""

    words = SOUNDS
    can_speak = can_sound = True

    def __init__(self, sound: Any, parent: QObject | None = None) -> None:
        """Play with *sound*, the module winsound."""
        super().__init__(parent)
        self._sound = sound
        self._saying = False
        self._folder: QTemporaryDir | None = None
        self._next = 0
        self._end = QTimer(self, singleShot=True)
        self._end.timeout.connect(self._ended)

    def say(self, utterance: Utterance) -> None:
        """Play the tone of the utterance's priority."""
        self._saying = True
        self._play(TONES[utterance.priority]())

    def sound(self, samples: bytes) -> None:
        """Play *samples* unless something is being said."""
        if not self._saying:
            self._play(samples)

    def stop(self) -> None:
        """Fall silent."""
        self._saying = False
        self._end.stop()
        self._sound.PlaySound(None, 0)

    def close(self) -> None:
        """Fall silent and take the files away."""
        self.stop()
        self._folder = None

    def _play(self, samples: bytes) -> None:
        if self._folder is None:
            self._folder = QTemporaryDir()
        file = Path(self._folder.filePath(f"tone_{self._next}.wav"))
        self._next = (self._next + 1) % _FILES
        self._end.start(round(1000 * len(samples) / 2 / tones.RATE_HZ))
        try:
            file.write_bytes(wav_file(samples))
            # From memory Windows would play only while the program waits.
            flags = self._sound.SND_FILENAME | self._sound.SND_ASYNC | self._sound.SND_NODEFAULT
            self._sound.PlaySound(str(file), flags)
        except (OSError, RuntimeError) as error:
            self.failed.emit(f"No tone was heard: {error}. Check the loudspeaker of this computer.")

    def _ended(self) -> None:
        if self._saying:
            self._saying = False
            self.finished.emit()
