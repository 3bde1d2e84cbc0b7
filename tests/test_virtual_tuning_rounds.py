"""What a virtual tuning session drives, hears and holds for right."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dynoai_desktop.capture.frames import frame_of_aggregates
from dynoai_desktop.capture.pipeline import Pipeline
from dynoai_desktop.capture.simulated_dyno import simulated_bus
from dynoai_desktop.core.channels import CHANNELS, Channel
from dynoai_desktop.core.simulator.dynos import DYNOS
from dynoai_desktop.core.simulator.profiles import PROFILES
from dynoai_desktop.core.simulator.programmes import steady_steps
from dynoai_desktop.core.simulator.rig import Rig
from dynoai_desktop.core.simulator.scenarios import SCENARIOS
from dynoai_desktop.core.simulator.trials import drive
from dynoai_desktop.core.simulator.tuning.needed import needed_ve_pct
from dynoai_desktop.core.simulator.tuning.outcome import Status
from dynoai_desktop.core.simulator.tuning.programme import ROUNDS
from dynoai_desktop.core.simulator.tuning.recording import CHANNEL_OF, Recording
from dynoai_desktop.core.simulator.tuning.session import VirtualSession
from dynoai_desktop.core.simulator.tuning.settings import TuningSettings

TWIN = PROFILES["tc-103"]
START_US = 1_700_000_000_000_000


@pytest.mark.parametrize("profile", PROFILES.values(), ids=lambda profile: profile.name)
def test_one_round_measures_enough_of_every_vehicle_and_finds_a_right_tune_right(profile) -> None:
    outcome = VirtualSession(TuningSettings(profile, SCENARIOS["perfect"], noise=False)).run()
    assert outcome.status is Status.CONVERGED and len(outcome.iterations) == 1
    (only,) = outcome.iterations
    assert only.measured_cells >= 40
    assert only.mean_afr_error < (0.02 if profile.boost_kpa == 0.0 else 0.04)
    assert only.true_ve_max_pct == 0.0


def test_a_drum_without_a_load_brake_is_driven_by_sweeps() -> None:
    for key, title in (("drum", "Climb"), ("drum-inertia", "Sweep")):
        driven = ROUNDS["whole_table"].programmes(TWIN, DYNOS[key])
        assert sum(p.title.startswith(title) for p in driven) >= 1
    session = VirtualSession(TuningSettings(replace(TWIN, dyno="drum-inertia"), max_iterations=1))
    assert session.run().iterations[0].measured_cells >= 40


@pytest.mark.parametrize("scenario", ["injector_mismatch", "cam_change"])
def test_the_tables_called_right_do_make_every_mixture_right(scenario) -> None:
    rig = Rig(TWIN, SCENARIOS[scenario], noise=False)
    right = rig.tables.with_ve(*needed_ve_pct(rig))
    rig = Rig(TWIN, SCENARIOS[scenario], noise=False, tables=right)
    settled = {}
    for state in drive(rig, steady_steps(TWIN, 2750.0, (5.0, 10.0, 20.0, 60.0), 1.5)):
        truth = rig.truth()
        if state == "steady":
            settled[truth.tps_pct] = truth.lambda_burnt.front / truth.lambda_cmd - 1.0
    assert {5.0, 10.0, 20.0, 60.0} <= set(settled)
    assert max(abs(settled[tps]) for tps in (5.0, 10.0, 20.0, 60.0)) < 0.003


# --- the same data as on the wire ----------------------------------------------------------------


def test_a_session_hears_what_the_program_hears_on_the_wire() -> None:
    """One rig through frames, pipeline and mapping, and its double straight into the recording."""
    bus = simulated_bus(START_US, "tc-103", seed=3)
    pipeline, windows = Pipeline(), []
    for now in range(START_US + 50_000, START_US + 16_000_000, 50_000):
        windows += [a for a in pipeline.feed(bus.advance(now), now) if a.means]
    wire = frame_of_aggregates(windows, simulated=True)
    first = round((windows[0].start_s - START_US / 1e6) * 20)

    double = simulated_bus(START_US, "tc-103", seed=3).signals.rig
    recording = Recording(double)
    recording.drive(16.0)
    direct = recording.frame()
    assert direct.simulated
    carried = {CHANNELS[channel].carried_as or channel for channel in CHANNEL_OF.values()}
    assert set(direct.columns) <= carried
    rows = slice(first + 20, first + len(wire) - 20)
    tolerance = {
        Channel.RPM: 60.0,
        Channel.MAP: 4.0,
        Channel.LAMBDA_FRONT: 0.06,
        Channel.LAMBDA_REAR: 0.06,
        Channel.LAMBDA_CMD: 0.02,
        Channel.ECT: 0.5,
        Channel.POWER: 4.0,
    }
    for channel, most in tolerance.items():
        ours = direct.columns[channel][rows]
        theirs = wire.columns[channel][20 : 20 + ours.size]
        heard = np.isfinite(ours) & np.isfinite(theirs)
        assert heard.sum() > 20
        assert np.percentile(np.abs(ours - theirs)[heard], 95) < most, channel


def test_a_single_wideband_speaks_for_both_cylinder_groups() -> None:
    rig = Rig(PROFILES["turbo-four"])
    recording = Recording(rig)
    recording.drive(1.0)
    frame = recording.frame()
    assert Channel.LAMBDA in frame
    assert Channel.LAMBDA_FRONT not in frame and Channel.LAMBDA_REAR not in frame
