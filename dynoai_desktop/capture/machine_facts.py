"""What this computer can record, measured by trying."""

from __future__ import annotations

import shutil
from pathlib import Path

from dynoai_desktop.core.trust.preflight import MachineFacts

_TRIAL = "trial.tmp"
_TRIAL_BYTES = 65_536


def measure_machine(data_dir: Path) -> MachineFacts:
    """Return free space, and whether a trial file can be written where sessions are kept."""
    sessions = data_dir / "sessions"
    try:
        sessions.mkdir(parents=True, exist_ok=True)
        trial = sessions / _TRIAL
        trial.write_bytes(bytes(_TRIAL_BYTES))
        trial.unlink()
        return MachineFacts(free_bytes=shutil.disk_usage(sessions).free, recording_error="")
    except OSError as error:
        return MachineFacts(recording_error=error.strerror or str(error))
