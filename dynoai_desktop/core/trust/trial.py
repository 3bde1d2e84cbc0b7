"""A look at what the bus has sent lately: evidence, mapping and preflight in one pure step."""

from __future__ import annotations

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
    PreflightInputs,
    PreflightReport,
    run_preflight,
)
from dynoai_desktop.core.trust.signals import Signals


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


@dataclass(frozen=True, slots=True)
class Trial:
    """What a scan says."""

    evidence: tuple[Evidence, ...]
    channel_map: ChannelMap
    report: PreflightReport


def judge(
    scan: Scan,
    machine: MachineFacts | None = None,
    overrides: Mapping[str, str] | None = None,
    pinned: Collection[str] | None = None,
) -> Trial:
    """Return evidence, mapping and preflight report of *scan*; *pinned* replaces the plan's."""
    chosen = scan.plan.pinned if pinned is None else frozenset(pinned)
    evidence = observe(scan.channels, scan.signals)
    plan = MappingPlan(scan.plan.choices, chosen, evidence)
    channel_map = plan.resolve(scan.channels)
    inputs = PreflightInputs(
        health=scan.health,
        channel_map=channel_map,
        signals=scan.signals,
        machine=machine or MachineFacts(),
        pinned=chosen,
        overrides=overrides or {},
    )
    return Trial(evidence, channel_map, run_preflight(inputs))
