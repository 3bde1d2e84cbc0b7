"""From the analysis of one log to what the planner keeps of it."""

from __future__ import annotations

import numpy as np

from dynoai_desktop.core.analysis.frame import F64
from dynoai_desktop.core.analysis.fuel import VE_OPTIONS, CylinderFit
from dynoai_desktop.core.analysis.modes import Mode, runs_of
from dynoai_desktop.core.analysis.payload import Payload
from dynoai_desktop.core.analysis.runs import RunKind
from dynoai_desktop.core.analysis.surface import Surface
from dynoai_desktop.core.channels import Channel
from dynoai_desktop.core.planning.information import blurred
from dynoai_desktop.core.planning.memory import (
    Achieved,
    CylinderCoverage,
    Observed,
    Prediction,
    RunCoverage,
)
from dynoai_desktop.core.planning.regions import Transient
from dynoai_desktop.core.planning.steps import Movement

_BESIDE = 6  # windows of 50 ms before and after a movement that show where it began and ended
_STANDING = (Mode.UNKNOWN, Mode.IDLE, Mode.HEAT_SOAK)
_MOVEMENTS = {Mode.TIP_IN: Transient.TIP_IN, Mode.TIP_OUT: Transient.LIFT_OFF}


def run_coverage(
    payload: Payload,
    run_id: str,
    vehicle: str,
    *,
    tune_sha256: str = "",
    dyno_signature: str = "",
    started: str = "",
    note: str = "",
    prediction: Prediction | None = None,
    observed: Observed | None = None,
) -> RunCoverage:
    """Return what one analysed log taught about *vehicle* (a slug).

    *tune_sha256* is of the tune it was driven with, "" when not known; *started* the UTC time in
    ISO 8601. A cylinder whose wideband was heard but said nothing is kept with no nodes.
    """
    evidence = payload.evidence
    where = evidence.where
    cylinders = {c: _of_fit(evidence.fits[c]) for c in sorted(evidence.fits)}
    return RunCoverage(
        run_id,
        vehicle,
        evidence.frame.simulated,
        where.rpm_axis,
        where.load_axis,
        cylinders,
        transient_events(payload),
        tune_sha256,
        dyno_signature,
        started,
        note,
        prediction,
        _achieved(payload),
        observed or Observed(),
    )


def _of_fit(fit: CylinderFit) -> CylinderCoverage:
    surface = fit.surface
    told = np.flatnonzero(np.diag(surface.information) > 0.0)
    information = blurred(surface.information, _common_error(surface))
    nodes = surface.nodes[told]
    return CylinderCoverage.of(nodes, surface.hits.ravel()[nodes], information[np.ix_(told, told)])


def _common_error(surface: Surface) -> F64:
    """Return what more samples of the same kind would not mend, as a standard deviation (k,).

    The interval of a node holds more than its covariance: what straight lines between nodes
    cannot follow, and doubts about the sensor where it stands (air drawn back at idle). Without
    it the sum of many runs would be sure of what none of them can see.
    """
    variance = surface.se.ravel()[surface.nodes] ** 2 - VE_OPTIONS.least_se**2
    extra: F64 = np.sqrt(np.maximum(variance - np.diag(surface.covariance), 0.0))
    return extra


def transient_events(payload: Payload) -> tuple[Movement, ...]:
    """Return the sudden movements of the throttle in a log, in the order of time."""
    track, load = payload.evidence.track, payload.evidence.where.load_axis.channel
    rpm, loads = (track.windows.means.get(channel) for channel in (Channel.RPM, load))
    if rpm is None or loads is None or not len(track.windows):
        return ()
    out = []
    for first, end in zip(*(part.tolist() for part in runs_of(track.of_window)), strict=True):
        kind = _MOVEMENTS.get(tuple(Mode)[track.of_window[first]])
        around = loads[max(0, first - _BESIDE) : end + _BESIDE]
        speed = rpm[first:end]
        if kind is None or not (np.isfinite(around).any() and np.isfinite(speed).any()):
            continue
        moved = (round(float(np.nanmin(around)), 2), round(float(np.nanmax(around)), 2))
        out.append(Movement(kind, round(float(np.nanmean(speed)), 1), moved))
    return tuple(out)


def _achieved(payload: Payload) -> Achieved:
    evidence = payload.evidence
    time_s = evidence.frame.time_s
    powers = [run.peak_power_kw for run in evidence.runs if run.peak_power_kw is not None]
    torques = [run.peak_torque_nm for run in evidence.runs if run.peak_torque_nm is not None]
    return Achieved(
        minutes=float(time_s[-1] - time_s[0]) / 60.0 if time_s.size else 0.0,
        accepted=payload.accepted,
        driving_s=float(evidence.row_s[~evidence.track.rows_in(*_STANDING)].sum()),
        pulls=sum(run.kind is RunKind.PULL for run in evidence.runs),
        peak_power_kw=max(powers, default=None),
        peak_torque_nm=max(torques, default=None),
        peak_iat_c=payload.heat.iat_max_c,
        peak_ect_c=payload.heat.ect_max_c,
    )
