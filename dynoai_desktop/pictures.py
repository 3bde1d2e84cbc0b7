"""Pictures of every page as it stands, for the README, for a machine without a display, for us."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dynoai_desktop.ui.main_window import MainWindow
from dynoai_desktop.ui.panels import PANELS, SADDLE_PAGE
from dynoai_desktop.ui.render import render_page

SIZES = ((1920, 1080), (1280, 800))


def render_pages(
    window: MainWindow, folder: Path, sizes: Sequence[tuple[int, int]] = SIZES
) -> list[Path]:
    """Save every page, and the saddle view, at every size; return the files.

    Raises OSError when a file cannot be written.
    """
    files = []
    for size in sizes:
        end = f"{size[0]}x{size[1]}.png"
        files += [render_page(window, p.key, size, folder / f"{p.key}_{end}") for p in PANELS]
        saddle = folder / f"saddle_{end}"
        files.append(render_page(window, SADDLE_PAGE, size, saddle, saddle=True))
    return files
