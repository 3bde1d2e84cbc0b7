"""Detectors of what is wrong with the signals and the data rather than with the engine."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dynoai_desktop.core.analysis.evidence import Evidence
from dynoai_desktop.core.analysis.findings import Detector, Finding, bayes, either, share_of
from dynoai_desktop.core.analysis.modes import Mode, runs_of
from dynoai_desktop.core.analysis.normalise import Tag
from dynoai_desktop.core.channels import Channel, Cylinder


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
    return share_of(lost, running, "rpm readings broke off while the engine ran", 2.0, 0.3)


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
        span,
        2.0,
        "kPa",
        6.0 if stuck else -6.0,
        *either(says, stuck),
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
        return share_of(
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
    return share_of(ect < 60.0, running, "of the running time below 60 °C", 30.0, 10.0)


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
        *either(says, good),
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
        *either(says, good),
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
        *either(says, good),
    )
