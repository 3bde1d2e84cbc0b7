"""The one entry: from a frame to everything it says.

Pure and repeatable: the same frame, settings and code give the same payload. Long logs report
how far they are and stop when asked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from dynoai_desktop.core.analysis.balance import Balance, compare
from dynoai_desktop.core.analysis.basis import bilinear
from dynoai_desktop.core.analysis.cause_tree import rank
from dynoai_desktop.core.analysis.confidence import judge_tune
from dynoai_desktop.core.analysis.cylinders import CYLINDERS, CylinderChannels, measured_cylinders
from dynoai_desktop.core.analysis.evidence import Evidence, row_durations
from dynoai_desktop.core.analysis.frame import Frame
from dynoai_desktop.core.analysis.fuel import (
    CylinderFit,
    choose_axes,
    find_alignment,
    fit_cylinder,
    place,
    target_lambda,
)
from dynoai_desktop.core.analysis.gates import find_later, gather
from dynoai_desktop.core.analysis.heat import report_heat
from dynoai_desktop.core.analysis.knock import KnockMap, advise, cells, knock_map
from dynoai_desktop.core.analysis.maps import NamedSurface, draw_maps
from dynoai_desktop.core.analysis.modes import Mode, label, mode_summary
from dynoai_desktop.core.analysis.normalise import normalise
from dynoai_desktop.core.analysis.notices import find_warnings
from dynoai_desktop.core.analysis.payload import Payload
from dynoai_desktop.core.analysis.prior import SurfaceOptions
from dynoai_desktop.core.analysis.readiness import (
    NAMES,
    in_sentence,
    judge_readiness,
    missing_required,
)
from dynoai_desktop.core.analysis.runs import find_runs
from dynoai_desktop.core.analysis.settings import AnalysisSettings, cache_key
from dynoai_desktop.core.analysis.spark import Mbt, Valley, find_mbt, find_valley, high_load_curve
from dynoai_desktop.core.analysis.surface import Surface, fit_surface
from dynoai_desktop.core.analysis.ve import absolute_ve
from dynoai_desktop.core.channels import Channel, Cylinder

Progress = Callable[[float, str], None]
Cancelled = Callable[[], bool]

_HIGH_LOAD_OF_BARO = 0.78
_HIGH_LOAD_TPS = 70.0
_MOST_MBT_ROWS = 200_000
_ABSOLUTE = SurfaceOptions(prior_sd=1.0, noise_sd=0.02, learn=False, least_se=0.01)


class AnalysisError(ValueError):
    """The log cannot be analysed; the message says why and what to do."""


class AnalysisCancelledError(Exception):
    """The caller asked to stop."""


def analyse(
    frame: Frame,
    settings: AnalysisSettings | None = None,
    progress: Progress | None = None,
    cancelled: Cancelled | None = None,
) -> Payload:
    """Analyse a log.

    *progress* is told the share done, 0 to 1, and what is being done; *cancelled* is asked
    between steps. Raises AnalysisError when engine speed or load is missing or the log is empty,
    AnalysisCancelledError when asked to stop, ValueError when a table's axes do not fit.
    """
    settings = settings or AnalysisSettings()
    step = _Steps(progress, cancelled)
    step(0.0, "Reading channels")
    _refuse(frame)
    key = cache_key(frame, settings)
    step(0.05, "Setting spikes aside")
    normalised = normalise(frame)
    clean = normalised.frame
    _refuse(clean)
    step(0.20, "Telling idle from cruise and pulls")
    track = label(clean, settings.modes)
    runs = find_runs(track, settings.runs)
    axes = settings.axes or choose_axes(clean)
    if axes[1].channel not in clean:
        raise AnalysisError(
            f"The table is read by {in_sentence(axes[1].channel)}, which the log does not hold. "
            "Log it, or choose a table on the other load."
        )
    where = place(clean, axes)
    step(0.30, "Measuring the delay of the widebands")
    alignment = settings.alignment or find_alignment(clean, track, axes[1].channel, settings.gates)
    target = target_lambda(
        settings.target, where, clean, settings.target_below_tps_pct, settings.target_below_rpm
    )
    later = find_later(clean, alignment, settings.gates)
    fits: dict[Cylinder, CylinderFit] = {}
    for number, channels in enumerate(measured_cylinders(clean)):
        step(0.40 + 0.17 * number, f"Fitting the {channels.cylinder.value} fuel table")
        samples = gather(
            normalised, track, alignment, channels, axes, target, settings.gates, later
        )
        fits[channels.cylinder] = fit_cylinder(samples, where, clean.time_s, alignment, settings.ve)
    evidence = Evidence(
        normalised, track, alignment, where, fits, runs, row_durations(clean.time_s)
    )
    step(0.75, "Drawing surfaces")
    maps = draw_maps(evidence)
    step(0.85, "Looking at knock and spark")
    knock = _knock_maps(evidence, settings)
    mbt = _mbt(evidence)
    step(0.92, "Comparing causes")
    readiness = judge_readiness(clean, target is not None)
    payload = Payload(
        key=key,
        settings=settings,
        evidence=evidence,
        readiness=readiness,
        mode_summary=mode_summary(track, evidence.row_s),
        maps=maps,
        absolute_ve=_absolute_ve(evidence, settings),
        knock=knock,
        spark_advice=advise(knock, _torque_gain(mbt, evidence), settings.knock),
        valleys=_valleys(evidence, maps, settings),
        mbt=mbt,
        balance=_balance(evidence),
        heat=report_heat(track, runs, evidence.row_s),
        causes=rank(evidence),
        confidence=judge_tune(evidence, settings.redline_rpm),
        warnings=find_warnings(evidence, readiness, settings.notes),
    )
    step(1.0, "Done")
    return payload


class _Steps:
    """Tells progress and asks whether to stop."""

    def __init__(self, progress: Progress | None, cancelled: Cancelled | None) -> None:
        self._progress = progress
        self._cancelled = cancelled

    def __call__(self, share: float, words: str) -> None:
        if self._cancelled is not None and self._cancelled():
            raise AnalysisCancelledError
        if self._progress is not None:
            self._progress(share, words)


def _refuse(frame: Frame) -> None:
    missing = missing_required(frame)
    if missing:
        raise AnalysisError(
            f"The log does not hold {' and '.join(NAMES[one] for one in missing)} with values it "
            "could have. Log it, or name its column in Mapping; engine speed and load are never "
            "guessed."
        )
    if len(frame) < 2:
        raise AnalysisError("The log holds fewer than two rows. Record again.")


def _knock_maps(evidence: Evidence, settings: AnalysisSettings) -> tuple[KnockMap, ...]:
    where = evidence.where
    axes = (where.rpm_axis, where.load_axis)
    running = ~evidence.track.rows_in(Mode.UNKNOWN)
    out = []
    for channels in CYLINDERS:
        retard = evidence.channel(channels.knock[0])
        if retard is None:
            continue
        heard = np.where(running, retard, np.nan)
        out.append(
            knock_map(
                channels.cylinder,
                axes,
                where.rpm,
                where.load,
                heard,
                evidence.row_s,
                settings.knock,
            )
        )
    return tuple(out)


def _mbt(evidence: Evidence) -> tuple[Mbt, ...]:
    torque = evidence.channel(Channel.TORQUE)
    if torque is None:
        return ()
    where = evidence.where
    rows = np.flatnonzero(evidence.track.rows_in(Mode.WOT, Mode.PART_LOAD, Mode.CRUISE))
    rows = rows[:: max(1, rows.size // _MOST_MBT_ROWS)]
    out: list[Mbt] = []
    for channels in CYLINDERS:
        spark = evidence.channel(channels.spark[0])
        if spark is not None and rows.size:
            out += find_mbt(
                channels.cylinder,
                (where.rpm_axis, where.load_axis),
                where.rpm[rows],
                where.load[rows],
                spark[rows],
                torque[rows],
            )
    return tuple(out)


def _torque_gain(
    mbt: tuple[Mbt, ...], evidence: Evidence
) -> Mapping[tuple[Cylinder, int, int], float]:
    where = evidence.where
    out = {}
    for one in mbt:
        r = int(cells(where.rpm_axis, np.array([one.rpm]))[0])
        c = int(cells(where.load_axis, np.array([one.load]))[0])
        out[one.cylinder, r, c] = one.rise_sigmas
    return out


def _valleys(
    evidence: Evidence, maps: tuple[NamedSurface, ...], settings: AnalysisSettings
) -> tuple[Valley, ...]:
    by_map = evidence.where.load_axis.channel is Channel.MAP
    least = _HIGH_LOAD_OF_BARO * evidence.track.baro_kpa if by_map else _HIGH_LOAD_TPS
    drawn = {m.surface_id: m.surface for m in maps}
    out = []
    for channels in CYLINDERS:
        surface = drawn.get(f"spark_{channels.cylinder.value}")
        if surface is None:
            continue
        curve = high_load_curve(surface, least, settings.valley.least_hits)
        base = None
        grid = settings.base_spark.get(channels.cylinder)
        if grid is not None and curve is not None:
            load = np.full(curve.rpm.size, float(np.mean(curve.load_band)))
            basis = bilinear(grid.rpm, grid.load, curve.rpm, load)
            if basis.kept.size == curve.rpm.size:
                base = basis.at(grid.values.ravel())
        valley = find_valley(curve, channels.cylinder, base, settings.valley)
        if valley is not None:
            out.append(valley)
    return tuple(out)


def _balance(evidence: Evidence) -> Balance | None:
    front, rear = evidence.fits.get(Cylinder.FRONT), evidence.fits.get(Cylinder.REAR)
    if front is None or rear is None:
        return None
    return compare(front, rear, evidence.where, evidence.frame.time_s)


def _absolute_ve(evidence: Evidence, settings: AnalysisSettings) -> Mapping[Cylinder, Surface]:
    if settings.injector is None:
        return {}
    return {
        channels.cylinder: surface
        for channels in CYLINDERS[:2]
        if (surface := _absolute_of(evidence, settings, channels)) is not None
    }


def _absolute_of(
    evidence: Evidence, settings: AnalysisSettings, channels: CylinderChannels
) -> Surface | None:
    """Return VE in percent from injector time, lambda, MAP and intake temperature."""
    fit, injector = evidence.fits.get(channels.cylinder), settings.injector
    width = None if channels.pulse_width is None else evidence.channel(channels.pulse_width)
    volts, iat = evidence.channel(Channel.VBATT), evidence.channel(Channel.IAT)
    pressure = evidence.channel(Channel.MAP)
    if fit is None or injector is None or width is None or volts is None:
        return None
    if iat is None or pressure is None:
        return None
    where = evidence.where
    good = fit.samples.accepted & np.isfinite(width) & np.isfinite(volts) & np.isfinite(iat)
    rows = np.flatnonzero(good & (width > 0.0))
    fuel = injector.fuel_mg(width[rows], volts[rows])
    ve = absolute_ve(fuel, fit.samples.measured[rows], pressure[rows], iat[rows], injector)
    rows, ve = rows[ve > 1.0], ve[ve > 1.0]
    basis = bilinear(where.rpm_axis, where.load_axis, where.rpm[rows], where.load[rows])
    log = np.log(ve[basis.kept])
    if not log.size:
        return None
    middle = float(np.median(log))
    surface = fit_surface(basis, log - middle, evidence.frame.time_s[rows][basis.kept], _ABSOLUTE)
    return surface.exponential(middle)
