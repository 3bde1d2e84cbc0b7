"""JSON documents that state the fields of a dataclass: one reader for profiles and scenarios."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

FieldError = Callable[[str, str], ValueError]  # (field, reason) → what to raise
Special = Mapping[str, Callable[[str, Any], Any]]  # annotation → (field, value) → value

_LARGEST = 1_000_000  # bytes


def text_of(path: Path) -> str:
    """Return the text of a document; ValueError says what is wrong, to stand after its name."""
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST + 1)
    except OSError as error:
        raise ValueError(f"cannot be read: {error.strerror}") from error
    if len(data) > _LARGEST:
        raise ValueError(f"is larger than {_LARGEST} bytes")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError("is not a text file") from error


def json_object(text: str, noun: str, error: FieldError) -> dict[str, Any]:
    """Return the one JSON object of a text; *noun* stands for the document in an error."""
    try:
        document = json.loads(text)
    except json.JSONDecodeError as reason:
        raise error(noun, f"is not JSON ({reason.msg}, line {reason.lineno}).") from reason
    except (RecursionError, ValueError) as reason:  # nested too deep, or a number of 5000 digits
        raise error(noun, f"is not a JSON document a {noun} could be.") from reason
    return as_object(noun, document, error)


def as_object(field: str, value: Any, error: FieldError) -> dict[str, Any]:
    """Return *value* if it is a JSON object."""
    if not isinstance(value, dict):
        raise error(field, "must be one JSON object.")
    return value


def known_fields(
    kind: type[Any],
    document: Mapping[str, Any],
    noun: str,
    error: FieldError,
    special: Special | None = None,
) -> dict[str, Any]:
    """Return the fields of *kind* that a document states, each of its type.

    *special* reads the types that are not JSON's own, by annotation. Raises what *error* makes,
    naming the field: unknown, missing, or of a wrong type.
    """
    specs = {field.name: field for field in dataclasses.fields(kind)}
    for name in document:
        if name not in specs:
            raise error(name, f"is not a field of a {noun}.")
    for name, field in specs.items():
        if field.default is dataclasses.MISSING and name not in document:
            raise error(name, "is missing.")
    readers = {**_plain(error), **(special or {})}
    return {name: readers[str(specs[name].type)](name, value) for name, value in document.items()}


def _plain(error: FieldError) -> Special:
    def number(name: str, value: Any) -> Any:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise error(name, f"{value!r} is not a number.")
        if not -1e12 < value < 1e12:  # NaN and infinity fail it, too
            raise error(name, "is not a finite number.")
        return value

    def text(name: str, value: Any) -> str:
        if not isinstance(value, str):
            raise error(name, "must be text.")
        return value

    def truth(name: str, value: Any) -> bool:
        if not isinstance(value, bool):
            raise error(name, "must be true or false.")
        return value

    def numbers(name: str, value: Any) -> tuple[float, ...]:
        if not isinstance(value, list | tuple):
            raise error(name, "must be a list of numbers.")
        return tuple(float(number(name, item)) for item in value)

    return {
        "str": text,
        "bool": truth,
        "int": number,
        "float": number,
        "tuple[float, ...]": numbers,
    }
