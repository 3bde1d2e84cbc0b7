"""The kernel of a VE correction, by version: what one measured mixture says about one cell.

A recommendation made yesterday must be reproducible tomorrow, so a formula that was ever used
keeps its name. The ratio is exact in open loop; the linear one is its ancestor, 7 % per AFR.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

AFR_RANGE = (9.0, 20.0)


def linear_v1(measured: float, target: float) -> float:
    """Return 1 + 0.07 (measured − target), in AFR.

    >>> round(linear_v1(14.0, 13.0), 6)
    1.07
    """
    return 1.0 + 0.07 * (measured - target)


def ratio_v2(measured: float, target: float) -> float:
    """Return measured / target; above 1 adds fuel.

    >>> round(ratio_v2(14.0, 13.0), 6)
    1.076923
    """
    return measured / target


KERNELS: Mapping[str, Callable[[float, float], float]] = {
    "linear@1": linear_v1,
    "ratio@2": ratio_v2,
}
DEFAULT_KERNEL = "ratio@2"


def multiplier(
    measured_afr: float,
    target_afr: float,
    *,
    kernel: str = DEFAULT_KERNEL,
    clamp_pct: float | None = None,
) -> float:
    """Return the VE multiplier of one reading, held to ±*clamp_pct* where that is given.

    Raises ValueError for a mixture outside 9 to 20 AFR: no engine runs there.
    """
    for name, value in (("measured", measured_afr), ("target", target_afr)):
        if not AFR_RANGE[0] <= value <= AFR_RANGE[1]:
            raise ValueError(f"the {name} AFR {value:g} is outside 9 to 20")
    value = KERNELS[kernel](measured_afr, target_afr)
    if clamp_pct is not None:
        value = min(1.0 + clamp_pct / 100.0, max(1.0 - clamp_pct / 100.0, value))
    return value


def multipliers(
    pairs: Iterable[tuple[float, float]], *, kernel: str = DEFAULT_KERNEL
) -> list[float | None]:
    """Return the multiplier of every (measured, target) pair; None where a value is impossible."""
    out: list[float | None] = []
    for measured, target in pairs:
        try:
            out.append(multiplier(measured, target, kernel=kernel))
        except ValueError:
            out.append(None)
    return out
