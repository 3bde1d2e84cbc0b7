"""The ways a voice can be heard, best first, and which of them this machine has.

Speech and sound are parts of Qt that a lean installation leaves out (the extra "voice" brings
them); most platforms have programs that speak and play. Everything is asked for when it is first
needed.
"""

from __future__ import annotations

import importlib
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QObject

from dynoai_desktop.ui.voice_output import SpeechOutput, ToneOutput, VoiceOutput
from dynoai_desktop.ui.voice_programs import (
    PLAYERS,
    SPEAKERS,
    PlayerOutput,
    Program,
    SpeakerOutput,
)
from dynoai_desktop.ui.voice_windows import WindowsTones, windows_sound

Parent = QObject | None


@dataclass(frozen=True, slots=True)
class ToneWay:
    """A way to sound a tone. *find* returns None where this machine does not have it."""

    name: str
    find: Callable[[Parent], VoiceOutput | None]


@dataclass(frozen=True, slots=True)
class SpeechWay:
    """A way to speak, with the tones of another output beside it."""

    name: str
    find: Callable[[VoiceOutput | None, Parent], VoiceOutput | None]


def make_output(parent: Parent = None) -> VoiceOutput:
    """Return the best there is on this machine: speech with tones, tones alone, or silence."""
    sounding = next((found for way in TONE_WAYS if (found := way.find(parent))), None)
    for way in SPEECH_WAYS:
        if found := way.find(sounding, parent):
            return found
    return sounding or VoiceOutput(parent)


def _qt_sound(parent: Parent) -> VoiceOutput | None:
    multimedia = _module("PySide6.QtMultimedia")
    if multimedia is None:
        return None
    device = multimedia.QMediaDevices.defaultAudioOutput()
    return None if device.isNull() else ToneOutput(multimedia, device, parent)


def _windows_sound(parent: Parent) -> VoiceOutput | None:
    sound = windows_sound()
    return None if sound is None else WindowsTones(sound, parent)


def _player(parent: Parent) -> VoiceOutput | None:
    for path, program in _installed(PLAYERS):
        return PlayerOutput(path, program, parent)
    return None


def _qt_speech(sounding: VoiceOutput | None, parent: Parent) -> VoiceOutput | None:
    module = _module("PySide6.QtTextToSpeech")
    # Qt's own "mock" engine is for tests and makes no sound.
    if module is None or not set(module.QTextToSpeech.availableEngines()) - {"mock"}:
        return None
    speech = module.QTextToSpeech()
    if speech.state() == module.QTextToSpeech.State.Error:
        return None
    return SpeechOutput(speech, sounding, parent)


def _speaker(sounding: VoiceOutput | None, parent: Parent) -> VoiceOutput | None:
    for path, program in _installed(SPEAKERS):
        return SpeakerOutput(path, program, sounding, parent)
    return None


def _installed(programs: dict[str, tuple[Program, ...]]) -> Iterator[tuple[str, Program]]:
    for program in programs.get(sys.platform, ()):
        if path := shutil.which(program.name):
            yield path, program


def _module(name: str) -> Any | None:
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


TONE_WAYS = (
    ToneWay("Qt's sound", _qt_sound),
    ToneWay("Windows' sound", _windows_sound),
    ToneWay("a program that plays", _player),
)
SPEECH_WAYS = (
    SpeechWay("Qt's speech", _qt_speech),
    SpeechWay("a program that speaks", _speaker),
)
