"""Cyclic garbage is collected on the GUI thread, and nowhere else.

Python collects cycles on whichever thread happens to allocate. When that is the capture thread and
a cycle holds a widget, the widget is destroyed on the wrong thread, and Qt and the interpreter lock
wait for each other for ever. So automatic collection is off while a capture thread may run, and a
timer on the GUI thread does it instead, by the interpreter's own thresholds.

A full collection looks at everything alive, and holds every thread up meanwhile: 60 ms for the
90,000 objects of modules and window, a window of the capture late. They stay anyway, so they are
set aside until the end.
"""

from __future__ import annotations

import gc

from PySide6.QtCore import QObject, QTimer

_EVERY_MS = 250


class GuiGarbage(QObject):
    """Takes collection over until closed."""

    def __init__(self) -> None:
        """Switch automatic collection off and start the timer; call on the GUI thread."""
        super().__init__()
        self._was_enabled = gc.isenabled()
        gc.disable()
        gc.freeze()
        self._timer = QTimer(self, interval=_EVERY_MS)
        self._timer.timeout.connect(self.collect_if_due)
        self._timer.start()

    def collect_if_due(self) -> None:
        """Collect every generation whose threshold is passed, the youngest first."""
        for generation, threshold in enumerate(gc.get_threshold()):
            if not threshold or gc.get_count()[generation] <= threshold:
                return
            gc.collect(generation)

    def close(self) -> None:
        """Hand collection back to the interpreter."""
        self._timer.stop()
        gc.unfreeze()
        if self._was_enabled:
            gc.enable()
