"""What the tuner chose and what the window remembers, in an ini file.

Anything that cannot be read back, be it a hand-edited word or a broken geometry, is left at its
default: the window always starts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from PySide6.QtCore import QByteArray, QSettings

from dynoai_desktop.core.units import STOICH_AFR, Display, MixtureScale, UnitSystem

FONT_SCALES = (0.9, 1.0, 1.15, 1.3, 1.5)
THEMES = ("dark", "light")
_T = TypeVar("_T")


class VoiceMode(StrEnum):
    """What is to be heard."""

    OFF = "off"
    WORDS = "words"  # warnings and call-outs
    TONE = "tone"  # and a tone for the error of the mixture


@dataclass(frozen=True, slots=True)
class Preferences:
    """The settings page as one value."""

    system: UnitSystem = UnitSystem.US
    mixture: MixtureScale = MixtureScale.AFR
    fuel: str = "gasoline"
    theme: str = "dark"
    font_scale: float = 1.0
    voice: VoiceMode = VoiceMode.OFF

    @property
    def display(self) -> Display:
        """Return how numbers are to be shown."""
        return Display(self.system, self.mixture, STOICH_AFR[self.fuel])


def load_preferences(store: QSettings) -> Preferences:
    """Return the stored settings, each at its default where the stored one makes no sense."""
    fresh = Preferences()
    return Preferences(
        system=_read(store, "units/system", UnitSystem, fresh.system),
        mixture=_read(store, "units/mixture", MixtureScale, fresh.mixture),
        fuel=_read(store, "units/fuel", _one_of(tuple(STOICH_AFR)), fresh.fuel),
        theme=_read(store, "look/theme", _one_of(THEMES), fresh.theme),
        font_scale=_read(store, "look/font_scale", _font_scale, fresh.font_scale),
        voice=_read(store, "sound/voice", VoiceMode, fresh.voice),
    )


def save_preferences(store: QSettings, preferences: Preferences) -> None:
    """Store the settings."""
    store.setValue("units/system", preferences.system.value)
    store.setValue("units/mixture", preferences.mixture.value)
    store.setValue("units/fuel", preferences.fuel)
    store.setValue("look/theme", preferences.theme)
    store.setValue("look/font_scale", f"{preferences.font_scale:g}")
    store.setValue("sound/voice", preferences.voice.value)


def load_bytes(store: QSettings, key: str) -> QByteArray:
    """Return a stored geometry or layout, empty when there is none to be had."""
    value = store.value(key)
    return value if isinstance(value, QByteArray) else QByteArray()


def load_text(store: QSettings, key: str) -> str:
    """Return a stored word, empty when there is none to be had."""
    value = store.value(key)
    return value if isinstance(value, str) else ""


def _read(store: QSettings, key: str, parse: Callable[[str], _T], fresh: _T) -> _T:
    try:
        return parse(load_text(store, key))
    except ValueError:
        return fresh


def _one_of(words: tuple[str, ...]) -> Callable[[str], str]:
    def parse(word: str) -> str:
        if word not in words:
            raise ValueError(f"{word!r} is none of {', '.join(words)}")
        return word

    return parse


def _font_scale(word: str) -> float:
    scale = float(word)
    if scale not in FONT_SCALES:
        raise ValueError(f"{word!r} is no font scale offered")
    return scale
