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
from dynoai_desktop.core.units import Unit

SENSORS = (Channel.LAMBDA_FRONT, Channel.LAMBDA_REAR, Channel.LAMBDA)
RICH_RAIL, LEAN_RAIL = 0.517, 1.497  # lambda: 0 V and 5 V of the usual controllers, with margin
LEAST, MOST = 0.41, 2.38  # lambda: outside, there is no sensor
STILL = 0.002  # lambda: a working sensor moves more than this
STILL_S = 5.0
_AT_IDLE = "Start the engine, let it idle and check again."


def mixture_scale(view: View) -> Verdict:
    """AFR is AFR and lambda is lambda, as the unit says."""
    mapped = [slot for slot in SENSORS if view.binding(slot) is not None]
    if not mapped:
        return skipped("No mixture channel is mapped.")
    for slot in mapped:
        looks = _looks_wrong(view, slot)
        if looks:
            return failed(
                f"{view.name(slot)} {looks}.",
                "Correct its unit in Power Core, or choose another source in Mapping.",
            )
    return passed("AFR and lambda have the size their unit says.")


def _looks_wrong(view: View, slot: Channel) -> str:
    """Return what the values look like instead of what the unit says, "" when they fit it."""
    binding, level = view.binding(slot), median(view.column(slot))
    if binding is None:
        return ""
    is_afr = CHANNELS[binding.channel].unit is Unit.AFR
    said, looks = "AFR" if is_afr else "lambda", ""
    if 400.0 <= level <= 20000.0:
        looks = "engine speed"
    elif is_afr and 0.5 <= level <= 2.0:
        looks = "lambda"
    elif not is_afr and 5.0 <= level <= 30.0:
        looks = "AFR"
    if not looks:
        return ""
    return f"is announced as {said} but is around {level:.4g}: this looks like {looks}"


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
    column = np.where(view.fuelled, view.mixture(slot), np.nan)
    known = column[np.isfinite(column)]
    if len(known) < 40:
        return skipped(f"{name} can be judged with the engine running.", _AT_IDLE)
    level = float(np.median(known))
    if _looks_wrong(view, slot):
        return skipped(f"{name} does not look like mixture at all.")
    shown = view.mixture_text(slot, level)
    if level < LEAST or level > MOST:
        return failed(
            f"{name} stays at {shown}, which no engine runs at: no sensor is connected.",
            "Connect the sensor, or switch this channel off in Mapping.",
        )
    warmed = _warm_up_s(view, column)
    if warmed > 0 and float(np.mean(known[-20:] <= RICH_RAIL)) < 0.5:
        return warning(
            f"{name} stood still for the first {warmed:.0f} s and then began to move: it was "
            "warming up.",
            "Wait a minute and check again.",
        )
    if float(np.mean(known <= RICH_RAIL)) > 0.5:
        return failed(
            f"{name} reads {shown}, the rich end of its range, with the engine running: it is "
            "warming up, or its signal is not connected.",
            "Wait a minute; if it stays, check its power and signal cable.",
        )
    if float(np.mean(known >= LEAN_RAIL)) > 0.5:
        return failed(
            f"{name} reads {shown}, the lean end of its range: it hangs in free air, is "
            "unplugged, or the exhaust leaks before it.",
            "Check the sensor, its plug and the exhaust joints.",
        )
    still = _still_s(column)
    if still >= STILL_S:
        return failed(
            f"{name} has not moved from {view.mixture_text(slot, float(known[-1]))} for "
            f"{still:.0f} s with the engine running.",
            "Check the sensor and its cable; restart the controller.",
        )
    return passed(f"{name} moves around {shown}.")


def _still_s(column: Array) -> float:
    """Return for how long the last value has not changed, counting the time it was judged."""
    known = np.flatnonzero(np.isfinite(column))
    moved = known[np.abs(column[known] - column[known[-1]]) > STILL]
    after = known[known > moved[-1]] if len(moved) else known
    return len(after) / GRID_HZ


def _warm_up_s(view: View, column: Array) -> float:
    """Return for how long the sensor stood still at the beginning, 0 unless it moved later."""
    known = np.flatnonzero(np.isfinite(column))
    moved = known[np.abs(column[known] - column[known[0]]) > STILL]
    if not len(moved):
        return 0.0
    still = float(view.grid[moved[0]] - view.grid[known[0]])
    later = column[moved[0] :]
    return still if still >= 2.0 and span(later) > STILL else 0.0


def cylinders(view: View) -> Verdict:
    """Front and rear are two sensors, each in the pipe that its name says."""
    if view.binding(Channel.LAMBDA_FRONT) is None or view.binding(Channel.LAMBDA_REAR) is None:
        return skipped("There are not two widebands to mix up.")
    names = f"{view.name(Channel.LAMBDA_FRONT)} and {view.name(Channel.LAMBDA_REAR)}"
    both = view.mixture(Channel.LAMBDA_FRONT), view.mixture(Channel.LAMBDA_REAR)
    reading = view.fuelled & ~np.any([(m <= RICH_RAIL) | (m >= LEAN_RAIL) for m in both], axis=0)
    known = np.isfinite(both[0]) & np.isfinite(both[1]) & reading
    if np.count_nonzero(known) < 40:
        return skipped("Both widebands have to read with the engine running.", _AT_IDLE)
    fed = [np.where(reading, column, np.nan) for column in both]
    if identical(*fed):
        return failed(f"{names} carry the same signal.", "Give each its own wideband in Mapping.")
    if min(span(column) for column in fed) < STILL:
        return skipped("One of the widebands does not move.")
    orders = {
        "what the voltage inputs 1 and 2 carry": _by_wiring(view, *both),
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
    return passed(
        f"{names} differ, as two sensors do. Which is which cannot be seen: pull one plug lead at "
        "idle to be sure."
    )


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
    targets = [view.mixture(slot) for slot in slots]
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
