"""What only a simulator knows: the state behind the readings."""

from __future__ import annotations

from dataclasses import dataclass

from dynoai_desktop.core.simulator.driveline import EnergyBook


@dataclass(frozen=True, slots=True)
class Pair:
    """One quantity of the front and the rear cylinder group."""

    front: float
    rear: float


@dataclass(frozen=True, slots=True)
class Truth:
    """The rig at one moment, SI."""

    time_s: float
    state: str  # the operator's phase
    rpm: float
    map_kpa: float
    tps_pct: float
    speed_m_s: float
    torque_nm: float  # at the crank, negative when the engine drags
    indicated_nm: float
    ve_pct: Pair  # as breathed now
    ve_table_pct: Pair  # what the control unit reads in its tables
    lambda_burnt: Pair  # in the cylinder, before any sensor; infinite without fuel
    lambda_cmd: float
    spark_deg: Pair
    knock_retard_deg: Pair
    knock_events: int
    trim: Pair  # closed-loop fuel trims, 1 is none
    delay_s: Pair  # gas transport from valve to probe
    film_kg: Pair  # fuel on the port walls
    film_share: float  # X: share of the injected fuel that lands there
    film_tau_s: float  # tau: how long it stays
    fuel_cut: bool
    popping: bool  # unburnt film in the overrun pipe
    head_c: Pair
    oil_c: float
    intake_c: float
    charge_c: float
    absorber_n: float
    clutch_locked: bool
    energy: EnergyBook
