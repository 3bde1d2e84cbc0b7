"""The recent signals of a bus, sorted by what each channel could be."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from dynoai_desktop.core.channels import CHANNELS, Channel
from dynoai_desktop.core.samples import ChannelInfo
from dynoai_desktop.core.trust.channel_map import Evidence
from dynoai_desktop.core.trust.names import parse_name
from dynoai_desktop.core.trust.scoring import Reading, read_channel, slot_of, stated_unit
from dynoai_desktop.core.trust.signals import Array, Signals, SourceKey, grid_of, on_grid
from dynoai_desktop.core.trust.transforms import between
from dynoai_desktop.core.units import Unit

CONFIRMS = 0.2
CONTRADICTS = -0.6  # enough to leave out what name and unit were sure of


@dataclass(frozen=True, slots=True)
class Source:
    """One reading of one announced channel, with its signal on the common grid."""

    info: ChannelInfo
    reading: Reading
    column: Array  # (m,), in the canonical unit as far as units are known
    unit: Unit  # NONE: nobody states it

    @property
    def key(self) -> SourceKey:
        """Return (provider, channel id)."""
        return self.info.provider, self.info.id

    @property
    def known_unit(self) -> Unit | None:
        """Return the canonical unit where nobody states one: the column is taken to be in it."""
        return CHANNELS[self.reading.channel].unit if self.unit is Unit.NONE else None

    @property
    def name(self) -> str:
        """Return the name as it is shown."""
        return parse_name(self.info.name).text


class Scene:
    """All sources by the slot they could fill, on one grid, and the evidence gathered so far."""

    def __init__(
        self, channels: Sequence[ChannelInfo], signals: Signals, longest_s: float = 60.0
    ) -> None:
        """Put every signal that could be something on the common grid."""
        self.grid = grid_of(signals, longest_s=longest_s)
        self.slots: dict[Channel, list[Source]] = defaultdict(list)
        self.voltages: list[tuple[ChannelInfo, Array]] = []
        self.found: list[Evidence] = []
        self.infos = channels
        self._signals = signals
        for info in channels:
            signal = signals.get((info.provider, info.id))
            if signal is None:
                continue
            column = on_grid(signal, self.grid)
            if info.unit is Unit.VOLT or parse_name(info.name).analogue:
                self.voltages.append((info, column))
            unit = stated_unit(parse_name(info.name), info.unit)
            for reading in read_channel(info.name, info.unit):
                transform = between(unit, CHANNELS[reading.channel].unit)
                values = column * transform.gain + transform.offset
                self.slots[slot_of(reading.channel)].append(Source(info, reading, values, unit))

    def column_named(self, key: str) -> Array | None:
        """Return the signal of the channel whose name has this key, in its own unit."""
        for info in self.infos:
            if parse_name(info.name).key == key and (info.provider, info.id) in self._signals:
                return on_grid(self._signals[info.provider, info.id], self.grid)
        return None

    def best(self, slot: Channel) -> Source | None:
        """Return the source that is most likely this slot's, on the evidence so far."""
        heard: dict[tuple[SourceKey, Channel], float] = defaultdict(float)
        for item in self.found:
            heard[item.source, item.channel] += item.delta
        return max(
            self.slots.get(slot, ()),
            key=lambda s: (
                s.reading.points + heard[s.key, s.reading.channel],
                -s.reading.rank,
                s.info.name,
                -s.info.id,
            ),
            default=None,
        )

    def confirmed(self, source: Source) -> bool:
        """Return True when some evidence so far speaks for this source."""
        return any(e.source == source.key and e.delta > 0 for e in self.found)

    def replace(self, slot: Channel, old: Source, new: Source) -> None:
        """Let *new* stand for *old*, after its unit has been understood."""
        self.slots[slot] = [new if s is old else s for s in self.slots[slot]]


def say(
    source: Source,
    delta: float,
    reason: str,
    *,
    copy_of: SourceKey | None = None,
    unit: Unit | None = None,
) -> Evidence:
    """Return a piece of evidence about one reading of a source."""
    return Evidence(source.key, source.reading.channel, delta, reason, copy_of, unit)
