"""Where the files that come with the program are: fonts, licences, notices.

A wheel and the frozen program carry them inside the package; a checkout has them beside it, where
the customer's layout puts them.
"""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_FOLDERS = (_PACKAGE / "_resources", _PACKAGE.parent / "resources")


def resource_path(name: str) -> Path:
    """Return the path of the file or folder *name*, for example ``"fonts"``.

    Raises FileNotFoundError when the installation lacks it.
    """
    for folder in _FOLDERS:
        path = folder / name
        if path.exists():
            return path
    raise FileNotFoundError(
        f"The program's own file {name!r} is missing. Install DynoAI Desktop again."
    )
