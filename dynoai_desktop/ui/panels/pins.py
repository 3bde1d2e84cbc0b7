"""The list of providers from which some are pinned."""

from __future__ import annotations

from collections.abc import Sequence

from dynoai_desktop.core.trust.health import ProviderHealth
from dynoai_desktop.ui.wording import age, count, plain

ALL = ""  # key of the row that lets go of everybody


def pin_rows(providers: Sequence[ProviderHealth], pinned: Sequence[str]) -> list[tuple[str, str]]:
    """Return key and text of each provider, heard or pinned, and of "all"."""
    rows = []
    for provider in providers:
        if not pinned:
            use = "✓ used, as all are"
        else:
            use = "✓ pinned" if provider.name in pinned else "– not used"
        heard = f"{count(provider.frames, 'datagram')}, heard {age(provider.age_s)} ago"
        text = f"{use}   {plain(provider.name)}   {provider.channel_count} ch\n{heard}"
        rows.append((provider.name, text))
    here = {p.name for p in providers}
    rows += [(name, f"! pinned   {plain(name)}\nnot heard") for name in pinned if name not in here]
    rows.append((ALL, f"{'✓ ' if not pinned else ''}Use every provider\nwhoever is heard"))
    return rows


def toggled(name: str, pinned: Sequence[str]) -> tuple[str, ...]:
    """Return who is pinned after *name* was picked.

    >>> toggled("A", ()), toggled("B", ("A",)), toggled("A", ("A", "B")), toggled(ALL, ("A",))
    (('A',), ('A', 'B'), ('B',), ())
    """
    if name == ALL:
        return ()
    return tuple(p for p in pinned if p != name) if name in pinned else (*pinned, name)
