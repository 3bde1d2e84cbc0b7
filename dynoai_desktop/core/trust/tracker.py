"""Per-channel book-keeping: what every (provider, channel) has done, and how it is doing now.

The state is judged when somebody asks, against the time they ask at, so a channel that dies is
seen to die although nothing arrives any more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dynoai_desktop.core.channels import Channel
from dynoai_desktop.core.ring_buffer import Samples
from dynoai_desktop.core.samples import ChannelInfo
from dynoai_desktop.core.trust.health import ChannelHealth, ChannelState

RATE_SPAN_S = 2.0
STALE_AFTER_S = 5.0
STALE_PERIODS = 4.0  # a channel sent slowly, or only on change, is stale after this many periods
SLOWEST_HZ, FASTEST_HZ = 1.0, 200.0
INVALID_ABOVE = 10  # bad samples not yet made good by as many good ones

_BUCKET_US = 250_000
_SPAN = int(RATE_SPAN_S * 1e6) // _BUCKET_US
_BUCKETS = _SPAN + 2  # the span, the bucket being filled, and one for samples in flight

_ROW = np.dtype(
    [
        ("samples", np.int64),
        ("non_finite", np.int64),
        ("out_of_range", np.int64),
        ("reordered", np.int64),
        ("bad", np.int64),
        ("first_us", np.int64),
        ("last_us", np.int64),
        ("value", np.float64),
        ("low", np.float64),
        ("high", np.float64),
        ("buckets", np.int64, (_BUCKETS,)),
    ]
)


@dataclass(frozen=True, slots=True)
class TrackedChannel:
    """What the tracker has to know about a dense channel index."""

    info: ChannelInfo
    canonical: Channel | None
    hard: tuple[float, float] | None  # what the quantity can be, in the source's unit


class ChannelTracker:
    """Counters in arrays over the dense channel index; they grow as channels appear."""

    def __init__(self) -> None:
        """Start with no channels."""
        self._rows = np.zeros(0, _ROW)
        self._bucket_numbers = np.full(_BUCKETS, -1, np.int64)
        self._channels: Sequence[TrackedChannel] = ()

    def describe(self, channels: Sequence[TrackedChannel]) -> None:
        """Say what each dense index is; called whenever a list or the mapping changes."""
        self._channels = channels
        extra = np.zeros(max(0, len(channels) - len(self._rows)), _ROW)
        extra["value"] = np.nan
        self._rows = np.concatenate((self._rows, extra))
        for row, channel in zip(self._rows, channels, strict=True):
            row["low"], row["high"] = channel.hard or (-np.inf, np.inf)

    def update(self, samples: Samples) -> None:
        """Count a batch, in arrival order."""
        if not len(samples):
            return
        rows, channel, value = self._rows, samples.channel, samples.value
        size = len(rows)
        counts = np.bincount(channel, minlength=size)
        fresh = (rows["samples"] == 0) & (counts > 0)
        if fresh.any():
            rows["first_us"][channel[::-1]] = np.where(
                fresh[channel[::-1]], samples.time_us[::-1], rows["first_us"][channel[::-1]]
            )
        self._count_reordered(samples, fresh)
        rows["samples"] += counts
        finite = np.isfinite(value)
        allowed = finite & (value >= rows["low"][channel]) & (value <= rows["high"][channel])
        rows["value"][channel[finite]] = value[finite]
        if not allowed.all():
            bad = np.bincount(channel[~allowed], minlength=size)
            non_finite = np.bincount(channel[~finite], minlength=size)
            rows["non_finite"] += non_finite
            rows["out_of_range"] += bad - non_finite
            rows["bad"] += 2 * bad
        rows["bad"] = np.maximum(rows["bad"] - counts, 0)
        rows["last_us"][channel] = samples.time_us
        self._count_buckets(samples)

    def _count_reordered(self, samples: Samples, fresh: np.ndarray) -> None:
        time_us, channel = samples.time_us, samples.channel
        before = self._rows["last_us"][channel]
        if (np.diff(time_us) >= 0).all() and (fresh[channel] | (time_us >= before)).all():
            return
        order = np.argsort(channel, kind="stable")
        sorted_channel, sorted_time = channel[order], time_us[order]
        first = np.diff(sorted_channel, prepend=-1) != 0
        previous = np.where(first, before[order], np.roll(sorted_time, 1))
        back = (sorted_time < previous) & ~(first & fresh[sorted_channel])
        self._rows["reordered"] += np.bincount(sorted_channel[back], minlength=len(self._rows))

    def _count_buckets(self, samples: Samples) -> None:
        numbers = samples.time_us // _BUCKET_US
        for number in np.unique(numbers).tolist():
            at = number % _BUCKETS
            if self._bucket_numbers[at] < number:
                self._bucket_numbers[at] = number
                self._rows["buckets"][:, at] = 0
            if self._bucket_numbers[at] == number:
                inside = samples.channel[numbers == number]
                self._rows["buckets"][:, at] += np.bincount(inside, minlength=len(self._rows))

    def health(self, now_us: int) -> tuple[ChannelHealth, ...]:
        """Return every channel as it stands at *now_us*."""
        newest = now_us // _BUCKET_US - 1  # the bucket before the one still being filled
        in_span = (self._bucket_numbers <= newest) & (self._bucket_numbers > newest - _SPAN)
        recent = self._rows["buckets"][:, in_span].sum(axis=1).tolist()
        names = ("samples", "non_finite", "out_of_range", "reordered", "bad", "first_us",
                 "last_us", "value")  # fmt: skip
        columns = [self._rows[name].tolist() for name in names]
        return tuple(
            _judge(channel, now_us, count, *row)
            for channel, count, *row in zip(self._channels, recent, *columns, strict=True)
        )


def _judge(
    channel: TrackedChannel,
    now_us: int,
    recent: int,
    samples: int,
    non_finite: int,
    out_of_range: int,
    reordered: int,
    bad: int,
    first_us: int,
    last_us: int,
    value: float,
) -> ChannelHealth:
    age_s = max(0.0, (now_us - last_us) / 1e6) if samples else None
    span_s = min(RATE_SPAN_S, max(0.25, (now_us - first_us) / 1e6))
    rate_hz = recent / span_s if samples else 0.0
    period_s = (last_us - first_us) / 1e6 / (samples - 1) if samples > 1 else 0.0
    low, high = channel.hard or (-np.inf, np.inf)
    if age_s is None or age_s > max(STALE_AFTER_S, STALE_PERIODS * period_s):
        state = ChannelState.STALE
    elif bad > INVALID_ABOVE:
        state = ChannelState.INVALID
    elif (samples > 5 and not SLOWEST_HZ <= rate_hz <= FASTEST_HZ) or value < low or value > high:
        state = ChannelState.WARNING
    else:
        state = ChannelState.HEALTHY
    info = channel.info
    return ChannelHealth(
        provider=info.provider,
        id=info.id,
        name=info.name,
        unit=info.unit,
        canonical=channel.canonical,
        value=value if np.isfinite(value) else None,
        age_s=age_s,
        rate_hz=rate_hz,
        samples=samples,
        non_finite=non_finite,
        out_of_range=out_of_range,
        reordered=reordered,
        state=state,
    )
