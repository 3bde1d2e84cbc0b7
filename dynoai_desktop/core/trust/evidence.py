"""The behaviour of signals as evidence for or against what a channel is said to be.

Each row of BEHAVIOURS looks at the recent signals for one thing a quantity does and others do
not: manifold pressure moves with the throttle and the barometer does not, engine speed follows
road speed through a gear, a voltage input is a straight line of the mixture it stands for. It
answers with Evidence: how much to add to the confidence of one reading of one source, and the
reason in words. Signals that are at rest say nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from math import exp

import numpy as np

from dynoai_desktop.core.channels import Channel
from dynoai_desktop.core.samples import ChannelInfo
from dynoai_desktop.core.trust.channel_map import Evidence
from dynoai_desktop.core.trust.consistency import (
    DRUM_UNITS,
    SHAFT_UNITS,
    Ratio,
    drum_ratio,
    shaft_ratio,
    units_of,
)
from dynoai_desktop.core.trust.evidence_mixture import copies, linear_images, mixture
from dynoai_desktop.core.trust.names import parse_name
from dynoai_desktop.core.trust.scene import CONFIRMS, CONTRADICTS, Scene, Source, say
from dynoai_desktop.core.trust.signals import (
    Array,
    Signals,
    correlation,
    fit_line,
    locked_share,
    median,
    span,
    throttle_shut,
)
from dynoai_desktop.core.units import Unit

Behaviour = Callable[[Scene], Iterable[Evidence]]


def observe(
    channels: Sequence[ChannelInfo], signals: Signals, *, longest_s: float = 60.0
) -> tuple[Evidence, ...]:
    """Return what the last *longest_s* seconds of signals say about what the channels are.

    Hand the result to ``resolve(channels, evidence=...)``. Empty while nothing moves.
    """
    scene = Scene(channels, signals, longest_s)
    if len(scene.grid) == 0:
        return ()
    for behaviour in BEHAVIOURS:
        scene.found.extend(behaviour(scene))
    return tuple(scene.found)


def _engine_speed(scene: Scene) -> Iterator[Evidence]:
    """An engine speed is in the hundreds and thousands, or in thousands of rpm."""
    for source in list(scene.slots[Channel.RPM]):
        values = source.column[np.isfinite(source.column)]
        if not len(values):
            continue
        low, high = (float(x) for x in np.percentile(values, (2, 98)))
        if low > 8.0 and high < 25.0:
            yield say(source, CONTRADICTS, f"values around {median(values):.1f} look like AFR")
        elif source.unit is Unit.NONE and 0.3 < high < 25.0 and low >= 0.0:
            reason = f"values up to {high:.1f}: taken as thousands of rpm"
            scaled = Source(source.info, source.reading, source.column * 1000, Unit.KILO_RPM)
            scene.replace(Channel.RPM, source, scaled)
            yield say(source, 0.0, reason, unit=Unit.KILO_RPM)
        elif high > 25000:
            yield say(source, CONTRADICTS, f"values up to {high:.0f} are no engine speed")


def _engine_speed_at_rest(scene: Scene) -> Iterator[Evidence]:
    """A pick-up that shows nothing while another shows a running engine is not connected."""
    sources = scene.slots[Channel.RPM]
    running = np.zeros(len(scene.grid), bool)
    for source in sources:
        running |= np.nan_to_num(source.column) > 400.0
    if np.count_nonzero(running) < 2 * 20:
        return
    for source in sources:
        known = running & np.isfinite(source.column)
        if not known.any():
            continue
        still = float(np.mean(source.column[known] < 50.0))
        if still > 0.9:
            yield say(source, CONTRADICTS, "shows nothing while another shows the engine running")


def _engine_speed_and_road_speed(scene: Scene) -> Iterator[Evidence]:
    """In one gear the engine turns at a fixed ratio to the drum; noise does not."""
    speed = scene.best(Channel.SPEED)
    if speed is None:
        return
    driven = np.where(speed.column > 15.0, speed.column, np.nan)
    follows = {s.key: correlation(s.column, driven) for s in scene.slots[Channel.RPM]}
    best = max((r for r in follows.values() if r == r), default=0.0)
    for source in scene.slots[Channel.RPM]:
        share, ratio = locked_share(source.column, speed.column)
        if share >= 0.6:
            reason = f"follows “{speed.name}” at a fixed ratio of {ratio:.4g}"
            yield say(source, CONFIRMS, reason)
        elif best >= 0.95 and follows[source.key] >= 0.95:
            yield say(source, CONFIRMS, f"rises and falls with “{speed.name}”")
        elif best >= 0.95 and follows[source.key] < 0.7:
            reason = f"does not follow “{speed.name}”, which another engine speed does"
            yield say(source, CONTRADICTS, reason)


def _drum_speed(scene: Scene) -> Iterator[Evidence]:
    """What stands still with the drum while the engine runs is the drum's speed."""
    speed = scene.best(Channel.SPEED)
    load = scene.best(Channel.MAP)
    if speed is None or load is None:
        return
    for source in scene.slots[Channel.RPM]:
        line = fit_line(speed.column, source.column)
        standing = (speed.column < 1.0) & (load.column < 75.0)  # an engine at idle draws vacuum
        if line is None or line.residual > 0.01 or np.count_nonzero(standing) < 20:
            continue
        if float(np.nanmax(source.column[standing], initial=0.0)) < 50.0:
            yield say(source, CONTRADICTS, "stands still with the drum while the engine idles")


def _manifold_pressure(scene: Scene) -> Iterator[Evidence]:
    """Manifold pressure moves with the throttle; barometric pressure does not."""
    throttle, rpm = scene.best(Channel.TPS), scene.best(Channel.RPM)
    if throttle is None or rpm is None:
        return
    running = rpm.column > 400.0
    tps = np.where(running, throttle.column, np.nan)
    moved = span(tps) >= 15.0 and float(np.nanmin(tps)) < 20.0
    shut = throttle_shut(tps)
    for source in scene.slots[Channel.MAP] + scene.slots[Channel.BARO]:
        pressure = np.where(running, source.column, np.nan)
        travel, level = span(pressure), median(pressure)
        if travel == travel and float(np.nanmin(pressure)) < -2.0:
            yield say(source, CONTRADICTS, "falls below zero: relative to the air outside")
            continue
        manifold = source.reading.channel is Channel.MAP
        if travel >= 5.0 and moved and correlation(tps, pressure) >= 0.4:
            reason = f"moves by {travel:.0f} kPa with the throttle"
            yield say(source, CONFIRMS if manifold else CONTRADICTS, reason)
        elif travel < 2.0 and (60.0 < level < 110.0 if moved else shut and 85.0 < level < 105.0):
            reason = f"stays at {level:.1f} kPa whatever the throttle does: barometric"
            yield say(source, CONTRADICTS if manifold else CONFIRMS, reason)


def _throttle(scene: Scene) -> Iterator[Evidence]:
    """A throttle runs over a good part of 0 to 100; a voltage never passes 5."""
    sources = scene.slots[Channel.TPS]
    widest = max((float(np.nanmax(s.column, initial=0.0)) for s in sources), default=0.0)
    load = scene.best(Channel.MAP)
    for source in sources:
        values = source.column[np.isfinite(source.column)]
        if not len(values):
            continue
        low, high = float(values.min()), float(values.max())
        if low < -2.0 or high > 102.0:
            yield say(source, CONTRADICTS, f"runs from {low:.0f} to {high:.0f}, not 0 to 100")
        elif widest > 20.0 and high <= 5.2:
            yield say(source, CONTRADICTS, "never passes 5 while another throttle does: volts")
        elif load is None or span(values) < 15.0:
            continue
        elif correlation(source.column, load.column) >= 0.4:
            yield say(source, CONFIRMS, f"runs from {low:.0f} to {high:.0f} with the load")


def _humidity(scene: Scene) -> Iterator[Evidence]:
    """Relative humidity agrees with vapour pressure and temperature of the same station.

    Saturation pressure after Magnus (WMO No. 8): 0.6112 kPa · exp(17.62 t / (243.12 + t)).
    """
    vapour = scene.column_named("vaporpressure")
    air = scene.best(Channel.AMBIENT)
    sources = scene.slots.get(Channel.HUMIDITY, [])
    if vapour is None or air is None or len(sources) < 2:
        return
    kpa, celsius = median(vapour), median(air.column)
    if not (0.05 < kpa < 8.0 and -20.0 < celsius < 60.0):
        return
    expected = 100.0 * kpa / (0.6112 * exp(17.62 * celsius / (243.12 + celsius)))
    for source in sources:
        level = median(source.column)
        if abs(level - expected) < 4.0:
            yield say(source, CONFIRMS, f"{level:.0f} % agrees with the vapour pressure")
        elif level == level:
            reason = f"{level:.0f} % disagrees with the vapour pressure, which is {expected:.0f} %"
            yield say(source, CONTRADICTS, reason)


def _power_and_torque(scene: Scene) -> Iterator[Evidence]:
    """Power is torque times engine speed; a constant other factor betrays the units."""
    rpm = scene.best(Channel.RPM)
    if rpm is None:
        return
    for torque in scene.slots[Channel.TORQUE]:
        power = _partner(torque, scene.slots[Channel.POWER])
        if power is not None:
            ratio = shaft_ratio(power.column, torque.column, rpm.column)
            if ratio is not None:
                sure = scene.confirmed(power), scene.confirmed(rpm)
                yield from _judge_shaft(power, torque, ratio, rpm.name, sure)


def _partner(torque: Source, powers: Sequence[Source]) -> Source | None:
    """Return the power that carries the name of *torque*; or the only one there is."""
    name = parse_name(torque.info.name)
    key = "".join("power" if word == "torque" else word for word in name.words)
    for power in powers:
        other = parse_name(power.info.name)
        if (other.key, other.device, power.info.provider) == (
            key,
            name.device,
            torque.info.provider,
        ):
            return power
    return powers[0] if len(powers) == 1 else None


def _judge_shaft(
    power: Source, torque: Source, ratio: Ratio, rpm_name: str, sure: tuple[bool, bool]
) -> Iterator[Evidence]:
    """Judge two of three; *sure* says whether power and rpm have been confirmed elsewhere."""
    ways = units_of(ratio, SHAFT_UNITS)
    unstated = power.unit is Unit.NONE and torque.unit is Unit.NONE
    if ratio.agrees or (unstated and len(ways) == 1):
        units = (ways[0].power, *ways[0].others) if unstated and ways else (None, None)
        yield say(power, CONFIRMS, f"is torque × “{rpm_name}”", unit=units[0])
        yield say(torque, CONFIRMS, f"× “{rpm_name}” is power", unit=units[1])
        return
    words = [way.words(("power", "torque")) for way in ways]
    reason = f"power is {ratio.middle:.2f} × torque × “{rpm_name}”: "
    reason += " or ".join(words) if words else "they do not belong together"
    yield say(torque, CONTRADICTS if all(sure) else CONTRADICTS / 2, reason)
    if not sure[0]:
        yield say(power, CONTRADICTS / 2, reason)


def _power_at_the_drum(scene: Scene) -> Iterator[Evidence]:
    """Power is drum force times drum speed, engine or no engine."""
    force, speed = scene.best(Channel.FORCE), scene.best(Channel.SPEED)
    if force is None or speed is None:
        return
    told = False
    for power in scene.slots[Channel.POWER]:
        uncorrected, sure = _before_correction(scene, power)
        ratio = drum_ratio(uncorrected, force.column, speed.column)
        if ratio is None:
            continue
        ways = units_of(ratio, DRUM_UNITS)
        unstated = power.unit is Unit.NONE
        if ratio.agrees or (unstated and ways):
            unit = ways[0].power if unstated and ways else None
            yield say(power, CONFIRMS, f"is “{force.name}” × “{speed.name}”", unit=unit)
            for source, other in zip((force, speed), ways[0].others if ways else (), strict=False):
                if source.unit is Unit.NONE and not told:
                    reason = f"fits “{power.name}” in {other.value}"
                    yield say(source, CONFIRMS, reason, unit=other)
            told = True
        elif ways and sure:
            words = ways[0].words(("power", "force", "speed"))
            yield say(power, CONTRADICTS / 2, f"is {ratio.middle:.2f} × force × speed: {words}")


def _before_correction(scene: Scene, power: Source) -> tuple[Array, bool]:
    """Return the power as measured, and whether its weather correction is known to be undone.

    High up the correction reaches a third, as much as the step from kW to hp.
    """
    factor = scene.best(Channel.CORR_FACTOR)
    if parse_name(power.info.name).uncorrected:
        return power.column, True
    if factor is None:
        return power.column, False
    return power.column / factor.column, True


BEHAVIOURS: tuple[Behaviour, ...] = (
    _engine_speed,
    _engine_speed_at_rest,
    _engine_speed_and_road_speed,
    _drum_speed,
    _manifold_pressure,
    _throttle,
    mixture,
    linear_images,
    copies,
    _humidity,
    _power_at_the_drum,
    _power_and_torque,
)
