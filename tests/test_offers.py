"""The channels offered as a source: what is asked about first, then what fits, then the rest."""

from __future__ import annotations

import doctest

from dynoai_desktop.core.channels import Channel
from dynoai_desktop.core.samples import ChannelInfo
from dynoai_desktop.core.trust import offers as module
from dynoai_desktop.core.trust.channel_map import Evidence
from dynoai_desktop.core.trust.mapping import resolve
from dynoai_desktop.core.trust.offers import choice_of, chosen_channel, offers
from dynoai_desktop.core.units import Unit
from tests.trust_world import cell

C = Channel


def offered(slot, channels, **more):
    return offers(slot, channels, resolve(channels, **more))


def test_every_announced_channel_is_offered_once() -> None:
    found = offered(C.MAP, cell())
    assert len(found) == len(cell())
    assert {o.source for o in found} == set(cell())


def test_the_best_fit_comes_first_and_the_dyno_about_itself_last() -> None:
    names = [o.source.name for o in offered(C.MAP, cell())]
    assert names[0] == "MAP kPa"
    assert "Pressure" in names[:8]
    assert names.index("Pressure") < names.index("TPS") < names.index("Link 0 Status")


def test_the_other_wideband_and_the_voltages_come_before_other_quantities() -> None:
    """Where front and rear are swapped, the other one is what is looked for."""
    names = [o.source.name for o in offered(C.LAMBDA_REAR, cell())]
    assert names[:4] == [
        "LC2 Volts Petrol AFR",
        "LC1 Volts Petrol AFR",
        "User Analog 1",
        "User Analog 2",
    ]


def test_the_channels_asked_about_come_first() -> None:
    """Two widebands for one cylinder: neither name goes before the other."""
    second = ChannelInfo("Power Core", 90, "Air/Fuel Ratio 1", Unit.AFR, 11)
    found = offered(C.LAMBDA_FRONT, [*cell(), second])
    assert [o.asked for o in found].count(True) == 2
    assert {o.source.name for o in found[:2]} == {"Air/Fuel Ratio 1", "LC1 Volts Petrol AFR"}


def test_an_offer_says_what_the_channel_is_used_as_and_why_it_would_not_fit() -> None:
    found = {o.source.name: o for o in offered(C.RPM, cell())}
    assert found["MAP kPa"].used_as is C.MAP
    assert "kPa" in found["MAP kPa"].reasons[0]
    assert "voltage" in found["User Analog 1"].reasons[0]
    assert all(o.reasons for o in found.values())


def test_evidence_counts_for_its_own_quantity_only() -> None:
    channels = cell()
    source = next(c for c in channels if c.name == "MAP kPa")
    said = Evidence((source.provider, source.id), C.MAP, -0.5, "does not move with the throttle")
    plain = {o.source: o for o in offers(C.MAP, channels, resolve(channels))}[source]
    judged = {o.source: o for o in offers(C.MAP, channels, resolve(channels), [said])}[source]
    elsewhere = {o.source: o for o in offers(C.TPS, channels, resolve(channels), [said])}[source]
    assert judged.confidence == plain.confidence - 0.5
    assert "does not move with the throttle" in judged.reasons
    assert "does not move with the throttle" not in elsewhere.reasons


def test_a_choice_finds_its_channel_again_although_ids_move() -> None:
    source = next(c for c in cell() if c.name == "Pressure" and c.provider == "Power Core")
    moved = [ChannelInfo(c.provider, c.id + 7, c.name, c.unit, c.unit_code) for c in cell()]
    found = resolve(moved, choices={C.MAP: choice_of(source)}).bindings[C.MAP]
    assert (found.source.provider, found.source.name) == ("Power Core", "Pressure")


def test_the_unit_of_a_wideband_decides_its_row_and_the_user_where_there_is_none() -> None:
    volts = ChannelInfo("P", 1, "User Analog 1", Unit.VOLT)
    lambda_one = ChannelInfo("P", 2, "Wideband", Unit.LAMBDA)
    assert chosen_channel(C.LAMBDA_REAR, lambda_one) is C.LAMBDA_REAR
    assert chosen_channel(C.LAMBDA_REAR, volts) is C.AFR_REAR
    assert chosen_channel(C.LAMBDA_REAR, volts, Unit.LAMBDA) is C.LAMBDA_REAR
    assert chosen_channel(C.MAP, volts) is C.MAP


def test_the_worked_examples_hold() -> None:
    assert doctest.testmod(module).failed == 0
