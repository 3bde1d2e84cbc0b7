"""Pictures of the pages, with or without a screen."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QApplication

from dynoai_desktop.ui.main_window import MainWindow


def render_page(
    window: MainWindow, page: str, size: tuple[int, int], path: Path, saddle: bool = False
) -> Path:
    """Save a picture of *page* at *size* pixels as PNG; return its path.

    The page shows what the window was told last. Raises OSError when the file cannot be written.
    """
    # A picture shows the readings as they were told, however long the drawing of others took.
    window.live_model.set_still(True)
    window.resize(*size)
    window.show()
    window.show_page(page)
    window.set_saddle(saddle, full_screen=False)
    QApplication.processEvents()
    window.refresh()
    QApplication.processEvents()
    picture = window.grab()
    window.set_saddle(False)
    window.live_model.set_still(window.state.source.stands_still)
    path.parent.mkdir(parents=True, exist_ok=True)
    if not picture.save(str(path), "PNG"):
        raise OSError(f"Cannot write {path}. Check that the folder exists and has room.")
    return path
