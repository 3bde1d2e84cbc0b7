"""What a session keeps of its live analysis: the runs it found and the alerts it raised."""

from __future__ import annotations

from typing import Any

from dynoai_desktop.core.live.alerts import Alert
from dynoai_desktop.core.live.engine import LiveEngine
from dynoai_desktop.core.live.runs import Leanest, Peak, Run


def live_record(engine: LiveEngine, since_s: float) -> dict[str, Any]:
    """Return what began or went on after *since_s*, as session.json keeps it. Unix seconds."""
    snapshot = engine.snapshot()
    runs = [*snapshot.runs, *([snapshot.run] if snapshot.run is not None else [])]
    alerts = [a for a in engine.alert_log if a.ended_s is None or a.ended_s >= since_s]
    return {
        "runs": [_run(run) for run in runs if run.end_s >= since_s],
        "alerts": [_alert(alert) for alert in alerts],
    }


def _run(run: Run) -> dict[str, Any]:
    return {
        "number": run.number,
        "kind": run.kind.value,
        "start_s": run.start_s,
        "end_s": run.end_s,
        "start_rpm": run.start_rpm,
        "end_rpm": run.end_rpm,
        "peak_power_kw": _peak(run.power_kw),
        "peak_torque_nm": _peak(run.torque_nm),
        "leanest": _leanest(run.leanest),
        "accepted": run.accepted,
        "rejected": run.rejected,
        "rejected_by_reason": dict(run.reasons),
        "new_cells": run.new_cells,
    }


def _peak(peak: Peak | None) -> dict[str, float] | None:
    return None if peak is None else {"value": peak.value, "rpm": peak.rpm}


def _leanest(leanest: Leanest | None) -> dict[str, Any] | None:
    if leanest is None:
        return None
    return {
        "cylinder": leanest.cylinder.value,
        "lambda": leanest.measured,
        "error": leanest.error,
        "rpm": leanest.rpm,
    }


def _alert(alert: Alert) -> dict[str, Any]:
    return {
        "key": alert.key,
        "severity": alert.severity.value,
        "channel": None if alert.channel is None else alert.channel.value,
        "title": alert.title,
        "message": alert.message,
        "raised_s": alert.raised_s,
        "ended_s": alert.ended_s,
        "acknowledged": alert.acknowledged,
        "times": alert.times,
    }
