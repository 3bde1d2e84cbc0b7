"""The columns of the channel table on Connect."""

from __future__ import annotations

import math

from dynoai_desktop.core.trust.health import ChannelHealth, ChannelState
from dynoai_desktop.ui.look import Look
from dynoai_desktop.ui.widgets.row_model import Column
from dynoai_desktop.ui.wording import ABSENT, age, in_units, measured, number, plain

_STATE_SIGNS = {
    ChannelState.HEALTHY: "✓ healthy",
    ChannelState.WARNING: "! check",
    ChannelState.STALE: "! stale",
    ChannelState.INVALID: "× invalid",
}
_STATE_ORDER = {state: i for i, state in enumerate(ChannelState)}
NOT_USED = "not used"


def _number_key(value: float | None) -> float:
    """Put readings that are missing before all others."""
    return -math.inf if value is None or math.isnan(value) else value


def _value(row: ChannelHealth, look: Look) -> str:
    if row.value is None:
        return ABSENT
    return measured(in_units(row.value, row.unit, look.display)[0])


def _unit(row: ChannelHealth, look: Look) -> str:
    return in_units(0.0, row.unit, look.display)[1].value


def _use(row: ChannelHealth) -> str:
    return NOT_USED if row.canonical is None else row.canonical.value


def _grey_when_old(row: ChannelHealth, look: Look) -> str | None:
    heard = row.state in (ChannelState.HEALTHY, ChannelState.WARNING)
    return None if heard and row.value is not None else look.palette.quiet


def _state_colour(row: ChannelHealth, look: Look) -> str | None:
    palette = look.palette
    return {
        ChannelState.HEALTHY: palette.good,
        ChannelState.WARNING: palette.attention,
        ChannelState.STALE: palette.attention,
        ChannelState.INVALID: palette.danger,
    }[row.state]


CHANNEL_COLUMNS: tuple[Column[ChannelHealth], ...] = (
    Column(
        "Channel",
        lambda row, _look: plain(row.name),
        lambda row: row.name.casefold(),
        stretches=True,
    ),
    Column(
        "Value",
        _value,
        lambda row: _number_key(row.value),
        is_number=True,
        tint=_grey_when_old,
        width=9,
    ),
    Column("Unit", _unit, lambda row: row.unit.value, width=6),
    Column(
        "Used as",
        lambda row, _look: _use(row),
        _use,
        tint=lambda row, look: look.palette.quiet if row.canonical is None else None,
        width=12,
    ),
    Column(
        "Rate",
        lambda row, _look: f"{number(row.rate_hz, 1)} Hz",
        lambda row: row.rate_hz,
        is_number=True,
        width=8,
    ),
    Column(
        "Age",
        lambda row, _look: age(row.age_s),
        lambda row: _number_key(row.age_s),
        is_number=True,
        tint=_grey_when_old,
        width=7,
    ),
    Column(
        "State",
        lambda row, _look: _STATE_SIGNS[row.state],
        lambda row: _STATE_ORDER[row.state],
        tint=_state_colour,
        width=9,
    ),
    Column(
        "Provider",
        lambda row, _look: plain(row.provider),
        lambda row: row.provider.casefold(),
        width=14,
    ),
)
