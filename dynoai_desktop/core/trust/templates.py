"""Built-in templates: what channels are called on dynos seen in shops. Names are hints, no more."""

from __future__ import annotations

from dynoai_desktop.core.channels import Channel
from dynoai_desktop.core.trust.channel_map import Choice
from dynoai_desktop.core.trust.mapping_file import MappingDocument


def _template(name: str, description: str, names: dict[Channel, str]) -> MappingDocument:
    choices = {channel: Choice(name=source) for channel, source in names.items()}
    return MappingDocument(choices, name=name, description=description, template=True)


TEMPLATES: dict[str, MappingDocument] = {
    "dynojet_rt150": _template(
        "Dynojet RT-150",
        "Power Core with inductive pick-up and two wideband inputs",
        {
            Channel.RPM: "Digital RPM 1",
            Channel.AFR_FRONT: "Air/Fuel Ratio 1",
            Channel.AFR_REAR: "Air/Fuel Ratio 2",
            Channel.FORCE: "Force Drum 1",
            Channel.ACCEL: "Acceleration",
            Channel.AMBIENT: "Temperature 1",
            Channel.BARO: "Pressure",
            Channel.HUMIDITY: "Humidity",
        },
    ),
    "dynojet_424x": _template(
        "Dynojet 424x",
        "Power Core on a load dyno with torque and power channels",
        {
            Channel.RPM: "Engine RPM",
            Channel.AFR_FRONT: "Air/Fuel Ratio 1",
            Channel.AFR_REAR: "Air/Fuel Ratio 2",
            Channel.TORQUE: "Torque Drum 1",
            Channel.POWER: "Power Drum 1",
            Channel.MAP: "MAP kPa",
            Channel.TPS: "TPS",
        },
    ),
    "mustang_md250": _template(
        "Mustang MD-250",
        "Plain channel names",
        {
            Channel.RPM: "RPM",
            Channel.AFR_COMBINED: "AFR",
            Channel.TORQUE: "Torque",
            Channel.POWER: "Power",
            Channel.SPEED: "Speed",
        },
    ),
}
"""By a stable name. Apply with ``resolve(channels, choices=hints(template, channels))``."""
