"""From what providers call their channels to what we call them, with confidence and reasons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from dynoai_desktop.core.channels import Channel
from dynoai_desktop.core.samples import ChannelInfo


@dataclass(frozen=True, slots=True)
class Transform:
    """A linear change of unit: ``canonical = source * gain + offset``."""

    name: str = "identity"
    gain: float = 1.0
    offset: float = 0.0


@dataclass(frozen=True, slots=True)
class Binding:
    """One canonical channel and the source it is read from."""

    channel: Channel
    source: ChannelInfo
    transform: Transform
    confidence: float  # 0 to 1
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ChannelMap:
    """The whole mapping of a bus or a file."""

    bindings: Mapping[Channel, Binding] = field(default_factory=dict)
    unmapped_required: tuple[str, ...] = ()
    ambiguous: Mapping[Channel, tuple[ChannelInfo, ...]] = field(default_factory=dict)
    overall_confidence: float = 0.0
    ready: bool = False
    signature: str = ""


def resolve(channels: Sequence[ChannelInfo]) -> ChannelMap:
    """Return the best mapping for the channels announced by all providers together."""
    raise NotImplementedError
