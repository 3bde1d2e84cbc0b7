"""Cells that a spreadsheet would take for a formula.

A cell beginning with = + - @ (or a tab or return before them) is calculated when a CSV file is
opened, and may call programs (OWASP, "CSV Injection"). An apostrophe in front makes it text; what
was guarded is read back exactly.
"""

from __future__ import annotations

_DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\0")


def guarded(text: str) -> str:
    """Return *text* with an apostrophe in front where a spreadsheet would calculate it.

    >>> guarded("-0.36"), guarded("98.2"), unguarded(guarded("'-1"))
    ("'-0.36", '98.2', "'-1")
    """
    return f"'{text}" if _needs(text) else text


def unguarded(text: str) -> str:
    """Return *text* without the apostrophe that `guarded` put there.

    >>> unguarded("'-0.36"), unguarded("'tis")
    ('-0.36', "'tis")
    """
    return text[1:] if text.startswith("'") and _needs(text[1:]) else text


def _needs(text: str) -> bool:
    return text.startswith(_DANGEROUS) or (text.startswith("'") and _needs(text[1:]))
