"""Regions and gaps: what matters of a table, on any engine, and what is still to be learned."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dynoai_desktop.core.analysis.analyse import analyse
from dynoai_desktop.core.analysis.coverage import find_gaps as find_unvisited
from dynoai_desktop.core.axis import Axis
from dynoai_desktop.core.channels import Channel, Cylinder
from dynoai_desktop.core.planning.gaps import Enough, coverage_pct, find_gaps, hit_summary
from dynoai_desktop.core.planning.knowledge import Knowledge
from dynoai_desktop.core.planning.regions import (
    REGIONS,
    Impact,
    Transient,
    goal_cells,
    place_regions,
    weights,
)
from tests.analysis_world import World, make, no_error
from tests.coverage_world import axis

RPM = axis(Channel.RPM, [500, 1000, *range(1500, 6001, 500), 6500])
LOAD = axis(Channel.MAP, [*range(20, 111, 10)])
TPS = axis(Channel.TPS, [0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100])
BOTH = (Cylinder.FRONT, Cylinder.REAR)
QUICK = settings(max_examples=60, deadline=None)


def knowing(
    precision: float | np.ndarray = 0.0,
    *,
    rpm: Axis = RPM,
    load: Axis = LOAD,
    hits: float = 0.0,
    cylinders: tuple[Cylinder, ...] = BOTH,
    **events: int,
) -> Knowledge:
    """Return knowledge with the same information at every node, or at each its own."""
    size = len(rpm) * len(load)
    matrix = np.diag(np.broadcast_to(precision, size).astype(float))
    return Knowledge(
        rpm,
        load,
        dict.fromkeys(cylinders, matrix),
        {c: np.full((len(rpm), len(load)), hits) for c in cylinders},
        events,
    )


def placed(key: str, *args: float, **more: object):
    """Return one region on a map."""
    return next(p for p in place_regions(*args, **more) if p.key == key)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("key", "rpm", "load", "priority"),
    [
        ("midrange", (2500, 4500), (80, 100), 1),
        ("tip_in", (2000, 4500), (50, 85), 1),
        ("idle", (500, 1500), (20, 40), 2),
        ("upper_range", (4000, 5500), (85, 100), 2),
        ("lugging", (2000, 3000), (80, 100), 2),
        ("off_idle", (1500, 2500), (30, 50), 3),
        ("cruise", (2500, 4000), (45, 65), 3),
        ("lift_off", (2500, 5000), (20, 50), 3),
    ],
)
def test_on_a_6000_rpm_engine_at_100_kpa_regions_are_where_they_are_named(key, rpm, load, priority):
    region = placed(key, 6000.0, 100.0)
    assert region.rpm_range == pytest.approx(rpm, abs=10)
    assert region.load_range == pytest.approx(load)
    assert region.region.priority == priority


def test_regions_follow_the_redline_and_the_barometer():
    four, mountain = placed("midrange", 11_000.0, 100.0), placed("midrange", 6000.0, 75.0)
    assert four.rpm_range == pytest.approx((4587, 8250), abs=10)
    assert mountain.load_range == (60.0, 75.0)


def test_boost_stretches_full_load_and_leaves_idle_where_it_is():
    turbo = {p.key: p for p in place_regions(6000.0, 100.0, 100.0)}
    assert turbo["midrange"].load_range == (140.0, 200.0)
    assert turbo["idle"].load_range == (20.0, 40.0)


def test_on_a_throttle_axis_full_load_is_an_open_throttle():
    assert placed("midrange", 6000.0, 75.0, 50.0, load=Channel.TPS).load_range == (80.0, 100.0)


@pytest.mark.parametrize("baro", [98.5, 100.0, 101.325, 102.0])
def test_a_day_s_weather_does_not_move_the_goal(baro):
    usual = goal_cells(knowing(), place_regions(6000.0, 100.0))
    assert np.array_equal(goal_cells(knowing(), place_regions(6000.0, baro)), usual)


def test_the_goal_is_the_midrange_at_high_load_and_where_the_throttle_opens():
    goal = goal_cells(knowing(), place_regions(6000.0, 100.0))
    inside = {(RPM.nodes[r], LOAD.nodes[c]) for r, c in np.argwhere(goal)}
    assert {rpm for rpm, _ in inside} == {2000, 2500, 3000, 3500, 4000, 4500}
    assert {kpa for rpm, kpa in inside if rpm == 2000} == {50, 60, 70, 80}
    assert {kpa for rpm, kpa in inside if rpm == 3000} == {50, 60, 70, 80, 90, 100}


def test_lean_at_high_load_weighs_most_and_what_cannot_be_driven_nothing():
    weight = weights(knowing(), place_regions(6000.0, 100.0))

    def at(rpm: float, kpa: float) -> float:
        return float(weight[RPM.nodes.index(rpm), LOAD.nodes.index(kpa)])

    assert at(3500, 100) == weight.max()
    assert at(3500, 100) > at(3000, 70) > at(1000, 30) > at(3500, 40) > at(5500, 60) > 0.0
    assert (weight[RPM.nodes.index(6500)] == 0.0).all()
    assert (weight[:, LOAD.nodes.index(110)] == 0.0).all()


def test_there_is_one_table_of_regions_with_keys_of_their_own():
    assert len({region.key for region in REGIONS}) == len(REGIONS)
    assert all(region.events_wanted for region in REGIONS if region.transient)
    assert find_unvisited.__globals__["place_regions"] is place_regions


# Gaps


def test_a_vehicle_nobody_drove_has_every_region_open_the_dearest_first():
    regions = place_regions(6000.0, 100.0)
    gaps = find_gaps(knowing(), regions)
    assert {gap.key for gap in gaps} == {p.key for p in regions if p.key != "rest"}
    assert all(gap.coverage_pct == 0.0 for gap in gaps)
    assert [gap.impact for gap in gaps] == sorted(
        (gap.impact for gap in gaps), key=[i.value for i in Impact].index
    )
    assert coverage_pct(knowing(), regions) == 0.0


def test_a_fully_known_vehicle_has_no_gaps():
    regions = place_regions(6000.0, 100.0)
    known = knowing(1e6, tip_in=5, lift_off=5)
    assert find_gaps(known, regions) == ()
    assert coverage_pct(known, regions) == 100.0


def test_transients_are_wanted_as_events_however_many_steady_hits_there_are():
    regions = place_regions(6000.0, 100.0)
    gaps = find_gaps(knowing(1e6, hits=1000.0, tip_in=2), regions)
    assert {gap.key: gap.events_wanted for gap in gaps} == {"tip_in": 3, "lift_off": 5}
    tip_in = next(gap for gap in gaps if gap.key == "tip_in")
    assert tip_in.coverage_pct == pytest.approx(40.0)
    assert "3 of 5 tip-ins" in tip_in.description


def test_a_lift_off_wants_no_cells_because_nothing_burns_in_it():
    gap = next(g for g in find_gaps(knowing(), place_regions(6000.0)) if g.key == "lift_off")
    assert (gap.open_cells, gap.total_cells, gap.events_wanted) == (0, 0, 5)


def test_the_worse_cylinder_keeps_a_cell_open():
    known, unknown = knowing(1e6), knowing(0.0)
    mixed = Knowledge(
        RPM,
        LOAD,
        {
            Cylinder.FRONT: known.information[Cylinder.FRONT],
            Cylinder.REAR: unknown.information[Cylinder.REAR],
        },
        known.hits,
        {"tip_in": 5, "lift_off": 5},
    )
    regions = place_regions(6000.0, 100.0)
    gap = next(gap for gap in find_gaps(mixed, regions) if gap.key == "midrange")
    assert gap.open_cells == gap.total_cells
    assert coverage_pct(mixed, regions) == pytest.approx(50.0)


@given(st.floats(0.005, 0.3), st.floats(0.005, 0.3))
@QUICK
def test_a_stricter_goal_never_closes_a_cell(one, other):
    precision = np.geomspace(10.0, 1e6, len(RPM) * len(LOAD))
    knowledge, regions = knowing(precision), place_regions(6000.0, 100.0)
    strict, easy = sorted((one, other))
    assert coverage_pct(knowledge, regions, Enough(strict)) <= coverage_pct(
        knowledge, regions, Enough(easy)
    )


def test_hits_of_a_cell_s_own_can_be_asked_for_too():
    knowledge, regions = knowing(1e6, hits=4.0, tip_in=5, lift_off=5), place_regions(6000.0)
    assert find_gaps(knowledge, regions) == ()
    gaps = find_gaps(knowledge, regions, Enough(least_hits=5.0))
    assert gaps
    assert all(gap.open_cells == gap.total_cells for gap in gaps)


def test_cells_count_as_covered_with_three_hits_and_thin_below_five():
    hits = np.zeros((len(RPM), len(LOAD)))
    hits[0, :4] = (2.9, 3.0, 4.9, 5.0)
    summary = hit_summary(
        Knowledge(RPM, LOAD, {Cylinder.BOTH: np.eye(hits.size)}, {Cylinder.BOTH: hits})
    )
    assert (summary.cells, summary.covered, summary.thin) == (hits.size, 3, hits.size - 1)


def test_gaps_are_named_in_the_unit_of_the_load_axis():
    regions = place_regions(6000.0, load=Channel.TPS)
    gaps = find_gaps(knowing(load=TPS), regions)
    assert all("% throttle" in gap.description for gap in gaps)
    assert all(gap.total_cells for gap in gaps if gap.key != "lift_off")


def test_a_transient_counts_where_it_crossed_a_region():
    tip_in = placed("tip_in", 6000.0, 100.0)
    assert tip_in.region.transient is Transient.TIP_IN
    assert tip_in.holds(3000.0, (30.0, 95.0))
    assert not tip_in.holds(3000.0, (20.0, 45.0))
    assert not tip_in.holds(5500.0, (30.0, 95.0))


def test_a_map_without_a_single_goal_cell_has_nothing_open():
    low = axis(Channel.RPM, [500, 800, 1000])
    assert coverage_pct(knowing(rpm=low), place_regions(6000.0)) == 100.0


def test_a_log_of_a_turbo_is_asked_for_its_boost_and_not_for_the_barometer_alone():
    frame = make(World(seed=2, errors={"front": no_error()}, sweeps=1, pulls=1, rolls=1))
    boosted = frame.with_columns({Channel.MAP: 1.8 * frame.columns[Channel.MAP]})
    gaps = find_unvisited(analyse(boosted).evidence, 5800.0)
    assert max(gap.map_range[1] for gap in gaps) > 170.0
    assert all(gap.map_range[1] < 105.0 for gap in find_unvisited(analyse(frame).evidence, 5800.0))
