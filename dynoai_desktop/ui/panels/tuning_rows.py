"""Virtual tuning sessions and their iterations in words and columns."""

from __future__ import annotations

from dynoai_desktop.core.simulator.tuning.outcome import Iteration, Outcome, Progress, Status
from dynoai_desktop.core.units import Unit
from dynoai_desktop.ui.look import Look
from dynoai_desktop.ui.widgets.row_model import Column
from dynoai_desktop.ui.wording import ABSENT, count, number

# Sign, word and colour of every status.
STATUS = {
    Status.INITIALISING: ("…", "Initialising", ""),
    Status.RUNNING: ("●", "Running", ""),
    Status.CONVERGED: ("✓", "Converged", "good"),
    Status.FAILED: ("×", "Failed", "danger"),
    Status.STOPPED: ("–", "Stopped", "attention"),
    Status.MAX_ITERATIONS: ("!", "Not finished", "attention"),
}


def _power(row: Iteration, look: Look) -> str:
    if row.peak_power_kw is None:
        return number(None, 1)
    shown = look.display.value(row.peak_power_kw, Unit.KILOWATT)
    return f"{number(shown, 1)} {look.display.unit(Unit.KILOWATT).value}"


ITERATION_COLUMNS: tuple[Column[Iteration], ...] = (
    Column("#", lambda r, _l: str(r.number), lambda r: r.number, is_number=True, width=3),
    Column(
        "AFR error",
        lambda r, _l: number(r.max_afr_error, 2),
        lambda r: r.max_afr_error,
        is_number=True,
        width=8,
    ),
    Column(
        "Mean", lambda r, _l: number(r.mean_afr_error, 2), lambda r: r.mean_afr_error,
        is_number=True, width=5,
    ),
    Column(
        "Cells", lambda r, _l: str(r.measured_cells), lambda r: r.measured_cells,
        is_number=True, width=5,
    ),
    Column(
        "True, %",
        lambda r, _l: number(r.true_ve_rmse_pct, 2),
        lambda r: r.true_ve_rmse_pct,
        is_number=True,
        width=7,
    ),
    Column(
        "Worst, %", lambda r, _l: number(r.true_ve_max_pct, 1), lambda r: r.true_ve_max_pct,
        is_number=True, width=8,
    ),
    Column(
        "Power", _power, lambda r: r.peak_power_kw or 0.0, is_number=True, width=8
    ),
    Column(
        "Held", lambda r, _l: str(r.limited_cells), lambda r: r.limited_cells,
        is_number=True, width=5,
    ),
    Column(
        "Driven", lambda r, _l: minutes(r.driven_s), lambda r: r.driven_s,
        is_number=True, stretches=True,
    ),
)  # fmt: skip


def doing(progress: Progress) -> str:
    if progress.status.is_final or progress.stage is None:
        return progress.message
    return f"Iteration {progress.iteration}, {progress.stage.value}: {progress.message}"


def short(progress: Progress, outcome: Outcome) -> str:
    sign, word, _ = STATUS[progress.status]
    if not progress.status.is_final:
        return f"{sign} {word}: iteration {progress.iteration}, {progress.share:.0%}"
    if not outcome.iterations:
        return f"{sign} {word}"
    left = number(outcome.iterations[-1].true_ve_rmse_pct, 2)
    cost = f"{count(len(outcome.iterations), 'round')}, {minutes(outcome.driven_s)} driven"
    return f"{sign} {word} · true error {left} %\n{cost}"


def minutes(seconds: float) -> str:
    """Return a time on the drum in minutes and seconds.

    >>> minutes(245.2)
    '4:05'
    """
    if seconds != seconds:
        return ABSENT
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
