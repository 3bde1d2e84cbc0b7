"""The whole rig: vehicle, dyno, weather, operator and sensors on one virtual clock.

Mechanics, manifold, wall film and exhaust pipes advance by the fixed step (2 ms or less);
operator, control unit, heat and readings every 10 ms. Nothing here knows a wall clock, a socket
or a global random state: the same seed and the same commands give the same numbers.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from dynoai_desktop.core.power.standards import CORRECTION_STANDARDS
from dynoai_desktop.core.simulator.calibration import calibrate
from dynoai_desktop.core.simulator.commands import (
    Abort,
    ByHand,
    Command,
    Drive,
    EngineSwitch,
    Flash,
    SetFault,
)
from dynoai_desktop.core.simulator.dyno_operator import Operator
from dynoai_desktop.core.simulator.dynos import DYNOS, Dyno
from dynoai_desktop.core.simulator.faults import FAULTS, effects_of
from dynoai_desktop.core.simulator.heat import Heat
from dynoai_desktop.core.simulator.machine import TO_RPM, Machine, Setup
from dynoai_desktop.core.simulator.noise import Noise
from dynoai_desktop.core.simulator.profile import Profile
from dynoai_desktop.core.simulator.readings import Instruments
from dynoai_desktop.core.simulator.scenario import Scenario
from dynoai_desktop.core.simulator.scenarios import SCENARIOS, engine_of, tables_of
from dynoai_desktop.core.simulator.sim_channels import SimChannel
from dynoai_desktop.core.simulator.tables import EcuTables, true_ve_pct
from dynoai_desktop.core.simulator.truth import Pair, Truth
from dynoai_desktop.core.simulator.weather import Weather

TICK_S = 0.01
LONGEST_STEP_S = 0.002
_SETTLING_S = 2.0


class Rig:
    """A vehicle on a dyno, driven by commands, read through its sensors.

    *tables* replaces the scenario's tune; *dyno* the profile's dyno; *standard* is a key of
    CORRECTION_STANDARDS; *noise* False publishes the filtered truth. Raises ValueError naming
    what is wrong before anything starts.
    """

    def __init__(
        self,
        profile: Profile,
        scenario: Scenario | None = None,
        weather: Weather | None = None,
        seed: int = 1,
        *,
        faults: Iterable[str] = (),
        tables: EcuTables | None = None,
        dyno: Dyno | None = None,
        standard: str = "sae_j1349",
        noise: bool = True,
        dt: float = LONGEST_STEP_S,
    ) -> None:
        """Build a rig idling at working temperature (cold with the fault "cold_engine")."""
        self._per_tick = _steps_per_tick(dt)
        if standard not in CORRECTION_STANDARDS:
            known = ", ".join(CORRECTION_STANDARDS)
            raise ValueError(f"standard {standard!r} is not one of {known}.")
        self.profile = profile
        self.scenario = SCENARIOS["perfect"] if scenario is None else scenario
        self.weather = Weather() if weather is None else weather
        self.seed = seed
        self.dt = TICK_S / self._per_tick
        # Streams of their own: knock must not shift the noise, nor noise the tables.
        for_tables, for_sensors, for_knock = np.random.SeedSequence(seed).spawn(3)
        rng = np.random.Generator(np.random.PCG64(for_tables))
        start = tables_of(profile, self.scenario, self.weather, rng)
        breathing = engine_of(profile, self.scenario)
        self.true_ve_front_pct, self.true_ve_rear_pct = true_ve_pct(breathing, self.weather)
        self._faults = dict.fromkeys(faults)
        effects = effects_of(self._faults)
        setup = Setup(
            profile,
            DYNOS[profile.dyno] if dyno is None else dyno,
            self.weather,
            self.scenario,
            breathing,
            calibrate(profile),
            start if tables is None else tables,
            warm=not effects.cold,
        )
        self.machine = Machine(setup, self.dt)
        self.machine.effects = effects
        self.operator = Operator(profile)
        self._knock_noise = Noise(for_knock)
        self._instruments = Instruments(self.weather, standard, Noise(for_sensors), noise)
        self._steps = 0
        self._tick()
        self.run(_SETTLING_S)  # pipes, wall films and idle control as they are before anyone looks
        self._steps = 0

    @property
    def time_s(self) -> float:
        """Return the virtual time since the start."""
        return self._steps * self.dt

    @property
    def state(self) -> str:
        """Return what the operator is doing: the phase of the programme."""
        return self.operator.state

    @property
    def busy(self) -> bool:
        """Return True until the programmes asked for are done."""
        return self.operator.busy

    @property
    def tables(self) -> EcuTables:
        """Return the tune that is flashed."""
        return self.machine.control.tables

    @property
    def correction_factor(self) -> float:
        """Return the power correction factor of the chosen standard."""
        return self._instruments.factor

    @property
    def faults(self) -> tuple[str, ...]:
        """Return the active faults, in the order they were set."""
        return tuple(self._faults)

    def step(self) -> None:
        """Advance by one step of `dt` seconds."""
        self.machine.advance(1, self.dt)
        self._steps += 1
        if self._steps % self._per_tick == 0:
            self._tick()

    def tick(self) -> None:
        """Advance by 10 ms at once: to the next moment at which readings change."""
        left = self._per_tick - self._steps % self._per_tick
        self.machine.advance(left, self.dt)
        self._steps += left
        self._tick()

    def run(self, seconds: float) -> None:
        """Advance by at least *seconds*, in whole ticks."""
        for _ in range(math.ceil(seconds / TICK_S - 1e-9)):
            self.tick()

    def readings(self) -> dict[SimChannel, float]:
        """Return the readings of the last tick, in the units of SIM_CHANNELS."""
        return self._instruments.readings.copy()

    def command(self, command: Command) -> None:
        """Obey from the next tick on. Raises ValueError for a fault or gear that is not there."""
        match command:
            case Drive(programmes, repeat):
                self.operator.start(programmes, repeat)
            case Abort():
                self.operator.abort()
            case ByHand():
                self._by_hand(command)
            case EngineSwitch(running):
                self.machine.running = running
            case SetFault(key, active):
                self._set_fault(key, active)
            case Flash(tables):
                self.machine.control.load(tables)

    def _tick(self) -> None:
        machine = self.machine
        driveline = machine.driveline
        drum_rpm = driveline.speed * driveline.k * TO_RPM
        controls = self.operator.step(machine.rpm, drum_rpm, driveline.speed, TICK_S)
        machine.tick(controls, self._knock_noise, TICK_S)
        self._instruments.sample(machine, TICK_S)

    def _by_hand(self, wish: ByHand) -> None:
        operator, gears = self.operator, len(self.profile.gear_ratios)
        if wish.gear is not None and not 1 <= wish.gear <= gears:
            raise ValueError(f"gear {wish.gear} is not there; the vehicle has {gears}.")
        if operator.programme is not None:
            operator.take_over()
        hand = operator.hand
        if wish.tps_pct is not None:
            hand.tps_pct = max(0.0, min(100.0, wish.tps_pct))
        if wish.engaged is not None:
            hand.engaged = wish.engaged
        if wish.drum_brake is not None:
            hand.drum_brake = max(0.0, min(1.0, wish.drum_brake))
        if wish.load is not None:
            hand.load = wish.load
        if wish.gear is not None:
            operator.controls.gear = wish.gear

    def _set_fault(self, key: str, active: bool) -> None:
        if key not in FAULTS:
            raise ValueError(f"{key!r} is not a fault; choose from {', '.join(FAULTS)}.")
        was_cold = self.machine.effects.cold
        if active:
            self._faults[key] = None
        else:
            self._faults.pop(key, None)
        self.machine.effects = effects_of(self._faults)
        if self.machine.effects.cold != was_cold:
            self.machine.heat = Heat(self.profile, self.weather, warm=was_cold)

    def truth(self) -> Truth:
        """Return what no sensor knows."""
        machine = self.machine
        engine, control, heat = machine.engine, machine.control, machine.heat
        knock_front, knock_rear = machine.knock_front, machine.knock_rear
        return Truth(
            time_s=self.time_s,
            state=self.state,
            rpm=machine.rpm,
            map_kpa=engine.map_kpa,
            tps_pct=machine.tps_pct,
            speed_m_s=machine.driveline.speed,
            torque_nm=engine.torque_nm,
            indicated_nm=engine.indicated_nm,
            ve_pct=Pair(engine.ve_front * 100.0, engine.ve_rear * 100.0),
            ve_table_pct=Pair(control.ve_front_pct, control.ve_rear_pct),
            lambda_burnt=Pair(_inverse(engine.phi_front), _inverse(engine.phi_rear)),
            lambda_cmd=control.lambda_cmd,
            spark_deg=Pair(
                control.spark_front_deg - knock_front.retard_deg,
                control.spark_rear_deg - knock_rear.retard_deg,
            ),
            knock_retard_deg=Pair(knock_front.retard_deg, knock_rear.retard_deg),
            knock_events=knock_front.events + knock_rear.events,
            trim=Pair(control.trim_front, control.trim_rear),
            delay_s=Pair(machine.front_probe.delay_s, machine.rear_probe.delay_s),
            film_kg=Pair(engine.film_front, engine.film_rear),
            film_share=engine.film_share,
            film_tau_s=engine.film_cycles * 120.0 / max(machine.rpm, 1.0),
            fuel_cut=control.cut,
            popping=machine.popping,
            head_c=Pair(heat.head_front_c, heat.head_rear_c),
            oil_c=heat.oil_c,
            intake_c=heat.intake_c,
            charge_c=engine.charge_k - 273.15,
            absorber_n=machine.absorber.force_n,
            clutch_locked=machine.driveline.locked,
            energy=machine.driveline.book(),
        )


def _inverse(phi: float) -> float:
    return 1.0 / phi if phi > 1e-6 else math.inf


def _steps_per_tick(dt: float) -> int:
    """Return how many steps make 10 ms. Raises ValueError unless they do, and are short enough."""
    if not math.isfinite(dt) or not 0.0 < dt <= LONGEST_STEP_S + 1e-12:
        raise ValueError(f"dt is {dt:g} s; steps must be above 0 and at most {LONGEST_STEP_S:g} s.")
    steps = round(TICK_S / dt)
    if abs(steps * dt - TICK_S) > 1e-9:
        raise ValueError(f"dt is {dt:g} s; ten milliseconds must be a whole number of steps.")
    return steps
