"""What is wrong with the tune at the start of a rehearsal, as one table."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dynoai_desktop.core.channels import Cylinder
from dynoai_desktop.core.simulator.breathing import Breathing, Build
from dynoai_desktop.core.simulator.profile import Profile
from dynoai_desktop.core.simulator.scenario import Scenario
from dynoai_desktop.core.simulator.tables import EcuTables, true_tables
from dynoai_desktop.core.simulator.weather import Weather

SCENARIOS: dict[str, Scenario] = {
    row.key: row
    for row in (
        Scenario("perfect", "A finished tune"),
        Scenario("lean", "Tables 10 % too low: lean", mean=-0.10, spread=0.03),
        Scenario("rich", "Tables 10 % too high: rich", mean=0.10, spread=0.03),
        Scenario("one_cylinder", "Rear table 5 % too low", rear_scale=1.0 / 1.05),
        Scenario(
            "cam_change",
            "Cams and exhaust changed, stock tables",
            build=Build(low_speed=-0.08, high_speed=0.10, overlap=0.12),
        ),
        Scenario(
            "injector_mismatch",
            "Injectors changed, tables not",
            injector_flow=0.93,
            dead_time_error_ms=0.12,
        ),
        Scenario("custom", "Errors of your choice", mean=0.0, spread=0.05),
    )
}


def engine_of(profile: Profile, scenario: Scenario) -> Breathing:
    """Return the engine as it is built in this scenario."""
    return Breathing(profile, scenario.build)


def tables_of(
    profile: Profile, scenario: Scenario, weather: Weather, rng: np.random.Generator
) -> EcuTables:
    """Return the tune at the start: right for the *stock* engine, times the scenario's error."""
    right = true_tables(Breathing(profile), weather)
    error = 1.0 + scenario.mean + scenario.spread * _smooth_field(profile, scenario.reach, rng)
    front = right.ve_front_pct.values * error
    rear = right.ve_rear_pct.values * error * scenario.rear_scale
    for region in scenario.regions:
        front = front * region.factor(profile, Cylinder.FRONT)
        rear = rear * region.factor(profile, Cylinder.REAR)
    wrong = right.with_ve(front, rear)
    return wrong.with_spark(
        right.spark_front_deg.values + scenario.spark_front_deg,
        right.spark_rear_deg.values + scenario.spark_rear_deg,
    )


def _smooth_field(profile: Profile, reach: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return unit-variance noise ``[rpm][map]``, correlated over about *reach* cells, within ±2.5.

    Drawn even where it is not used, so that one seed gives one stream of numbers.
    """
    shape = (len(profile.ve_rpm), len(profile.ve_map_kpa))
    field = rng.standard_normal(shape)
    if reach > 0.0:
        field = _blur(shape[0], reach) @ field @ _blur(shape[1], reach).T
    return np.clip(field, -2.5, 2.5)


def _blur(size: int, reach: float) -> NDArray[np.float64]:
    """Return a (size, size) Gaussian blur whose rows keep the variance of white noise at one."""
    index = np.arange(size)
    kernel = np.exp(-(((index[:, None] - index[None, :]) / reach) ** 2))
    unit: NDArray[np.float64] = kernel / np.sqrt((kernel**2).sum(axis=1, keepdims=True))
    return unit
