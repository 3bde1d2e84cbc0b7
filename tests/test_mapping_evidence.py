"""The behaviour of signals as evidence: on the shared recordings and on made-up signals."""

import numpy as np
import pytest

from dynoai_desktop.core.channels import Channel
from dynoai_desktop.core.samples import ChannelInfo
from dynoai_desktop.core.trust.consistency import (
    DRUM_UNITS,
    SHAFT_UNITS,
    Ratio,
    drum_ratio,
    shaft_ratio,
    units_of,
)
from dynoai_desktop.core.trust.evidence import observe
from dynoai_desktop.core.trust.mapping import Choice, resolve
from dynoai_desktop.core.trust.pairs import Order, order_by_command, order_by_fuel, plug_lead_test
from dynoai_desktop.core.trust.signals import Signal, on_grid, same_values, true_rate
from dynoai_desktop.core.trust.suggest import Use, as_text, suggest
from dynoai_desktop.core.units import Unit
from tests.trust_world import bus_signals, infos, log_table, named, reference_capture

C = Channel


@pytest.fixture(scope="module")
def capture(shared_data):
    return reference_capture(shared_data)


def mapped(channels, signals, **more):
    return resolve(channels, evidence=observe(channels, signals, **more))


# --- the shared capture ----------------------------------------------------------------------


def test_the_capture_is_ready_and_its_voltages_are_recognised(capture) -> None:
    channels, signals = capture
    result = mapped(channels, signals)
    assert result.ready and not result.ambiguous
    assert [r.source.name for r in result.rejected] == ["Humidity"], "the second of the name"
    by_name = {c.name: (c.provider, c.id) for c in channels}
    for number, wideband in ((1, "LC1 Volts Petrol AFR"), (2, "LC2 Volts Petrol AFR")):
        said = result.recognised[by_name[f"User Analog {number}"]]
        assert wideband in said and "7.35 + 3.01 per volt" in said
    # Two per cent apart by the weather, yet not a copy of the corrected one.
    assert by_name["Power Drum 1 (uncorrected)"] not in result.recognised
    names = {b.source.name for b in result.bindings.values()}
    assert not any(name.startswith(("User", "TCP", "UDP", "Link", "Internal")) for name in names)


def test_the_capture_confirms_by_behaviour(capture) -> None:
    bound = mapped(*capture).bindings
    for channel, words in {
        C.RPM: "follows “Speed 1” at a fixed ratio of 52",
        C.MAP: "moves by",
        C.BARO: "barometric",
        C.POWER: "is torque × “Engine RPM”",
    }.items():
        assert any(words in reason for reason in bound[channel].reasons), channel


def test_of_two_humidities_the_one_that_fits_the_vapour_pressure_is_taken(capture) -> None:
    channels, signals = capture
    # The same two channels with their ids exchanged: the signal decides, not the place.
    twins = [c for c in channels if c.name == "Humidity"]
    swap = {twins[0].id: twins[1].id, twins[1].id: twins[0].id}
    moved = {
        (p, swap.get(i, i) if p == twins[0].provider else i): s for (p, i), s in signals.items()
    }
    first = mapped(channels, signals).bindings[C.HUMIDITY]
    second = mapped(channels, moved).bindings[C.HUMIDITY]
    assert (first.source.id, second.source.id) == (3, 6)
    assert first.confidence == second.confidence == 1.0


def test_without_map_and_throttle_behaviour_does_not_find_a_map_either(capture) -> None:
    channels, signals = capture
    result = mapped(named(channels, "MAP kPa", "TPS"), signals)
    assert result.unmapped_required == ("map_kpa",) and C.MAP not in result.bindings


def test_signals_that_stand_still_say_nothing_against_a_channel(capture) -> None:
    channels, signals = capture
    still = {k: Signal(s.time_s, np.full(len(s.value), s.value[0])) for k, s in signals.items()}
    result = mapped(channels, still)
    against = [e for e in observe(channels, still) if e.delta < 0]
    assert {e.channel for e in against} <= {C.AFR_FRONT, C.AFR_REAR, C.HUMIDITY}
    assert result.bindings[C.MAP].source.name == "MAP kPa"


# --- recorded logs, names without units --------------------------------------------------------


def test_the_pull_with_a_noisy_pickup_takes_its_rpm_from_the_ecu(shared_data) -> None:
    result = mapped(*log_table(shared_data / "real" / "harley_pull_a.csv"))
    rpm = result.bindings[C.RPM]
    assert rpm.source.name.endswith("Engine Speed") and rpm.transform.name == "krpm_to_rpm"
    assert any(r.source.name == "(DWRT CPU) Engine RPM" for r in result.rejected)
    # Its torque was computed from the noise.
    assert C.TORQUE not in result.bindings
    assert result.bindings[C.POWER].transform.name == "hp_to_kw"


@pytest.mark.parametrize("file", ["harley_pull_b.txt", "harley_pull_c.txt"])
def test_a_good_pull_is_understood_unit_by_unit(shared_data, file) -> None:
    result = mapped(*log_table(shared_data / "real" / file))
    got = {c: (b.source.name, b.transform.name) for c, b in result.bindings.items()}
    assert got[C.RPM] == ("(DWRT CPU) Engine RPM", "krpm_to_rpm")
    assert got[C.POWER] == ("(DWRT CPU) Power", "hp_to_kw")
    assert got[C.TORQUE] == ("(DWRT CPU) Torque", "ftlb_to_nm")
    assert got[C.SPEED] == ("(DWRT CPU) Speed", "mph_to_kmh")
    assert got[C.FORCE] == ("(DWRT CPU) Force", "lbf_to_n")
    assert got[C.AFR_REAR][0] == "(DWRT CPU) LC2 Volts Petrol AFR2"
    assert C.AFR_FRONT not in got, "LC1 is not connected, WBO2 has no sensor"
    assert got[C.MAP][0].endswith("Manifold Absolute Pressure")
    assert got[C.BARO][0] == "(DWRT ATMO) Pressure"
    assert got[C.TPS][0].endswith("Throttle Position")
    assert result.ready


def test_an_ecu_stream_that_calls_afr_lambda_is_seen_through(shared_data) -> None:
    result = mapped(
        *log_table(shared_data / "real" / "jetdrive_capture_1.csv"), longest_s=float("inf")
    )
    assert result.bindings[C.AFR_CMD].source.name == "Desired Lambda"
    assert C.LAMBDA_CMD not in result.bindings
    assert result.unmapped_required == ("afr_or_lambda",)
    assert not any(b.source.name.startswith("chan_") for b in result.bindings.values())


def test_a_car_log_without_wideband_says_so(shared_data) -> None:
    result = mapped(
        *log_table(shared_data / "real" / "accessport_drive.csv"), longest_s=float("inf")
    )
    got = {c: b.source.name for c, b in result.bindings.items()}
    assert got == {
        C.RPM: "RPM (RPM)",
        C.MAP: "Man Abs Press (kPa)",
        C.BARO: "Baro Pressure (kPa)",
        C.TPS: "Throttle Pos (%)",
        C.IAT: "Intake Temp (C)",
        C.ECT: "Coolant Temp (C)",
        C.SPEED: "Vehicle Speed (kph)",
    }
    assert result.unmapped_required == ("afr_or_lambda",)
    assert result.bindings[C.MAP].confidence == pytest.approx(0.7)


# --- made-up signals ---------------------------------------------------------------------------

T = np.arange(300) / 20
BLIPS = np.where((T % 5) < 1, 60.0, 3.0)
RPM = 1000 + 40 * BLIPS + 20 * np.sin(9 * T)
BUS = infos(
    "P",
    [("Engine RPM", 8), ("TPS", 16), ("MAP kPa", 7), ("Baro", 7), ("AFR 1", 11),
     ("User Analog 1", 14), ("Speed", 2), ("Power", 4), ("Torque", 5)],
)  # fmt: skip
GOOD = {
    "Engine RPM": RPM,
    "TPS": BLIPS,
    "MAP kPa": 35 + BLIPS + np.sin(50 * T),
    "Baro": 98.0 + 0 * T,
    "AFR 1": 13 + np.sin(T),
    "User Analog 1": (13 + np.sin(T) - 7.35) / 3.008,
    "Speed": 0 * T,
}


def test_a_map_that_ignores_the_throttle_is_left_out_and_the_reason_is_kept() -> None:
    result = mapped(BUS, bus_signals(BUS, {**GOOD, "MAP kPa": 98.1}))
    assert C.MAP not in result.bindings
    (rejection,) = result.rejected
    assert rejection.source.name == "MAP kPa" and "barometric" in rejection.reason


def test_a_boost_gauge_is_no_manifold_pressure() -> None:
    result = mapped(BUS, bus_signals(BUS, {**GOOD, "MAP kPa": BLIPS - 70}))
    assert C.MAP not in result.bindings
    assert "below zero" in result.rejected[0].reason


def test_mixture_under_an_rpm_name_is_recognised() -> None:
    said = observe(BUS, bus_signals(BUS, {**GOOD, "Engine RPM": 13 + np.sin(T)}))
    assert any(e.channel is C.RPM and "look like AFR" in e.reason for e in said)


def test_thousands_of_rpm_are_not_taken_for_afr_nor_afr_for_thousands() -> None:
    channels = infos("P", [("RPM", 255)])
    thousands = observe(channels, bus_signals(channels, {"RPM": RPM / 1000}))
    assert [e.unit for e in thousands] == [Unit.KILO_RPM]
    afr = observe(channels, bus_signals(channels, {"RPM": 13 + np.sin(T)}))
    assert [e.delta < 0 for e in afr] == [True]


def test_lambda_under_an_afr_unit_is_recognised() -> None:
    said = observe(BUS, bus_signals(BUS, {**GOOD, "AFR 1": (13 + np.sin(T)) / 14.7}))
    assert any(e.channel is C.AFR_FRONT and "look like lambda" in e.reason for e in said)


def test_a_drum_speed_under_an_engine_name_is_recognised() -> None:
    channels = infos("P", [("RPM", 8), ("Speed", 2), ("MAP kPa", 7), ("TPS", 16)])
    speed = np.where(T < 5, 0.0, 8 * (T - 5))
    signals = bus_signals(
        channels, {"RPM": speed * 7.5, "Speed": speed, "MAP kPa": 40 + 0.1 * T, "TPS": 5.0}
    )
    assert any("stands still with the drum" in e.reason for e in observe(channels, signals))


def test_evidence_never_lifts_a_guess_from_a_shared_unit() -> None:
    channels = infos("P", [("Engine RPM", 8), ("TPS", 16), ("Quux", 7)])
    signals = bus_signals(channels, {"Engine RPM": RPM, "TPS": BLIPS, "Quux": 35 + BLIPS})
    result = mapped(channels, signals)
    assert C.MAP not in result.bindings
    (quux,) = (s for s in suggest(channels, result, observe(channels, signals)) if s.source.id == 2)
    assert quux.channel is C.MAP and quux.confidence == 0.45 and "with the throttle" in quux.reason


def test_a_choice_stands_whatever_the_signals_say() -> None:
    signals = bus_signals(BUS, {**GOOD, "MAP kPa": 98.1})
    result = resolve(BUS, evidence=observe(BUS, signals), choices={C.MAP: Choice("MAP kPa")})
    assert result.bindings[C.MAP].chosen


# --- physics -----------------------------------------------------------------------------------

ONES = np.ones(60)


@pytest.mark.parametrize(
    ("power", "torque", "words"),
    [
        (134.1022, 119.366, "power in hp, torque in N·m"),
        (100.0, 88.04, "power in kW, torque in lb·ft"),
        (134.1022, 88.04, "power in hp, torque in lb·ft"),
    ],
)
def test_a_wrong_unit_is_named(power, torque, words) -> None:
    ratio = shaft_ratio(power * ONES, torque * ONES, 8000.0 * ONES)
    assert any(w.words(("power", "torque")).endswith(words) for w in units_of(ratio, SHAFT_UNITS))


def test_right_units_agree_and_noise_is_no_unit() -> None:
    rpm = np.linspace(2000, 6000, 60)
    assert shaft_ratio(100 * rpm / 9549.3, 100 * ONES, rpm).agrees
    noise = shaft_ratio(np.linspace(1, 200, 60), 100 * ONES, rpm[::-1])
    assert not noise.steady and units_of(noise, SHAFT_UNITS) == ()


def test_force_and_speed_tell_every_combination_of_units_apart() -> None:
    for way in DRUM_UNITS:
        ratio = Ratio(way.ratio * 1.01, 0.01)
        assert units_of(ratio, DRUM_UNITS)[0] == way and len(units_of(ratio, DRUM_UNITS)) == 1
    # 2160 N at 100 km/h are 60 kW; in pounds and miles the same drum reads 80.46 hp.
    assert drum_ratio(60 * ONES, 2160 * ONES, 100 * ONES).middle == pytest.approx(1.0)
    us = drum_ratio(80.4613 * ONES, 485.5873 * ONES, 62.1371 * ONES)
    assert units_of(us, DRUM_UNITS)[0].words(("power", "force", "speed")) == (
        "the values fit power in hp, force in lbf, speed in mph"
    )


# --- which wideband is which -------------------------------------------------------------------

RNG = np.random.default_rng(4)
SWING = np.sin(np.arange(300) / 15)


def test_fuel_per_cylinder_tells_which_wideband_is_which() -> None:
    fuel_front, fuel_rear = 5 * (1 + 0.03 * SWING), 5 * (1 - 0.03 * SWING)
    front = 0.9 * (1 - 0.03 * SWING) + RNG.normal(0, 0.004, 300)
    rear = 0.9 * (1 + 0.03 * SWING) + RNG.normal(0, 0.004, 300)
    assert order_by_fuel(front, rear, fuel_front, fuel_rear) is Order.AS_NAMED
    assert order_by_fuel(rear, front, fuel_front, fuel_rear) is Order.SWAPPED
    assert order_by_fuel(front, rear, fuel_front, fuel_front) is Order.UNKNOWN


def test_commands_per_cylinder_tell_which_wideband_is_which() -> None:
    front, rear = 0.88 + 0.003 * SWING, 0.93 + 0.003 * SWING
    targets = np.full(300, 0.88), np.full(300, 0.93)
    assert order_by_command(front, rear, *targets) is Order.AS_NAMED
    assert order_by_command(rear, front, *targets) is Order.SWAPPED
    assert order_by_command(rear, front, targets[0], targets[0]) is Order.UNKNOWN


def test_pulling_a_plug_lead_tells_which_wideband_is_which() -> None:
    time_s = np.arange(400) / 20
    off = (time_s > 8) & (time_s < 16)
    lean = Signal(time_s, 13 + 0.1 * RNG.normal(size=400) + 5 * off)
    same = Signal(time_s, 13 + 0.1 * RNG.normal(size=400))
    assert plug_lead_test(lean, same, 8, 16).order is Order.AS_NAMED
    assert plug_lead_test(same, lean, 8, 16).order is Order.SWAPPED
    assert plug_lead_test(lean, same, 8, 16, front_off=False).order is Order.SWAPPED
    assert plug_lead_test(same, same, 8, 16).order is Order.UNKNOWN


# --- rates and grids ---------------------------------------------------------------------------


def test_the_true_rate_of_a_held_channel_is_what_counts(shared_data) -> None:
    channels, signals = log_table(shared_data / "real" / "jetdrive_capture_1.csv")
    key = next((c.provider, c.id) for c in channels if c.name == "Engine Speed")
    rate = true_rate(signals[key])
    assert rate.held and rate.sent_hz == pytest.approx(3.7, abs=0.1)
    assert rate.true_hz == pytest.approx(0.15, abs=0.05)


@pytest.mark.parametrize(
    "values",
    [
        np.round(900 + RNG.normal(0, 1, 400)),  # whole revolutions at idle
        np.repeat(np.arange(40.0), 10),  # a temperature that rises degree by degree
        np.full(400, 100.0),  # wide open throttle
        900 + RNG.normal(0, 8, 400),
    ],
)
def test_a_sensor_at_rest_is_not_called_held(values) -> None:
    assert not true_rate(Signal(np.arange(len(values)) / 20, values)).held


def test_silence_is_not_bridged() -> None:
    signal = Signal(np.array([0.0, 1.0, 6.0, 7.0]), np.array([1.0, 2.0, 3.0, 4.0]))
    grid = np.arange(0, 9, 0.5)
    column = on_grid(signal, grid)
    assert np.isnan(column[(grid > 1) & (grid < 6)]).all()
    assert np.isnan(column[grid > 7.5]).all()
    assert column[grid == 0.5] == [1.5]


def test_two_constants_are_not_called_copies() -> None:
    assert not same_values(np.full(50, 7.0), np.full(50, 7.0))


# --- suggestions -------------------------------------------------------------------------------


def test_the_discovery_list_accounts_for_every_channel(capture) -> None:
    channels, signals = capture
    result = mapped(channels, signals)
    rows = suggest(channels, result, observe(channels, signals))
    assert [row.source for row in rows] == channels
    use = {(row.source.provider, row.source.name): row.use for row in rows}
    assert use["Power Core", "Engine RPM"] is Use.MAPPED
    assert use["Power Core", "User Analog 1"] is Use.RECOGNISED
    assert use["Power Core", "Sampling"] is Use.SYSTEM
    assert use["Power Core", "Pressure"] is Use.RECOGNISED, "the probe says the same"
    assert use["Atmospheric Probe", "Temperature 2"] is Use.POSSIBLE


def test_the_copied_text_keeps_one_line_for_each_channel() -> None:
    evil = [ChannelInfo("P\r\n", 1, "a\nb\tc", Unit.NONE)]
    text = as_text(suggest(evil, resolve(evil)))
    assert len(text.splitlines()) == 2
