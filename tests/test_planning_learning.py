"""Learning: how a vehicle moves, and how promises come true."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dynoai_desktop.core.analysis.analyse import analyse
from dynoai_desktop.core.analysis.frame import Frame
from dynoai_desktop.core.analysis.settings import AnalysisSettings
from dynoai_desktop.core.channels import Channel, Cylinder
from dynoai_desktop.core.planning.coverage import (
    Achieved,
    Coverage,
    CoverageError,
    CylinderCoverage,
    Observed,
    Prediction,
    RunCoverage,
)
from dynoai_desktop.core.planning.learning import (
    learned,
    observe,
    prediction_quality,
    ratio_of,
    ways_of,
)
from dynoai_desktop.core.planning.regions import place_regions
from dynoai_desktop.core.planning.steps import SamplePath, Step, TestType
from dynoai_desktop.core.planning.ways import Ratio, Ways, usual_ways
from dynoai_desktop.core.store.vehicles import VehicleRecord
from tests.analysis_world import MAP, World, make, smooth_error
from tests.analysis_world import RPM as PAPER_RPM
from tests.coverage_world import LOAD, RPM, VEHICLE, make_coverage, make_run

RECORD = VehicleRecord(
    "Road King",
    redline_rpm=5800.0,
    gear_ratios=(9.6, 6.6, 4.9, 3.9, 3.2, 2.8),
    dyno_gear=4,
    tyre_circumference_m=2.0,
)
REGIONS = place_regions(6000.0, 100.0)
TICKS = np.arange(120) / 20.0
PATH = SamplePath(TICKS, 2200.0 + 380.0 * TICKS, 90.0 + 9.0 * np.sin(4.0 * TICKS))
QUICK = settings(max_examples=60, deadline=None)


def pull(**more: object) -> Step:
    """Return a step along PATH."""
    values: dict[str, object] = {
        "key": "wot_4",
        "name": "Pull",
        "goal": "",
        "test_type": TestType.WOT_PULL,
        "rpm_range": (2200.0, 4500.0),
        "load_range": (93.0, 93.0),
        "gear": 4,
        "tps_pct": 100.0,
        "path": PATH,
        "pulls": 2,
        "drive_s": 20.0,
        "cooling_s": 40.0,
        "priority": 1,
        "expected_coverage_gain": 10.0,
        "expected_coverage_doubt": 2.0,
        "efficiency_score": 0.3,
        "worth_per_minute": 1.0,
        **more,
    }
    return Step(**values)  # type: ignore[arg-type]


def driven(run_id: str = "a", times: float = 2.0, seconds: float = 40.0) -> RunCoverage:
    """Return a run that followed PATH *times* times in *seconds*."""
    from dynoai_desktop.core.analysis.basis import bilinear

    basis = bilinear(RPM, LOAD, PATH.rpm, PATH.load)
    gram, _ = basis.normal_equations(np.zeros(basis.cell.size))
    nodes = np.flatnonzero(np.diag(gram) > 0.0)
    matrix = times * gram[np.ix_(nodes, nodes)] / 4e-4
    part = CylinderCoverage.of(nodes, times * basis.sums()[nodes], matrix)
    return RunCoverage(
        run_id,
        VEHICLE,
        False,
        RPM,
        LOAD,
        {Cylinder.FRONT: part, Cylinder.REAR: part},
        achieved=Achieved(2.0, 240, seconds, 2),
    )


def seen(run_id: str, **more: object) -> RunCoverage:
    """Return a run that showed something of how the vehicle moves."""
    observed = {k: more.pop(k) for k in list(more) if k in Observed.__dataclass_fields__}
    return replace(make_run(run_id), observed=Observed(**observed), **more)  # type: ignore[arg-type]


# Promised and achieved


def test_a_step_that_told_what_it_promised_has_a_ratio_of_one():
    run = learned(driven(), pull(), make_coverage(), Ways(900.0, 5800.0), REGIONS)
    assert run.prediction is not None
    assert run.achieved.information == pytest.approx(run.prediction.information)
    ways = ways_of(make_coverage(run), RECORD)
    assert ways.gain[TestType.WOT_PULL].mean == pytest.approx(1.0)
    assert ways.minutes[TestType.WOT_PULL].mean == pytest.approx(1.0)
    assert ways.gain[TestType.WOT_PULL].count == 1


def test_half_of_the_promised_information_halves_the_next_promise_in_time():
    coverage = make_coverage()
    for number in range(12):
        run = learned(driven(f"{number}", times=1.0), pull(), coverage, Ways(900, 5800), REGIONS)
        coverage = coverage.merge(run)
    assert ways_of(coverage, RECORD).gain[TestType.WOT_PULL].mean == pytest.approx(0.5, abs=0.05)


def test_a_correction_is_not_corrected_again():
    """The plan already counted on 30 s where the path says 20; what is learned stays the same."""
    slow = Ways(900.0, 5800.0, minutes={TestType.WOT_PULL: Ratio(1.5, 0.2, 9)})
    first = learned(driven(seconds=60.0), pull(), make_coverage(), Ways(900, 5800), REGIONS)
    later = learned(driven(seconds=60.0), pull(drive_s=30.0), make_coverage(), slow, REGIONS)
    assert first.prediction is not None
    assert later.prediction is not None
    assert later.prediction.drive_s == pytest.approx(first.prediction.drive_s)


def test_a_run_with_one_of_two_pulls_is_held_to_one():
    run = learned(driven(times=1.0), pull(), make_coverage(), Ways(900, 5800), REGIONS, pulls=1)
    assert run.prediction is not None
    assert run.prediction.gain_pct == 5.0
    assert run.achieved.information == pytest.approx(run.prediction.information)


def test_the_gain_is_what_the_run_added_to_what_was_known_without_it():
    run = learned(driven(), pull(), make_coverage(), Ways(900, 5800), REGIONS)
    again = learned(run, pull(), make_coverage(run), Ways(900, 5800), REGIONS)
    assert run.achieved.gain_pct is not None
    assert run.achieved.gain_pct > 0.0
    assert again == run  # told twice, and what it told itself is not held against it
    copy = replace(driven("b"), run_id="b")
    saturated = make_coverage(*(replace(driven(f"{n}", times=50.0)) for n in range(3)))
    assert learned(copy, pull(), saturated, Ways(900, 5800), REGIONS).achieved.gain_pct == (
        pytest.approx(0.0)
    )


def test_feedback_with_a_run_of_another_vehicle_is_refused():
    with pytest.raises(CoverageError, match="panhead"):
        learned(replace(driven(), vehicle="panhead"), pull(), make_coverage(), Ways(9, 58), REGIONS)


def test_a_pull_that_failed_is_one_failure_and_not_the_end_of_all_promises():
    run = learned(driven(times=1e-9), pull(), make_coverage(), Ways(900, 5800), REGIONS)
    ratio = ways_of(make_coverage(run), RECORD).gain[TestType.WOT_PULL]
    assert 0.05 < ratio.mean < 0.5
    assert math.isfinite(ratio.sd)


@given(st.lists(st.floats(-1.0, 1.0), max_size=20))
@QUICK
def test_a_learned_ratio_lies_between_one_and_what_was_seen(logs):
    ratio = ratio_of(logs)
    mean = math.exp(float(np.mean(logs))) if logs else 1.0
    assert min(1.0, mean) - 1e-9 <= ratio.mean <= max(1.0, mean) + 1e-9
    assert ratio.sd / ratio.mean <= ratio_of([]).sd + 1e-9
    assert ratio.count == len(logs)


def test_more_runs_alike_make_the_next_promise_surer_but_never_sure():
    sds = [ratio_of([0.0] * n).sd for n in (0, 1, 5, 50)]
    assert sds == sorted(sds, reverse=True)
    assert sds[0] == pytest.approx(0.35, abs=0.01)
    assert sds[-1] > 0.19


def test_how_well_promises_come_true_is_shown():
    runs = []
    for number, (promised, brought) in enumerate([(10.0, 8.0), (10.0, 9.0), (10.0, 1.0)]):
        promise = Prediction("wot_4", TestType.WOT_PULL, promised, 1.0, 20.0, 100.0)
        achieved = Achieved(1.0, 9, gain_pct=brought, information=50.0)
        runs.append(replace(make_run(f"{number}"), prediction=promise, achieved=achieved))
    quality = prediction_quality(make_coverage(*runs))[TestType.WOT_PULL]
    assert quality.count == 3
    assert quality.bias_pct == pytest.approx(-4.0)
    assert quality.spread_pct == pytest.approx(np.std([-2, -1, -9], ddof=1))
    assert quality.inside == pytest.approx(2 / 3)
    assert quality.told == pytest.approx(0.5)
    assert "3 driven" in quality.text
    assert prediction_quality(make_coverage()) == {}


# How a vehicle moves


def test_a_vehicle_nobody_drove_moves_as_vehicles_usually_do():
    ways = ways_of(make_coverage(), RECORD)
    assert ways == usual_ways(RECORD)
    assert not ways.driven


def test_pulls_seen_replace_the_usual_ones_and_speak_for_other_gears_by_their_ratio():
    curve = ((2500.0, 600.0), (4000.0, 400.0))
    ways = ways_of(make_coverage(seen("a", pulls=((4, curve),))), RECORD)
    assert ways.driven
    assert ways.pull_rpm_per_s[4] == curve
    third = dict(ways.pull_rpm_per_s[3])
    assert third[2500.0] == pytest.approx(600.0 * (4.9 / 3.9) ** 2)
    assert set(ways.pull_rpm_per_s) == {1, 2, 3, 4, 5, 6}


def test_a_pull_in_an_unknown_gear_is_taken_for_the_usual_one():
    ways = ways_of(make_coverage(seen("a", pulls=((0, ((3000.0, 500.0),)),))), RECORD)
    assert ways.pull_rpm_per_s[4] == ((3000.0, 500.0),)


def test_one_odd_pull_among_many_does_not_bend_the_curve():
    runs = [
        seen(f"{n}", pulls=((4, ((3000.0, 5000.0 if n == 3 else 500.0 + n),)),)) for n in range(7)
    ]
    assert ways_of(make_coverage(*runs), RECORD).pull_rpm_per_s[4][0][1] < 510.0


def test_full_load_follows_the_barometer_of_the_day():
    low = seen("a", full_load_kpa=((3000.0, 80.0), (5000.0, 78.0)), baro_kpa=84.0)
    ways = ways_of(make_coverage(low), RECORD, baro_kpa=100.0)
    assert ways.full_load_kpa[0] == (3000.0, pytest.approx(80.0 * 100.0 / 84.0, abs=0.01))
    assert ways_of(make_coverage(low), RECORD).baro_kpa == 84.0


def test_runs_of_another_dyno_do_not_say_how_the_vehicle_moves_here():
    elsewhere = seen("a", pulls=((4, ((3000.0, 900.0),)),), dyno_signature="other")
    here = seen("b", pulls=((4, ((3000.0, 500.0),)),), dyno_signature="rig")
    coverage = make_coverage(elsewhere, here, dyno_signature="rig")
    assert ways_of(coverage, RECORD).pull_rpm_per_s[4] == ((3000.0, 500.0),)
    assert any("another dyno" in note for note in coverage.notes())


def test_cooling_times_are_learned_and_shrunk_towards_the_usual_one():
    usual = usual_ways(RECORD).cooling_s
    once = ways_of(make_coverage(seen("a", cooling_s=(100.0,))), RECORD).cooling_s
    often = ways_of(make_coverage(seen("a", cooling_s=(100.0,) * 12)), RECORD).cooling_s
    assert usual.mean < once.mean < often.mean < 100.0
    assert often.mean > 95.0
    assert often.sd < once.sd < usual.sd + 1.0


def test_idle_is_taken_from_the_log_where_the_record_does_not_state_it():
    coverage = make_coverage(seen("a", idle_rpm=980.0))
    assert ways_of(coverage, RECORD).idle_rpm == 980.0
    assert ways_of(coverage, replace(RECORD, idle_rpm=900.0)).idle_rpm == 900.0


# What a log shows


@pytest.fixture(scope="module")
def frame() -> Frame:
    return make(World(seed=1, errors={"front": smooth_error(1)}))


SETTINGS = AnalysisSettings(axes=(PAPER_RPM, MAP))


def test_a_log_shows_pulls_full_load_steady_points_and_idle(frame):
    payload = analyse(frame, SETTINGS)
    found = observe(payload, RECORD)
    assert len(found.pulls) == 3
    for gear, curve in found.pulls:
        assert gear == 4  # as stated: the log holds no road speed
        rpm, rate = np.array(curve).T
        assert (np.diff(rpm) > 0.0).all()
        assert rate == pytest.approx(np.full(rate.size, 642.0), abs=60.0)  # 1900 to 5720 in 6 s
    full = np.array([kpa for _, kpa in found.full_load_kpa])
    assert full.min() > 97.0
    assert found.manifold
    assert found.idle_rpm == pytest.approx(1000.0, abs=80.0)
    assert found.baro_kpa == payload.evidence.track.baro_kpa


def test_the_gear_is_read_from_road_speed_where_ratios_are_known(frame):
    third = frame.columns[Channel.RPM] / 4.9 * 2.0 * 60.0 / 1000.0
    found = observe(analyse(frame.with_columns({Channel.SPEED: third}), SETTINGS), RECORD)
    assert {gear for gear, _ in found.pulls} == {3}
    between = frame.columns[Channel.RPM] / 5.7 * 2.0 * 60.0 / 1000.0
    odd = observe(analyse(frame.with_columns({Channel.SPEED: between}), SETTINGS), RECORD)
    assert {gear for gear, _ in odd.pulls} == {4}


def test_cooling_ends_when_the_last_temperature_is_back_where_the_pull_began(frame):
    payload = analyse(frame, SETTINGS)
    pulls = [run for run in payload.evidence.runs if run.kind.value == "pull"]
    time_s = frame.time_s
    head = np.full(time_s.size, 90.0)
    for run in pulls:
        since = time_s - run.end_s
        head = np.where((since > 0.0) & (since < 8.0), 90.0 + 15.0 * (1.0 - since / 8.0), head)
        head = np.where((time_s >= run.start_s) & (since <= 0.0), 95.0, head)
    found = observe(analyse(frame.with_columns({Channel.ECT: head}), SETTINGS), RECORD)
    assert found.cooling_s
    assert found.cooling_s == pytest.approx([8.0 * 14.0 / 15.0] * len(found.cooling_s), abs=0.4)


def test_a_temperature_that_rises_once_more_is_not_back_yet(frame):
    """A slow sensor passes through where it began on its way up."""
    run = next(r for r in analyse(frame, SETTINGS).evidence.runs if r.kind.value == "pull")
    since = frame.time_s - run.end_s
    head = np.where((since > 1.0) & (since < 6.0), 105.0, 90.0)
    found = observe(analyse(frame.with_columns({Channel.ECT: head}), SETTINGS), RECORD)
    assert found.cooling_s[0] == pytest.approx(6.0, abs=0.3)


def test_an_engine_that_never_cooled_down_says_nothing_of_cooling(frame):
    rising = 60.0 + 0.3 * frame.time_s
    found = observe(analyse(frame.with_columns({Channel.ECT: rising}), SETTINGS), RECORD)
    assert found.cooling_s == ()


def test_a_log_without_pressure_still_shows_its_pulls(frame):
    columns = {c: v for c, v in frame.columns.items() if c is not Channel.MAP}
    tps = AnalysisSettings()
    found = observe(analyse(Frame(frame.time_s, columns), tps), RECORD)
    assert found.pulls
    assert (found.full_load_kpa, found.manifold) == ((), ())


def test_pressure_near_the_barometer_is_full_load_only_where_the_engine_pulls(frame):
    """A third of throttle at low speed comes near the barometer; with no sensor it looks open."""
    columns = {c: v for c, v in frame.columns.items() if c is not Channel.TPS}
    found = observe(analyse(Frame(frame.time_s, columns), SETTINGS), RECORD)
    assert found.full_load_kpa
    assert min(kpa for _, kpa in found.full_load_kpa) > 97.0


def test_what_a_log_showed_is_what_later_predictions_are_made_of(frame):
    payload = analyse(frame, SETTINGS)
    run = replace(seen("a"), observed=observe(payload, RECORD))
    ways = ways_of(make_coverage(run), RECORD)
    assert ways.driven
    assert ways.baro_kpa == pytest.approx(99.5, abs=0.5)
    rpm = np.array([2500.0, 4000.0, 5000.0])
    read = np.interp(rpm, *np.array(ways.pull_rpm_per_s[4]).T)
    assert read == pytest.approx([642.0] * 3, abs=40.0)
    assert isinstance(make_coverage(run), Coverage)
