"""Providers that are heard and not used, because others are pinned."""

from __future__ import annotations

from collections.abc import Sequence

from dynoai_desktop.core.trust.health import ProviderHealth
from dynoai_desktop.ui.wording import count, plain


def is_foreign(provider: ProviderHealth, pinned: Sequence[str]) -> bool:
    """Return True when nothing of this provider is used. Nobody pinned: everybody is used."""
    return bool(pinned) and provider.name not in pinned


def foreign_words(providers: Sequence[ProviderHealth], pinned: Sequence[str]) -> str:
    """Return how much foreign traffic is heard, "" for none."""
    foreign = [p for p in providers if is_foreign(p, pinned)]
    if not foreign:
        return ""
    names = ", ".join(f"“{plain(p.name)}”" for p in foreign)
    return f"{count(sum(p.frames for p in foreign), 'datagram')} of {names} heard, not used."
