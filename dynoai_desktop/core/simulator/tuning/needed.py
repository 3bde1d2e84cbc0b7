"""What the VE tables would have to hold for every mixture to come out as commanded.

With the right injectors that is the engine's true VE. With others the control unit delivers
(wanted − dead-time error × flow) × flow ratio, so that its table has to make up for both:

    VE needed = VE true / ratio + 100 · dead-time error · injector flow / fuel per VE

*Fuel per VE* is what the unit would inject per cycle at a VE of 1.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dynoai_desktop.core.simulator.calibration import GAS_CONSTANT, charge_share
from dynoai_desktop.core.simulator.rig import Rig

F64 = NDArray[np.float64]


def needed_ve_pct(rig: Rig) -> tuple[F64, F64]:
    """Return the right VE tables in percent, front and rear, ``[rpm][map]``, at this heat."""
    scenario, profile, machine = rig.scenario, rig.profile, rig.machine
    front = rig.true_ve_front_pct / scenario.injector_flow
    rear = rig.true_ve_rear_pct / scenario.injector_flow
    if scenario.dead_time_error_ms == 0.0:
        return front, rear
    load = np.array(profile.ve_map_kpa)
    share = np.array(
        [
            [charge_share(n, p, profile.redline_rpm) for p in profile.ve_map_kpa]
            for n in profile.ve_rpm
        ]
    )
    heat = machine.heat
    charge_k = 273.15 + heat.intake_c + share * (heat.head_c - heat.intake_c)
    air_kg = load * 1000.0 / (GAS_CONSTANT * charge_k) * profile.displacement_m3 / 2.0
    fuel_kg = air_kg / (rig.tables.target_lambda.values * profile.stoich_afr)
    missing_kg = machine.control.injector_kg_s * scenario.dead_time_error_ms / 1000.0
    extra: F64 = 100.0 * missing_kg / fuel_kg
    return front + extra, rear + extra
