"""What a channel name says: its device tag, its words, its unit, its cylinder.

Names come from other people's systems. They are cut at 30 bytes on the wire, carry a device in
front ("(PV) Engine Speed"), a unit behind ("Coolant Temp (C)") and any capitals and punctuation.
Everything here compares whole words; a name is never searched for a piece of a word.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from dynoai_desktop.core.channels import Cylinder
from dynoai_desktop.core.units import Unit

WIRE_NAME_BYTES = 30

_DEVICE = re.compile(r"^\(([^()]*)\)\s*(?=\S)")
_UNIT_BEHIND = re.compile(r"\s*[(\[]([^()\[\]]*)[)\]]\s*$")
_CAMEL = re.compile(r"(?<=[a-z]{2})(?=[A-Z])|(?<=[A-Z]{2})(?=[A-Z][a-z])")  # not kPa, VBatt
_WORD = re.compile(r"[^\W_]+\+?")
_TRAILING_DIGIT = re.compile(r"([a-z]{2,})(\d)")

# Words in brackets behind a name that state its unit. "(uncorrected)" is not among them.
_UNIT_WORDS: dict[str, Unit] = {
    "rpm": Unit.RPM,
    "kpa": Unit.KILOPASCAL,
    "psi": Unit.PSI,
    "inhg": Unit.INCH_MERCURY,
    "%": Unit.PERCENT,
    "c": Unit.CELSIUS,
    "°c": Unit.CELSIUS,
    "f": Unit.FAHRENHEIT,
    "°f": Unit.FAHRENHEIT,
    "s": Unit.SECOND,
    "sec": Unit.SECOND,
    "ms": Unit.MILLISECOND,
    "v": Unit.VOLT,
    "volts": Unit.VOLT,
    "nm": Unit.NEWTON_METRE,
    "n·m": Unit.NEWTON_METRE,
    "ft-lb": Unit.POUND_FOOT,
    "lb-ft": Unit.POUND_FOOT,
    "lb·ft": Unit.POUND_FOOT,
    "hp": Unit.HORSEPOWER,
    "kw": Unit.KILOWATT,
    "km/h": Unit.KMH,
    "kph": Unit.KMH,
    "mph": Unit.MPH,
    "afr": Unit.AFR,
    "ratio": Unit.AFR,
    "lambda": Unit.LAMBDA,
    "λ": Unit.LAMBDA,
    "deg": Unit.DEGREE,
    "°": Unit.DEGREE,
}

# Words that end in a digit without being an index.
_NOT_INDEXED = frozenset({"o2", "wbo2", "lc1", "lc2", "obd2", "co2", "mtx"})

# Channels a dyno sends about itself, and inputs it does not describe; as the key of the name.
_SYSTEM = re.compile(
    r"sampling(duration)?|link\d*status|(tcp|udp)(rx|tx)(kbs)?|internaltemp\d*"
    r"|inductive\d*signalstrength|useranalog\d*|ch(an|annel)?\d+|"
)
_ANALOGUE = re.compile(r"(user )?analog(ue)? (in(put)? )?\d+|.*\b(0 5v|5v|volts?|voltage)")

SIDES: dict[str, Cylinder] = {
    "1": Cylinder.FRONT,
    "f": Cylinder.FRONT,
    "front": Cylinder.FRONT,
    "2": Cylinder.REAR,
    "r": Cylinder.REAR,
    "rear": Cylinder.REAR,
    "lc1": Cylinder.FRONT,  # the dyno's two wideband inputs
    "lc2": Cylinder.REAR,
}


@dataclass(frozen=True, slots=True)
class ChannelName:
    """A name taken apart. *words* are lower case, without device tag and unit."""

    text: str  # as it is shown
    device: str  # the tag in front, "" for none
    words: tuple[str, ...]
    key: str  # the words run together: two spellings of one name have the same key
    unit: Unit  # stated behind the name; NONE when not
    cut: bool  # may have lost its end on the wire
    system: bool  # about the dyno itself, or not yet told what it is: never mapped by itself

    @property
    def uncorrected(self) -> bool:
        """Return True for "(uncorrected)"."""
        return any(word.startswith("uncorr") for word in self.words)

    @property
    def corrected(self) -> bool:
        """Return True where the name itself says corrected, or names a standard."""
        return not {"corrected", "sae", "std", "din", "eec", "jis"}.isdisjoint(self.words)

    @property
    def analogue(self) -> bool:
        """Return True for a voltage input whose meaning only the user knows."""
        return bool(_ANALOGUE.fullmatch(" ".join(self.words)))


def display_name(name: str) -> str:
    """Return a name safe to show: control and direction characters become a replacement mark.

    >>> display_name("MAP\\x00 kPa\\u202e")
    'MAP\\ufffd kPa\\ufffd'
    """
    return "".join("\ufffd" if unicodedata.category(c)[0] == "C" else c for c in name)


def words_of(text: str) -> tuple[str, ...]:
    """Return the words of a phrase in lower case.

    >>> words_of("EngineRPM"), words_of("Air/Fuel Ratio 1"), words_of("AFR_F")
    (('engine', 'rpm'), ('air', 'fuel', 'ratio', '1'), ('afr', 'f'))
    """
    plain = unicodedata.normalize("NFKC", text).replace("λ", "lambda").replace("Λ", "lambda")
    words: list[str] = []
    for word in _WORD.findall(_CAMEL.sub(" ", plain)):
        word = word.lower()
        split = None if word in _NOT_INDEXED else _TRAILING_DIGIT.fullmatch(word)
        words.extend(split.groups() if split else (word,))
    return tuple(words)


def key_of(text: str) -> str:
    """Return the words of a phrase run together, the form in which whole names are compared.

    >>> key_of("AFR_F") == key_of("afr f") == key_of("AFR-F")
    True
    """
    return "".join(words_of(text))


@lru_cache(maxsize=16384)
def parse_name(name: str) -> ChannelName:
    """Take a channel name apart.

    >>> parse_name("(PV) Coolant Temp (C)").words
    ('coolant', 'temp')
    """
    rest = name.strip("\x00 \t\r\n")
    device = ""
    tag = _DEVICE.match(rest)
    if tag:
        device, rest = tag.group(1), rest[tag.end() :]
    unit = Unit.NONE
    behind = _UNIT_BEHIND.search(rest)
    if behind and behind.start() > 0:
        unit = _UNIT_WORDS.get(behind.group(1).strip().lower(), Unit.NONE)
        if unit is not Unit.NONE:
            rest = rest[: behind.start()]
    words = words_of(rest)
    return ChannelName(
        text=display_name(name.strip("\x00 \t\r\n")),
        device=device,
        words=words,
        key="".join(words),
        unit=unit,
        cut=len(name.encode("utf-8", "replace")) >= WIRE_NAME_BYTES - 1,
        system=bool(_SYSTEM.fullmatch("".join(words))),
    )
