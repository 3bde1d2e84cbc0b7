"""The signature of a set of channels: the key under which a mapping is remembered."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable

from dynoai_desktop.core.samples import ChannelInfo
from dynoai_desktop.core.trust.names import parse_name

_HASH_CHARACTERS = 12
_SLUG_CHARACTERS = 40


def signature_of(channels: Iterable[ChannelInfo]) -> str:
    """Return a name for this set of channels, usable as a file name.

    Made of provider names and (name, unit code) lists. Host ids, addresses, channel ids and
    order change with every start and every selection of channels, so they do not count; neither
    do the channels a dyno sends about itself. "" for no channels.
    """
    lists: dict[str, list[tuple[str, int, str]]] = {}
    for info in channels:
        if not parse_name(info.name).system:
            entry = (info.name, info.unit_code, info.unit.value)
            lists.setdefault(info.provider, []).append(entry)
    if not lists:
        return ""
    document = [[provider, sorted(lists[provider])] for provider in sorted(lists)]
    text = json.dumps(document, ensure_ascii=True, separators=(",", ":"))
    digest = hashlib.sha256(text.encode("ascii")).hexdigest()[:_HASH_CHARACTERS]
    return f"{slug('+'.join(sorted(lists)))}_{digest}"


def slug(text: str, longest: int = _SLUG_CHARACTERS) -> str:
    """Return *text* as a harmless part of a file name.

    >>> slug("../Power Core: №1\\x00")
    'power-core-1'
    """
    plain = re.sub(r"[^a-z0-9_]+", "-", text.lower()).strip("-")
    return plain[:longest].strip("-") or "unnamed"
