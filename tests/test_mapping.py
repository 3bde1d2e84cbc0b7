"""The mapping by name and unit: right on real cells, unmoved by what does not matter."""

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dynoai_desktop.core.channels import Channel
from dynoai_desktop.core.samples import ChannelInfo
from dynoai_desktop.core.trust.mapping import Choice, Transform, resolve
from dynoai_desktop.core.trust.signature import signature_of
from dynoai_desktop.core.units import Unit
from tests.trust_world import POWER_CORE, PROBE, SYSTEM, cell, infos, named, sources

C = Channel


def test_the_reference_cell_is_mapped_and_ready() -> None:
    result = resolve(cell())
    assert {c: b.source.name for c, b in result.bindings.items()} == {
        C.RPM: "Engine RPM",
        C.RPM_2: "Digital RPM 2",
        C.AFR_FRONT: "LC1 Volts Petrol AFR",
        C.AFR_REAR: "LC2 Volts Petrol AFR",
        C.MAP: "MAP kPa",
        C.BARO: "Pressure",
        C.TPS: "TPS",
        C.IAT: "IAT",
        C.AMBIENT: "Temperature 1",
        C.HUMIDITY: "Humidity",
        C.TORQUE: "Torque Drum 1",
        C.POWER: "Power Drum 1",
        C.FORCE: "Force Drum 1",
        C.ACCEL: "Acceleration",
        C.SPEED: "Speed 1",
        C.DISTANCE: "Distance 1",
        C.SPARK_FRONT: "Spark Advance Front",
        C.KNOCK_FRONT: "Knock Retard Front",
        C.VBATT: "VBatt",
        C.GEAR_RATIO: "Gear Ratio",
        C.CORR_FACTOR: "Correction Factor",
    }
    from_probe = {c for c, b in result.bindings.items() if b.source.provider != "Power Core"}
    assert from_probe == {C.BARO, C.HUMIDITY, C.AMBIENT}
    assert result.ready and result.unmapped_required == () and result.overall_confidence >= 0.9
    assert "preferred to “Digital RPM 1”" in result.bindings[C.RPM].reasons
    for channel in (C.TORQUE, C.POWER):
        assert result.bindings[channel].corrected is True
        assert "corrected for weather" in result.bindings[channel].reasons


def test_missing_map_and_throttle_are_missing_and_not_the_barometer() -> None:
    result = resolve(named(cell(), "MAP kPa", "TPS"))
    assert result.unmapped_required == ("map_kpa",)
    assert result.unmapped_recommended == (C.MAP, C.TPS)
    assert not result.ready
    assert C.MAP not in result.bindings and C.TPS not in result.bindings


def test_throttle_alone_serves_as_load() -> None:
    result = resolve(named(cell(), "MAP kPa"))
    assert result.ready and result.unmapped_recommended == (C.MAP,)


def test_one_system_channel_among_others_is_never_used() -> None:
    used = {b.source.name for b in resolve(infos("Power Core", SYSTEM)).bindings.values()}
    assert used == set()


# What an earlier program took at a confidence of 0.7, each alone on the bus.
WRONG_BEFORE = [
    ("Sampling", 255, C.SPARK),
    ("TCP RX kB/s", 255, C.KNOCK),
    ("Pressure", 7, C.MAP),
    ("Humidity", 16, C.TPS),
    ("Internal Temp 1", 6, C.ECT),
    ("Internal Temp 2", 6, C.IAT),
    ("Air/Fuel Ratio 2", 11, C.AFR_FRONT),
    ("Project", 6, C.ECT),
    ("Detonation Count", 255, C.KNOCK),
    ("Mapping", 7, C.MAP),
    ("Chip", 4, C.MAP),
    ("Fair Temp", 6, C.IAT),
    ("Voltage 1", 14, C.VBATT),
    ("User Analog 1", 14, C.AFR_FRONT),
    ("Digital RPM 2", 8, C.RPM),
]


@pytest.mark.parametrize(("name", "code", "wrong"), WRONG_BEFORE)
def test_mistakes_of_an_earlier_program_are_not_repeated(name, code, wrong) -> None:
    assert wrong not in resolve(infos("Power Core", [(name, code)])).bindings


def test_a_lone_second_wideband_is_the_rear_one() -> None:
    result = resolve(infos("P", [("Air/Fuel Ratio 2", 11)]))
    assert list(result.bindings) == [C.AFR_REAR]


def test_units_of_the_wire_are_converted() -> None:
    channels = [
        ChannelInfo("P", 0, "Power", Unit.HORSEPOWER),
        ChannelInfo("P", 1, "IAT", Unit.FAHRENHEIT),
        ChannelInfo("P", 2, "Lambda 1", Unit.LAMBDA),
    ]
    bound = resolve(channels).bindings
    assert bound[C.POWER].transform.name == "hp_to_kw"
    assert bound[C.POWER].transform.apply(100.0) == pytest.approx(74.57, abs=0.01)
    assert bound[C.IAT].transform.apply(212.0) == pytest.approx(100.0)
    assert bound[C.LAMBDA_FRONT].transform == Transform()


def test_a_unit_in_the_name_converts_but_does_not_count_as_announced() -> None:
    (binding,) = resolve([ChannelInfo("P", 0, "IAT (F)", Unit.NONE)]).bindings.values()
    assert binding.transform.name == "f_to_c" and binding.confidence == 0.5


def test_names_without_units_are_mapped_but_not_ready() -> None:
    result = resolve(infos("P", [(name, 255) for name, _ in POWER_CORE]))
    assert result.bindings[C.RPM].confidence == 0.5
    assert result.unmapped_required == () and not result.ready


def test_uncorrected_is_named_when_nothing_else_is_there() -> None:
    result = resolve(named(cell(), "Torque Drum 1", "Power Drum 1"))
    assert result.bindings[C.TORQUE].corrected is False
    assert "uncorrected" in result.bindings[C.TORQUE].reasons


def test_a_torque_that_does_not_say_is_not_called_corrected() -> None:
    result = resolve(infos("P", [("Torque", 5)]))
    assert result.bindings[C.TORQUE].corrected is None
    assert any("not stated" in reason for reason in result.bindings[C.TORQUE].reasons)


def test_two_widebands_of_one_cylinder_are_asked_about() -> None:
    result = resolve([*cell(), ChannelInfo("Power Core", 90, "WBO2 F", Unit.AFR, 11)])
    rivals = result.ambiguous[C.AFR_FRONT]
    assert {info.name for info in rivals} == {"LC1 Volts Petrol AFR", "WBO2 F"}
    assert not result.ready


def test_a_rival_just_as_good_costs_the_points_for_having_none() -> None:
    channels = infos("P", [("Throttle Position", 16), ("Throttle  Position", 16)])
    result = resolve(channels)
    assert result.bindings[C.TPS].confidence == 0.8 and C.TPS in result.ambiguous


def test_a_nameless_wideband_does_not_compete_with_named_ones() -> None:
    extra = ChannelInfo("Power Core", 90, "Exhaust X", Unit.AFR, 11)
    assert sources(resolve([*cell(), extra])) == sources(resolve(cell()))
    alone = resolve([extra])
    assert alone.bindings[C.AFR_COMBINED].confidence == 0.7


def test_afr_and_lambda_of_one_sensor_are_not_taken_twice() -> None:
    result = resolve(infos("P", [("AFR 1", 11), ("Lambda 1", 13)]))
    assert len(result.bindings) == 1
    assert {i.name for rivals in result.ambiguous.values() for i in rivals} == {"AFR 1", "Lambda 1"}


def test_two_dynos_give_no_numbers_until_one_is_pinned() -> None:
    other = [replace(c, provider="Other cell") for c in infos("Power Core", POWER_CORE)]
    both = [*cell(), *other]
    result = resolve(both)
    assert set(result.bindings) == {C.BARO, C.HUMIDITY, C.AMBIENT}
    assert result.dynos == ("Other cell", "Power Core") and not result.ready
    assert "Pin" in result.notices[0]
    pinned = resolve(both, pinned={"Power Core", "Atmospheric Probe"})
    assert pinned == resolve(cell())


def test_two_dynos_are_not_patched_together_from_what_each_lacks() -> None:
    other = infos("Other", [("RPM", 8), ("Torque", 5), ("Power", 4), ("MAP", 7), ("Lambda 1", 13)])
    mine = named(cell(), "MAP kPa", "TPS", "LC1 Volts Petrol AFR", "Digital RPM 1")
    result = resolve([*mine, *other])
    assert set(result.bindings) == {C.BARO, C.HUMIDITY, C.AMBIENT}
    assert {i.provider for i in result.ambiguous[C.RPM]} == {"Other", "Power Core"}


def test_between_two_loggers_nothing_is_guessed() -> None:
    result = resolve(infos("A", [("RPM", 8)]) + infos("B", [("RPM", 8)]))
    assert C.RPM not in result.bindings and len(result.ambiguous[C.RPM]) == 2


def test_a_rival_within_a_tenth_is_asked_about() -> None:
    result = resolve(infos("P", [("Throttle Position", 16), ("Throttle Position Sensor", 16)]))
    assert len(result.ambiguous[C.TPS]) == 2


def test_a_second_source_without_a_drum_does_not_take_over() -> None:
    logger = infos("ECU logger", [("RPM", 8), ("MAP", 7), ("TPS", 16), ("Coolant Temp", 6)])
    result = resolve([*cell(), *logger])
    assert result.ready
    assert {c for c, b in result.bindings.items() if b.source.provider == "ECU logger"} == {C.ECT}


def test_bindings_are_found_by_provider_and_id() -> None:
    result = resolve(cell())
    assert result.by_source["Power Core", 26].channel is C.MAP
    assert ("Power Core", 9) not in result.by_source


# --- what the user chose ---------------------------------------------------------------------


def test_a_choice_goes_before_everything_and_frees_nothing_else() -> None:
    choices = {C.RPM: Choice("Digital RPM 1"), C.MAP: Choice("MAP kPa", enabled=False)}
    result = resolve(cell(), choices=choices)
    assert result.bindings[C.RPM].source.name == "Digital RPM 1"
    assert result.bindings[C.RPM].chosen and result.bindings[C.RPM].confidence == 1.0
    assert C.MAP not in result.bindings


def test_a_choice_is_found_again_when_ids_move_and_reported_when_it_is_gone() -> None:
    choice = Choice("Digital RPM 1", unit=Unit.RPM, provider="Power Core", id=9)
    moved = [replace(c, id=200 - c.id) for c in cell()]
    assert resolve(moved, choices={C.RPM: choice}).bindings[C.RPM].source.name == "Digital RPM 1"
    gone = resolve(named(cell(), "Digital RPM 1"), choices={C.RPM: choice})
    assert gone.bindings[C.RPM].source.name == "Engine RPM"
    assert "Digital RPM 1" in gone.notices[0]


def test_a_choice_whose_unit_changed_is_not_followed_blindly() -> None:
    choice = Choice("MAP kPa", unit=Unit.PSI)
    result = resolve(cell(), choices={C.MAP: choice})
    assert not result.bindings[C.MAP].chosen
    assert "kPa now, not in psi" in result.notices[0]


def test_a_voltage_input_serves_with_the_transform_the_user_gave_it() -> None:
    volts = Choice("User Analog 1", transform=Transform("linear", 3.008, 7.35))
    result = resolve(named(cell(), "LC1 Volts Petrol AFR"), choices={C.AFR_FRONT: volts})
    assert result.bindings[C.AFR_FRONT].transform.apply(2.0) == pytest.approx(13.366)


# --- what does not matter --------------------------------------------------------------------

_FAST = settings(max_examples=60, deadline=None)
_shuffles = st.randoms(use_true_random=False)


@_FAST
@given(_shuffles)
def test_ids_and_order_do_not_matter(shuffle: random.Random) -> None:
    channels = []
    for provider in ("Power Core", "Atmospheric Probe"):
        mine = [c for c in cell() if c.provider == provider]
        ids = shuffle.sample(range(65536), len(mine))
        channels += [replace(c, id=i) for c, i in zip(mine, ids, strict=True)]
    shuffle.shuffle(channels)
    result, plain = resolve(channels), resolve(cell())
    assert sources(result) == sources(plain)
    assert result.ready is plain.ready
    assert result.signature == plain.signature
    assert {c: b.confidence for c, b in result.bindings.items()} == {
        c: b.confidence for c, b in plain.bindings.items()
    }


@_FAST
@given(st.text(min_size=1, max_size=50), st.text(min_size=1, max_size=50))
def test_provider_names_do_not_matter(dyno: str, probe: str) -> None:
    if dyno == probe:
        probe += "2"
    channels = infos(dyno, POWER_CORE) + infos(probe, PROBE)
    result = resolve(channels)
    assert sources(result) == sources(resolve(cell())) and result.ready
    weather = {b.source.provider for c, b in result.bindings.items() if c in (C.BARO, C.HUMIDITY)}
    assert weather == {probe}


@_FAST
@given(st.lists(st.sampled_from(SYSTEM), max_size=40), _shuffles)
def test_channels_a_dyno_sends_about_itself_do_not_matter(extra, shuffle) -> None:
    channels = cell() + infos("Power Core", extra, 1000) + infos("Atmospheric Probe", extra, 1000)
    shuffle.shuffle(channels)
    result = resolve(channels)
    assert sources(result) == sources(resolve(cell()))
    assert result.signature == signature_of(cell())


@pytest.mark.parametrize(
    ("front", "rear"),
    [
        ("LC1 Volts Petrol AFR", "LC2 Volts Petrol AFR"),
        ("Air/Fuel Ratio 1", "Air/Fuel Ratio 2"),
        ("AFR Front", "AFR Rear"),
    ],
)
def test_swapping_the_two_wideband_names_swaps_the_result(front, rear) -> None:
    for first, second in ((front, rear), (rear, front)):
        channels = infos("P", [(first, 11), (second, 11)])
        result = resolve(channels)
        assert (result.bindings[C.AFR_FRONT].source.id == 0) is (first == front)
        assert (result.bindings[C.AFR_REAR].source.id == 1) is (first == front)


@_FAST
@given(
    st.lists(
        st.builds(
            ChannelInfo,
            provider=st.sampled_from(["A", "B"]),
            id=st.integers(0, 65535),
            name=st.one_of(
                st.text(max_size=30),
                st.sampled_from([name for name, _ in POWER_CORE + PROBE + SYSTEM]),
            ),
            unit=st.sampled_from(list(Unit)),
        ),
        max_size=30,
        unique_by=lambda c: (c.provider, c.id),
    )
)
def test_any_channel_list_gives_a_mapping_that_keeps_its_word(channels) -> None:
    result = resolve(channels)
    used = [(b.source.provider, b.source.id) for b in result.bindings.values()]
    assert len(used) == len(set(used)), "a source was used twice"
    assert all(0.0 <= b.confidence <= 1.0 and b.reasons for b in result.bindings.values())
    assert all(b.source in channels for b in result.bindings.values())
    assert not (result.ready and result.unmapped_required)


def test_the_signature_is_a_safe_file_name_and_knows_the_unit() -> None:
    evil = infos("../../etc/passwd\x00", [("RPM", 8)])
    signature = signature_of(evil)
    assert signature.replace("-", "").replace("_", "").isalnum()
    assert signature != signature_of(infos("../../etc/passwd\x00", [("RPM", 7)]))
    assert signature_of([]) == ""


def test_thousands_of_channels_are_no_trouble() -> None:
    many = [ChannelInfo("P", i, f"Cylinder {i} Probe", Unit.CELSIUS) for i in range(5000)]
    assert sources(resolve([*cell(), *many])) == sources(resolve(cell()))
