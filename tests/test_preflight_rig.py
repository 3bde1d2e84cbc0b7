"""Preflight on the simulated dyno: its faults are found, and its healthy engine is left alone."""

from dataclasses import replace

import numpy as np
import pytest

from dynoai_desktop.core.trust.evidence import observe
from dynoai_desktop.core.trust.mapping import resolve
from dynoai_desktop.core.trust.truth import raised_checks
from dynoai_desktop.core.trust.truth_rig import RIG_FAULTS, rig_bus

SEEDS = 5  # the whole count over 200 is `rig_table(range(200))`

# A vehicle whose cylinders differ, so that a swap can be seen: the rear table is 5 % low.
UNEVEN_TWIN = 6


@pytest.fixture(scope="module")
def healthy():
    return [rig_bus(seed) for seed in range(SEEDS)]


def test_a_healthy_simulated_engine_raises_nothing(healthy) -> None:
    assert [raised_checks(bus) for bus in healthy] == [{}] * SEEDS


def test_the_simulated_dyno_is_mapped_and_ready(healthy) -> None:
    for bus in healthy:
        result = resolve(bus.channels, evidence=observe(bus.channels, bus.signals))
        assert result.ready and not result.ambiguous and not result.unmapped_recommended


@pytest.mark.parametrize("fault", [f for f in RIG_FAULTS if not f.twin], ids=lambda f: f.name)
def test_a_simulated_fault_raises_its_own_check(fault) -> None:
    for seed in (0, 1):
        assert fault.check in raised_checks(rig_bus(seed, faults=(fault.name,)))


def test_a_frozen_rear_wideband_is_found() -> None:
    found = raised_checks(rig_bus(UNEVEN_TWIN, faults=("frozen_wideband",)))
    assert "wideband" in found


def test_swapped_widebands_are_found_where_the_cylinders_differ() -> None:
    bus = rig_bus(UNEVEN_TWIN, moving=True)
    assert bus.pair is not None and abs(bus.pair.offset) > 0.02
    assert raised_checks(bus) == {}
    swapped = rig_bus(UNEVEN_TWIN, moving=True, faults=("swapped_widebands",))
    assert list(raised_checks(swapped)) == ["cylinders"]
    # Without a memory of the vehicle nothing tells, and nothing is claimed.
    assert raised_checks(replace(swapped, pair=None)) == {}


def test_the_same_seed_gives_the_same_bus() -> None:
    one, two = rig_bus(3), rig_bus(3)
    assert all(np.array_equal(s.value, two.signals[k].value) for k, s in one.signals.items())
