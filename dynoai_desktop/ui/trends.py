"""The last half minute of every channel, from the snapshots of bus health.

Kept apart from the pages, so that a page opened later shows what happened before. Health comes
four times a second, which is enough to see a throttle blip and costs next to nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dynoai_desktop.core.trust.health import BusHealth, ChannelHealth, ChannelState
from dynoai_desktop.core.trust.signals import SourceKey
from dynoai_desktop.core.units import Unit

SHOWN_S = 30.0
_KEPT = 128  # a little more than 30 s, four times a second
_NOTHING = np.empty(0)

# The least change that fills the height of a little curve, so that a sensor at rest looks at
# rest and its noise does not look like news.
_LEAST_SPAN: dict[Unit, float] = {
    Unit.RPM: 200.0,
    Unit.KILOPASCAL: 5.0,
    Unit.PERCENT: 5.0,
    Unit.CELSIUS: 5.0,
    Unit.AFR: 0.5,
    Unit.LAMBDA: 0.035,
    Unit.VOLT: 0.2,
    Unit.NEWTON_METRE: 5.0,
    Unit.KILOWATT: 3.0,
    Unit.NEWTON: 50.0,
    Unit.KMH: 5.0,
}
_LEAST_SHARE = 0.02  # of the value, for other units


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """The recent past of one channel. Arrays of shape (n,), oldest first."""

    age_s: NDArray[np.float64]  # before the newest snapshot
    values: NDArray[np.float64]  # in the unit sent; NaN where it was silent

    @property
    def moved(self) -> float:
        """Return how far the value went, largest less smallest; NaN when nothing was heard."""
        known = self.values[np.isfinite(self.values)]
        return float(known.max() - known.min()) if len(known) else float("nan")

    def heights(self, unit: Unit) -> NDArray[np.float64]:
        """Return the values as heights, 0 at the foot to 1 at the top (n,); NaN stays NaN.

        >>> ages, flat = np.zeros(3), np.array([98.0, 98.1, 98.0])
        >>> bool(np.ptp(Trace(ages, flat).heights(Unit.KILOPASCAL)) < 0.1)
        True
        """
        known = self.values[np.isfinite(self.values)]
        if not len(known):
            return self.values
        low, high = float(known.min()), float(known.max())
        middle = (low + high) / 2
        least = _LEAST_SPAN.get(unit, abs(middle) * _LEAST_SHARE)
        span = max(high - low, least) or 1.0
        return 0.5 + (self.values - middle) / span


_NO_TRACE = Trace(_NOTHING, _NOTHING)


class Trends:
    """A ring of snapshots, one column each."""

    def __init__(self) -> None:
        """Start empty."""
        self.clear()

    def clear(self) -> None:
        """Forget everything: another source begins."""
        self._keys: list[SourceKey] = []
        self._rows: dict[SourceKey, int] = {}
        self._values = np.full((0, _KEPT), np.nan)
        self._time_s = np.full(_KEPT, np.nan)
        self._newest_us: int | None = None

    def take(self, health: BusHealth) -> None:
        """Add a snapshot; one taken before is ignored, an older one begins anew."""
        if self._newest_us is not None and health.now_us <= self._newest_us:
            if health.now_us == self._newest_us:
                return
            self.clear()  # a replay was wound back
        self._newest_us = health.now_us
        keys = [(c.provider, c.id) for c in health.channels]
        if keys != self._keys:
            self._relist(keys)
        self._values = np.roll(self._values, -1, axis=1)
        self._time_s = np.roll(self._time_s, -1)
        self._time_s[-1] = health.now_us / 1e6
        self._values[:, -1] = [_heard(c) for c in health.channels]

    def _relist(self, keys: list[SourceKey]) -> None:
        kept = np.full((len(keys), _KEPT), np.nan)
        for at, key in enumerate(keys):
            before = self._rows.get(key)
            if before is not None:
                kept[at] = self._values[before]
        self._keys, self._values = keys, kept
        self._rows = {key: at for at, key in enumerate(keys)}

    def trace(self, provider: str, channel_id: int) -> Trace:
        """Return the last SHOWN_S seconds of a channel, empty when it is not known."""
        row = self._rows.get((provider, channel_id))
        if row is None:
            return _NO_TRACE
        age_s = self._time_s[-1] - self._time_s
        shown = age_s <= SHOWN_S  # NaN, not yet filled, is not
        return Trace(age_s[shown], self._values[row, shown])


def _heard(channel: ChannelHealth) -> float:
    if channel.value is None or channel.state is ChannelState.STALE:
        return float("nan")
    return channel.value
