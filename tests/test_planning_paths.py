"""Predicted sample paths: what a throttle body does, and what the simulated rig does."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dynoai_desktop.core.analysis.analyse import analyse
from dynoai_desktop.core.analysis.settings import AnalysisSettings
from dynoai_desktop.core.channels import Channel
from dynoai_desktop.core.planning.candidates import candidates
from dynoai_desktop.core.planning.limits import default_limits
from dynoai_desktop.core.planning.paths import CLIMB_KPA_PER_S, LONGEST_SWEEP_S, Driver
from dynoai_desktop.core.planning.regions import Transient
from dynoai_desktop.core.planning.steps import TestType
from dynoai_desktop.core.planning.throttle import Throttle, idle_kpa
from dynoai_desktop.core.planning.ways import Ways, assumptions, usual_ways
from dynoai_desktop.core.simulator.commands import Drive
from dynoai_desktop.core.simulator.profile import Profile
from dynoai_desktop.core.simulator.profiles import PROFILES
from dynoai_desktop.core.simulator.rig import Rig
from dynoai_desktop.core.simulator.tables import axes as profile_axes
from dynoai_desktop.core.simulator.tuning.planned import programmes_of
from dynoai_desktop.core.simulator.tuning.recording import Recording
from dynoai_desktop.core.store.vehicles import VehicleRecord
from tests.planning_world import WAYS, usual_tests

RPM = np.linspace(1500.0, 5600.0, 30)
DRIVER = Driver.of(WAYS)


@pytest.mark.parametrize("tps", [8.0, 20.0, 45.0, 80.0])
def test_pressure_falls_with_speed_and_rises_with_the_throttle(tps):
    kpa = DRIVER.throttle.map_kpa(tps, RPM)
    assert np.all(np.diff(kpa) <= 1e-9)
    assert np.all(kpa <= DRIVER.throttle.map_kpa(tps + 5.0, RPM) + 1e-9)
    assert np.all(kpa <= DRIVER.throttle.full_kpa(RPM) + 1e-9)
    assert np.all(kpa > 0.0)


def test_steady_points_of_the_vehicle_are_met_and_wide_open_stays_what_it_was():
    seen = ((20.0, 3000.0, 62.0), (20.0, 4000.0, 49.0))
    fitted = Throttle.of(replace(WAYS, manifold=seen))
    usual = DRIVER.throttle.map_kpa(20.0, np.array([3000.0]))[0]
    assert abs(usual - 62.0) > 10.0
    assert fitted.map_kpa(20.0, np.array([3000.0, 4000.0])) == pytest.approx([62, 49], abs=3.0)
    assert fitted.map_kpa(100.0, RPM) == pytest.approx(DRIVER.throttle.map_kpa(100.0, RPM))


def test_nonsense_points_do_not_break_the_throttle():
    seen = ((20.0, 3000.0, 500.0), (0.0, 900.0, 30.0), (30.0, 3000.0, 0.0), (99.9, 3000.0, 97.0))
    kpa = Throttle.of(replace(WAYS, manifold=seen)).map_kpa(25.0, RPM)
    assert np.all(np.isfinite(kpa))
    assert np.all(np.diff(kpa) <= 1e-9)


def test_the_throttle_for_a_pressure_gives_that_pressure():
    wanted = np.array([40.0, 60.0, 80.0])
    tps = DRIVER.throttle.tps_for(wanted, 3000.0)
    assert DRIVER.throttle.map_kpa(tps, np.full(3, 3000.0)) == pytest.approx(wanted, abs=1.0)


def test_a_pull_runs_at_full_load_from_settled_to_the_end():
    pull = DRIVER.pull(100.0, 2000.0, 5600.0, 5)
    assert np.all(np.diff(pull.path.rpm) > 0.0)
    assert np.diff(pull.path.time_s) == pytest.approx(np.full(pull.path.time_s.size - 1, 0.05))
    assert pull.path.time_s[0] >= 1.0
    assert pull.path.rpm[0] > 2000.0
    assert pull.rpm_range[0] == 2000.0
    assert pull.path.load == pytest.approx(DRIVER.throttle.full_kpa(pull.path.rpm))
    assert [move.kind for move in pull.movements] == [Transient.TIP_IN, Transient.LIFT_OFF]


def test_a_lower_gear_is_quicker():
    record = VehicleRecord("x", redline_rpm=5800.0, gear_ratios=(9.0, 6.0, 5.0, 4.0), dyno_gear=3)
    driver = Driver.of(usual_ways(record))
    third, second = (driver.pull(100.0, 2000.0, 5600.0, gear) for gear in (3, 2))
    whole = [p.path.time_s[-1] for p in (third, second)]
    assert whole[0] / whole[1] == pytest.approx((6.0 / 5.0) ** 2, rel=0.05)


def test_a_nearly_closed_throttle_never_gets_there_and_ends_by_time():
    sweep = DRIVER.pull(10.0, 2000.0, 5300.0, 5)
    assert sweep.rpm_range[1] < 4000.0
    assert sweep.path.time_s[-1] == pytest.approx(LONGEST_SWEEP_S, abs=0.1)


def test_a_climb_holds_its_speed_and_rises_evenly():
    full = float(DRIVER.throttle.full_kpa(np.array([3500.0]))[0])
    climb = DRIVER.climb(3500.0, 30.0, full)
    assert np.all(climb.path.rpm == 3500.0)
    steps = np.diff(climb.path.load)
    assert steps == pytest.approx(np.full(steps.size, steps[0]))
    assert steps[0] * 20.0 == pytest.approx(CLIMB_KPA_PER_S, rel=0.02)
    assert climb.tps_range[1] == 100.0


def test_overrun_counts_as_an_event_and_tells_nothing_about_fuel():
    lifts = DRIVER.lift_offs(3000.0, 20.0, 3)
    assert lifts.path.rpm.size == 0
    assert [move.kind for move in lifts.movements] == [Transient.LIFT_OFF] * 3


def test_roll_ons_promise_movements_and_no_samples():
    rolls = DRIVER.roll_ons(45.0, 2500.0, 5, 3)
    assert rolls.path.rpm.size == 0
    assert [move.kind for move in rolls.movements] == [Transient.TIP_IN, Transient.LIFT_OFF] * 3
    assert all(low < high for low, high in (rolls.rpm_range, rolls.map_range))


def test_soaked_air_tells_nothing_about_the_table():
    assert DRIVER.soak(60.0).path.rpm.size == 0
    assert DRIVER.idle(20.0).path.rpm.size == 400


def test_a_table_by_throttle_is_driven_by_throttle():
    by_tps = Driver.of(WAYS, load_is_tps=True).pull(30.0, 2000.0, 5000.0, 5)
    assert np.all(by_tps.path.load == 30.0)


def test_what_is_not_stated_is_assumed_aloud():
    bare = VehicleRecord("bare")
    ways = usual_ways(bare)
    assert not ways.driven
    assert (ways.idle_rpm, ways.redline_rpm) == (900.0, 6000.0)
    assert len(assumptions(bare)) == 4
    stated = VehicleRecord(
        "x", idle_rpm=900.0, redline_rpm=5800.0, dyno_gear=2, gear_ratios=(3.0, 2.0)
    )
    assert assumptions(stated) == ()
    assert set(usual_ways(stated).pull_rpm_per_s) == {1, 2}


def test_a_turbocharged_engine_goes_above_the_barometer():
    ways = usual_ways(VehicleRecord("t", redline_rpm=6800.0, boost_kpa=80.0))
    throttle = Throttle.of(ways)
    assert throttle.full_kpa(np.array([4000.0]))[0] > 150.0
    assert throttle.map_kpa(15.0, np.array([4000.0]))[0] < 80.0


def test_idle_pressure_is_the_one_seen():
    assert idle_kpa(replace(WAYS, manifold=((0.5, 920.0, 41.0),))) == 41.0


# Against the simulated rig, of which nothing but the record is known.

TESTED = {
    "wot": TestType.WOT_PULL,
    "sweep/33": TestType.PART_THROTTLE,
    "climb": TestType.HOLD_CLIMB,
}


@pytest.mark.parametrize("name", ["m8-114", "four-600"])
@pytest.mark.parametrize("key", list(TESTED))
def test_the_rig_does_what_was_predicted(name, key):
    profile = PROFILES[name]
    record = VehicleRecord(
        name,
        idle_rpm=profile.idle_rpm,
        redline_rpm=profile.redline_rpm,
        gear_ratios=profile.gear_ratios,
        dyno_gear=profile.dyno_gear,
    )
    rpm, load = profile_axes(profile)
    steps = candidates(usual_ways(record), default_limits(record), rpm, load)
    mine = [step for step in steps if step.key.startswith(key)]
    step = mine[len(mine) // 2 if key == "climb" else 0]
    assert step.test_type is TESTED[key]
    driven_s, accepted_rpm, accepted_kpa = _drive(profile, step)
    assert driven_s == pytest.approx(step.drive_s, rel=0.25)
    inside = (accepted_rpm > step.path.rpm.min() - 100.0) & (
        accepted_kpa > step.path.load.min() - 3.0
    )
    # The launch counts too, so there is more than was promised, never much less.
    assert inside.sum() > 0.6 * step.path.rpm.size
    if key == "climb":
        assert np.median(accepted_rpm[inside]) == pytest.approx(step.path.rpm[0], rel=0.02)
        assert np.quantile(accepted_kpa[inside], 0.98) == pytest.approx(step.path.load[-1], abs=5)
        return
    order = np.argsort(step.path.rpm)
    predicted = np.interp(accepted_rpm[inside], step.path.rpm[order], step.path.load[order])
    assert np.median(np.abs(predicted - accepted_kpa[inside])) < 6.0


def _drive(profile: Profile, step) -> tuple[float, np.ndarray, np.ndarray]:
    """Return the seconds a step took on the rig, and where samples were accepted."""
    rig = Rig(profile, seed=2)
    recording = Recording(rig)
    rig.command(Drive(programmes_of(step, profile)))
    states: list[str] = []
    while rig.busy:
        recording.drive(0.05)
        states.append(rig.state)
    frame = recording.frame()
    rpm, load = profile_axes(profile)
    settings = AnalysisSettings(axes=(rpm, load), redline_rpm=profile.redline_rpm)
    fits = analyse(frame, settings).evidence.fits
    accepted = next(iter(fits.values())).samples.accepted
    during = accepted & np.isin(np.array(states), ["pull", "sweep", "climb", "roll_on"])
    return rig.time_s, frame.columns[Channel.RPM][during], frame.columns[Channel.MAP][during]


def test_a_gear_the_vehicle_does_not_have_is_refused_with_a_sentence():
    step = replace(usual_tests().steps[0], gear=9)
    with pytest.raises(ValueError, match="has 6 gears"):
        programmes_of(step, PROFILES["m8-114"])


def test_every_pull_of_a_step_is_driven():
    step = replace(usual_tests().steps[0], pulls=3)
    assert len(programmes_of(step, PROFILES["m8-114"])) == 3


def test_a_vehicle_of_which_no_pull_was_seen_still_moves():
    bare = Ways(idle_rpm=900.0, redline_rpm=6000.0)
    assert Driver.of(bare).pull(100.0, 2000.0, 5800.0, 4).path.rpm.size > 50
