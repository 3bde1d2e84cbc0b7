"""Sensors lag, drift to their rails and break the way real ones do; every fault shows."""

from __future__ import annotations

import numpy as np
import pytest

from dynoai_desktop.core.channels import CHANNELS
from dynoai_desktop.core.live.alert_rules import ALERT_RULES
from dynoai_desktop.core.live.gates import GATES
from dynoai_desktop.core.simulator.absorber import Absorber, LoadControl, LoadMode
from dynoai_desktop.core.simulator.commands import Drive, SetFault
from dynoai_desktop.core.simulator.dynos import DYNOS
from dynoai_desktop.core.simulator.faults import (
    ALERT,
    ANALYSIS,
    FAULTS,
    GATE,
    PERSON,
    PREFLIGHT,
    Effects,
    WidebandState,
    effects_of,
)
from dynoai_desktop.core.simulator.knock import KnockSensor, knock_chance
from dynoai_desktop.core.simulator.noise import Noise
from dynoai_desktop.core.simulator.profiles import PROFILES
from dynoai_desktop.core.simulator.programmes import ABORT, PROGRAMMES, steady_steps, wot_pull
from dynoai_desktop.core.simulator.rig import Rig
from dynoai_desktop.core.simulator.scenarios import SCENARIOS
from dynoai_desktop.core.simulator.sensors import ThrottleSensor
from dynoai_desktop.core.simulator.sim_channels import SIM_CHANNELS, SimChannel, SimProvider
from dynoai_desktop.core.simulator.trials import drive, measure_pull
from dynoai_desktop.core.simulator.wideband import (
    HIGH_AFR,
    LOW_AFR,
    Wideband,
    exhaust_leak,
    reversion,
    transport_delay_s,
)
from dynoai_desktop.core.trust.preflight import CHECKS

TWIN = PROFILES["m8-114"]
C = SimChannel
DT = 0.002


def noise(seed: int = 1) -> Noise:
    return Noise(np.random.SeedSequence(seed))


def settled(phi: float) -> Wideband:
    probe = Wideband(DT)
    for _ in range(1000):
        probe.step(phi, DT)
    return probe


# --- wideband -----------------------------------------------------------------------------------


@pytest.mark.parametrize("delay_s", [0.04, 0.1, 0.25])
def test_mixture_step_arrives_after_the_delay_and_settles_with_the_lag(delay_s):
    probe = Wideband(DT)
    probe.delay_s = delay_s
    for _ in range(1000):
        probe.step(1.0, DT)
    seen = []
    for _ in range(500):
        probe.step(1.2, DT)
        seen.append(probe.phi)
    times = DT * np.arange(1, 501)
    seen = np.array(seen)
    assert seen[times <= delay_s - DT].max() == pytest.approx(1.0, abs=1e-6)
    rise = times[np.searchsorted(seen, 1.0 + 0.2 * (1.0 - np.exp(-1.0)))]
    assert rise - delay_s == pytest.approx(0.08, abs=0.006)  # one time constant


def test_delay_falls_with_flow_between_its_bounds():
    flows = np.geomspace(1e-4, 0.2, 40)
    delays = [transport_delay_s(4.5e-4, flow) for flow in flows]
    assert delays == sorted(delays, reverse=True)
    assert max(delays) == pytest.approx(0.25)
    assert 0.03 <= min(delays) < 0.045
    assert transport_delay_s(4.5e-4, 0.0) == 0.25


def test_rig_delay_is_long_at_idle_and_short_at_full_flow():
    rig = Rig(TWIN)
    rig.run(1.0)
    idle = rig.truth().delay_s.front
    for state in drive(rig, wot_pull(TWIN)):
        if state == "pull":
            fast = rig.truth().delay_s.front
    assert idle > 0.2
    assert 0.03 < fast < 0.06


def test_gas_never_overtakes_gas_when_the_delay_changes():
    """A ramp in stays a ramp out, whatever the delay does meanwhile."""
    probe, rng = Wideband(DT), np.random.default_rng(3)
    seen = []
    for index in range(4000):
        if index % 20 == 0:
            probe.delay_s = rng.uniform(0.03, 0.25)
        probe.step(index * 1e-3, DT)
        seen.append(probe.phi)
    assert np.all(np.diff(seen) >= -1e-12)


def test_reading_stays_on_its_rails():
    assert settled(0.0).sample(noise(), False, DT) == HIGH_AFR
    assert settled(5.0).sample(noise(), False, DT) == LOW_AFR
    assert settled(1.0).sample(noise(), False, DT) == pytest.approx(14.7)


@pytest.mark.parametrize(
    ("state", "reading"),
    [
        (WidebandState.WARMING, LOW_AFR),
        (WidebandState.UNPLUGGED, LOW_AFR),
        (WidebandState.FREE_AIR, HIGH_AFR),
        (WidebandState.FROZEN, 14.7),
    ],
)
def test_ailing_controller_shows_its_own_number_not_the_mixture(state, reading):
    probe = settled(1.0)
    probe.sample(noise(), False, DT)
    probe.state = state
    for _ in range(500):
        probe.step(1.3, DT)
    assert probe.sample(noise(), True, DT) == pytest.approx(reading)


def test_wideband_reads_again_twenty_seconds_after_warming_began():
    rig = Rig(TWIN, faults=("warming_widebands",))
    rig.run(5.0)
    assert rig.readings()[C.AFR_1] == LOW_AFR
    rig.command(SetFault("warming_widebands", active=False))
    rig.run(15.0)
    assert rig.readings()[C.AFR_1] == LOW_AFR
    rig.run(6.0)
    assert 12.0 < rig.readings()[C.AFR_1] < 16.0


def test_reversion_is_false_lean_near_idle_only():
    rig = Rig(TWIN, noise=False)
    rig.run(3.0)
    assert rig.readings()[C.AFR_1] - 14.7 * rig.truth().lambda_burnt.front > 0.2
    assert reversion(2500.0, 40.0, 900.0) == 0.0
    flows = [reversion(rpm, 30.0, 900.0) for rpm in (700.0, 900.0, 1200.0, 1700.0)]
    assert flows == sorted(flows, reverse=True)


def test_leak_dilutes_most_at_idle():
    leaks = [exhaust_leak(0.16, flow, 2e-3) for flow in (1e-3, 2e-3, 8e-3, 3e-2)]
    assert leaks[0] == leaks[1] == 0.16
    assert leaks[1] > leaks[2] > leaks[3] > 0.0


def test_analogue_volts_are_the_linear_image_of_the_afr():
    rig = Rig(TWIN)
    for _ in drive(rig, wot_pull(TWIN)):
        now = rig.readings()
        for volts, afr in ((now[C.ANALOG_1], now[C.AFR_1]), (now[C.ANALOG_2], now[C.AFR_2])):
            assert 7.35 + 3.008 * volts == pytest.approx(afr)
            assert 0.0 <= volts <= 5.0


# --- other sensors ------------------------------------------------------------------------------


def test_throttle_sensor_has_backlash():
    sensor = ThrottleSensor()
    up = sensor.step(50.0)
    assert sensor.step(49.8) == up  # a touch does not show
    down = sensor.step(40.0)
    assert 49.8 < up < 50.0
    assert 40.0 < down < 40.2
    assert sensor.step(100.0) == 100.0


def test_noise_is_unbiased_and_of_stated_size():
    rig, quiet = Rig(TWIN, seed=6), Rig(TWIN, seed=6, noise=False)
    programme = steady_steps(TWIN, 3000.0, (40.0,), dwell_s=14.0)
    for one in (rig, quiet):
        one.command(Drive((programme,)))
        one.run(11.0)
    noisy = []
    for _ in range(400):
        rig.tick()
        noisy.append(rig.readings())
    quiet.run(4.0)
    truth = quiet.readings()
    for channel, spread in ((C.MAP, 0.8), (C.AFR_1, 0.05), (C.ENGINE_RPM, 4.0), (C.TPS, 0.06)):
        values = np.array([row[channel] for row in noisy])
        assert values.mean() == pytest.approx(truth[channel], abs=0.3 * spread)
        assert 0.3 * spread < values.std() < 2.0 * spread


def test_wire_names_resolve_to_canonical_channels_and_collide_as_in_life():
    aliases = {alias for spec in CHANNELS.values() for alias in spec.aliases}
    unused = {C.DISTANCE, C.ANALOG_1, C.ANALOG_2, C.PROBE_VAPOR_PRESSURE}
    for row in SIM_CHANNELS:
        if row.channel not in unused:
            assert row.name.lower() in aliases, row.name
    names = {who: {row.name for row in SIM_CHANNELS if row.provider is who} for who in SimProvider}
    assert names[SimProvider.DYNO] & names[SimProvider.PROBE] == {"Pressure"}


def test_readings_stay_inside_what_the_channels_can_be():
    """A whole round of everything an operator does, against the hard ranges of the table."""
    by_alias = {alias: spec for spec in CHANNELS.values() for alias in spec.aliases}
    rig = Rig(TWIN, SCENARIOS["lean"], seed=2)
    pull_then_abort = (PROGRAMMES["roll_on"](TWIN), PROGRAMMES["chop"](TWIN), wot_pull(TWIN), ABORT)
    for programme in pull_then_abort:
        for state in drive(rig, programme):
            if programme.key == "wot_pull" and state == "decel":
                break
            now = rig.readings()
            for row in SIM_CHANNELS:
                spec = by_alias.get(row.name.lower())
                if spec is not None and spec.hard is not None and row.channel in now:
                    assert spec.hard[0] <= now[row.channel] <= spec.hard[1], row.name


# --- knock --------------------------------------------------------------------------------------


def test_knock_chance_is_half_at_the_limit_and_nothing_far_below():
    assert knock_chance(20.0, 20.0) == pytest.approx(0.5)
    assert knock_chance(10.0, 20.0) < 1e-9
    assert knock_chance(21.0, 20.0) > knock_chance(19.0, 20.0)


def test_knock_control_retards_up_to_its_bound_and_recovers():
    sensor, random = KnockSensor(), noise()
    for _ in range(300):
        sensor.step(30.0, 15.0, 0.4, random, 0.01)
    assert 8.0 <= sensor.retard_deg <= 10.0
    for _ in range(1000):
        sensor.step(5.0, 15.0, 0.4, random, 0.01)
    assert sensor.retard_deg == 0.0


# --- load brake ---------------------------------------------------------------------------------


def test_overheated_load_brake_lets_go():
    brake = Absorber(DYNOS["drum"], 230.0)
    brake.set(LoadControl(LoadMode.BRAKE, 100.0))
    for _ in range(12_000):
        brake.step(45.0, 0.0, 10.0, 0.01)
    lasting = brake.force_n * 45.0 / 1000.0
    assert lasting == pytest.approx(DYNOS["drum"].absorber_kw, rel=0.15)


# --- faults -------------------------------------------------------------------------------------


def pull_rows(*faults: str, profile=TWIN, seed: int = 9):
    rig = Rig(profile, seed=seed, faults=faults)
    run = drive(rig, wot_pull(profile))
    rows = [(rig.readings(), rig.truth()) for state in run if state == "pull"]
    return rows[100:], rig


def column(rows, channel):
    return np.array([reading[channel] for reading, _ in rows])


def test_swapped_widebands_exchange_the_cylinders():
    scenario = SCENARIOS["one_cylinder"]
    means = []
    for faults in ((), ("swapped_widebands",)):
        rig = Rig(TWIN, scenario, seed=9, faults=faults)
        afr = [
            (rig.readings()[C.AFR_1], rig.readings()[C.AFR_2])
            for state in drive(rig, wot_pull(TWIN))
            if state == "pull"
        ]
        means.append(np.array(afr)[150:].mean(axis=0))
    assert means[0][1] - means[0][0] == pytest.approx(0.05 * 12.6, rel=0.15)
    assert means[1] == pytest.approx(means[0][::-1])


def test_exhaust_leak_reads_lean_on_the_front_and_less_with_flow():
    rows, rig = pull_rows("exhaust_leak")
    at_flow = column(rows, C.AFR_1).mean() - column(rows, C.AFR_2).mean()
    rig.run(20.0)
    at_idle = rig.readings()[C.AFR_1] - rig.readings()[C.AFR_2]
    assert 0.2 < at_flow < at_idle


def test_frozen_rpm_stands_while_everything_else_moves():
    rows, _ = pull_rows("frozen_rpm")
    assert np.ptp(column(rows, C.ENGINE_RPM)) == 0.0
    assert np.ptp(column(rows, C.SPEED)) > 30.0


def test_rpm_dropouts_are_zeros_now_and_then():
    rows, _ = pull_rows("rpm_dropouts")
    share = np.mean(column(rows, C.ENGINE_RPM) == 0.0)
    assert 0.01 < share < 0.08


def test_mislabelled_channels_carry_the_other_quantity():
    rows, _ = pull_rows("rpm_carries_afr")
    assert column(rows, C.ENGINE_RPM) == pytest.approx(column(rows, C.AFR_1))
    rig = Rig(TWIN, faults=("map_carries_baro",))
    rig.run(1.0)
    assert rig.readings()[C.MAP] == pytest.approx(rig.weather.baro_kpa, abs=0.1)


def test_fouled_plug_loses_power_and_shows_oxygen_on_its_own_cylinder():
    healthy, _ = pull_rows()
    fouled, _ = pull_rows("plug_fouling")
    assert column(fouled, C.POWER).max() < 0.95 * column(healthy, C.POWER).max()
    assert column(fouled, C.AFR_2).mean() > column(healthy, C.AFR_2).mean() + 1.0
    assert column(fouled, C.AFR_1).mean() == pytest.approx(column(healthy, C.AFR_1).mean(), abs=0.1)


def test_weak_pump_goes_lean_at_the_top_only():
    rows, _ = pull_rows("weak_pump")
    error = column(rows, C.AFR_1) - column(rows, C.AFR_CMD)
    assert np.abs(error[:100].mean()) < 0.15
    assert error[-20:].mean() > 1.0


@pytest.mark.parametrize("fault", ["slipping_clutch", "slipping_tyre"])
def test_slip_breaks_the_tie_of_engine_and_road_speed(fault):
    healthy, _ = pull_rows()
    slipping, _ = pull_rows(fault)

    def spread(rows):
        ratio = column(rows, C.ENGINE_RPM) / column(rows, C.SPEED)
        return ratio.max() / ratio.min() - 1.0

    assert spread(healthy) < 0.02
    assert spread(slipping) > 0.10


def test_slip_heat_is_in_the_book():
    _, rig = pull_rows("slipping_clutch")
    _, whole = pull_rows()
    assert rig.truth().energy.slip_j > whole.truth().energy.slip_j + 10_000.0


def test_wrong_drum_constant_scales_force_and_power():
    right = measure_pull(Rig(TWIN, seed=9))
    wrong = measure_pull(Rig(TWIN, seed=9, faults=("wrong_drum_constant",)))
    assert wrong.peak_power_kw / right.peak_power_kw == pytest.approx(1.15, abs=0.005)
    assert wrong.pull_s == right.pull_s


def test_flat_battery_falls_when_the_alternator_does_not_charge():
    rig = Rig(TWIN, faults=("no_charging",))
    rig.run(60.0)
    assert rig.readings()[C.VBATT] < 11.5


def test_faults_can_be_set_and_mended_while_running():
    rig = Rig(TWIN, seed=9)
    rig.command(SetFault("map_carries_baro"))
    rig.run(0.1)
    assert rig.readings()[C.MAP] > 90.0
    assert rig.faults == ("map_carries_baro",)
    rig.command(SetFault("map_carries_baro", active=False))
    rig.run(0.1)
    assert rig.readings()[C.MAP] < 50.0
    assert rig.faults == ()
    with pytest.raises(ValueError, match="not a fault"):
        rig.command(SetFault("gremlins"))


@pytest.mark.parametrize("fault", FAULTS.values(), ids=lambda fault: fault.key)
def test_every_fault_changes_something_and_says_who_should_notice(fault):
    assert effects_of([fault.key]) != Effects()
    assert fault.noticed_by
    keys = {
        PREFLIGHT: {check.id for check in CHECKS},
        ALERT: {rule.key for rule in ALERT_RULES},
        GATE: {gate.key for gate in GATES},
    }
    for who, what in fault.noticed_by:
        assert who in (ANALYSIS, PERSON) or what in keys[who]


def test_mixture_noise_does_not_depend_on_the_fault_of_another_sensor():
    """Streams are separate: a knock draw must not shift the noise of the widebands."""
    good, bad = Rig(TWIN, seed=4), Rig(TWIN, seed=4, faults=("bad_fuel",))
    for rig in (good, bad):
        rig.run(3.0)
    assert good.readings()[C.AFR_1] == bad.readings()[C.AFR_1]
