"""The keys of the window as Qt shortcuts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QWidget

from dynoai_desktop.ui.keys import KEYS, KeyRow


class Shortcuts:
    """Calls *act* with the action of a key, or *open_page* with the page a key belongs to.

    A key that means something on some pages only is left to the widgets of the others.
    """

    def __init__(
        self,
        window: QWidget,
        pages: Sequence[tuple[str, str]],
        act: Callable[[str], None],
        open_page: Callable[[str], None],
    ) -> None:
        """Bind every row of KEYS, and *pages*: pairs of key and page."""
        self._bound: list[tuple[QShortcut, KeyRow]] = []
        for row in KEYS:
            for key in row.keys:
                shortcut = QShortcut(QKeySequence(key), window)
                shortcut.setAutoRepeat(row.repeats)
                shortcut.activated.connect(partial(act, row.action))
                self._bound.append((shortcut, row))
        for key, page in pages:
            QShortcut(QKeySequence(key), window).activated.connect(partial(open_page, page))

    def follow(self, page: str) -> None:
        """Leave only the keys of *page* in force."""
        for shortcut, row in self._bound:
            shortcut.setEnabled(not row.pages or page in row.pages)
