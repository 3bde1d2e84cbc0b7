"""Made-up traffic: providers that speak true frames, as bytes with arrival times."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from dynoai_desktop.capture.protocol import (
    ALL_HOSTS,
    ChannelRecord,
    ChannelValues,
    ClearChannelInfo,
    Frame,
    Message,
    channel_info_pages,
    encode,
)
from dynoai_desktop.capture.session import Session
from dynoai_desktop.capture.sources.contract import Datagram
from dynoai_desktop.capture.values import Values
from dynoai_desktop.core.trust.health import ProviderHealth

T0 = 1_700_000_000_000_000
SECOND = 1_000_000


@dataclass
class FakeProvider:
    """A provider with a script for a voice. Its clock starts with 0 at *started_us*."""

    host: int = 0x1234
    name: str = "Power Core"
    channels: Sequence[str] = ("RPM", "MAP")
    started_us: int = T0
    delay_us: int = 400
    seq: int = 0
    ids: Mapping[str, int] = field(default_factory=dict)

    def say(self, time_us: int, message: Message, dest: int = ALL_HOSTS) -> Datagram:
        """Send any message."""
        data = encode(Frame(message, self.host, self.seq, dest))
        self.seq = (self.seq + 1) % 256
        return Datagram(time_us + self.delay_us, data, ("10.0.0.1", 22344))

    def announce(self, time_us: int = T0) -> list[Datagram]:
        """Send the channel list."""
        records = [
            ChannelRecord(self.ids.get(name, number), name, 8)
            for number, name in enumerate(self.channels)
        ]
        return [self.say(time_us, page) for page in channel_info_pages(self.name, records)]

    def clear(self, time_us: int) -> Datagram:
        """Withdraw the channel list."""
        return self.say(time_us, ClearChannelInfo())

    def measure(
        self, time_us: int, *values: float, stamp_ms: int | None = None, dest: int = ALL_HOSTS
    ) -> Datagram:
        """Send one sample of each of the first channels, measured now."""
        clock_ms = (time_us - self.started_us) // 1000 if stamp_ms is None else stamp_ms
        ids = [self.ids.get(name, number) for number, name in enumerate(self.channels)]
        values = values or tuple(range(len(ids)))
        message = ChannelValues.of(
            ids[: len(values)], [clock_ms % 2**32] * len(values), list(values)
        )
        return self.say(time_us, message, dest)

    def run(self, start_us: int, frames: int, every_us: int = 20_000) -> list[Datagram]:
        """Send so many frames of samples; the values count up."""
        return [
            self.measure(
                start_us + n * every_us, *(float(n + c) for c in range(len(self.channels)))
            )
            for n in range(frames)
        ]


def provider(session: Session, name: str = "Power Core", now_us: int = T0) -> ProviderHealth:
    """Return one provider's figures."""
    return next(p for p in session.providers(now_us) if p.name == name)


def counts(health: ProviderHealth) -> tuple[int, int, int, int, int]:
    """Return frames, lost, duplicates, out of order, malformed."""
    return (
        health.frames,
        health.lost,
        health.duplicates,
        health.out_of_order,
        health.malformed,
    )


def of_channel(session: Session, values: Values, name: str, of: str = "Power Core") -> list[float]:
    """Return the values of one channel, in arrival order."""
    wanted = [i for i, c in enumerate(session.channels) if (c.provider, c.name) == (of, name)]
    found: list[float] = values.value[np.isin(values.channel, wanted)].tolist()
    return found
