"""Mappings as documents: saved with a vehicle, exported to a file, imported from somebody else.

A document says for each canonical channel which source name and unit it is read from. Ids and
provider names are hints only, so a mapping is found again when the operator moves channels about.
What comes from a file is checked field by field before any of it is used.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dynoai_desktop.core.channels import CHANNELS, Channel
from dynoai_desktop.core.samples import ChannelInfo
from dynoai_desktop.core.store.json_store import (
    Loaded,
    parse_object,
    read_document,
    write_document,
)
from dynoai_desktop.core.trust.channel_map import ChannelMap, Choice
from dynoai_desktop.core.trust.names import display_name
from dynoai_desktop.core.trust.scoring import with_unit_of_mixture
from dynoai_desktop.core.trust.signature import signature_of, slug
from dynoai_desktop.core.trust.transforms import IDENTITY, NAMED, Transform, between, source_unit
from dynoai_desktop.core.units import Unit, base_unit

SCHEMA_VERSION = 1
VERSION = "1.0"  # of the exchange format, which other programs write, too
EXPORT_TYPE = "dynoai_mapping_export"
TEMPLATE_TYPE = "dynoai_mapping_template"
SAVED_TYPE = "dynoai_mapping"

_MAX_BYTES = 1_000_000
_MAX_TEXT = 200
_UNITS = {unit.value: unit for unit in Unit}
_CHANNELS = {channel.value: channel for channel in Channel}


class MappingFileError(ValueError):
    """A mapping document cannot be used. The message names the field at fault."""


@dataclass(frozen=True, slots=True)
class MappingDocument:
    """A mapping that was read or is to be written."""

    choices: Mapping[Channel, Choice]
    name: str = ""
    description: str = ""
    signature: str = ""
    providers: tuple[str, ...] = ()
    created_at: str = ""  # ISO 8601, UTC
    template: bool = False


def document_of(
    channel_map: ChannelMap, name: str = "", description: str = "", created_at: str = ""
) -> MappingDocument:
    """Return the mapping in force as a document."""
    choices = {
        channel: Choice(
            name=b.source.name,
            unit=b.source.unit,
            provider=b.source.provider,
            id=b.source.id,
            transform=b.transform,
        )
        for channel, b in channel_map.bindings.items()
    }
    providers = tuple(sorted({b.source.provider for b in channel_map.bindings.values()}))
    return MappingDocument(choices, name, description, channel_map.signature, providers, created_at)


def to_json(document: MappingDocument, kind: str, written_at: str) -> dict[str, Any]:
    """Return the document as JSON; *kind* is SAVED_TYPE, EXPORT_TYPE or TEMPLATE_TYPE.

    *written_at* is the moment of writing, ISO 8601. A template leaves out everything that
    belongs to one provider.
    """
    json: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "type": kind,
        "version": VERSION,
        "name": document.name,
        "description": document.description,
        "created_at": document.created_at or written_at,
        "exported_at" if kind != SAVED_TYPE else "updated_at": written_at,
    }
    if kind != TEMPLATE_TYPE:
        json |= {"provider_signature": document.signature, "providers": list(document.providers)}
    json["channels"] = {
        channel.value: _choice_json(choice, kind) for channel, choice in document.choices.items()
    }
    return json


def _choice_json(choice: Choice, kind: str) -> dict[str, Any]:
    json: dict[str, Any] = {"source_name": choice.name, "enabled": choice.enabled}
    if choice.unit is not None:
        json["source_unit"] = choice.unit.value
    if kind != TEMPLATE_TYPE:
        json |= {"provider": choice.provider, "source_id": choice.id}
    transform = choice.transform
    if transform is not None:
        json["transform"] = (
            transform.name
            if NAMED.get(transform.name) == transform
            else {"name": "linear", "gain": transform.gain, "offset": transform.offset}
        )
    return json


def template_file_name(document: MappingDocument) -> str:
    """Return a safe file name for a template, whatever the user called it.

    >>> template_file_name(MappingDocument({}, name="../../My dyno"))
    'template_my-dyno.json'
    """
    return f"template_{slug(document.name)}.json"


def parse_mapping(data: bytes) -> MappingDocument:
    """Read an exported mapping or a template.

    Raises MappingFileError with one sentence that names the field at fault.
    """
    if len(data) > _MAX_BYTES:
        raise MappingFileError(f"The file is larger than {_MAX_BYTES // 1000} kB: not a mapping.")
    try:
        json = parse_object(data)
    except ValueError as error:
        raise MappingFileError(f"The file {error}.") from error
    if json.get("type") not in (EXPORT_TYPE, TEMPLATE_TYPE):
        raise MappingFileError(f"type: only “{EXPORT_TYPE}” and “{TEMPLATE_TYPE}” can be imported.")
    return _from_json(json)


def save_mapping(folder: Path, document: MappingDocument, written_at: str) -> Path:
    """Write the mapping of one set of channels into *folder* and return its path."""
    path = folder / f"{slug(document.signature, longest=80)}.json"
    write_document(path, to_json(document, SAVED_TYPE, written_at))
    return path


def load_mappings(folder: Path) -> tuple[tuple[MappingDocument, ...], tuple[str, ...]]:
    """Return the saved mappings in *folder* and a note for each that had to be set aside."""
    documents: list[MappingDocument] = []
    notes: list[str] = []
    for path in sorted(folder.glob("*.json")):
        loaded: Loaded = read_document(path, schema_version=SCHEMA_VERSION, max_bytes=_MAX_BYTES)
        notes.extend(loaded.notes)
        if loaded.document is None:
            continue
        try:
            documents.append(_from_json(loaded.document))
        except MappingFileError as error:
            notes.append(f"{path.name} is not used: {error}")
    return tuple(documents), tuple(notes)


def fitting(
    documents: Iterable[MappingDocument], channels: Sequence[ChannelInfo]
) -> MappingDocument | None:
    """Return the saved mapping for these channels: the exact one, or the one that finds most.

    A mapping of other channels is taken when at least half of its sources are announced under
    the same name and unit.
    """
    signature = signature_of(channels)
    announced = {(c.name, c.unit) for c in channels}
    best, most = None, 0
    for document in documents:
        if document.signature == signature:
            return document
        sources = [(c.name, c.unit) for c in document.choices.values() if c.enabled]
        found = sum(source in announced for source in sources)
        if 2 * found >= len(sources) and found > most:
            best, most = document, found
    return best


def hints(document: MappingDocument, channels: Sequence[ChannelInfo]) -> dict[Channel, Choice]:
    """Return the choices of a template that exactly one provider can serve."""
    providers: dict[str, set[str]] = {}
    for info in channels:
        providers.setdefault(info.name, set()).add(info.provider)
    return {
        channel: choice
        for channel, choice in document.choices.items()
        if not choice.enabled or len(providers.get(choice.name, ())) == 1
    }


def _from_json(json: Mapping[str, Any]) -> MappingDocument:
    version = json.get("version")
    if version != VERSION:
        raise MappingFileError(
            f"version: {_shown(version)} is not {VERSION}, the only one this program reads."
        )
    entries = json.get("channels")
    if not isinstance(entries, dict):
        raise MappingFileError("channels: an object with one entry per channel is expected.")
    foreign = "schema_version" not in json
    choices: dict[Channel, Choice] = {}
    for key, entry in entries.items():
        channel, choice = _entry(key, entry, foreign)
        if channel in choices:
            raise MappingFileError(f"channels.{_shown(key)}: {channel.value} is given twice.")
        choices[channel] = choice
    _refuse_double_use(choices)
    providers = json.get("providers", [json["provider_name"]] if "provider_name" in json else [])
    if not isinstance(providers, list):
        raise MappingFileError("providers: a list of names is expected.")
    return MappingDocument(
        choices=choices,
        name=_text(json, "name"),
        description=_text(json, "description"),
        signature=_text(json, "provider_signature"),
        providers=tuple(_string(p, f"providers[{i}]") for i, p in enumerate(providers)),
        created_at=_text(json, "created_at"),
        template=json.get("type") == TEMPLATE_TYPE,
    )


def _entry(key: str, entry: object, foreign: bool) -> tuple[Channel, Choice]:
    where = f"channels.{_shown(key)}"
    channel = _CHANNELS.get(key)
    if channel is None:
        raise MappingFileError(f"{where}: there is no canonical channel of this name.")
    if not isinstance(entry, dict):
        raise MappingFileError(f"{where}: an object is expected.")
    if "source_name" not in entry:
        raise MappingFileError(f"{where}.source_name is missing.")
    unit = _unit(entry.get("source_unit"), f"{where}.source_unit")
    channel, transform = _transform(channel, entry.get("transform"), f"{where}.transform", foreign)
    return channel, Choice(
        name=_string(entry["source_name"], f"{where}.source_name"),
        unit=unit,
        provider=_string(entry.get("provider", ""), f"{where}.provider"),
        id=_id(entry.get("source_id"), f"{where}.source_id"),
        transform=transform,
        enabled=_flag(entry.get("enabled", True), f"{where}.enabled"),
    )


def _transform(
    channel: Channel, value: object, where: str, foreign: bool
) -> tuple[Channel, Transform | None]:
    """Return the channel and its transform.

    A named transform says which unit the source is in; the unit it leads to is always ours. Of
    "identity" in a file of another program we only know that it changed nothing: the announced
    unit decides. Lambda and AFR are two channels here, so their change moves the channel.
    """
    if value is None or (foreign and value == "identity"):
        return channel, None
    if isinstance(value, dict):
        return channel, _linear(value, where)
    if value == "identity":
        return channel, IDENTITY
    if value in ("lambda_to_afr", "afr_to_lambda"):
        unit = Unit.LAMBDA if value == "lambda_to_afr" else Unit.AFR
        return with_unit_of_mixture(channel, unit), IDENTITY
    if not isinstance(value, str) or value not in NAMED:
        raise MappingFileError(f"{where}: {_shown(value)} is no transform known here.")
    source, target = source_unit(value), CHANNELS[channel].unit
    if base_unit(source) is not base_unit(target):
        raise MappingFileError(f"{where}: {value} does not lead to {target.value or 'no unit'}.")
    return channel, between(source, target)


def _linear(value: Mapping[str, object], where: str) -> Transform:
    gain = _number(value.get("gain"), f"{where}.gain")
    offset = _number(value.get("offset"), f"{where}.offset")
    if gain == 0.0:
        raise MappingFileError(f"{where}.gain: 0 would make every value the same.")
    return Transform("linear", gain, offset)


def _refuse_double_use(choices: Mapping[Channel, Choice]) -> None:
    seen: dict[tuple[str, str, int | None, Unit | None], Channel] = {}
    for channel, choice in choices.items():
        if not choice.enabled:
            continue
        key = (choice.provider, choice.name, choice.id, choice.unit)
        if key in seen:
            raise MappingFileError(
                f"channels.{channel.value}.source_name: “{display_name(choice.name)}” is already "
                f"the source of {seen[key].value}."
            )
        seen[key] = channel


def _text(json: Mapping[str, Any], key: str) -> str:
    return _string(json.get(key, ""), key)


def _string(value: object, where: str) -> str:
    if not isinstance(value, str):
        raise MappingFileError(f"{where}: text is expected, not {_shown(value)}.")
    if len(value) > _MAX_TEXT:
        raise MappingFileError(f"{where}: longer than {_MAX_TEXT} characters.")
    return value


def _id(value: object, where: str) -> int | None:
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 0xFFFF:
        raise MappingFileError(f"{where}: a channel id from 0 to 65535 is expected.")
    return value


def _flag(value: object, where: str) -> bool:
    if not isinstance(value, bool):
        raise MappingFileError(f"{where}: true or false is expected, not {_shown(value)}.")
    return value


def _unit(value: object, where: str) -> Unit | None:
    if value is None:
        return None
    if not isinstance(value, str) or value not in _UNITS:
        raise MappingFileError(f"{where}: {_shown(value)} is no unit known here.")
    return _UNITS[value]


def _number(value: object, where: str) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise MappingFileError(f"{where}: a number is expected, not {_shown(value)}.")
    if not math.isfinite(value) or abs(value) > 1e6:
        raise MappingFileError(f"{where}: {_shown(value)} is out of reason.")
    return float(value)


def _shown(value: object) -> str:
    """Return a foreign value short and harmless enough for a message."""
    text = display_name(str(value))
    return text if len(text) <= 40 else text[:39] + "…"
