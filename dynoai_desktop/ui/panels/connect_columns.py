"""The columns of the channel table on Connect."""

from __future__ import annotations

from dynoai_desktop.core.trust.health import ChannelHealth
from dynoai_desktop.ui.panels.channel_cells import (
    STATE_ORDER,
    STATE_WORDS,
    grey_when_old,
    number_key,
    state_colour,
    unit_text,
    value_text,
)
from dynoai_desktop.ui.widgets.row_model import Column
from dynoai_desktop.ui.wording import age, number, plain

NOT_USED = "not used"


def _use(row: ChannelHealth) -> str:
    return NOT_USED if row.canonical is None else row.canonical.value


CHANNEL_COLUMNS: tuple[Column[ChannelHealth], ...] = (
    Column(
        "Channel",
        lambda row, _look: plain(row.name),
        lambda row: row.name.casefold(),
        stretches=True,
    ),
    Column(
        "Value",
        value_text,
        lambda row: number_key(row.value),
        is_number=True,
        tint=grey_when_old,
        width=8,
    ),
    Column("Unit", unit_text, lambda row: row.unit.value, width=6),
    Column(
        "Used as",
        lambda row, _look: _use(row),
        _use,
        tint=lambda row, look: look.palette.quiet if row.canonical is None else None,
        width=11,
    ),
    Column(
        "Rate",
        lambda row, _look: f"{number(row.rate_hz, 1)} Hz",
        lambda row: row.rate_hz,
        is_number=True,
        width=7,
    ),
    Column(
        "Age",
        lambda row, _look: age(row.age_s),
        lambda row: number_key(row.age_s),
        is_number=True,
        tint=grey_when_old,
        width=7,
    ),
    Column(
        "State",
        lambda row, _look: STATE_WORDS[row.state],
        lambda row: STATE_ORDER[row.state],
        tint=state_colour,
        width=9,
    ),
    Column(
        "Provider",
        lambda row, _look: plain(row.provider),
        lambda row: row.provider.casefold(),
        width=11,
    ),
)
