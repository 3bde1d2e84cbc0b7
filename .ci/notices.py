"""Write resources/THIRD_PARTY.txt: whose work the program carries and under which licences.

The texts come from the installed packages; what their metadata cannot tell is in the tables here.
"""

from __future__ import annotations

import sys
import textwrap
from importlib.metadata import PackageNotFoundError, PackagePath, distribution
from pathlib import Path

TARGET = Path(__file__).resolve().parents[1] / "resources" / "THIRD_PARTY.txt"

OPENING = """\
DynoAI Desktop is distributed under the MIT licence (see LICENSE). It is built on the work of
others, listed here with their licences.

Qt and Qt for Python

The program uses Qt 6, PySide6 and shiboken6, copyright The Qt Company Ltd. and other
contributors, under the GNU Lesser General Public License version 3. They are used unmodified, as
separate shared libraries. The texts of the LGPL and of the GPL, to which it refers, are beside
this file in licences/LGPL-3.0.txt and licences/GPL-3.0.txt. The source is at
https://download.qt.io/official_releases/QtForPython/ and https://download.qt.io/official_releases/qt/.

You may replace these libraries with your own build and may take the program apart to debug such a
change:
- Installed with pip: install your own PySide6 and shiboken6 in the same environment.
- The built program is a folder, not one file. Its libraries are in _internal/PySide6 and
  _internal/shiboken6 under their usual names (libQt6Core.so.6 or Qt6Core.dll and so on). Put a
  compatible build of the same major version in their place and start the program as before.

"""

# name, licence, where it comes from, where its text is
WITHOUT_METADATA = (
    ("Python", "PSF-2.0", "https://www.python.org", "licences/PSF-2.0.txt"),
    ("B612 (typeface)", "OFL-1.1", "https://github.com/polarsys/b612", "fonts/OFL.txt"),
    (
        "PyInstaller bootloader (in the built program)",
        "GPL-2.0-or-later with an exception that allows any use of what it starts",
        "https://pyinstaller.org",
        "https://github.com/pyinstaller/pyinstaller/blob/develop/COPYING.txt",
    ),
)

# distribution, licence, where it comes from
PACKAGES = (
    ("pyqtgraph", "MIT", "https://github.com/pyqtgraph/pyqtgraph"),
    ("numpy", "BSD-3-Clause", "https://numpy.org"),
    ("pandas", "BSD-3-Clause", "https://pandas.pydata.org"),
    ("platformdirs", "MIT", "https://github.com/tox-dev/platformdirs"),
    ("psutil", "BSD-3-Clause", "https://github.com/giampaolo/psutil"),
    ("python-dateutil", "Apache-2.0 or BSD-3-Clause", "https://github.com/dateutil/dateutil"),
    ("tzdata", "Apache-2.0", "https://github.com/python/tzdata"),
    ("colorama", "BSD-3-Clause", "https://github.com/tartley/colorama"),
)

BUNDLED = """\
numpy and pandas carry further software inside them (OpenBLAS, LAPACK, the GCC runtime and others).
The built program holds their complete licence files in _internal/licences/. On Linux it also holds
libraries of the system it was built on (X11 and xcb, GLib, fontconfig, FreeType, D-Bus), each under
its own licence, named in that system's /usr/share/doc.
"""


def main() -> None:
    """Write the file."""
    parts = [OPENING]
    parts += [
        f"{name}\n{licence}\n{home}\nText: {text}\n\n"
        for name, licence, home, text in WITHOUT_METADATA
    ]
    parts += [
        f"{name}\n{licence}\n{home}\n\n{textwrap.indent(licence_text(name), '    ')}\n"
        for name, licence, home in PACKAGES
    ]
    parts.append(BUNDLED)
    rule = "-" * 79 + "\n\n"
    TARGET.write_text(rule.join(parts), encoding="utf-8", newline="\n")


def licence_text(name: str) -> str:
    """Return the package's own licence, without those of software that it bundles."""
    files = licence_files(name)
    if not files:
        sys.exit(f"Install {name} first: its licence text comes from the installed package.")
    shortest = min(files, key=lambda path: len(path.parts))
    text = Path(str(shortest.locate())).read_text(encoding="utf-8")
    return text.split("\n----\n")[0].strip() + "\n"


def licence_files(name: str) -> list[PackagePath]:
    """Return every licence file of the package *name*; none when it is not installed."""
    try:
        files = distribution(name).files or ()
    except PackageNotFoundError:
        return []  # some are needed by certain versions of the others only
    return [
        path
        for path in files
        if ".dist-info" in path.parts[0] and path.name.upper().startswith(("LICEN", "COPYING"))
    ]


if __name__ == "__main__":
    main()
