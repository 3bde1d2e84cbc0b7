"""Idle: it holds for as long as one likes, and warms a cold engine."""

from __future__ import annotations

import pytest

from dynoai_desktop.core.simulator.profiles import PROFILES
from dynoai_desktop.core.simulator.rig import Rig

TWIN = PROFILES["m8-114"]
EVERY = pytest.mark.parametrize("profile", PROFILES.values(), ids=lambda profile: profile.name)


def idle_speeds(rig: Rig, minutes: float) -> list[float]:
    speeds = []
    for _ in range(round(minutes * 600)):
        rig.run(0.1)
        speeds.append(rig.truth().rpm)
    return speeds


def test_idle_holds_for_ten_minutes():
    rig = Rig(TWIN, seed=11)
    assert max(abs(rpm - TWIN.idle_rpm) for rpm in idle_speeds(rig, 10.0)) < 50.0
    assert rig.truth().knock_events == 0


@EVERY
def test_every_vehicle_idles_at_its_speed(profile):
    rig = Rig(profile, seed=11)
    speeds = idle_speeds(rig, 2.0)
    assert max(abs(rpm - profile.idle_rpm) for rpm in speeds) < 50.0
    assert rig.truth().knock_events == 0


def test_cold_engine_idles_rich_and_warms_up():
    rig = Rig(TWIN, faults=("cold_engine",), noise=False)
    rig.run(3.0)
    cold = rig.truth()
    rig.run(600.0)
    warm = rig.truth()
    assert cold.head_c.front < 30.0 < 60.0 < warm.head_c.front
    assert cold.lambda_cmd < warm.lambda_cmd
    assert abs(warm.rpm - TWIN.idle_rpm) < 50.0
    assert warm.intake_c >= rig.weather.temperature_c
