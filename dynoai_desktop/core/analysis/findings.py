"""What can be measured about a cause: effect, doubt, and evidence for and against, in words.

Each detector looks at one thing and returns a Finding, or None where the log does not hold what
it needs; a detector that saw nothing says so with its interval. Nothing here decides: the ranking
is made of all findings together.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dynoai_desktop.core.analysis.evidence import Evidence


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


def either(says: str, supports: bool) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return a sentence as evidence for, or as evidence against."""
    return ((says,), ()) if supports else ((), (says,))


def count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def share_of(
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
        *either(says, good),
    )
