"""When was the charge burnt that the wideband sees now?

The exhaust needs time to reach the sensor and the sensor time to answer. The delay is

    t_d = a + b · g,   g = (3000 rpm · 60 kPa) / (rpm · MAP)

a being the sensor's lag and the stroke or two before the valve opens, b the gas in the pipe,
which moves on in proportion to the flow. Both are found from the log itself: with the right
delay, measured lambda is best explained by what was commanded then and by where in the table the
engine was then. Commanded steps and every passage through cells of different error are excitation.
Every delay on a grid is tried, the table's own errors taken out each time, and the likelihoods
make the estimate and its interval; noise that repeats itself counts for what it is worth.

Where a log does not excite enough, the default is used and said to be no measurement.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dynoai_desktop.core.analysis.basis import bilinear
from dynoai_desktop.core.analysis.frame import F64
from dynoai_desktop.core.analysis.noise import Pairs, judge
from dynoai_desktop.core.axis import Axis
from dynoai_desktop.core.channels import Channel
from dynoai_desktop.core.units import Unit

REFERENCE_RPM = 3000.0
REFERENCE_KPA = 60.0
SENSOR_LAG_S = 0.08  # of a wideband with its controller, 50 to 120 ms

# Before data: seconds of lag, and of transport at the reference flow, each with its doubt.
_PRIOR_MEAN = np.array([0.10, 0.06])
_PRIOR_SD = np.array([0.06, 0.05])
_LONGEST_S = 0.6
_CANDIDATES_S = np.arange(0.02, _LONGEST_S, 0.04)  # totals at the reference flow
_NEAR_S = np.arange(-0.09, 0.0901, 0.015)  # looked at again around the best of them
_MOST_PAST_S = 1.2
_USUAL_SHARE = 0.375  # of transport in the total
_SHARES = (0.15, 0.3, 0.45, 0.6)
_LEAST_CELL_RPM = 350.0
_LEAST_CELL_LOAD = 8.0
_BLOCK = 40  # windows of a block: 2 s
_MOST_BLOCKS = 150
_FEWEST_WINDOWS = 200
_SURE_S = 0.03  # standard error up to which the data are said to have measured the delay
# What another sensor lag than the usual one, wall film and logging steps do to the answer.
_LEAST_SE_S = 0.015
_LEAST_NOISE = 1e-4
_FILM_S = (0.1, 0.5)  # time constants of the wall film, fast and slow
_TRANSIENT_RIDGE = 1.0
_TABLE_RIDGE = 0.02  # samples' worth of belief that the table is right


@dataclass(frozen=True, slots=True)
class Alignment:
    """The delay of the wideband: total, from the fuel burnt to the reading."""

    lag_s: float  # a
    transport_s: float  # b, at the reference flow
    typical_flow: float  # g at the middle of the samples used
    se_s: float  # standard error of the delay there
    measured: bool

    @property
    def delay_s(self) -> float:
        """Return the delay at the middle of the samples used."""
        return self.lag_s + self.transport_s * self.typical_flow

    @property
    def interval_s(self) -> tuple[float, float]:
        """Return the 95 % interval of that delay, never below zero."""
        half = 1.96 * self.se_s
        return max(0.0, self.delay_s - half), self.delay_s + half

    def delays_s(self, rpm: F64, map_kpa: F64 | None) -> F64:
        """Return the delay of every sample, (n,)."""
        return self.lag_s + self.transport_s * flow_share(rpm, map_kpa)


def default_alignment() -> Alignment:
    """Return what is believed without data: 160 ms at the reference, somewhere up to 0.3 s."""
    lag, transport = (float(x) for x in _PRIOR_MEAN)
    return Alignment(lag, transport, 1.0, float(np.hypot(*_PRIOR_SD)), False)


def flow_share(rpm: F64, map_kpa: F64 | None) -> F64:
    """Return g: how many times longer than at the reference flow the gas is on its way.

    Without MAP the manifold is taken at the reference pressure. Limited to 1/5 and 4.
    """
    load = REFERENCE_KPA if map_kpa is None else np.maximum(map_kpa, 10.0)
    share: F64 = (REFERENCE_RPM * REFERENCE_KPA) / (np.maximum(rpm, 200.0) * load)
    return np.clip(share, 0.2, 4.0, out=share)


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """One cylinder's signals on a regular grid of windows, (k,) each; NaN where unusable."""

    commanded_log: F64
    measured_log: F64


def estimate_alignment(
    step_s: float, rpm: F64, load: F64, map_kpa: F64 | None, traces: Sequence[Trace]
) -> Alignment:
    """Estimate the delay from signals on windows of *step_s* seconds, (k,) each.

    *load* is whatever the table is read by. Samples that must not speak (overrun, no reading,
    engine stopped) are NaN in the traces.
    """
    problem = _Problem.of(step_s, rpm, load, map_kpa, traces)
    if problem is None:
        return default_alignment()
    rough = [(total, _USUAL_SHARE) for total in _CANDIDATES_S]
    best = int(np.argmin([problem.loss(*pair) for pair in rough]))
    near = _CANDIDATES_S[best] + _NEAR_S
    fine = [(total, share) for total in near[near > 0.0] for share in _SHARES]
    losses = np.array([problem.loss(*pair) for pair in fine])
    totals, shares = np.array(fine).T
    pairs = np.stack([totals * (1.0 - shares), totals * shares], axis=1)
    doubt = np.sum(((pairs - _PRIOR_MEAN) / _PRIOR_SD) ** 2, axis=1)
    chance = np.exp(-0.5 * (losses - losses.min() + doubt - doubt.min()))
    chance /= chance.sum()
    lag, transport = chance @ pairs
    typical = float(np.median(problem.flow[np.concatenate(problem.rows)]))
    at = pairs @ np.array([1.0, typical])
    spread = float(chance @ (at - chance @ at) ** 2) ** 0.5
    edge = bool(chance[totals == totals.max()].sum() + chance[totals == totals.min()].sum() > 0.1)
    if spread > _SURE_S or edge:
        return default_alignment()
    se = float(np.hypot(spread, _LEAST_SE_S))
    return Alignment(float(lag), float(transport), typical, se, True)


@dataclass(frozen=True, slots=True, eq=False)
class _Problem:
    """The windows chosen for their excitation, and everything needed to try a delay on them."""

    step_s: float
    rpm: F64
    load: F64
    commanded: tuple[F64, ...]  # as the sensor would follow it
    transients: tuple[F64, ...]  # likewise: what fuel on the port walls may add, in shape
    measured: tuple[F64, ...]  # at the windows of the cylinder
    rows: tuple[NDArray[np.intp], ...]  # the windows of each cylinder
    flow: F64  # at every window
    rpm_axis: Axis
    load_axis: Axis
    worth: tuple[float, ...]  # 1 / (variance · samples per independent one), per cylinder

    @classmethod
    def of(
        cls, step_s: float, rpm: F64, load: F64, map_kpa: F64 | None, traces: Sequence[Trace]
    ) -> _Problem | None:
        rpm, load = _smooth(rpm), _smooth(load)
        alive = np.isfinite(rpm) & np.isfinite(load)
        commanded = tuple(_as_sensed(t.commanded_log, step_s) for t in traces)
        chosen = _most_excited(rpm, load, traces, alive)
        rows, used = [], []
        for trace, command in zip(traces, commanded, strict=True):
            # Every delay is tried on the same windows, so all of their past must be known.
            past = round(_MOST_PAST_S / step_s) + 1
            known = _known_past(np.isfinite(command) & alive, past) & np.isfinite(
                trace.measured_log
            )
            own = chosen[known[chosen]]
            if own.size >= _FEWEST_WINDOWS:
                rows.append(own)
                used.append((command, trace.measured_log[own]))
        if not rows:
            return None
        everywhere = np.concatenate(rows)
        problem = cls(
            step_s,
            rpm,
            load,
            tuple(command for command, _ in used),
            tuple(_as_sensed(t, step_s) for t in _transients(step_s, load, traces)),
            tuple(measured for _, measured in used),
            tuple(rows),
            flow_share(rpm, map_kpa),
            _axis(Channel.RPM, Unit.RPM, rpm[everywhere], _LEAST_CELL_RPM, 14),
            _axis(Channel.MAP, Unit.KILOPASCAL, load[everywhere], _LEAST_CELL_LOAD, 9),
            (),
        )
        usual = float(_PRIOR_MEAN.sum())
        worth = []
        for i, own in enumerate(rows):
            noise = judge(
                problem.residual(i, usual, _USUAL_SHARE), Pairs.of(own.astype(np.float64) * step_s)
            )
            worth.append(1.0 / (noise.variance * noise.repeats + _LEAST_NOISE**2))
        return replace(problem, worth=tuple(worth))

    def loss(self, total_s: float, share: float) -> float:
        """Return −2 log likelihood of a delay, *share* of it transport at the reference flow."""
        out = 0.0
        for i, worth in enumerate(self.worth):
            size = np.abs(self.residual(i, total_s, share))
            limit = 2.0 * 1.4826 * float(np.median(size))
            out += worth * float(
                np.sum(np.where(size < limit, size**2, limit * (2 * size - limit)))
            )
        return out

    def residual(self, cylinder: int, total_s: float, share: float) -> F64:
        """Return what a delay leaves unexplained, the table's own errors taken out."""
        rows = self.rows[cylinder]
        delay_s = np.minimum(total_s * (1.0 - share + share * self.flow[rows]), _MOST_PAST_S)
        burnt = rows - delay_s / self.step_s
        # Part of the delay is in the filtered command already.
        base = _read(self.commanded[cylinder], burnt + SENSOR_LAG_S / self.step_s)
        basis = bilinear(
            self.rpm_axis,
            self.load_axis,
            np.clip(_read(self.rpm, burnt), self.rpm_axis.nodes[0], self.rpm_axis.nodes[-1]),
            np.clip(_read(self.load, burnt), self.load_axis.nodes[0], self.load_axis.nodes[-1]),
        )
        left = self.measured[cylinder] - base
        columns = [
            np.nan_to_num(_read(t, burnt + SENSOR_LAG_S / self.step_s)) for t in self.transients
        ]
        gram, moment = basis.normal_equations(left)
        nodes = basis.nodes
        full = np.zeros((nodes + len(columns), nodes + len(columns)))
        full[:nodes, :nodes] = gram + _TABLE_RIDGE * np.eye(nodes)
        told = np.concatenate((moment, [c @ left for c in columns]))
        for i, column in enumerate(columns, start=nodes):
            full[:nodes, i] = full[i, :nodes] = basis.sums(column)
            full[i, nodes:] = [column @ other for other in columns]
            full[i, i] += _TRANSIENT_RIDGE
        found = np.asarray(np.linalg.solve(full, told), dtype=np.float64)
        residual: F64 = left - basis.at(found[:nodes])
        for column, amount in zip(columns, found[nodes:], strict=True):
            residual -= amount * column
        return residual


def _axis(channel: Channel, unit: Unit, values: F64, least_cell: float, most_nodes: int) -> Axis:
    """Return an axis over the values; cells no smaller than what noise alone cannot cross."""
    low, high = (float(x) for x in np.percentile(values, [0.5, 99.5]))
    high = max(high, low + least_cell)
    count = min(most_nodes, int((high - low) / least_cell) + 1)
    return Axis.from_nodes(channel, unit, np.linspace(low, high, max(2, count)).tolist())


def _transients(step_s: float, load: F64, traces: Sequence[Trace]) -> tuple[F64, ...]:
    """Return the shapes in which wall film makes the mixture stray, per window.

    Fast and slow answers to a filling and to an emptying manifold, and the refilling of walls
    that dried in overrun (where no trace is known). Their onset is as good a clock as a command.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        fuel = np.log(load) - traces[0].commanded_log
    rate = np.zeros(load.size)
    rate[1:-1] = (fuel[2:] - fuel[:-2]) / (2.0 * step_s)
    rate[~np.isfinite(rate)] = 0.0
    out = [
        _faded(side, tau, step_s)
        for side in (np.maximum(rate, 0.0), np.minimum(rate, 0.0))
        for tau in _FILM_S
    ]
    dry = np.all([~np.isfinite(t.commanded_log) for t in traces], axis=0)
    wet_again = np.zeros(load.size)
    wet_again[1:] = (dry[:-1] & ~dry[1:]) / step_s
    return (*out, _faded(wet_again, _FILM_S[1], step_s))


def _faded(values: F64, tau_s: float, step_s: float) -> F64:
    """Return a signal after an exponential decay of *tau_s*."""
    taps = np.exp(-np.arange(round(5.0 * tau_s / step_s) + 1) * step_s / tau_s)
    return np.convolve(values, taps / taps.sum())[: values.size]


def _known_past(known: NDArray[np.bool_], windows: int) -> NDArray[np.bool_]:
    """Return where a signal was known in all of the last *windows* windows and the next two."""
    gaps = np.cumsum(~known)
    ahead = np.concatenate((gaps[2:], np.full(min(2, gaps.size), gaps[-1])))[: gaps.size]
    behind = np.concatenate((np.zeros(windows + 1, gaps.dtype), gaps))[: gaps.size]
    out: NDArray[np.bool_] = ahead == behind
    out[:windows] = False
    return out


def _read(values: F64, when: F64) -> F64:
    """Return a signal between its windows, on the line between both neighbours; ends are held."""
    place = np.clip(when, 0.0, values.size - 1.0)
    left = np.minimum(place.astype(np.intp), values.size - 2)
    out: F64 = values[left] + (place - left) * (values[left + 1] - values[left])
    return out


def _as_sensed(values: F64, step_s: float) -> F64:
    """Return a signal after a sensor of the usual lag; NaN where it does not know its past.

    The exponential kernel acts on the straight lines between windows, so its mean delay is the
    lag exactly, however long the windows are.
    """
    keep = np.exp(-step_s / SENSOR_LAG_S)
    taps = (SENSOR_LAG_S / step_s) * (1.0 - keep) ** 2 * keep ** np.arange(-1, 6)
    taps[0] = 1.0 - taps[1:].sum()
    known = np.isfinite(values)
    out = np.convolve(np.where(known, values, 0.0), taps)[: values.size]
    out[np.convolve(~known, np.ones(4))[: values.size] > 0.5] = np.nan
    return out


def _smooth(values: F64) -> F64:
    """Return a three-window mean where all three were heard."""
    out = np.array(values)
    if values.size > 2:
        mean = (values[2:] + values[1:-1] + values[:-2]) / 3.0
        out[1:-1] = np.where(np.isfinite(mean), mean, values[1:-1])
    return out


def _most_excited(
    rpm: F64, load: F64, traces: Sequence[Trace], alive: NDArray[np.bool_]
) -> NDArray[np.intp]:
    """Return the windows of the blocks in which most happened, at most ten minutes of them."""
    motion = np.zeros(rpm.size)
    for values, scale in ((rpm, 1000.0), (load, 20.0)):
        motion[2:] += np.nan_to_num((values[2:] - values[:-2]) / scale * 0.05) ** 2
    for trace in traces:
        change = trace.commanded_log[2:] - trace.commanded_log[:-2]
        motion[2:] += np.nan_to_num(change) ** 2
    motion[~alive] = 0.0
    block = np.arange(rpm.size) // _BLOCK
    score = np.bincount(block, motion)
    best = np.argsort(-score, kind="stable")[:_MOST_BLOCKS]
    keep = np.zeros(score.size, dtype=bool)
    keep[best] = score[best] > 0.0
    return np.flatnonzero(keep[block] & alive)
