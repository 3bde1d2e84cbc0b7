"""The words of an alert: what was measured, and what to do. Rows of ALERT_RULES hold templates."""

from __future__ import annotations

from dynoai_desktop.core.channels import CHANNELS, Channel
from dynoai_desktop.core.live.watch import Watch


def compose(template: str, w: Watch, channel: Channel | None) -> str:
    """Return a template with what was measured filled in; what is not known is “–”.

    {title} and {value}, {value1}, {value2} (that many decimals) are the channel's; {afr} the
    wideband's reading on the fuel's scale, {kpa} the charge pressure, {usual} the usual range
    with its unit.
    """
    value, sensor = w.held(channel), w.sensor(channel)
    limits, iat = w.limits, w.held(Channel.IAT)
    return template.format(
        title=_title(w, channel),
        value=_number(value, 0),
        value1=_number(value, 1),
        value2=_number(value, 2),
        afr=_number(sensor.value * w.settings.stoich if sensor is not None else None, 1),
        kpa=_number(w.now.pressure, 0),
        usual=_usual(channel),
        front=_number(w.held(Channel.LAMBDA_FRONT), 2),
        rear=_number(w.held(Channel.LAMBDA_REAR), 2),
        redline=_number(limits.redline_rpm, 0),
        lossy=_number(100.0 * w.lossy_share, 0),
        fall=_number(None if w.power_fall is None else 100.0 * w.power_fall, 1),
        heat="" if iat is None else f", intake air {iat:.0f} °C",
    )


def _title(w: Watch, channel: Channel | None) -> str:
    if channel is None:
        return "The bus"
    # A rule about the load axis speaks of the axis in use.
    return CHANNELS[w.load_channel if channel is Channel.MAP else channel].title


def _usual(channel: Channel | None) -> str:
    spec = CHANNELS[channel] if channel is not None else None
    if spec is None or spec.warn is None:
        return "–"
    return f"{spec.warn[0]:g} to {spec.warn[1]:g} {spec.unit.value}".rstrip()


def _number(value: float | None, decimals: int) -> str:
    return "–" if value is None else f"{value:.{decimals}f}"
