"""What a log allows, and why not more: channels present, features on, degraded or off."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from dynoai_desktop.core.analysis.frame import Frame
from dynoai_desktop.core.channels import CHANNELS, Channel

_C = Channel
_LOAD = (_C.MAP, _C.TPS)
_LAMBDA = (_C.LAMBDA_FRONT, _C.LAMBDA_REAR, _C.LAMBDA)
_COMMANDED = (_C.LAMBDA_CMD, _C.LAMBDA_CMD_FRONT, _C.LAMBDA_CMD_REAR)
_SPARK = (_C.SPARK_FRONT, _C.SPARK_REAR, _C.SPARK)
_KNOCK = (_C.KNOCK_FRONT, _C.KNOCK_REAR, _C.KNOCK)

# (name, channels any of which will do, share of the confidence). Required ones carry 0.30.
RECOMMENDED: tuple[tuple[str, tuple[Channel, ...], float], ...] = (
    ("lambda_measured", _LAMBDA, 0.20),
    ("lambda_commanded", _COMMANDED, 0.10),
    ("spark", _SPARK, 0.10),
    ("knock", _KNOCK, 0.15),
    ("tps", (_C.TPS,), 0.05),
    ("iat", (_C.IAT,), 0.05),
    ("ect", (_C.ECT,), 0.05),
)
# What the names of this table are called in a sentence.
NAMES: Mapping[str, str] = {
    "rpm": "engine speed",
    "map_kpa or tps": "manifold pressure or throttle position",
    "lambda_measured": "lambda from a wideband",
    "lambda_commanded": "commanded lambda",
    "spark": "spark advance",
    "knock": "knock",
    "tps": "throttle position",
    "iat": "intake air temperature",
    "ect": "engine temperature",
}
BANDS = ((0.9, "complete"), (0.7, "good"), (0.5, "limited"), (0.3, "poor"), (0.0, "unusable"))


@dataclass(frozen=True, slots=True)
class Feature:
    """One thing the analysis can do, with its state and the reason for it."""

    feature_id: str
    title: str
    state: str  # available, degraded or disabled
    why: str


@dataclass(frozen=True, slots=True)
class Readiness:
    """Channels found and missing, and what follows."""

    confidence: float
    band: str
    missing_required: tuple[str, ...]
    missing_recommended: tuple[str, ...]
    features: tuple[Feature, ...]

    @property
    def codes(self) -> tuple[str, ...]:
        """Return the warning codes that belong to it."""
        missing = (*self.missing_required, *self.missing_recommended)
        degraded = (f.feature_id for f in self.features if f.state == "degraded")
        return (*(f"missing_channel:{m}" for m in missing), *(f"degraded:{d}" for d in degraded))

    def in_words(self, code: str) -> str:
        """Return the sentence of one of the codes."""
        kind, _, name = code.partition(":")
        if kind == "missing_channel":
            return f"{_sentence(NAMES[name])} was not logged."
        feature = next(f for f in self.features if f.feature_id == name)
        return f"{feature.title}: {feature.why}."


def _sentence(words: str) -> str:
    return words[0].upper() + words[1:]


def in_sentence(channel: Channel) -> str:
    """Return what a channel is called within a sentence.

    >>> in_sentence(Channel.MAP), in_sentence(Channel.IAT)
    ('manifold pressure', 'intake air temperature')
    """
    title = CHANNELS[channel].title
    # An abbreviation keeps its capitals.
    return title if title[1:2].isupper() else title[0].lower() + title[1:]


def missing_required(frame: Frame) -> tuple[str, ...]:
    """Return what no analysis can do without: engine speed and a load."""
    missing = [] if _C.RPM in frame else ["rpm"]
    if not any(c in frame for c in _LOAD):
        missing.append("map_kpa or tps")
    return tuple(missing)


def judge_readiness(frame: Frame, target_given: bool = False) -> Readiness:
    """Return what *frame* allows. *target_given*: a lambda target table stands in for a command."""
    required = missing_required(frame)
    missing = [
        name
        for name, channels, _ in RECOMMENDED
        if not any(c in frame for c in channels)
        and not (name == "lambda_commanded" and target_given)
    ]
    score = 0.0 if required else 0.30
    if not required:
        score += sum(share for name, _, share in RECOMMENDED if name not in missing)
    band = next(word for least, word in BANDS if score >= least - 1e-9)
    features = tuple(
        Feature(feature_id, title, *judge(frame, target_given))
        for feature_id, title, judge in FEATURES
    )
    return Readiness(round(min(score, 1.0), 3), band, required, tuple(missing), features)


Judge = Callable[[Frame, bool], tuple[str, str]]


def _any(frame: Frame, channels: tuple[Channel, ...]) -> bool:
    return any(c in frame for c in channels)


def _fuel(frame: Frame, target_given: bool) -> tuple[str, str]:
    if not _any(frame, _LAMBDA):
        return "disabled", "no wideband was logged"
    if not _any(frame, _COMMANDED) and not target_given:
        return "disabled", "no commanded lambda was logged; give the tune's target table"
    if _C.LAMBDA_FRONT not in frame or _C.LAMBDA_REAR not in frame:
        return "degraded", "one wideband speaks for all cylinders it sees"
    return "available", "a wideband per cylinder"


def _balance(frame: Frame, target_given: bool) -> tuple[str, str]:
    state, _ = _fuel(frame, target_given)
    if state == "available":
        return "available", "a wideband per cylinder"
    return "disabled", "needs a wideband in front and rear"


def _spark(frame: Frame, _: bool) -> tuple[str, str]:
    if _C.SPARK_FRONT in frame and _C.SPARK_REAR in frame:
        return "available", "spark of both cylinders"
    if _any(frame, _SPARK):
        return "degraded", "one spark channel for all cylinders"
    return "disabled", "no spark advance was logged"


def _knock(frame: Frame, _: bool) -> tuple[str, str]:
    if _any(frame, _KNOCK):
        return "available", "a knock channel was logged"
    return "disabled", "no knock channel: no advice to advance is ever given without one"


def _power(frame: Frame, _: bool) -> tuple[str, str]:
    if _any(frame, (_C.POWER, _C.TORQUE)) or (_C.FORCE in frame and _C.SPEED in frame):
        return "available", "power or torque was logged"
    return "disabled", "no power, torque or drum force was logged"


def _heat(frame: Frame, _: bool) -> tuple[str, str]:
    if _C.IAT in frame:
        return "available", "intake temperature was logged"
    return "disabled", "no intake temperature: soaked data cannot be told apart"


FEATURES: tuple[tuple[str, str, Judge], ...] = (
    ("ve_correction", "VE correction", _fuel),
    ("balance", "Cylinder balance", _balance),
    ("spark", "Spark surfaces and valleys", _spark),
    ("knock", "Knock rates", _knock),
    ("power", "Power and torque of runs", _power),
    ("heat", "Heat soak", _heat),
)
