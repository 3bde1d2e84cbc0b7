"""Detectors of what the engine and its driveline do: transients, knock, heat, slip."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from dynoai_desktop.core.analysis.beta import rate_below
from dynoai_desktop.core.analysis.evidence import Evidence
from dynoai_desktop.core.analysis.findings import Detector, Finding, bayes, count, either
from dynoai_desktop.core.analysis.frame import F64
from dynoai_desktop.core.analysis.heat import report_heat
from dynoai_desktop.core.analysis.modes import CODE, Mode, runs_of
from dynoai_desktop.core.analysis.runs import KW_PER_NM_RPM, Run, RunKind
from dynoai_desktop.core.analysis.windows import WINDOW_S, Windows
from dynoai_desktop.core.channels import Channel, Cylinder


def tip_in_mixture(sign: float) -> Detector:
    """Return the detector of a lean (+1) or rich (−1) throttle opening, in percent of lambda.

    It reads the opening itself: what the steady table does not explain of the mixture from the
    opening until half a second after it.
    """

    def detect(evidence: Evidence) -> Finding | None:
        events = list(_tip_in_errors(evidence))
        if len(events) < 3:
            return None
        errors = 100.0 * np.array(events)
        mean = float(errors.mean())
        se = float(np.hypot(errors.std(ddof=1) / errors.size**0.5, 0.5))
        word = "lean" if mean > 0.0 else "rich"
        says = f"{len(events)} throttle openings run {abs(mean):.1f} % {word} of the steady table"
        good = sign * mean > 2.0
        return Finding(
            mean,
            se,
            "%",
            bayes(sign * mean, se, 6.0, least=1.5),
            *either(says, good),
        )

    return detect


def _tip_in_errors(evidence: Evidence) -> Iterator[float]:
    """Yield the mean unexplained ln(lambda) of every throttle opening of every cylinder."""
    of_row = evidence.track.windows.of_row
    start, stop = runs_of(evidence.track.of_window)
    opening = evidence.track.of_window[start] == CODE[Mode.TIP_IN]
    for fit in evidence.fits.values():
        samples, surface = fit.samples, fit.surface
        if not surface.samples:
            continue
        steady = _read_surface(evidence, fit.surface.value)
        left = samples.y - steady
        for first, last in zip(start[opening], stop[opening], strict=True):
            a, b = np.searchsorted(of_row, [first, last + round(0.5 / WINDOW_S)])
            part = left[a:b]
            part = part[np.isfinite(part)]
            if part.size >= 3:
                yield float(part.mean())


def _read_surface(evidence: Evidence, value: F64) -> F64:
    basis = evidence.where.basis
    out = np.full(evidence.where.rpm.size, np.nan)
    out[basis.kept] = basis.at(value.ravel())
    return out


def knock(cylinders: tuple[Cylinder, ...]) -> Detector:
    """Return the detector of knock under load on these cylinders, in events per 100 cycles."""

    def detect(evidence: Evidence) -> Finding | None:
        counts = [_knock_count(evidence, c) for c in cylinders]
        if any(count is None for count in counts):
            return None
        events = sum(count[0] for count in counts if count)
        cycles = sum(count[1] for count in counts if count)
        if cycles < 50.0:
            return None
        rate = 100.0 * (events + 0.5) / (cycles + 1.0)
        se = 100.0 * (events + 0.5) ** 0.5 / (cycles + 1.0)
        over = 1.0 - rate_below(0.01, events, cycles)
        log = float(np.log(max(over, 1e-6) / max(1.0 - over, 1e-6)))
        says = f"{events:.0f} knock events in {cycles:.0f} cycles under load"
        good = over > 0.5
        return Finding(
            rate,
            se,
            "events per 100 cycles",
            log,
            *either(says, good),
        )

    return detect


def knock_side(cylinder: Cylinder) -> Detector:
    """Return the detector of knock mostly on one cylinder, as the log of the ratio of rates."""
    other = Cylinder.REAR if cylinder is Cylinder.FRONT else Cylinder.FRONT

    def detect(evidence: Evidence) -> Finding | None:
        mine, yours = _knock_count(evidence, cylinder), _knock_count(evidence, other)
        if mine is None or yours is None or min(mine[1], yours[1]) < 50.0:
            return None
        ratio = float(
            np.log((mine[0] + 0.5) / (mine[1] + 1.0) * (yours[1] + 1.0) / (yours[0] + 0.5))
        )
        se = (1.0 / (mine[0] + 0.5) + 1.0 / (yours[0] + 0.5)) ** 0.5
        says = f"{mine[0]:.0f} events {cylinder.value}, {yours[0]:.0f} {other.value}"
        good = ratio > 2.0 * se
        rare = 1.0 - rate_below(0.005, mine[0], mine[1])
        log = bayes(ratio, se, 1.5, least=0.5) + float(np.log(max(rare, 1e-6)))
        return Finding(
            ratio,
            se,
            "ln ratio",
            log,
            *either(says, good),
        )

    return detect


def _knock_count(evidence: Evidence, cylinder: Cylinder) -> tuple[float, float] | None:
    """Return knock events and cycles in steady load, None without a live knock channel."""
    channel = Channel.KNOCK_FRONT if cylinder is Cylinder.FRONT else Channel.KNOCK_REAR
    if cylinder is Cylinder.BOTH:
        channel = Channel.KNOCK
    retard = evidence.channel(channel)
    rpm = evidence.channel(Channel.RPM)
    if retard is None or rpm is None:
        return None
    loaded = evidence.track.rows_in(Mode.WOT, Mode.PART_LOAD) & np.isfinite(retard)
    onset = np.zeros(retard.size, dtype=bool)
    onset[1:] = np.nan_to_num(retard[1:] - retard[:-1]) >= 0.3
    cycles = float(np.nansum((evidence.row_s * rpm / 120.0)[loaded]))
    return float(np.count_nonzero(onset & loaded)), cycles


def heat_loss(evidence: Evidence) -> Finding | None:
    """Return the detector of power falling as the intake warms, in percent per 10 °C."""
    report = report_heat(evidence.track, evidence.runs, evidence.row_s)
    slope, se = report.power_per_10c_pct, report.power_per_10c_se_pct
    if slope is None or se is None:
        if report.soaked_samples == 0:
            return None
        share = report.soaked_s / max(float(evidence.row_s.sum()), 1e-9)
        says = f"{report.soaked_s:.0f} s of heat soak ({100 * share:.0f} % of the log)"
        return Finding(
            100.0 * share, 1.0, "% of time", bayes(100.0 * share, 1.0, 10.0, least=5.0), (says,)
        )
    says = f"peak power changes {slope:+.1f} ± {se:.1f} % for 10 °C of intake air"
    # Air density alone costs about 1.7 % for 10 °C; only more than that is a finding.
    good = -slope > 2.0
    return Finding(
        slope,
        se,
        "% per 10 °C",
        bayes(-slope, se, 3.0, least=1.7),
        *either(says, good),
    )


def slipping_driveline(evidence: Evidence) -> Finding | None:
    """Return the detector of engine speed running away from road speed under torque, in percent.

    In one gear engine over road speed is one number. In each pull its rise over the coast-down
    that follows in the same gear (or over its own lowest) is the slip. Only moments in which both
    were read count: a line drawn between two readings a third of a second apart lies up to a
    tenth beside the engine of a pull.
    """
    windows = evidence.track.windows
    rpm, speed = windows.means.get(Channel.RPM), windows.means.get(Channel.SPEED)
    if rpm is None or speed is None:
        return None
    moving = (rpm > 500.0) & (speed > 15.0)
    moving &= _read(evidence, Channel.RPM) & _read(evidence, Channel.SPEED)
    ratio = np.log(np.where(moving, rpm / np.maximum(speed, 1.0), np.nan))
    slips = [
        slip
        for run in evidence.runs
        if run.kind is RunKind.PULL and (slip := _slip(windows, ratio, run)) is not None
    ]
    if not slips:
        return None
    values = 100.0 * np.array(slips)
    mean = float(values.mean())
    # One pull may be a log whose rpm and road speed are not of the same moment.
    scatter = values.std(ddof=1) / values.size**0.5 if values.size > 1 else 0.0
    se = float(np.hypot(scatter, 2.0 / values.size))
    says = f"engine speed runs {mean:.1f} % ahead of road speed in {count(len(slips), 'pull')}"
    good = mean > 2.0
    return Finding(
        mean,
        se,
        "%",
        bayes(mean, se, 10.0, least=1.0),
        *either(says, good),
    )


def _read(evidence: Evidence, channel: Channel) -> NDArray[np.bool_]:
    """Return the windows in which a channel was read, not drawn between two readings."""
    windows = evidence.track.windows
    rows = evidence.frame.read_in.get(channel)
    if rows is None:
        return np.ones(len(windows), dtype=bool)
    read: NDArray[np.bool_] = np.bincount(windows.of_row, rows, len(windows)) > 0.0
    return read


def power_scaling(evidence: Evidence) -> Finding | None:
    """Return the detector of power that is not torque times engine speed, in percent.

    Both come from the same drum, so their ratio is 1 in every row. A ratio that is steady and not
    1 is a wrong setting (gearing, tyre, pulses per turn); one that scatters is a noisy pickup,
    which `rpm_dropouts` looks after. A wrong drum constant scales both and cannot be seen here.
    """
    windows = evidence.track.windows
    power, torque, rpm = (
        windows.means.get(c) for c in (Channel.POWER, Channel.TORQUE, Channel.RPM)
    )
    if power is None or torque is None or rpm is None:
        return None
    pulling = np.zeros(len(windows), dtype=bool)
    for run in evidence.runs:
        if run.kind is RunKind.PULL:
            first, end = np.searchsorted(windows.start_s, [run.start_s, run.end_s])
            pulling[first:end] = True
    for channel in (Channel.POWER, Channel.TORQUE, Channel.RPM):
        pulling &= _read(evidence, channel)
    expected = torque * rpm * KW_PER_NM_RPM
    with np.errstate(invalid="ignore"):
        strong = pulling & (expected > 1.0) & (power > 1.0)
    if np.count_nonzero(strong) < 40:
        return None
    ratio = 100.0 * np.log(power[strong] / expected[strong])
    low, middle, high = (float(x) for x in np.percentile(ratio, [16.0, 50.0, 84.0]))
    # What the two columns differ by from row to row, they may differ by throughout.
    se = float(np.hypot(0.5, (high - low) / 2.0))
    says = f"power is {middle:+.1f} % beside torque times engine speed in pulls"
    return Finding(
        middle, se, "%", bayes(abs(middle), se, 10.0, least=3.0), *either(says, abs(middle) > 5.0)
    )


def _slip(windows: Windows, ratio: F64, run: Run) -> float | None:
    """Return by how much ln(engine / road speed) rose within a pull."""

    def between(start_s: float, stop_s: float) -> F64:
        first, end = np.searchsorted(windows.start_s, [start_s, stop_s])
        part = ratio[first:end]
        return part[np.isfinite(part)]

    pull = between(run.start_s + 0.5, run.end_s - 0.1)
    if pull.size < 10:
        return None
    locked = float(np.percentile(pull, 5.0))
    rest = between(run.end_s + 0.6, run.end_s + 4.0)
    if rest.size >= 10 and float(np.percentile(rest, 75) - np.percentile(rest, 25)) < 0.01:
        same_gear = float(np.median(rest))
        if abs(same_gear - locked) < 0.15:
            locked = min(locked, same_gear)
    return float(np.percentile(pull, 90.0)) - locked
