"""The control unit: fuel, spark, idle and limits, every 10 ms, from its tables alone.

It meters fuel by speed and density, so in steady running

    AFR = target × VE_true / VE_table

as long as its idea of charge temperature, injectors and voltage is right.
"""

from __future__ import annotations

import math

from dynoai_desktop.core.simulator.calibration import EXHAUST_RISE_KPA, GAS_CONSTANT, Calibration
from dynoai_desktop.core.simulator.profile import Profile
from dynoai_desktop.core.simulator.scenario import Scenario
from dynoai_desktop.core.simulator.tables import EcuTables, Lookup

_DUTY = 0.80  # of the injectors at the power peak
_DEAD_TIME_MS = 1.0  # at 13.5 V
_DEAD_TIME_MS_PER_V = -0.12
_CUT_DELAY_S = 0.25
_TIP_IN_SHARE = 0.6  # of the wall film's need that the tune gives
_LIMITER_MARGIN = 0.012  # spark and fuel stop this far below the redline
_CLOSED_LOOP_MAP_KPA = 70.0
_TRIM_RATE_PER_S = 0.03
_IDLE_AIR = 0.105  # open area against wide open, at an idle speed equal to the power peak's
_DASHPOT_AIR = 0.085


def dead_time_ms(volts: float) -> float:
    """Return the time an injector needs to open.

    >>> dead_time_ms(13.5)
    1.0
    """
    return max(0.3, _DEAD_TIME_MS + _DEAD_TIME_MS_PER_V * (volts - 13.5))


def warm_up(head_c: float) -> float:
    """Return the enrichment of a cold engine.

    >>> warm_up(80.0), round(warm_up(20.0), 2)
    (1.0, 1.16)
    """
    return 1.0 + 0.004 * max(0.0, 60.0 - head_c)


class ControlUnit:
    """State and 10 ms step of the control unit."""

    __slots__ = (
        "_cut_s",
        "_dead_error_ms",
        "_flow_ratio",
        "_idle_integral",
        "_last_map",
        "_lookup",
        "_map_rate",
        "_profile",
        "_scenario",
        "cut",
        "fuel_flow",
        "fuel_front",
        "fuel_rear",
        "idle_air",
        "injector_kg_s",
        "lambda_cmd",
        "limiting",
        "peak_fuel_kg_s",
        "pulse_front_ms",
        "pulse_rear_ms",
        "spark_front_deg",
        "spark_rear_deg",
        "tables",
        "trim_front",
        "trim_rear",
        "ve_front_pct",
        "ve_rear_pct",
    )

    def __init__(
        self, profile: Profile, calibration: Calibration, scenario: Scenario, tables: EcuTables
    ) -> None:
        """Size the injectors for the engine and take the tune."""
        self._profile = profile
        self._scenario = scenario
        peak_air = math.sqrt(EXHAUST_RISE_KPA / calibration.exhaust)
        self.peak_fuel_kg_s = peak_air / profile.wot_afr * 14.7 / profile.stoich_afr
        self.injector_kg_s = self.peak_fuel_kg_s / 2.0 / _DUTY  # per cylinder group, as believed
        self._flow_ratio = scenario.injector_flow
        self._dead_error_ms = scenario.dead_time_error_ms
        self._idle_integral = 0.0
        self._last_map = 100.0
        self._map_rate = 0.0
        self._cut_s = 0.0
        self.load(tables)
        self.cut = False
        self.limiting = False
        self.idle_air = 0.03
        self.fuel_flow = 0.0
        self.fuel_front = self.fuel_rear = 0.0  # delivered per cycle, kg
        self.pulse_front_ms = self.pulse_rear_ms = 0.0
        self.lambda_cmd = 1.0
        self.spark_front_deg = self.spark_rear_deg = 10.0
        self.trim_front = self.trim_rear = 1.0
        self.ve_front_pct = self.ve_rear_pct = 0.0

    def load(self, tables: EcuTables) -> None:
        """Take another tune, as after flashing."""
        self.tables = tables
        self._lookup = Lookup(tables)

    def step(
        self,
        rpm: float,
        map_kpa: float,
        tps_pct: float,
        charge_k: float,
        head_c: float,
        film: tuple[float, float],
        volts: float,
        pump_limit: float,
        dt: float,
    ) -> None:
        """Meter fuel and spark for the next 10 ms."""
        ve_front, ve_rear, lam, spark_front, spark_rear = self._lookup(rpm, map_kpa)
        self.ve_front_pct, self.ve_rear_pct = ve_front, ve_rear
        self._guard(rpm, tps_pct, dt)
        closed = self._scenario.closed_loop and self._in_closed_loop(map_kpa, head_c, lam)
        self.lambda_cmd = 1.0 if closed else lam / warm_up(head_c)
        swept = self._profile.displacement_m3 / 2.0
        density = map_kpa * 1000.0 / (GAS_CONSTANT * charge_k)
        per_ve = density * swept / 100.0 / (self.lambda_cmd * self._profile.stoich_afr)
        per_ve *= self._tip_in(map_kpa, rpm, film, dt)
        if not closed:
            self.trim_front = self.trim_rear = 1.0
        wanted_front = ve_front * per_ve * self.trim_front
        wanted_rear = ve_rear * per_ve * self.trim_rear
        self._inject(wanted_front, wanted_rear, rpm, volts, pump_limit)
        self._spark(rpm, spark_front, spark_rear)
        self._idle(rpm, tps_pct, dt)

    def trims(self, phi_front: float, phi_rear: float, dt: float) -> None:
        """Let the narrow-band sensors move the trims: a slow saw about lambda 1."""
        if self._scenario.closed_loop and self.lambda_cmd == 1.0 and not self.cut:
            step = _TRIM_RATE_PER_S * dt
            front = self.trim_front + (step if phi_front < 1.0 else -step)
            rear = self.trim_rear + (step if phi_rear < 1.0 else -step)
            self.trim_front = max(0.75, min(1.25, front))
            self.trim_rear = max(0.75, min(1.25, rear))

    def _in_closed_loop(self, map_kpa: float, head_c: float, lam: float) -> bool:
        return map_kpa < _CLOSED_LOOP_MAP_KPA and head_c > 60.0 and lam > 0.88

    def _guard(self, rpm: float, tps_pct: float, dt: float) -> None:
        """Cut fuel in overrun and at the redline."""
        limit = self._profile.redline_rpm * (1.0 - _LIMITER_MARGIN)
        self.limiting = rpm > (limit - 0.01 * limit if self.limiting else limit)
        idle = self._profile.idle_rpm
        overrun = self._profile.decel_fuel_cut and tps_pct < 2.0
        self._cut_s = self._cut_s + dt if overrun and rpm > 1.6 * idle else 0.0
        self.cut = self._cut_s > _CUT_DELAY_S

    def _tip_in(self, map_kpa: float, rpm: float, film: tuple[float, float], dt: float) -> float:
        """Return the enrichment that fills the port walls while the manifold rises."""
        rate = (map_kpa - self._last_map) / dt
        self._last_map = map_kpa
        self._map_rate += (rate - self._map_rate) * 0.4
        if self._map_rate < 15.0 or rpm < 300.0:
            return 1.0
        share, cycles = film
        seconds = cycles * 120.0 / rpm
        return 1.0 + min(0.5, _TIP_IN_SHARE * share * seconds * self._map_rate / map_kpa)

    def _inject(
        self, front: float, rear: float, rpm: float, volts: float, pump_limit: float
    ) -> None:
        """Turn wanted fuel into pulses and pulses into what the true injectors deliver."""
        dead = dead_time_ms(volts)
        if self.cut or self.limiting:
            self.pulse_front_ms = self.pulse_rear_ms = 0.0
            self.fuel_front = self.fuel_rear = self.fuel_flow = 0.0
            return
        most_ms = 120000.0 / max(rpm, 100.0)
        self.pulse_front_ms = min(most_ms, front / self.injector_kg_s * 1000.0 + dead)
        self.pulse_rear_ms = min(most_ms, rear / self.injector_kg_s * 1000.0 + dead)
        true_dead = dead + self._dead_error_ms
        per_ms = self.injector_kg_s * self._flow_ratio / 1000.0
        self.fuel_front = max(0.0, self.pulse_front_ms - true_dead) * per_ms
        self.fuel_rear = max(0.0, self.pulse_rear_ms - true_dead) * per_ms
        self.fuel_flow = (self.fuel_front + self.fuel_rear) * rpm / 120.0
        most = pump_limit * self.peak_fuel_kg_s
        if self.fuel_flow > most:  # pressure falls until the flow is what the pump gives
            weaker = most / self.fuel_flow
            self.fuel_front *= weaker
            self.fuel_rear *= weaker
            self.fuel_flow = most

    def _spark(self, rpm: float, front: float, rear: float) -> None:
        """Set the spark; near idle it leans against the speed error."""
        idle = self._profile.idle_rpm
        steady = 0.0
        if rpm < 1.4 * idle:
            steady = max(-8.0, min(8.0, 40.0 * (idle - rpm) / idle))
        self.spark_front_deg = front + steady
        self.spark_rear_deg = rear + steady

    def _idle(self, rpm: float, tps_pct: float, dt: float) -> None:
        """Hold idle speed with the air that passes the throttle."""
        idle = self._profile.idle_rpm
        error = (idle - rpm) / idle
        if tps_pct < 2.0 and 0.6 * idle < rpm < 1.35 * idle:
            self._idle_integral += 0.14 * error * dt
            self._idle_integral = max(-0.10, min(0.30, self._idle_integral))
        # A dashpot: the faster the engine overruns, the more air passes the shut throttle.
        peak = self._profile.peak_power_rpm
        overrun = _DASHPOT_AIR * max(0.0, min(1.0, (rpm - 1.35 * idle) / peak))
        near = 0.16 * max(-0.3, min(0.5, error))
        share = idle / peak * (_IDLE_AIR + self._idle_integral + near)
        self.idle_air = max(0.03 * idle / peak, share) + overrun
