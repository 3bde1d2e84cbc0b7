"""The causes that are looked for, as one table: how each is measured and what would tell it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from dynoai_desktop.core.analysis import findings_engine as engine
from dynoai_desktop.core.analysis import findings_signals as signals
from dynoai_desktop.core.analysis.findings import Detector
from dynoai_desktop.core.channels import Cylinder

MOST = 0.98  # a log alone is never certain


class Category(StrEnum):
    """What kind of cause it is."""

    TRANSIENT = "transient"
    KNOCK = "knock_limit"
    HEAT = "temp_trim"
    FUEL = "fuel_model"
    MECHANICAL = "mechanical"
    SIGNAL = "load_signal"
    DATA = "data_quality"


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """One row of the table: a cause, how it is measured, and what would tell it apart."""

    hypothesis_id: str
    title: str
    category: Category
    checks: tuple[str, ...]
    pattern: str | None = None  # its row in the contest of patterns
    detect: Detector | None = None
    prior: float = -2.0  # log odds before the log was read
    most: float = MOST  # confidence it can reach
    spoils_tables: bool = False  # where it holds, cells are not what they seem


_F, _R, _B = Cylinder.FRONT, Cylinder.REAR, Cylinder.BOTH
SHAPE_KEY = "table_shape"

_SWAP_SENSORS = "Exchange the two widebands and repeat: if the difference moves with the sensor, "
_ONE_SIDE_CHECKS = (
    _SWAP_SENSORS + "it is the sensor.",
    "Compare the plugs of both cylinders after a pull cut at full throttle.",
    "Exchange the two injectors and repeat the pull.",
)


def _side(cylinder: Cylinder) -> tuple[Hypothesis, ...]:
    """Return the rows that exist once per cylinder, so that exchanging cylinders exchanges them."""
    name, other = cylinder.value, (_R if cylinder is _F else _F).value
    return (
        Hypothesis(
            f"exhaust_leak_{name}",
            f"Exhaust leak before the {name} wideband",
            Category.MECHANICAL,
            (
                "Hold a rag against the tail pipe at idle and listen, or use smoke.",
                f"Compare {name} and {other} at idle and at full load: a leak fades with flow.",
                _SWAP_SENSORS + "it is the sensor.",
            ),
            pattern=f"leak_{name}",
        ),
        Hypothesis(
            f"imbalance_{name}",
            f"The {name} cylinder is off everywhere",
            Category.FUEL,
            _ONE_SIDE_CHECKS,
            pattern=f"offset_{name}",
        ),
        Hypothesis(
            f"misfire_{name}",
            f"The {name} cylinder misfires under load",
            Category.MECHANICAL,
            (
                f"Renew the {name} plug and repeat one pull.",
                "Listen for the missing beat, and compare power with the last good pull.",
                _SWAP_SENSORS + "it is the sensor; unburnt oxygen reads as lean.",
            ),
            pattern=f"misfire_{name}",
        ),
        Hypothesis(
            f"knock_{name}_dominant",
            f"Knock mostly on the {name} cylinder",
            Category.KNOCK,
            (
                f"Take 2° from the {name} cylinder alone at high load and repeat the pull.",
                "Compare head temperatures of both cylinders after the pull.",
                "Exchange the knock sensors, if there are two.",
            ),
            detect=engine.knock_side(cylinder),
        ),
        Hypothesis(
            f"wideband_dead_{name}",
            f"The {name} wideband stands still or at a stop",
            Category.DATA,
            (
                "Look at the controller's lamp and error code.",
                "Calibrate it in free air.",
                "Check the connector and the analogue range.",
            ),
            detect=signals.dead_wideband(cylinder),
        ),
    )


HYPOTHESES: tuple[Hypothesis, ...] = (
    Hypothesis(
        "fuel_scale",
        "Fuel is off by the same share everywhere",
        Category.FUEL,
        (
            "Measure fuel pressure at idle and at full throttle.",
            "Compare injector size and fuel with what the tune states.",
            "Calibrate the widebands in free air.",
        ),
        pattern="fuel_scale",
    ),
    Hypothesis(
        "injector_dead_time",
        "Injector dead time does not fit: the error grows as pulses get short",
        Category.FUEL,
        (
            "Compare the error at light load with and without headlamp and fan (battery voltage).",
            "Compare cruise at two loads in one rpm band.",
            "Enter the maker's dead times and repeat the cruise.",
        ),
        pattern="dead_time",
    ),
    Hypothesis(
        "weak_fuel_supply",
        "Fuel supply gives out at high flow",
        Category.MECHANICAL,
        (
            "Log fuel pressure during a full pull.",
            "Repeat the pull in a lower gear: the lean range starts at the same rpm and load.",
            "Check filter, pump voltage and tank vent.",
        ),
        pattern="weak_pump",
    ),
    Hypothesis(
        "ve_table_shape",
        "The VE table is off in places",
        Category.FUEL,
        (
            "Apply the correction and repeat the same sweep: the errors fall.",
            "Hold the worst cell for five seconds and compare.",
            "Compare front and rear in the same cell.",
        ),
        pattern=SHAPE_KEY,
    ),
    *_side(_F),
    *_side(_R),
    Hypothesis(
        "wideband_dead_both",
        "The wideband stands still or at a stop",
        Category.DATA,
        ("Look at the controller's lamp and error code.", "Calibrate it in free air."),
        detect=signals.dead_wideband(_B),
    ),
    Hypothesis(
        "transient_tipin_lean",
        "Throttle openings run lean",
        Category.TRANSIENT,
        (
            "Compare a slow and a quick opening to the same throttle in one rpm band.",
            "Add a tenth of acceleration fuel and repeat three openings.",
            "Repeat with the engine hotter: wall film matters less.",
        ),
        detect=engine.tip_in_mixture(1.0),
    ),
    Hypothesis(
        "transient_tipin_rich",
        "Throttle openings run rich",
        Category.TRANSIENT,
        (
            "Compare a slow and a quick opening to the same throttle in one rpm band.",
            "Take away a tenth of acceleration fuel and repeat three openings.",
        ),
        detect=engine.tip_in_mixture(-1.0),
    ),
    Hypothesis(
        "knock_under_load",
        "Knock under load",
        Category.KNOCK,
        (
            "Repeat one pull with fuel of higher octane.",
            "Take 2° at high load and compare knock and power.",
            "Repeat the pull from a cooler engine.",
        ),
        detect=engine.knock((_F, _R)),
    ),
    Hypothesis(
        "knock_under_load_single",
        "Knock under load",
        Category.KNOCK,
        ("Repeat one pull with fuel of higher octane.", "Take 2° at high load and compare."),
        detect=engine.knock((_B,)),
    ),
    Hypothesis(
        "heat_soak",
        "Heat costs power",
        Category.HEAT,
        (
            "Let the engine cool to where the first pull began and repeat it.",
            "Compare knock retard of the first and the last pull.",
            "Repeat with the fan nearer the intake.",
        ),
        detect=engine.heat_loss,
    ),
    Hypothesis(
        "driveline_slip",
        "Clutch or tyre slips under torque",
        Category.MECHANICAL,
        (
            "Mark tyre and drum with chalk and look after a pull.",
            "Repeat the pull one gear higher: a slipping clutch slips more.",
            "Tighten the straps and repeat.",
        ),
        detect=engine.slipping_driveline,
    ),
    Hypothesis(
        "power_scaling",
        "Power, torque and engine speed do not belong together",
        Category.DATA,
        (
            "Compare the dyno's gearing and pulses per turn with the vehicle in this gear.",
            "Compare engine speed from the pickup with the vehicle's own.",
            "Repeat the pull in another gear: a wrong ratio changes with it.",
        ),
        detect=engine.power_scaling,
    ),
    Hypothesis(
        "rpm_frozen",
        "Engine speed stands still in the log",
        Category.DATA,
        ("Check the speed pickup.", "Compare with road speed in one gear."),
        detect=signals.frozen_rpm,
        spoils_tables=True,
    ),
    Hypothesis(
        "rpm_dropouts",
        "Engine speed breaks off",
        Category.DATA,
        ("Move the inductive pickup along the lead.", "Check its earth."),
        detect=signals.rpm_dropouts,
    ),
    Hypothesis(
        "map_not_manifold",
        "MAP does not follow the throttle",
        Category.SIGNAL,
        (
            "Open the throttle with the engine off: MAP must read the barometer.",
            "Choose the manifold sensor in Mapping.",
            "Check the hose to the sensor.",
        ),
        detect=signals.map_is_baro,
        spoils_tables=True,
    ),
    Hypothesis(
        "engine_cold",
        "The engine was not warm",
        Category.HEAT,
        ("Warm up and repeat.", "Compare lambda at the start and the end of the log."),
        detect=signals.cold_engine,
    ),
    Hypothesis(
        "battery_low",
        "The battery is not charged",
        Category.SIGNAL,
        ("Measure at the battery at 2000 rpm.", "Compare injector time at idle with a charger on."),
        detect=signals.low_battery,
    ),
    Hypothesis(
        "mixture_inconsistent",
        "Lambda does not repeat within a cell",
        Category.DATA,
        (
            "Repeat one pull three times and compare lambda.",
            "Check for a leak, a loose sensor and misfires.",
        ),
        detect=signals.inconsistent_mixture,
    ),
    Hypothesis(
        "few_samples",
        "Too little data for a diagnosis",
        Category.DATA,
        ("Do two more pulls and two slow sweeps.",),
        detect=signals.few_samples,
        prior=-1.0,
        most=0.6,  # a lack of data is no cause; it must not outrank one
    ),
)
