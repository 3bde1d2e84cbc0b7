"""Widgets in reference cycles die on the GUI thread, whoever allocates."""

import gc
import threading
import weakref

from PySide6.QtCore import QThread
from PySide6.QtWidgets import QWidget

from dynoai_desktop.garbage import GuiGarbage


class Tied(QWidget):
    """A widget in a cycle with itself; says on which thread it was let go."""

    def __init__(self, died_on: list) -> None:
        super().__init__()
        self.myself = self
        weakref.finalize(self, lambda: died_on.append(threading.get_ident()))


class Allocating(QThread):
    """Makes cyclic garbage as fast as it can, as any Python thread may."""

    def run(self) -> None:
        for _ in range(200_000):
            knot: list = []
            knot.append(knot)


def test_another_thread_never_destroys_a_widget(qtbot) -> None:
    garbage, died_on = GuiGarbage(), []
    assert not gc.isenabled()
    for _ in range(20):
        Tied(died_on)
    thread = Allocating()
    with qtbot.waitSignal(thread.finished, timeout=20_000):
        thread.start()
    thread.wait()
    qtbot.waitUntil(lambda: len(died_on) == 20, timeout=5000)
    garbage.close()
    assert set(died_on) == {threading.get_ident()}


def test_what_was_there_before_costs_no_time_and_is_collected_at_the_end(qtbot) -> None:
    died_on: list = []
    old = Tied(died_on)
    garbage = GuiGarbage()
    assert len(gc.get_objects()) < 10_000
    del old
    gc.collect()
    assert died_on == []
    garbage.close()
    gc.collect()
    assert died_on == [threading.get_ident()]


def test_collection_is_handed_back_as_it_was(qtbot) -> None:
    before = gc.isenabled()
    GuiGarbage().close()
    assert gc.isenabled() == before
