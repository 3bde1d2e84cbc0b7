"""Values out of JSON that anybody may have written: the right kind, or ValueError with the name."""

from __future__ import annotations

import math
from collections.abc import Mapping
from enum import Enum
from typing import Any, TypeVar

E = TypeVar("E", bound=Enum)
_WHOLE = 1 << 53  # a float tells whole numbers below this apart
_LONGEST_TEXT = 10_000


def a_mapping(value: object, name: str) -> Mapping[str, Any]:
    """Return an object."""
    if not isinstance(value, dict):
        raise ValueError(f"{name} is not an object")
    return value


def a_list(value: object, name: str) -> list[Any]:
    """Return a list."""
    if not isinstance(value, list):
        raise ValueError(f"{name} is not a list")
    return value


def a_text(value: object, name: str) -> str:
    """Return a text of reasonable length."""
    if not isinstance(value, str) or len(value) > _LONGEST_TEXT:
        raise ValueError(f"{name} is not a text")
    return value


def a_truth(value: object, name: str) -> bool:
    """Return true or false."""
    if not isinstance(value, bool):
        raise ValueError(f"{name} is neither true nor false")
    return value


def a_number(value: object, name: str) -> float:
    """Return a finite number."""
    # A whole number too long for a float is no reading of anything.
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < _WHOLE:
        return float(value)
    if isinstance(value, float) and math.isfinite(value):
        return value
    raise ValueError(f"{name} is not a number")


def a_count(value: object, name: str) -> int:
    """Return a whole number that is not negative."""
    number = a_number(value, name)
    if not 0.0 <= number < _WHOLE or not number.is_integer():
        raise ValueError(f"{name} is not a count")
    return int(number)


def maybe_number(value: object, name: str) -> float | None:
    """Return a finite number, or None for null."""
    return None if value is None else a_number(value, name)


def numbers(value: object, name: str) -> tuple[float, ...]:
    """Return a list of finite numbers."""
    return tuple(a_number(one, name) for one in a_list(value, name))


def points(value: object, name: str, width: int) -> tuple[tuple[float, ...], ...]:
    """Return a list of lists of *width* finite numbers."""
    out = tuple(numbers(one, name) for one in a_list(value, name))
    if any(len(one) != width for one in out):
        raise ValueError(f"{name} is not a list of {width} numbers each")
    return out


def one_of(kind: type[E], value: object, name: str) -> E:
    """Return the member of an enumeration by its value."""
    for member in kind:
        if isinstance(value, str) and member.value == value:
            return member
    raise ValueError(f"{name} is none of {', '.join(str(member.value) for member in kind)}")
