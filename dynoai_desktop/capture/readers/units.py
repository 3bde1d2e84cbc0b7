"""Units for the columns of a file that state none, and for mixture that states the wrong one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from dynoai_desktop.capture.readers.draft import Draft
from dynoai_desktop.core.channels import CHANNELS, Channel
from dynoai_desktop.core.logs import Code, LogWarning, UnitSource
from dynoai_desktop.core.normalise_units import (
    MIXTURES,
    TEMPERATURES,
    Guess,
    guess_temperatures,
    guess_torque_power,
    guess_unit,
)
from dynoai_desktop.core.units import Unit, linear

_SUFFIX_UNITS = {"c": Unit.CELSIUS, "f": Unit.FAHRENHEIT}
_ENOUGH = 20_000
_SPEED = {Unit.RPM, Unit.KILO_RPM}


def settle_units(draft: Draft) -> list[LogWarning]:
    """Give units to columns without one, by name and values, and say what was guessed."""
    warnings: list[LogWarning] = []
    guessed: list[int] = []
    temperatures: dict[int, Channel] = {}
    for i, column in draft.live():
        channel = draft.identity(i, unit=False) or _by_suffix(draft, i)
        if channel is None:
            continue
        if channel in MIXTURES:
            warnings += _mixture(draft, i)
        elif draft.columns[i].unit is not Unit.NONE:
            continue
        elif channel in TEMPERATURES:
            temperatures[i] = channel
        else:
            guess = guess_unit(channel, column.values)
            if guess is not None and guess.unit is not Unit.NONE:
                _give(draft, i, guess)
                guessed += [] if guess.sure else [i]
    guessed += _temperatures(draft, temperatures)
    _torque_and_power(draft)
    return warnings + _said(draft, guessed)


def _give(draft: Draft, index: int, guess: Guess) -> None:
    column = draft.columns[index]
    if guess.gain != 1.0:
        column = replace(
            column,
            values=column.values * guess.gain,
            minimum=column.minimum * guess.gain,
            maximum=column.maximum * guess.gain,
        )
    draft.columns[index] = replace(column, unit=guess.unit, unit_source=UnitSource.PLAUSIBILITY)


def _mixture(draft: Draft, index: int) -> list[LogWarning]:
    """Decide AFR or lambda by the values: names and units of mixture are often wrong."""
    column = draft.columns[index]
    # The middle of the values decides, and some ten thousand of them tell it as well as all.
    every = max(1, column.values.size // _ENOUGH)
    guess = guess_unit(Channel.LAMBDA, column.values[::every])
    if guess is None or guess.unit is column.unit:
        return []
    called = {w.strip("()") for w in column.name.lower().replace("_", " ").split()}
    stated = column.unit
    _give(draft, index, guess)
    # A name "Lambda" says lambda as plainly as a unit does.
    if guess.unit is Unit.AFR and ("lambda" in called or stated is Unit.LAMBDA):
        code, holds = Code.AFR_IN_LAMBDA_NAMED_CHANNEL, "AFR, not lambda"
    elif guess.unit is Unit.LAMBDA and ("afr" in called or stated is Unit.AFR):
        code, holds = Code.LAMBDA_IN_AFR_NAMED_CHANNEL, "lambda, not AFR"
    else:
        return []
    message = (
        f"“{column.header}” holds {holds}: its values run from {column.minimum:.4g} to "
        f"{column.maximum:.4g}."
    )
    return [LogWarning(code, message, (column.key,))]


def _by_suffix(draft: Draft, index: int) -> Channel | None:
    """Return what a column is without a last word C or F: "ect_c" is ect."""
    column = draft.columns[index]
    words = column.name.replace("_", " ").split()
    if len(words) < 2 or words[-1].lower() not in _SUFFIX_UNITS:
        return None
    draft.columns[index] = replace(column, name=" ".join(words[:-1]))
    channel = draft.identity(index, unit=False)
    if channel not in TEMPERATURES:
        draft.columns[index] = column
        return None
    unit = _SUFFIX_UNITS[words[-1].lower()]
    draft.columns[index] = replace(draft.columns[index], unit=unit, unit_source=UnitSource.HEADER)
    return channel


def _temperatures(draft: Draft, channels: dict[int, Channel]) -> list[int]:
    """Settle all temperatures together; a last word F or C in the name settles its own."""
    open_ones: dict[int, Channel] = {}
    for i, channel in channels.items():
        column = draft.columns[i]
        unit = _SUFFIX_UNITS.get(column.name.lower().replace("_", " ").split()[-1])
        if unit is not None:
            draft.columns[i] = replace(column, unit=unit, unit_source=UnitSource.HEADER)
        elif column.unit is Unit.NONE:
            open_ones[i] = channel
    guess = guess_temperatures({c: draft.columns[i].values for i, c in open_ones.items()})
    if guess is None:
        return []
    for i in open_ones:
        _give(draft, i, guess)
    return [] if guess.sure else list(open_ones)


def _torque_and_power(draft: Draft) -> None:
    """Settle torque and power by each other: only one pair of units makes them agree with rpm."""
    found: dict[Channel, int] = {}
    for i, _ in draft.live():
        channel = draft.identity(i)
        if channel is not None:
            found.setdefault(channel, i)
    try:
        rpm, torque, power = (found[c] for c in (Channel.RPM, Channel.TORQUE, Channel.POWER))
    except KeyError:
        return
    speed = draft.columns[rpm]
    if speed.unit not in _SPEED:
        return
    if Unit.NONE not in (draft.columns[torque].unit, draft.columns[power].unit):
        return
    gain, _ = linear(speed.unit, Unit.RPM)
    units = guess_torque_power(
        speed.values.astype(np.float64) * gain,
        draft.columns[torque].values,
        draft.columns[power].values,
    )
    if units is None:
        return
    for i, unit in zip((torque, power), units, strict=True):
        if draft.columns[i].unit is Unit.NONE:
            _give(draft, i, Guess(unit))


def _said(draft: Draft, guessed: list[int]) -> list[LogWarning]:
    warnings = []
    thousands = [i for i, c in draft.data() if c.unit is Unit.KILO_RPM]
    if thousands:
        message = f"{draft.names(thousands)} in thousands of rpm: 5.348 means 5,348 rpm."
        warnings.append(LogWarning(Code.RPM_IN_THOUSANDS, message, draft.keys(thousands)))
    if guessed:
        units = sorted({draft.columns[i].unit.value for i in guessed})
        message = (
            f"{draft.names(guessed)} state no unit; {' and '.join(units)} fits best but not "
            "alone. Check it before you rely on it."
        )
        warnings.append(LogWarning(Code.UNIT_GUESSED, message, draft.keys(guessed)))
    return warnings


def unknown_units(draft: Draft) -> list[LogWarning]:
    """Return a warning for channels whose unit matters and is not known."""
    unknown = [
        i
        for i, c in draft.data()
        if c.canonical is not None
        and c.unit is Unit.NONE
        and CHANNELS[c.canonical].unit is not Unit.NONE
    ]
    if not unknown:
        return []
    message = (
        f"The unit of {draft.names(unknown)} is not stated and cannot be told from the values, "
        "so they are shown but not used."
    )
    return [LogWarning(Code.UNIT_UNKNOWN, message, draft.keys(unknown))]
