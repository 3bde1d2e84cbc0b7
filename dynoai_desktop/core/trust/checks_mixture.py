"""Checks of the widebands: is this mixture, is the sensor awake, and is it in the right pipe?"""

from __future__ import annotations

import numpy as np

from dynoai_desktop.core.channels import CHANNELS, Channel, Cylinder
from dynoai_desktop.core.trust.check import (
    Status,
    Verdict,
    View,
    failed,
    passed,
    skipped,
    warning,
)
from dynoai_desktop.core.trust.names import SIDES, parse_name
from dynoai_desktop.core.trust.pairs import (
    Order,
    identical,
    order_by_baseline,
    order_by_command,
    order_by_fuel,
    order_by_wiring,
)
from dynoai_desktop.core.trust.signals import GRID_HZ, Array, median, span
from dynoai_desktop.core.units import STOICH_AFR, Unit

SENSORS = (Channel.LAMBDA_FRONT, Channel.LAMBDA_REAR, Channel.LAMBDA)
RICH_RAIL, LEAN_RAIL = 7.6, 22.0  # gauge AFR: 0 V and 5 V of the usual controllers, with margin
STILL_AFR = 0.03  # a working sensor moves more than this
STILL_S = 5.0
_STOICH = STOICH_AFR["gasoline"]
_AT_IDLE = "Start the engine, let it idle and check again."


def mixture_scale(view: View) -> Verdict:
    """AFR is AFR and lambda is lambda, as the unit says."""
    mapped = [slot for slot in SENSORS if view.binding(slot) is not None]
    if not mapped:
        return skipped("No mixture channel is mapped.")
    for slot in mapped:
        binding = view.binding(slot)
        level = median(view.column(slot))
        if binding is None or level != level:
            continue
        is_afr = CHANNELS[binding.channel].unit is Unit.AFR
        looks = _looks_like(level, is_afr)
        if looks:
            said = "AFR" if is_afr else "lambda"
            return failed(
                f"{view.name(slot)} is announced as {said} but is around {level:.4g}: this looks "
                f"like {looks}.",
                "Correct its unit in Power Core, or choose another source in Mapping.",
            )
    return passed("AFR and lambda have the size their unit says.")


def _looks_like(level: float, is_afr: bool) -> str:
    if 400.0 <= level <= 20000.0:
        return "engine speed"
    if is_afr and 0.5 <= level <= 2.0:
        return "lambda"
    if not is_afr and 6.0 <= level <= 30.0:
        return "AFR"
    return ""


def wideband(view: View) -> Verdict:
    """Every wideband is warm, in the exhaust and moving."""
    mapped = [slot for slot in SENSORS if view.binding(slot) is not None]
    verdicts = [_one_wideband(view, slot) for slot in mapped]
    if not verdicts:
        return skipped("No mixture channel is mapped.")
    order = list(Status)
    return min(verdicts, key=lambda verdict: order.index(verdict.status))


def _one_wideband(view: View, slot: Channel) -> Verdict:
    name, state = view.name(slot), view.inputs.widebands.get(slot)
    if state is not None:
        return failed(f"The controller of {name} is {state.value}.", "Wait, then check again.")
    gauge = np.where(view.fuelled, view.mixture(slot), np.nan)
    known = gauge[np.isfinite(gauge)]
    if len(known) < 40:
        return skipped(f"{name} can be judged with the engine running.", _AT_IDLE)
    level = float(np.median(known))
    if _looks_like(level, True) or _looks_like(level / _STOICH, False):
        return skipped(f"{name} does not look like mixture at all.")
    rich, lean = float(np.mean(known <= RICH_RAIL)), float(np.mean(known >= LEAN_RAIL))
    if level < 6.0 or level > 35.0:
        return failed(
            f"{name} stays at {level:.1f} AFR, which no engine runs at: no sensor is connected.",
            "Connect the sensor, or switch this channel off in Mapping.",
        )
    warmed = _warm_up_s(view, gauge)
    if warmed > 0 and float(np.mean(known[-20:] <= RICH_RAIL)) < 0.5:
        return warning(
            f"{name} stood still for the first {warmed:.0f} s and then began to move: it was "
            "warming up.",
            "Wait a minute and check again.",
        )
    if rich > 0.5:
        return failed(
            f"{name} reads {level:.1f} AFR, the rich end of its range, with the engine running: "
            "it is warming up, or its signal is not connected.",
            "Wait a minute; if it stays, check its power and signal cable.",
        )
    if lean > 0.5:
        return failed(
            f"{name} reads {level:.1f} AFR, the lean end of its range: it hangs in free air, is "
            "unplugged, or the exhaust leaks before it.",
            "Check the sensor, its plug and the exhaust joints.",
        )
    still = _still_s(gauge)
    if still >= STILL_S:
        return failed(
            f"{name} has not moved from {known[-1]:.2f} AFR for {still:.0f} s with the engine "
            "running.",
            "Check the sensor and its cable; restart the controller.",
        )
    return passed(f"{name} moves around {level:.1f} AFR.")


def _still_s(gauge: Array) -> float:
    """Return for how long the last value has not changed, counting the time it was judged."""
    known = np.flatnonzero(np.isfinite(gauge))
    moved = known[np.abs(gauge[known] - gauge[known[-1]]) > STILL_AFR]
    after = known[known > moved[-1]] if len(moved) else known
    return len(after) / GRID_HZ


def _warm_up_s(view: View, gauge: Array) -> float:
    """Return for how long the sensor stood still at the beginning, 0 unless it moved later."""
    known = np.flatnonzero(np.isfinite(gauge))
    moved = known[np.abs(gauge[known] - gauge[known[0]]) > STILL_AFR]
    if not len(moved):
        return 0.0
    still = float(view.grid[moved[0]] - view.grid[known[0]])
    later = gauge[moved[0] :]
    return still if still >= 2.0 and span(later) > STILL_AFR else 0.0


def cylinders(view: View) -> Verdict:
    """Front and rear are two sensors, each in the pipe that its name says."""
    if view.binding(Channel.LAMBDA_FRONT) is None or view.binding(Channel.LAMBDA_REAR) is None:
        return skipped("There are not two widebands to mix up.")
    names = f"{view.name(Channel.LAMBDA_FRONT)} and {view.name(Channel.LAMBDA_REAR)}"
    gauge = view.mixture(Channel.LAMBDA_FRONT), view.mixture(Channel.LAMBDA_REAR)
    reading = view.fuelled & ~np.any([(g <= RICH_RAIL) | (g >= LEAN_RAIL) for g in gauge], axis=0)
    known = np.isfinite(gauge[0]) & np.isfinite(gauge[1]) & reading
    if np.count_nonzero(known) < 40:
        return skipped("Both widebands have to read with the engine running.", _AT_IDLE)
    fed = [np.where(reading, g / _STOICH, np.nan) for g in gauge]
    if identical(*fed):
        return failed(f"{names} carry the same signal.", "Give each its own wideband in Mapping.")
    if min(span(column) for column in fed) < STILL_AFR / _STOICH:
        return skipped("One of the widebands does not move.")
    orders = {
        "what the voltage inputs 1 and 2 carry": _by_wiring(view, *gauge),
        "what the ECU commands for each cylinder": _by_command(view, *fed),
        "the fuel that each cylinder gets": _by_fuel(view, *fed),
    }
    sure = "To be sure, pull one plug lead at idle: the wideband of that cylinder goes lean."
    for against, order in orders.items():
        if order is Order.SWAPPED:
            return failed(
                f"{names} look swapped, compared with {against}.",
                f"Swap the sensors or their cables, or swap the two in Mapping. {sure}",
            )
    before = _by_baseline(view, *fed)
    if before is Order.SWAPPED:
        return warning(
            f"{names} differ the other way round than they used to: they are swapped, or air "
            "leaks into one of the pipes.",
            f"Check the exhaust joints and which sensor is which. {sure}",
        )
    if Order.AS_NAMED in (*orders.values(), before):
        return passed(f"{names} are where their names say.")
    return passed(f"{names} differ, as two sensors do; nothing tells which is which.")


def _by_wiring(view: View, front: Array, rear: Array) -> Order:
    volts: dict[Cylinder, Array] = {}
    for info in view.announced():
        name = parse_name(info.name)
        sides = {SIDES[word] for word in name.words if word in SIDES}
        if info.unit is Unit.VOLT and name.analogue and len(sides) == 1:
            volts[sides.pop()] = view.raw((info.provider, info.id))
    if len(volts) < 2:
        return Order.UNKNOWN
    return order_by_wiring(front, rear, volts[Cylinder.FRONT], volts[Cylinder.REAR])


def _by_command(view: View, front: Array, rear: Array) -> Order:
    slots = (Channel.LAMBDA_CMD_FRONT, Channel.LAMBDA_CMD_REAR)
    targets = [view.mixture(slot) / _STOICH for slot in slots]
    return order_by_command(front, rear, targets[0], targets[1])


def _by_fuel(view: View, front: Array, rear: Array) -> Order:
    for pair in (
        (Channel.INJ_PW_FRONT, Channel.INJ_PW_REAR),
        (Channel.VE_FRONT, Channel.VE_REAR),
    ):
        order = order_by_fuel(front, rear, view.column(pair[0]), view.column(pair[1]))
        if order is not Order.UNKNOWN:
            return order
    return Order.UNKNOWN


def _by_baseline(view: View, front: Array, rear: Array) -> Order:
    pair = view.inputs.pair
    if pair is None:
        return Order.UNKNOWN
    return order_by_baseline(front, rear, pair.offset, pair.scatter)
