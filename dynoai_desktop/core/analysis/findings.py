"""What can be measured about a cause: effect, doubt, and evidence for and against, in words.

Each detector looks at one thing and returns a Finding, or None where the log does not hold what
it needs; a detector that saw nothing says so with its interval. Nothing here decides: the ranking
is made of all findings together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dynoai_desktop.core.analysis.beta import rate_below
from dynoai_desktop.core.analysis.evidence import Evidence
from dynoai_desktop.core.analysis.frame import F64
from dynoai_desktop.core.analysis.heat import report_heat
from dynoai_desktop.core.analysis.modes import CODE, Mode, runs_of
from dynoai_desktop.core.analysis.normalise import Tag
from dynoai_desktop.core.analysis.runs import Run, RunKind
from dynoai_desktop.core.analysis.windows import WINDOW_S, Windows
from dynoai_desktop.core.channels import Channel, Cylinder


@dataclass(frozen=True, slots=True)
class Finding:
    """One measured effect. *log_bayes* is ln(evidence for the cause / evidence for none)."""

    effect: float
    se: float
    unit: str
    log_bayes: float
    supports: tuple[str, ...] = ()
    opposes: tuple[str, ...] = ()


Detector = Callable[[Evidence], "Finding | None"]


def bayes(effect: float, se: float, likely: float, *, least: float = 0.0) -> float:
    """Return ln of the Bayes factor of an effect above *least* against none (Wakefield, 2009).

    *likely* is the size such an effect usually has. Wrong-signed and small effects count against.

    >>> round(bayes(0.0, 1.0, 3.0), 2), bayes(6.0, 1.0, 3.0) > 10
    (-1.15, True)
    """
    over = max(0.0, effect - least)
    total = se**2 + likely**2
    return 0.5 * float(np.log(se**2 / total)) + 0.5 * (over / se) ** 2 * likely**2 / total


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
            (says,) if good else (),
            () if good else (says,),
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
            rate, se, "events per 100 cycles", log, (says,) if good else (), () if good else (says,)
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
        return Finding(ratio, se, "ln ratio", log, (says,) if good else (), () if good else (says,))

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
        (says,) if good else (),
        () if good else (says,),
    )


def slipping_driveline(evidence: Evidence) -> Finding | None:
    """Return the detector of engine speed running away from road speed under torque, in percent.

    In one gear engine over road speed is one number. In each pull its rise over the coast-down
    that follows in the same gear (or over its own lowest) is the slip.
    """
    windows = evidence.track.windows
    rpm, speed = windows.means.get(Channel.RPM), windows.means.get(Channel.SPEED)
    if rpm is None or speed is None:
        return None
    moving = (rpm > 500.0) & (speed > 15.0)
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
    se = float(np.hypot(values.std(ddof=1) / values.size**0.5 if values.size > 1 else 0.5, 0.3))
    says = f"engine speed runs {mean:.1f} % ahead of road speed within {len(slips)} pulls"
    good = mean > 2.0
    return Finding(
        mean,
        se,
        "%",
        bayes(mean, se, 10.0, least=1.0),
        (says,) if good else (),
        () if good else (says,),
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


def frozen_rpm(evidence: Evidence) -> Finding | None:
    """Return the detector of an engine speed that stands still while the throttle moves, in s."""
    rpm, tps = evidence.channel(Channel.RPM), evidence.channel(Channel.TPS, Channel.MAP)
    if rpm is None or tps is None or rpm.size < 50:
        return None
    still = np.zeros(rpm.size, dtype=bool)
    with np.errstate(invalid="ignore"):
        still[1:] = (np.abs(np.diff(rpm)) < 1e-9) & (rpm[1:] > 300.0)
    start, stop = runs_of(still)
    frozen = 0.0
    for first, end in zip(start, stop, strict=True):
        if not still[first] or end - first < 20:
            continue
        moved = float(np.nanmax(tps[first:end]) - np.nanmin(tps[first:end]))
        if moved > 10.0:
            frozen += float(evidence.row_s[first:end].sum())
    says = f"rpm stood still for {frozen:.1f} s while the throttle moved"
    return Finding(
        frozen, 0.3, "s", bayes(frozen, 0.3, 3.0, least=0.5), (says,) if frozen > 1.0 else ()
    )


def rpm_dropouts(evidence: Evidence) -> Finding | None:
    """Return the detector of a speed signal that breaks off, in percent of readings."""
    tags = evidence.normalised.tags[Channel.RPM]
    raw = evidence.normalised.raw.columns[Channel.RPM]
    running = np.nan_to_num(evidence.frame.columns[Channel.RPM]) > 500.0
    lost = ((tags == Tag.SPIKE) | (np.nan_to_num(raw, nan=1e9) < 100.0)) & running
    return _share(lost, running, "rpm readings broke off while the engine ran", 2.0, 0.3)


def map_is_baro(evidence: Evidence) -> Finding | None:
    """Return the detector of a MAP channel that does not follow the throttle, as correlation."""
    windows = evidence.track.windows
    pressure, tps = windows.means.get(Channel.MAP), windows.means.get(Channel.TPS)
    if pressure is None or tps is None:
        return None
    both = np.isfinite(pressure) & np.isfinite(tps)
    if np.count_nonzero(both) < 100 or float(np.ptp(tps[both])) < 30.0:
        return None
    span = float(np.percentile(pressure[both], 98) - np.percentile(pressure[both], 2))
    says = f"MAP moved {span:.1f} kPa while the throttle moved {np.ptp(tps[both]):.0f} %"
    stuck = span < 6.0
    return Finding(
        span, 2.0, "kPa", 6.0 if stuck else -6.0, (says,) if stuck else (), () if stuck else (says,)
    )


def dead_wideband(cylinder: Cylinder) -> Detector:
    """Return the detector of a wideband that stands still or at a stop, in percent of readings."""
    channel = {
        Cylinder.FRONT: Channel.LAMBDA_FRONT,
        Cylinder.REAR: Channel.LAMBDA_REAR,
        Cylinder.BOTH: Channel.LAMBDA,
    }[cylinder]

    def detect(evidence: Evidence) -> Finding | None:
        raw = evidence.normalised.raw.get(channel)
        if raw is None:
            return None
        running = evidence.track.rows_in(Mode.IDLE, Mode.CRUISE, Mode.PART_LOAD, Mode.WOT)
        running &= np.isfinite(raw)
        tps, closed = evidence.channel(Channel.TPS), evidence.track.closed_tps
        if tps is not None and closed is not None:
            running &= ~(tps <= closed + 4.0)  # a shut throttle shows free air by right
        stuck = (raw <= 0.53) | (raw >= 1.45)
        still = np.zeros(raw.size, dtype=bool)
        still[1:] = np.diff(raw) == 0.0
        stuck |= _long(still, max(20, round(2.0 / max(float(np.median(evidence.row_s)), 1e-3))))
        return _share(
            stuck, running, f"{cylinder.value} wideband readings at a stop or frozen", 30.0, 5.0
        )

    return detect


def _long(active: NDArray[np.bool_], least: int) -> NDArray[np.bool_]:
    start, stop = runs_of(active)
    keep = active[start] & (stop - start >= least)
    return np.repeat(keep, stop - start)


def cold_engine(evidence: Evidence) -> Finding | None:
    """Return the detector of an engine that was never warm, in percent of running time."""
    ect = evidence.channel(Channel.ECT)
    if ect is None:
        return None
    running = ~evidence.track.rows_in(Mode.UNKNOWN) & np.isfinite(ect)
    return _share(ect < 60.0, running, "of the running time below 60 °C", 30.0, 10.0)


def low_battery(evidence: Evidence) -> Finding | None:
    """Return the detector of a battery that is not charged while the engine runs, in volts."""
    volts = evidence.channel(Channel.VBATT)
    if volts is None:
        return None
    running = ~evidence.track.rows_in(Mode.UNKNOWN, Mode.IDLE) & np.isfinite(volts)
    if np.count_nonzero(running) < 50:
        return None
    usual = float(np.median(volts[running]))
    says = f"battery at {usual:.1f} V with the engine running"
    good = usual < 12.9
    return Finding(
        usual,
        0.1,
        "V",
        bayes(13.2 - usual, 0.15, 1.0, least=0.3),
        (says,) if good else (),
        () if good else (says,),
    )


def few_samples(evidence: Evidence) -> Finding | None:
    """Return the detector of too little data: independent samples, against 200."""
    worth = sum(
        fit.surface.effective_samples for fit in evidence.fits.values() if fit.surface.samples
    )
    says = f"the log is worth {worth:.0f} independent mixture readings"
    log = float(np.log(200.0 / max(worth, 1.0)))
    good = worth < 200.0
    return Finding(
        worth,
        worth**0.5,
        "readings",
        3.0 * log,
        (says,) if good else (),
        () if good else (says,),
    )


def inconsistent_mixture(evidence: Evidence) -> Finding | None:
    """Return the detector of a mixture that does not repeat in the same cells, in percent."""
    noises = [f.surface.noise_sd for f in evidence.fits.values() if f.surface.samples > 200]
    if not noises:
        return None
    noise = 100.0 * max(noises)
    says = f"lambda scatters by {noise:.1f} % within a cell"
    good = noise > 3.0
    return Finding(
        noise,
        0.2,
        "%",
        bayes(noise, 0.5, 3.0, least=2.5),
        (says,) if good else (),
        () if good else (says,),
    )


def _share(
    bad: NDArray[np.bool_], among: NDArray[np.bool_], words: str, usual: float, least: float
) -> Finding | None:
    total = int(np.count_nonzero(among))
    if total < 50:
        return None
    share = 100.0 * float(np.count_nonzero(bad & among)) / total
    se = 100.0 * ((share / 100.0 * (1.0 - share / 100.0) + 1.0 / total) / total * 10.0) ** 0.5
    says = f"{share:.1f} % {words}"
    good = share > least
    return Finding(
        share,
        se,
        "%",
        bayes(share, max(se, 0.1 * usual), usual, least=least),
        (says,) if good else (),
        () if good else (says,),
    )
