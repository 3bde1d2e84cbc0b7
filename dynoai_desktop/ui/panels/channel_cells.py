"""How one channel of the bus is printed, sorted and tinted, in whatever table it stands."""

from __future__ import annotations

import math

from dynoai_desktop.core.trust.health import ChannelHealth, ChannelState
from dynoai_desktop.ui.look import Look
from dynoai_desktop.ui.wording import ABSENT, in_units, measured

STATE_WORDS = {
    ChannelState.HEALTHY: "✓ healthy",
    ChannelState.WARNING: "! check",
    ChannelState.STALE: "! stale",
    ChannelState.INVALID: "× invalid",
}
STATE_ORDER = {state: i for i, state in enumerate(ChannelState)}


def number_key(value: float | None) -> float:
    """Put readings that are missing before all others."""
    return -math.inf if value is None or math.isnan(value) else value


def value_text(channel: ChannelHealth, look: Look) -> str:
    """Return the last value in the tuner's unit."""
    if channel.value is None:
        return ABSENT
    return measured(in_units(channel.value, channel.unit, look.display)[0])


def unit_text(channel: ChannelHealth, look: Look) -> str:
    """Return the tuner's unit."""
    return in_units(0.0, channel.unit, look.display)[1].value


def value_with_unit(channel: ChannelHealth, look: Look) -> str:
    """Return the last value and its unit."""
    return f"{value_text(channel, look)} {unit_text(channel, look)}".rstrip()


def grey_when_old(channel: ChannelHealth, look: Look) -> str | None:
    """Return the quiet colour for what is not heard any more."""
    heard = channel.state in (ChannelState.HEALTHY, ChannelState.WARNING)
    return None if heard and channel.value is not None else look.palette.quiet


def state_colour(channel: ChannelHealth, look: Look) -> str:
    """Return the colour of the channel's state."""
    palette = look.palette
    return {
        ChannelState.HEALTHY: palette.good,
        ChannelState.WARNING: palette.attention,
        ChannelState.STALE: palette.attention,
        ChannelState.INVALID: palette.danger,
    }[channel.state]
