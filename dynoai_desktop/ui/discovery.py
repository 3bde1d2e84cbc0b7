"""What each announced channel is or could be, worked out again only when the bus changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dynoai_desktop.core.samples import ChannelInfo
from dynoai_desktop.core.trust.health import ChannelHealth
from dynoai_desktop.core.trust.signals import SourceKey
from dynoai_desktop.core.trust.suggest import Suggestion, suggest
from dynoai_desktop.ui.messages import MappingState


class Discovery:
    """Keeps the last answer: health comes four times a second, news hardly ever."""

    def __init__(self) -> None:
        """Start with nothing announced."""
        self._asked: tuple[tuple[ChannelInfo, ...], MappingState] | None = None
        self._found: tuple[Suggestion, ...] = ()
        self._by_source: dict[SourceKey, Suggestion] = {}

    def of(
        self, channels: Sequence[ChannelHealth], mapping: MappingState
    ) -> Mapping[SourceKey, Suggestion]:
        """Return a suggestion for each channel, by (provider, channel id)."""
        infos = tuple(ChannelInfo(c.provider, c.id, c.name, c.unit) for c in channels)
        asked = infos, mapping
        if asked != self._asked:
            self._asked = asked
            self._found = suggest(infos, mapping.channel_map, mapping.evidence)
            self._by_source = {(s.source.provider, s.source.id): s for s in self._found}
        return self._by_source

    @property
    def found(self) -> tuple[Suggestion, ...]:
        """Return the last answer in the order announced."""
        return self._found
