"""What a preflight listens to above all, as a table while it listens."""

from __future__ import annotations

from dynoai_desktop.core.channels import CHANNELS
from dynoai_desktop.core.trust.checks_bus import WATCHED_SLOTS
from dynoai_desktop.core.trust.health import BusHealth, ChannelHealth
from dynoai_desktop.core.trust.scoring import slot_of
from dynoai_desktop.ui.look import Look
from dynoai_desktop.ui.panels.channel_cells import grey_when_old, number_key, value_with_unit
from dynoai_desktop.ui.widgets.row_model import Column
from dynoai_desktop.ui.widgets.row_table import TREND
from dynoai_desktop.ui.wording import number, plain

_SLOTS = frozenset(WATCHED_SLOTS)


def watched_channels(health: BusHealth) -> list[ChannelHealth]:
    """Return the channels that a run needs or should have, in the order of the table."""
    found = {c.canonical: c for c in health.channels if c.canonical is not None}
    return [found[c] for c in CHANNELS if c in found and slot_of(c) in _SLOTS]


def _title(row: ChannelHealth, _look: Look) -> str:
    return CHANNELS[row.canonical].title if row.canonical is not None else ""


WATCHED_COLUMNS: tuple[Column[ChannelHealth], ...] = (
    Column("Measured", _title, lambda row: row.canonical or "", width=24),
    Column("From", lambda row, _look: plain(row.name), lambda row: row.name, stretches=True),
    Column(
        "Now",
        value_with_unit,
        lambda row: number_key(row.value),
        is_number=True,
        tint=grey_when_old,
        width=14,
    ),
    Column(TREND, lambda _row, _look: "", lambda _row: 0, width=40),
    Column(
        "Rate",
        lambda row, _look: f"{number(row.rate_hz, 1)} Hz",
        lambda row: row.rate_hz,
        is_number=True,
        width=10,
    ),
)
