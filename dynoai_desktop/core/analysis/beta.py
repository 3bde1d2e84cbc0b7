"""The Beta distribution: what k events in n chances say about a rate."""

from __future__ import annotations

import math

_STEPS = 300
_TINY = 1e-300


def rate_below(limit: float, events: float, chances: float) -> float:
    """Return the probability that a rate is below *limit* after *events* in *chances*.

    The posterior under Jeffreys' prior is Beta(½ + k, ½ + n − k).

    >>> round(rate_below(0.5, 5, 10), 3)
    0.5
    """
    return incomplete_beta(0.5 + events, 0.5 + max(chances - events, 0.0), limit)


def incomplete_beta(a: float, b: float, x: float) -> float:
    """Return the regularised incomplete beta function I_x(a, b), for a and b above zero.

    By its continued fraction (Abramowitz and Stegun 26.5.8), evaluated from the front with
    Lentz's method on the side of the mean where it converges fast.

    >>> round(incomplete_beta(2.0, 3.0, 0.5), 4)
    0.6875
    """
    if x <= 0.0:
        return 0.0
    if x >= 1.0:
        return 1.0
    front = math.exp(
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    )
    if x < (a + 1.0) / (a + b + 2.0):
        return front * _fraction(a, b, x) / a
    return 1.0 - front * _fraction(b, a, 1.0 - x) / b


def _fraction(a: float, b: float, x: float) -> float:
    c = 1.0
    d = 1.0 / _away_from_zero(1.0 - (a + b) * x / (a + 1.0))
    total = d
    for m in range(1, _STEPS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d = 1.0 / _away_from_zero(1.0 + term * d)
            c = _away_from_zero(1.0 + term / c)
            total *= c * d
        if abs(c * d - 1.0) < 1e-12:
            break
    return total


def _away_from_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
