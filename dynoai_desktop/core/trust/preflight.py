"""Is this bus worth a run? A table of checks over fifteen seconds of data, worst first.

Everything is measured outside and judged here: `run_preflight` is a pure function of its inputs.
A failed check stops a run unless the user overrides it with a reason, which is kept with the
session. Blocking checks cannot be overridden: without them there would be nothing to keep.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from dynoai_desktop.core.channels import Channel
from dynoai_desktop.core.trust import (
    checks_bus,
    checks_engine,
    checks_machine,
    checks_mixture,
    checks_speed,
)
from dynoai_desktop.core.trust.channel_map import ChannelMap
from dynoai_desktop.core.trust.check import (
    Check,
    MachineFacts,
    PairBaseline,
    PreflightInputs,
    Status,
    Verdict,
    View,
    WidebandState,
    warning,
)
from dynoai_desktop.core.trust.compete import MIXTURE_SLOTS
from dynoai_desktop.core.trust.names import parse_name
from dynoai_desktop.core.trust.scoring import slot_of

__all__ = [
    "CHECKS",
    "SAMPLING_S",
    "Check",
    "CheckResult",
    "MachineFacts",
    "PairBaseline",
    "PreflightInputs",
    "PreflightReport",
    "Status",
    "Verdict",
    "WidebandState",
    "run_preflight",
    "with_overrides",
]

SAMPLING_S = 15.0  # how long signals are collected before they are judged
SHORTEST_S, LONGEST_S = 5.0, 60.0  # what the user may choose instead


def _of(*slots: Channel) -> frozenset[Channel]:
    return frozenset(slots)


CHECKS: tuple[Check, ...] = (
    Check("connectivity", "Dyno answers", checks_bus.connectivity, blocking=True),
    Check("recording", "Recording can be written", checks_machine.recording, blocking=True),
    Check("disk_space", "Disk space", checks_machine.disk_space, blocking=True),
    Check("one_dyno", "One dyno only", checks_bus.one_dyno),
    Check("required_channels", "Required channels", checks_bus.required_channels),
    Check("recommended_channels", "Recommended channels", checks_bus.recommended_channels),
    Check("mapping", "Channels are known", checks_bus.mapping_sure),
    Check("freshness", "Channels are fresh", checks_bus.freshness),
    Check("rate", "Channels come often enough", checks_bus.rate),
    Check("held_values", "Samples are new", checks_bus.held_values),
    Check("loss", "Messages arrive", checks_bus.loss),
    Check("non_finite", "Values are numbers", checks_bus.finite_values),
    Check("range", "Values are possible", checks_bus.plausible_range),
    Check("engine_running", "Engine runs", checks_engine.engine_running),
    Check("rpm", "Engine speed", checks_speed.engine_speed, slots=_of(Channel.RPM)),
    Check("rpm_frozen", "Engine speed moves", checks_speed.frozen_speed),
    Check("rpm_dropouts", "Engine speed holds", checks_speed.broken_speed),
    Check("engine_temperature", "Engine is warm", checks_engine.engine_temperature),
    Check("throttle", "Throttle position", checks_engine.throttle, slots=_of(Channel.TPS)),
    Check(
        "manifold_pressure",
        "Manifold pressure",
        checks_engine.manifold_pressure,
        slots=_of(Channel.MAP),
    ),
    Check("mixture", "AFR or lambda", checks_mixture.mixture_scale),
    Check("wideband", "Widebands", checks_mixture.wideband, slots=MIXTURE_SLOTS),
    Check("cylinders", "Front and rear", checks_mixture.cylinders),
    Check(
        "power_torque",
        "Power and torque",
        checks_engine.power_and_torque,
        slots=_of(Channel.POWER, Channel.TORQUE),
    ),
    Check("clock_sync", "Clocks", checks_bus.clock_sync),
    Check("processor", "Processor", checks_machine.processor),
)

# Nothing further can be said before these have passed.
_FIRST = frozenset({"connectivity", "recording", "disk_space", "processor"})


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One row of the report."""

    id: str
    title: str
    status: Status
    message: str
    fix: str
    blocking: bool
    override: str = ""  # the user's reason for going on in spite of a failure


@dataclass(frozen=True, slots=True)
class PreflightReport:
    """All checks, worst first."""

    passed: bool
    checks: tuple[CheckResult, ...]
    simulated: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return the report as the command line prints it and the session keeps it."""
        return {
            "passed": self.passed,
            "simulated": self.simulated,
            "checks": [_row(check) for check in self.checks],
        }


def run_preflight(inputs: PreflightInputs) -> PreflightReport:
    """Run every check and return the report. Passed: no failure that is not overridden."""
    view = View(inputs)
    results = [
        _result(check, _with_rejected(check, check.run(view), inputs.channel_map), inputs.overrides)
        for check in CHECKS
    ]
    if not inputs.health.providers:
        results = [r for r in results if r.id in _FIRST]
    order = list(Status)
    results.sort(key=lambda r: (bool(r.override), order.index(r.status)))
    return PreflightReport(
        passed=all(r.status is not Status.FAIL or r.override for r in results),
        checks=tuple(results),
        simulated=any(p.simulated for p in inputs.health.providers),
    )


def with_overrides(report: PreflightReport, reasons: Mapping[str, str]) -> PreflightReport:
    """Return *report* with the user's reasons (by check id) for going on in spite of failures."""
    checks = tuple(
        replace(check, override=reasons.get(check.id, "").strip())
        if check.status is Status.FAIL and not check.blocking
        else check
        for check in report.checks
    )
    passed = all(check.status is not Status.FAIL or check.override for check in checks)
    return replace(report, passed=passed, checks=checks)


def _with_rejected(check: Check, verdict: Verdict, channel_map: ChannelMap) -> Verdict:
    """Return the verdict, or a warning where a source of this check was left out of the mapping.

    A source that nothing has replaced was looked at by the check itself.
    """
    if verdict.status in (Status.FAIL, Status.WARNING):
        return verdict
    filled = {slot_of(channel) for channel in channel_map.bindings}
    for item in channel_map.rejected:
        slot = slot_of(item.channel)
        if slot in check.slots and (slot in filled or verdict.status is Status.PASS):
            name = parse_name(item.source.name).text
            return warning(
                f"“{name}” is left out of the mapping: {item.reason}.",
                "Check this channel in Power Core, or choose the source in Mapping.",
            )
    return verdict


def _result(check: Check, verdict: Verdict, overrides: Mapping[str, str]) -> CheckResult:
    reason = overrides.get(check.id, "").strip()
    overridden = verdict.status is Status.FAIL and not check.blocking
    return CheckResult(
        check.id,
        check.title,
        verdict.status,
        verdict.message,
        verdict.fix,
        check.blocking,
        reason if overridden else "",
    )


def _row(check: CheckResult) -> dict[str, Any]:
    row: dict[str, Any] = {
        "id": check.id,
        "title": check.title,
        "status": check.status.value,
        "message": check.message,
        "fix": check.fix,
        "blocking": check.blocking,
    }
    return {**row, "override": check.override} if check.override else row
