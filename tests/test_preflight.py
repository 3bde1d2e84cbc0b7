"""Preflight: every fault raises its own check, a healthy engine none, and words that help."""

import json
from dataclasses import replace

import numpy as np
import pytest

from dynoai_desktop.core.channels import Channel
from dynoai_desktop.core.samples import ChannelInfo
from dynoai_desktop.core.trust.evidence import observe
from dynoai_desktop.core.trust.health import BusHealth
from dynoai_desktop.core.trust.mapping import ChannelMap, resolve
from dynoai_desktop.core.trust.preflight import (
    CHECKS,
    MachineFacts,
    PairBaseline,
    PreflightInputs,
    Status,
    WidebandState,
    run_preflight,
)
from dynoai_desktop.core.trust.signals import Signal
from dynoai_desktop.core.trust.truth import (
    FAULTS,
    preflight_of,
    raised_checks,
    report,
    truth_table,
)
from dynoai_desktop.core.trust.truth_bus import DYNO, PROBE, Bus, synthetic_bus
from dynoai_desktop.core.units import Unit
from tests.trust_world import bus_signals, infos, log_table, reference_capture

C = Channel
SEEDS = 6  # the whole count over 200 is `truth_table(range(200))`


def result_of(bus: Bus, check: str, **more):
    inputs = PreflightInputs(
        health=bus.health(),
        channel_map=resolve(bus.channels, evidence=observe(bus.channels, bus.signals)),
        signals=bus.signals,
        machine=bus.machine,
        **more,
    )
    return next(c for c in run_preflight(inputs).checks if c.id == check)


def twin_seed(moving: bool = False) -> int:
    return next(s for s in range(20) if synthetic_bus(s, moving=moving).has("User Analog 2"))


# --- the truth table ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def table():
    return truth_table(range(SEEDS))


def test_a_healthy_warm_engine_raises_nothing(table) -> None:
    assert table[0].fault == "healthy"
    assert (table[0].sessions, table[0].raised) == (SEEDS, 0), table[0].others


@pytest.mark.parametrize("fault", [f for f in FAULTS if not f.twin], ids=lambda f: f.name)
def test_a_fault_raises_its_own_check_every_time(table, fault) -> None:
    row = next(r for r in table if r.fault == fault.name)
    assert (row.sessions, row.missed) == (SEEDS, 0)


@pytest.mark.parametrize("fault", [f for f in FAULTS if f.twin], ids=lambda f: f.name)
def test_a_fault_of_two_widebands_is_hardly_ever_missed(table, fault) -> None:
    row = next(r for r in table if r.fault == fault.name)
    # Where both cylinders run alike nothing can tell a swap; see pairs.py.
    assert row.sessions >= 3 and row.missed <= (1 if fault.name == "swapped widebands" else 0)


def test_the_table_is_read_by_people(table) -> None:
    text = report(table)
    assert len(text.splitlines()) == 2 + len(FAULTS)
    assert "30 % loss" in text


def test_the_same_seed_gives_the_same_session() -> None:
    one, two = synthetic_bus(3), synthetic_bus(3)
    assert one.channels == two.channels
    for key, signal in one.signals.items():
        assert np.array_equal(signal.value, two.signals[key].value)


def test_faults_are_seen_without_evidence_in_the_mapping_too() -> None:
    bus = synthetic_bus(1)
    assert raised_checks(bus, by_name_only=True) == {}
    for name in ("barometer as MAP", "dead wideband", "rpm carries AFR"):
        fault = next(f for f in FAULTS if f.name == name)
        assert fault.check in raised_checks(fault.apply(bus), by_name_only=True)


# --- real recordings ---------------------------------------------------------------------------


def test_the_shared_capture_passes_without_a_warning(shared_data) -> None:
    channels, signals = reference_capture(shared_data)
    found = preflight_of(Bus(tuple(channels), signals))
    assert found.passed
    assert {c.id for c in found.checks if c.status in (Status.FAIL, Status.WARNING)} == set()


def test_the_held_capture_fails_for_its_held_values(shared_data) -> None:
    channels, signals = log_table(shared_data / "real" / "jetdrive_capture_1.csv")
    found = preflight_of(Bus(tuple(channels), signals))
    by_id = {c.id: c for c in found.checks}
    assert not found.passed
    assert by_id["held_values"].status is Status.FAIL
    assert "3.7 times a second but measured only 0.1" in by_id["held_values"].message
    assert "air-fuel ratio or lambda" in by_id["required_channels"].message


# --- two dynos and pinning ---------------------------------------------------------------------


def second_dyno(bus: Bus) -> Bus:
    return next(f for f in FAULTS if f.name == "two dynos").apply(bus)


def test_a_pinned_dyno_is_not_disturbed_by_another() -> None:
    alone = synthetic_bus(2)
    bus = replace(second_dyno(alone), pinned=frozenset({DYNO, PROBE}))
    channels = tuple(
        replace(c, name="RPM") if (c.provider, c.name) == ("Dyno 2", "Engine RPM") else c
        for c in bus.channels
    )
    # The other cell runs at another speed.
    signals = {
        key: Signal(s.time_s, s.value * 1.7) if key[0] == "Dyno 2" else s
        for key, s in bus.signals.items()
    }
    assert raised_checks(replace(bus, channels=channels, signals=signals)) == {}
    one = next(c for c in preflight_of(bus).checks if c.id == "one_dyno")
    assert "“Dyno 2” is heard, counted and not used" in one.message


def test_two_dynos_of_one_name_are_told_by_their_hosts() -> None:
    bus = synthetic_bus(2)
    health = bus.health()
    twin = replace(health.providers[0], host_id=0x51A0)
    inputs = PreflightInputs(
        replace(health, providers=(*health.providers, twin)), resolve(bus.channels), bus.signals
    )
    one = next(c for c in run_preflight(inputs).checks if c.id == "one_dyno")
    assert one.status is Status.FAIL and "0x51A0" in one.message


def test_a_pinned_provider_that_is_silent_fails_and_names_who_is_there() -> None:
    bus = replace(synthetic_bus(2), pinned=frozenset({"Cell 4"}))
    found = next(c for c in preflight_of(bus).checks if c.id == "connectivity")
    assert found.status is Status.FAIL
    assert "“Cell 4” is silent" in found.message and "“Power Core”" in found.message


# --- the report --------------------------------------------------------------------------------


def test_nobody_there_stops_after_the_first_checks() -> None:
    machine = MachineFacts(socket_error="Address in use.")
    found = run_preflight(PreflightInputs(BusHealth(0), ChannelMap(), {}, machine))
    assert not found.passed
    assert found.checks[0].id == "connectivity"
    assert found.checks[0].message == "No dyno answers. Address in use."
    assert "firewall" in found.checks[0].fix
    assert {c.id for c in found.checks} == {"connectivity", "recording", "disk_space", "processor"}


def test_the_worst_comes_first() -> None:
    fault = next(f for f in FAULTS if f.name == "dead wideband")
    statuses = [c.status for c in preflight_of(fault.apply(synthetic_bus(1))).checks]
    assert statuses == sorted(statuses, key=list(Status).index)
    assert statuses[0] is Status.FAIL


def test_every_finding_says_what_to_do() -> None:
    for fault in FAULTS:
        bus = synthetic_bus(twin_seed(fault.moving), moving=fault.moving)
        for check in preflight_of(fault.apply(bus)).checks:
            assert check.message.endswith((".", "d", "s")) and check.message[0] not in "{["
            if check.status in (Status.FAIL, Status.WARNING):
                assert check.fix.endswith("."), check
            assert "nan" not in check.message.split()


def test_an_override_needs_a_reason_and_is_kept_with_the_report() -> None:
    fault = next(f for f in FAULTS if f.name == "barometer as MAP")
    bus = fault.apply(synthetic_bus(1))
    evidence = observe(bus.channels, bus.signals)
    inputs = PreflightInputs(bus.health(), resolve(bus.channels, evidence=evidence), bus.signals)
    assert not run_preflight(inputs).passed
    blank = replace(inputs, overrides={"manifold_pressure": "  "})
    assert not run_preflight(blank).passed
    reason = "alpha-N bike, no MAP sensor"
    found = run_preflight(replace(inputs, overrides={"manifold_pressure": reason}))
    assert found.passed
    row = next(r for r in found.to_json()["checks"] if r["id"] == "manifold_pressure")
    assert (row["status"], row["override"]) == ("fail", reason)


@pytest.mark.parametrize("fault", ["disk full", "folder read-only", "nobody answers"])
def test_what_would_leave_nothing_to_keep_cannot_be_overridden(fault) -> None:
    row = next(f for f in FAULTS if f.name == fault)
    bus = row.apply(synthetic_bus(1))
    inputs = PreflightInputs(
        bus.health(),
        resolve(bus.channels),
        bus.signals,
        bus.machine,
        overrides={row.check: "I know what I am doing"},
    )
    assert not run_preflight(inputs).passed


def test_the_report_is_json_without_nan() -> None:
    fault = next(f for f in FAULTS if f.name == "not numbers")
    document = preflight_of(fault.apply(synthetic_bus(1))).to_json()
    json.dumps(document, allow_nan=False)
    assert set(document) == {"passed", "simulated", "checks"} and document["simulated"]
    assert {"id", "status", "message", "fix"} <= set(document["checks"][0])


def test_every_check_has_its_own_id() -> None:
    assert len({check.id for check in CHECKS}) == len(CHECKS)


def test_a_bus_that_was_just_announced_can_be_judged_already() -> None:
    bus = synthetic_bus(twin_seed())
    empty = {key: Signal(np.zeros(0), np.zeros(0)) for key in bus.signals}
    health = bus.health()
    silent = replace(
        health,
        channels=tuple(
            replace(c, age_s=None, value=None, rate_hz=0.0, samples=0) for c in health.channels
        ),
    )
    for signals in ({}, empty):
        found = run_preflight(PreflightInputs(silent, resolve(bus.channels), signals))
        assert not found.passed and found.checks[0].id == "freshness"
        assert "“Engine RPM” was never heard" in found.checks[0].message
    assert observe(bus.channels, {}) == observe(bus.channels, empty) == ()


# --- single rules ------------------------------------------------------------------------------


def test_an_engine_that_stands_still_is_not_called_frozen() -> None:
    fault = next(f for f in FAULTS if f.name == "engine off")
    found = raised_checks(fault.apply(synthetic_bus(1)))
    assert found == {"engine_running": Status.WARNING}


def test_a_real_lambda_channel_passes() -> None:
    seed = next(s for s in range(60) if synthetic_bus(s).has("Lambda"))
    assert raised_checks(synthetic_bus(seed)) == {}


def test_values_that_power_core_stops_sending_at_zero_are_not_stale() -> None:
    seed = next(s for s in range(30) if np.ptp(_values(synthetic_bus(s), "Speed 1")) == 0)
    bus = synthetic_bus(seed)
    health = bus.health()
    at_rest = {"TPS": 0.0, "Torque Drum 1": 0.0, "Power Drum 1": 0.0}
    channels = tuple(
        replace(c, age_s=40.0, rate_hz=0.0, value=at_rest[c.name]) if c.name in at_rest else c
        for c in health.channels
    )
    inputs = PreflightInputs(
        replace(health, channels=channels), resolve(bus.channels), bus.signals, bus.machine
    )
    by_id = {c.id: c.status for c in run_preflight(inputs).checks}
    assert by_id["freshness"] is by_id["rate"] is Status.PASS


def _values(bus: Bus, name: str) -> np.ndarray:
    return bus.signals[bus.key(name)].value


def test_a_wideband_scaled_for_ethanol_is_judged_on_its_own_scale() -> None:
    """Lambda 0.76 on E85 is 7.4 AFR, where a gasoline gauge has its rich end."""
    channels = infos("P", [("Engine RPM", 8), ("AFR 1", 11), ("TPS", 16), ("MAP kPa", 7)])
    rng = np.random.default_rng(2)
    values = {
        "Engine RPM": 4000 + 20 * rng.normal(size=300),
        "AFR 1": 9.765 * (0.76 + 0.01 * rng.normal(size=300)),
        "TPS": 100.0,
        "MAP kPa": 97 + rng.normal(size=300),
    }
    bus = Bus(tuple(channels), bus_signals(channels, values))
    assert result_of(bus, "wideband", stoich=9.765).status is Status.PASS
    assert result_of(bus, "wideband").status is Status.FAIL


def test_overrun_at_the_lean_rail_is_no_dead_wideband() -> None:
    channels = infos("P", [("Engine RPM", 8), ("TPS", 16), ("AFR 1", 11), ("MAP kPa", 7)])
    time_s = np.arange(300) / 20
    pull = time_s < 8
    rng = np.random.default_rng(1)
    signals = bus_signals(
        channels,
        {
            "Engine RPM": np.where(pull, 2000 + 500 * time_s, 6000 - 400 * (time_s - 8)),
            "TPS": np.where(pull, 100.0, 0.0),
            "AFR 1": np.where(pull, 12.8, 22.39) + 0.05 * rng.normal(size=300) * pull,
            "MAP kPa": np.where(pull, 97.0, 25.0) + rng.normal(0, 1, 300),
        },
    )
    assert result_of(Bus(tuple(channels), signals), "wideband").status is Status.PASS


def test_what_a_controller_says_about_itself_counts() -> None:
    bus = synthetic_bus(twin_seed())
    found = result_of(bus, "wideband", widebands={C.LAMBDA_FRONT: WidebandState.WARMING})
    assert found.status is Status.FAIL and "warming up" in found.message


def test_a_pair_that_turned_round_is_named() -> None:
    bus = synthetic_bus(twin_seed())
    signals = [bus.signals[bus.key(n)] for n in ("User Analog 1", "User Analog 2")]
    offset = float(np.median(signals[0].value) - np.median(signals[1].value)) * 3.008 / 14.7
    same = result_of(bus, "cylinders", pair=PairBaseline(offset, 0.001))
    turned = result_of(bus, "cylinders", pair=PairBaseline(-offset, 0.001))
    assert same.status is Status.PASS
    assert turned.status is Status.WARNING and "plug lead" in turned.fix


def test_crossed_wideband_inputs_are_found() -> None:
    bus = synthetic_bus(twin_seed())
    one, two = bus.key("User Analog 1"), bus.key("User Analog 2")
    signals = {**bus.signals, one: bus.signals[two], two: bus.signals[one]}
    found = result_of(replace(bus, signals=signals), "cylinders")
    assert found.status is Status.FAIL and "voltage inputs 1 and 2" in found.message


def test_a_high_altitude_correction_is_not_taken_for_horsepower() -> None:
    """At 76 kPa the correction is 1.34, just what a kilowatt is in horsepower."""
    channels = infos(
        "P",
        [("Engine RPM", 8), ("Power", 4), ("Power (uncorrected)", 4), ("Torque", 5),
         ("Torque (uncorrected)", 5), ("Force", 3), ("Speed", 2), ("Correction Factor", 255)],
    )  # fmt: skip
    rpm = np.linspace(2000, 6000, 300)
    power = 100 * rpm / 9549.3
    signals = bus_signals(
        channels,
        {"Engine RPM": rpm, "Power": 1.34 * power, "Power (uncorrected)": power, "Torque": 134.0,
         "Torque (uncorrected)": 100.0, "Speed": rpm / 50, "Force": power * 3600 / (rpm / 50),
         "Correction Factor": 1.34},
    )  # fmt: skip
    assert result_of(Bus(tuple(channels), signals), "power_torque").status is Status.PASS
    wrong = {k: Signal(s.time_s, s.value) for k, s in signals.items()}
    for name in ("Power", "Power (uncorrected)"):
        key = next((c.provider, c.id) for c in channels if c.name == name)
        wrong[key] = Signal(signals[key].time_s, signals[key].value * 1.341)
    found = result_of(Bus(tuple(channels), wrong), "power_torque")
    assert found.status is Status.FAIL and "power in hp" in found.message


def test_a_cold_engine_is_told_to_warm_up() -> None:
    bus = synthetic_bus(1)
    info = ChannelInfo(DYNO, 999, "Engine Temp", Unit.CELSIUS, 6)
    time_s = next(iter(bus.signals.values())).time_s
    signals = {**bus.signals, (DYNO, 999): Signal(time_s, np.full(len(time_s), 24.0))}
    found = result_of(Bus((*bus.channels, info), signals), "engine_temperature")
    assert found.status is Status.WARNING and "24 °C" in found.message


def test_markup_in_a_channel_name_reaches_the_message_as_text() -> None:
    channels = infos("P", [("<b>RPM</b>", 8)])
    found = result_of(
        Bus(tuple(channels), bus_signals(channels, {"<b>RPM</b>": 900.0})), "required_channels"
    )
    assert found.status is Status.FAIL


def test_disk_space_counts_in_hours() -> None:
    bus = synthetic_bus(1)
    slow = replace(bus, machine=replace(bus.machine, free_bytes=10**10, bytes_per_s=1e6))
    found = result_of(slow, "disk_space")
    assert found.status is Status.WARNING and "3 hours" in found.message
