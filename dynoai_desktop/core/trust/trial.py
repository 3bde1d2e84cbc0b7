"""A look at what the bus has sent lately: evidence, mapping and preflight in one pure step."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from dynoai_desktop.core.channels import Channel
from dynoai_desktop.core.samples import ChannelInfo
from dynoai_desktop.core.trust.channel_map import ChannelMap, Choice, Evidence
from dynoai_desktop.core.trust.evidence import observe
from dynoai_desktop.core.trust.health import BusHealth
from dynoai_desktop.core.trust.mapping import resolve
from dynoai_desktop.core.trust.preflight import (
    MachineFacts,
    PairBaseline,
    PreflightInputs,
    PreflightReport,
    run_preflight,
)
from dynoai_desktop.core.trust.signals import Signals, signal_pair_offset
from dynoai_desktop.core.units import STOICH_AFR

_PAIRS = (
    (Channel.AFR_FRONT, Channel.AFR_REAR),
    (Channel.LAMBDA_FRONT, Channel.LAMBDA_REAR),
)


@dataclass(frozen=True, slots=True)
class MappingPlan:
    """What is decided about the mapping besides names and units."""

    choices: Mapping[Channel, Choice] = field(default_factory=dict)  # the user's, or saved ones
    pinned: frozenset[str] | None = None  # names of the providers to use; None: all
    evidence: tuple[Evidence, ...] = ()  # from the last look at the signals

    def resolve(self, channels: Sequence[ChannelInfo]) -> ChannelMap:
        """Return the mapping of *channels* under this plan."""
        return resolve(channels, evidence=self.evidence, choices=self.choices, pinned=self.pinned)


@dataclass(frozen=True, slots=True, eq=False)
class Scan:
    """What was on the bus: who, what, and the recent signals in the units they are sent in."""

    channels: tuple[ChannelInfo, ...]
    signals: Signals
    health: BusHealth
    plan: MappingPlan = field(default_factory=MappingPlan)
    stoich: float = STOICH_AFR["gasoline"]  # of the fuel the AFR channels are scaled for


@dataclass(frozen=True, slots=True)
class Trial:
    """What a scan says."""

    evidence: tuple[Evidence, ...]
    channel_map: ChannelMap
    report: PreflightReport
    pair_offset: float | None = None  # front − rear lambda; None: not both were heard


def judge(
    scan: Scan,
    machine: MachineFacts | None = None,
    overrides: Mapping[str, str] | None = None,
    pinned: Collection[str] | None = None,
    pair: PairBaseline | None = None,
) -> Trial:
    """Return evidence, mapping and preflight report of *scan*; *pinned* replaces the plan's.

    *pair* is how front and rear stood to each other when they were known to be right.
    """
    chosen = scan.plan.pinned if pinned is None else frozenset(pinned)
    used = [c for c in scan.channels if chosen is None or c.provider in chosen]
    evidence = observe(used, scan.signals)
    plan = MappingPlan(scan.plan.choices, chosen, evidence)
    channel_map = plan.resolve(scan.channels)
    inputs = PreflightInputs(
        health=scan.health,
        channel_map=channel_map,
        signals=scan.signals,
        machine=machine or MachineFacts(),
        pinned=chosen,
        pair=pair,
        overrides=overrides or {},
        stoich=scan.stoich,
    )
    offset = _pair_offset(channel_map, scan)
    return Trial(evidence, channel_map, run_preflight(inputs), offset)


def _pair_offset(channel_map: ChannelMap, scan: Scan) -> float | None:
    """Return the median of front − rear lambda, None unless both are mapped and overlap."""
    for front, rear in _PAIRS:
        pair = [channel_map.bindings.get(channel) for channel in (front, rear)]
        heard = [scan.signals.get((b.source.provider, b.source.id)) for b in pair if b is not None]
        signals = [signal for signal in heard if signal is not None]
        if len(signals) == len(pair):
            scale = scan.stoich if front is Channel.AFR_FRONT else 1.0
            offset = signal_pair_offset(*signals) / scale
            return offset if math.isfinite(offset) else None
    return None
