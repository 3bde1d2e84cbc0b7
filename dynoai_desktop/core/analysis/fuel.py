"""From accepted samples to the fuel table of one cylinder: coordinates, fit, recommendation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dynoai_desktop.core.analysis.alignment import (
    REFERENCE_RPM,
    Alignment,
    Trace,
    default_alignment,
    estimate_alignment,
)
from dynoai_desktop.core.analysis.basis import Basis, bilinear
from dynoai_desktop.core.analysis.cylinders import commanded_log, measured_cylinders
from dynoai_desktop.core.analysis.frame import F64, Frame
from dynoai_desktop.core.analysis.gates import GateSettings, Samples
from dynoai_desktop.core.analysis.modes import CODE, Mode, ModeTrack
from dynoai_desktop.core.analysis.prior import SurfaceOptions
from dynoai_desktop.core.analysis.surface import Nuisance, Surface, fit_surface
from dynoai_desktop.core.analysis.ve import VeCorrection, VeSettings, recommend, table_on
from dynoai_desktop.core.analysis.windows import WINDOW_S, summarise
from dynoai_desktop.core.axis import Axis, CellGrid, default_map_axis, default_rpm_axis
from dynoai_desktop.core.channels import Channel
from dynoai_desktop.core.units import Unit

_COORDINATE_S = 0.18  # time over which rpm and load are averaged to place a sample
# While the manifold fills, fuel stays behind on the port walls and the charge runs lean by up to
# about this many seconds, at 3000 rpm, times the rate of filling; nobody knows the share in
# advance. The walls are washed once a cycle, so the time is inversely as engine speed, and the
# share is not the same all over the table. A quick opening gets enrichment of its own besides:
# what it does to the mixture is not in proportion, and remains a doubt.
_WALL_FILM_S = 0.1
_WALL_FILM_UNEVEN = 0.3
_QUICK_PER_S = 0.3
_QUICK_FILM_S = 0.05
# Near idle a short pipe breathes air back to the sensor, which then reads lean: by nothing to a
# sixth where no flow is left, growing as the flow (rpm times kPa) falls below this. The middle is
# taken off, the rest stays as doubt.
_REVERSION_FLOW = 60_000.0
_REVERSION = 0.08
_REVERSION_DOUBT = 0.05
_BOOSTED_KPA = 112.0
_MOST_BINS = 24

# No interval is narrower than what repeats with the day: charge temperature, fuel, the sensor.
VE_OPTIONS = SurfaceOptions(least_se=0.001)


@dataclass(frozen=True, slots=True, eq=False)
class CylinderFit:
    """One cylinder: its samples, the joint estimate of ln(needed / present VE), and the advice."""

    samples: Samples
    surface: Surface
    correction: VeCorrection


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """Where every row is on the table, (n,) each, smoothed over what the exhaust mixes anyway."""

    rpm_axis: Axis
    load_axis: Axis
    basis: Basis
    rpm: F64
    load: F64
    filling: F64 | None  # d ln MAP / dt per second as at 3000 rpm, smoothed; None without MAP
    drawn_back: F64 | None  # how much an exhaust this weak lets air flow back, 0 to 1

    def of(self, chosen: NDArray[np.bool_]) -> tuple[Basis, NDArray[np.intp]]:
        """Return the basis of the chosen rows that lie on the table, and their row numbers."""
        part = self.basis.take(np.flatnonzero(chosen[self.basis.kept]))
        return part, part.kept


def choose_axes(frame: Frame) -> tuple[Axis, Axis]:
    """Return axes for a log without a table: 500 rpm by 10 kPa, wider for boost, TPS without MAP.

    Raises ValueError when the log has neither MAP nor TPS: load is never guessed from rpm.
    """
    rpm = default_rpm_axis()
    top_rpm = _top(frame, Channel.RPM)
    if top_rpm > rpm.edges[-1]:
        rpm = Axis.from_edges(
            Channel.RPM, Unit.RPM, [500.0 * i for i in range(int(top_rpm // 500) + 2)]
        )
    if Channel.MAP in frame:
        top = _top(frame, Channel.MAP)
        if top <= _BOOSTED_KPA:
            return rpm, default_map_axis()
        step = 10.0 if top <= 20.0 + 10.0 * _MOST_BINS else 20.0
        bins = int(np.ceil((top - 20.0) / step)) + 1
        edges = [20.0 + step * i for i in range(bins + 1)]
        return rpm, Axis.from_edges(Channel.MAP, Unit.KILOPASCAL, edges)
    if Channel.TPS in frame:
        nodes = [0.0, 3.0, 6.0, 10.0, 15.0, 20.0, 30.0, 40.0, 55.0, 75.0, 100.0]
        return rpm, Axis.from_nodes(Channel.TPS, Unit.PERCENT, nodes)
    raise ValueError(
        "The log has neither manifold pressure nor throttle position. Log one of them; "
        "load is never guessed."
    )


def _top(frame: Frame, channel: Channel) -> float:
    return float(np.nanpercentile(frame.columns[channel], 99.9))


def place(frame: Frame, axes: tuple[Axis, Axis]) -> Place:
    """Return the coordinates of every row on *axes*."""
    rpm_axis, load_axis = axes
    steps = np.diff(frame.time_s)
    usual = float(np.median(steps)) if steps.size else 0.0
    rpm, load = (
        _averaged(frame.columns[axis.channel], frame.time_s, usual)
        for axis in (rpm_axis, load_axis)
    )
    drawn_back = None
    if Channel.MAP in frame:
        flow = rpm * frame.columns[Channel.MAP] / _REVERSION_FLOW
        drawn_back = np.nan_to_num(np.maximum(1.0 - flow, 0.0)) ** 2
    basis = bilinear(rpm_axis, load_axis, rpm, load)
    filling = _filling(frame, usual)
    if filling is not None:
        filling = filling * REFERENCE_RPM / np.fmax(rpm, 500.0)
    return Place(rpm_axis, load_axis, basis, rpm, load, filling, drawn_back)


def _filling(frame: Frame, usual_s: float) -> F64 | None:
    """Return how fast the manifold fills; where that is not known it is taken as steady."""
    pressure = frame.get(Channel.MAP)
    if pressure is None or len(frame) < 3:
        return None
    smooth = np.log(np.maximum(_averaged(pressure, frame.time_s, usual_s), 5.0))
    reach = max(1, round(0.1 / usual_s)) if usual_s > 0.0 else 1
    rate = np.zeros(len(frame))
    if len(frame) > 2 * reach:
        span = frame.time_s[2 * reach :] - frame.time_s[: -2 * reach]
        change = smooth[2 * reach :] - smooth[: -2 * reach]
        known = (span > 0.0) & (span < 0.5 + 2.0 * usual_s) & np.isfinite(change)
        rate[reach:-reach][known] = change[known] / span[known]
    return rate


def _averaged(values: F64, time_s: F64, usual_s: float) -> F64:
    """Return a centred mean over `_COORDINATE_S`, or the value itself beside a gap."""
    reach = int(_COORDINATE_S / usual_s / 2.0 + 0.25) if usual_s > 0.0 else 0
    width = 2 * reach + 1
    if reach < 1 or values.size < width:
        return values
    out = np.array(values)
    mean = np.convolve(values, np.full(width, 1.0 / width), mode="valid")
    whole = time_s[width - 1 :] - time_s[: 1 - width] <= 2.0 * _COORDINATE_S
    whole &= np.isfinite(mean)
    middle = out[reach : values.size - reach]
    middle[whole] = mean[whole]
    return out


def target_lambda(
    target: CellGrid | None,
    where: Place,
    frame: Frame,
    below_tps_pct: float | None = None,
    below_rpm: float | None = None,
) -> F64 | None:
    """Return the target table read at every row, (n,); None where its load was not logged.

    The table is read by its own load, which need not be that of the fuel table, and its borders
    hold, as in the ECU. At or above *below_tps_pct* or *below_rpm* something else commands the
    mixture: such rows are NaN, as are all rows when the throttle matters and was not logged.
    """
    if target is None or target.load.channel not in frame:
        return None
    load = where.load
    if target.load.channel is not where.load_axis.channel:
        load = frame.columns[target.load.channel]
    inside = [
        np.clip(values, axis.nodes[0], axis.nodes[-1])
        for values, axis in ((where.rpm, target.rpm), (load, target.load))
    ]
    basis = bilinear(target.rpm, target.load, inside[0], inside[1])
    out = np.full(where.rpm.size, np.nan)
    out[basis.kept] = basis.at(target.values.ravel())
    if below_rpm is not None:
        out[~(where.rpm < below_rpm)] = np.nan
    if below_tps_pct is not None:
        throttle = frame.get(Channel.TPS)
        # A throttle that was not heard in a row is no statement that it was shut.
        out[~(throttle < below_tps_pct) if throttle is not None else slice(None)] = np.nan
    return out


def find_alignment(
    frame: Frame, track: ModeTrack, load: Channel, settings: GateSettings
) -> Alignment:
    """Return the delay of the widebands measured from a normalised log, or the default."""
    cylinders = measured_cylinders(frame)
    wanted = {Channel.RPM, Channel.MAP, load}
    for c in cylinders:
        wanted |= {c.measured, *c.commanded, *c.short_trim, *c.long_trim}
    windows = summarise(frame, [c for c in wanted if c in frame])
    means = Frame(windows.start_s, windows.means)
    quiet = np.isin(track.of_window, [CODE[Mode.DECEL], CODE[Mode.UNKNOWN]])
    traces = []
    for channels in cylinders:
        commanded = commanded_log(means, channels, None)
        if commanded is None:
            continue
        value = means.columns[channels.measured]
        usable = (value > settings.rail_low) & (value < settings.rail_high)
        measured = np.full(value.size, np.nan)
        measured[usable] = np.log(value[usable])
        traces.append(Trace(np.where(quiet, np.nan, commanded), measured))
    if not traces:
        return default_alignment()
    return estimate_alignment(
        WINDOW_S,
        means.columns[Channel.RPM],
        means.columns[load],
        means.get(Channel.MAP),
        traces,
    )


def fit_cylinder(
    samples: Samples,
    where: Place,
    time_s: F64,
    alignment: Alignment,
    settings: VeSettings,
) -> CylinderFit:
    """Fit the fuel table of one cylinder and recommend a change."""
    basis, rows = where.of(samples.accepted)
    nuisances = [Nuisance(samples.rate[rows], alignment.se_s)]
    if where.filling is not None:
        filling = where.filling[rows]
        steady = np.clip(filling, -_QUICK_PER_S, _QUICK_PER_S)
        nuisances.append(Nuisance(steady, _WALL_FILM_S, uneven=_WALL_FILM_UNEVEN))
        nuisances.append(Nuisance(np.abs(filling - steady), _QUICK_FILM_S, only_doubt=True))
    y = samples.y[rows]
    if where.drawn_back is not None and where.drawn_back[rows].any():
        back = where.drawn_back[rows]
        y = y - _REVERSION * back
        nuisances.append(Nuisance(back, _REVERSION_DOUBT, only_doubt=True))
    surface = _fit(basis, y, time_s[rows], tuple(nuisances), settings, samples)
    return CylinderFit(samples, surface, recommend(surface, samples.channels.cylinder, settings))


def _fit(
    basis: Basis,
    y: F64,
    time_s: F64,
    nuisances: tuple[Nuisance, ...],
    settings: VeSettings,
    samples: Samples,
) -> Surface:
    """Return the surface of ln(needed / present VE).

    Where the present table is known, the engine's own VE is estimated and the table taken off
    afterwards: an engine breathes smoothly, but a table half corrected does not, and one jagged
    cell would else be smoothed into its neighbours.
    """
    table = table_on(settings.tables, samples.channels.cylinder, basis.rpm, basis.load)
    if table is None or (table <= 0.0).any() or not y.size:
        return fit_surface(basis, y, time_s, VE_OPTIONS, nuisances)
    middle = float(np.median(np.log(table)))
    read = np.log(basis.at(table.ravel())) - middle
    surface = fit_surface(basis, y + read, time_s, VE_OPTIONS, nuisances)
    return surface.moved(middle - np.log(table), surface.hits)
