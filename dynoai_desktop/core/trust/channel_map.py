"""The mapping as data: what was bound to what, how surely, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dynoai_desktop.core.channels import Channel
from dynoai_desktop.core.samples import ChannelInfo
from dynoai_desktop.core.trust.signals import SourceKey
from dynoai_desktop.core.trust.transforms import IDENTITY, Transform
from dynoai_desktop.core.units import Unit


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the recent signal of one source says about one reading of it."""

    source: SourceKey
    channel: Channel
    delta: float  # added to the confidence, −1 to +1
    reason: str
    copy_of: SourceKey | None = None  # carries the same values as this source
    unit: Unit | None = None  # the unit the values are in, where none was announced


@dataclass(frozen=True, slots=True)
class Choice:
    """What the user, or a saved mapping, says about one canonical channel."""

    name: str  # the source's name as announced
    unit: Unit | None = None  # None: any
    provider: str = ""  # a hint; "" for any
    id: int | None = None  # a hint
    transform: Transform | None = None  # None: from the unit
    enabled: bool = True  # False: leave this canonical channel empty


@dataclass(frozen=True, slots=True)
class Binding:
    """One canonical channel and the source it is read from."""

    channel: Channel
    source: ChannelInfo
    transform: Transform
    confidence: float  # 0 to 1
    reasons: tuple[str, ...] = ()
    corrected: bool | None = None  # torque and power: weather-corrected or not; None: not stated
    chosen: bool = False  # by the user or a saved mapping


@dataclass(frozen=True, slots=True)
class Rejection:
    """A source of the right name that was left out because of how its signal behaves."""

    channel: Channel
    source: ChannelInfo
    reason: str
    corrected: bool | None = None  # as in Binding


@dataclass(frozen=True, slots=True)
class ChannelMap:
    """The whole mapping of a bus or a file."""

    bindings: Mapping[Channel, Binding] = field(default_factory=dict)
    unmapped_required: tuple[str, ...] = ()
    ambiguous: Mapping[Channel, tuple[ChannelInfo, ...]] = field(default_factory=dict)
    overall_confidence: float = 0.0
    ready: bool = False
    signature: str = ""
    unmapped_recommended: tuple[Channel, ...] = ()
    notices: tuple[str, ...] = ()  # what the user should know about the mapping as a whole
    recognised: Mapping[SourceKey, str] = field(default_factory=dict)  # known, and not needed
    dynos: tuple[str, ...] = ()  # providers that have an engine and a drum; should be one
    rejected: tuple[Rejection, ...] = ()  # sources that their own signal speaks against
    by_source: Mapping[SourceKey, Binding] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Index the bindings by (provider, channel id) for whoever has samples in hand."""
        index = {(b.source.provider, b.source.id): b for b in self.bindings.values()}
        object.__setattr__(self, "by_source", index)

    def to_json(self) -> dict[str, Any]:
        """Return the mapping as the command line prints it and the session keeps it."""
        return {
            "ready": self.ready,
            "overall_confidence": self.overall_confidence,
            "signature": self.signature,
            "channels": {c.value: _binding_json(b) for c, b in self.bindings.items()},
            "unmapped_required": list(self.unmapped_required),
            "unmapped_recommended": [c.value for c in self.unmapped_recommended],
            "ambiguous": {
                c.value: [_source_json(i) for i in infos] for c, infos in self.ambiguous.items()
            },
            "recognised": [
                {"provider": provider, "id": id, "reason": reason}
                for (provider, id), reason in self.recognised.items()
            ],
            "notices": list(self.notices),
        }


def _source_json(info: ChannelInfo) -> dict[str, Any]:
    return {
        "provider": info.provider,
        "id": info.id,
        "name": info.name,
        "unit": info.unit.value,
    }


def _binding_json(binding: Binding) -> dict[str, Any]:
    facts: dict[str, Any] = {
        **_source_json(binding.source),
        "confidence": binding.confidence,
        "reasons": list(binding.reasons),
        "transform": binding.transform.name,
    }
    if binding.transform != IDENTITY:
        facts |= {"gain": binding.transform.gain, "offset": binding.transform.offset}
    if binding.corrected is not None:
        facts["corrected"] = binding.corrected
    return facts
