"""Live: big figures, the map that fills, the last minute, and the replay bar."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QSettings, Qt, Signal
from PySide6.QtWidgets import (
    QHBoxLayout,
    QPushButton,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from dynoai_desktop.core.axis import Axis
from dynoai_desktop.core.channels import Channel
from dynoai_desktop.core.live.snapshot import Snapshot
from dynoai_desktop.ui.live_model import Figure
from dynoai_desktop.ui.look import Look
from dynoai_desktop.ui.messages import FrameState
from dynoai_desktop.ui.panels.panel import Panel
from dynoai_desktop.ui.panels.tiles import SADDLE_PX, TILES, tile_channel, tile_text
from dynoai_desktop.ui.preferences import load_bytes
from dynoai_desktop.ui.widgets.cell_map import CellMap
from dynoai_desktop.ui.widgets.elided import ElidedLabel, set_state
from dynoai_desktop.ui.widgets.empty_note import EmptyNote
from dynoai_desktop.ui.widgets.numeral import Numeral
from dynoai_desktop.ui.widgets.strip_charts import StripCharts
from dynoai_desktop.ui.widgets.transport import SEEK_STEP_S, Transport
from dynoai_desktop.ui.wording import number

_SPLIT = "live/split"
# Shares of the width: enough for five digits of 96 px at 1920 × 1080.
_FIGURES, _FIGURES_IN_SADDLE, _PICTURES = 4, 7, 9


class LivePanel(Panel):
    """Draws snapshots; reports what the user wants of the replay and the map."""

    replay_paused = Signal(bool)
    replay_speed_changed = Signal(float)
    replay_seeked = Signal(float)
    live_requested = Signal()
    reset_map_requested = Signal()

    def __init__(self, look: Look) -> None:
        """Start with nothing heard."""
        super().__init__(look, "Live")
        self._snapshot: Snapshot | None = None
        self._state = FrameState()
        self._saddle = False
        self.numerals = [Numeral(t.label or "", t.template, t.digit_px, look) for t in TILES]
        self.map = CellMap(look)
        self.strips = StripCharts(look)
        self.caption = ElidedLabel("heading", "Active cell")
        self.reset = QPushButton("Empty the map  [Ctrl+R]")
        self.reset.setProperty("role", "compact")
        self.reset.setAccessibleName("Empty the map, key Ctrl+R")
        self.reset.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.reset.clicked.connect(self.reset_map_requested)
        self.note = EmptyNote()
        self.note.pressed.connect(lambda: self.page_wanted.emit("connect"))
        self.transport = Transport()
        self.transport.paused.connect(self.replay_paused)
        self.transport.speed_changed.connect(self.replay_speed_changed)
        self.transport.seeked.connect(self.replay_seeked)
        self.transport.live_wanted.connect(self.live_requested)
        self._lay_out()
        self.show_figures({})
        self.show_state(self._state)

    def _lay_out(self) -> None:
        self._column = QVBoxLayout()
        self._column.setSpacing(6)
        for tile, numeral in zip(TILES, self.numerals, strict=True):
            self._column.addWidget(numeral, tile.digit_px)
        over_map = QHBoxLayout()
        over_map.setContentsMargins(8, 2, 2, 2)
        over_map.addWidget(self.caption, 1)
        over_map.addWidget(self.reset)
        map_box = QWidget()
        map_box.setProperty("role", "bar")
        map_box.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        map_column = QVBoxLayout(map_box)
        map_column.setContentsMargins(0, 0, 0, 0)
        map_column.setSpacing(0)
        map_column.addLayout(over_map)
        map_column.addWidget(self.map, 1)
        self.split = QSplitter(Qt.Orientation.Vertical)
        self.split.setHandleWidth(8)
        self.split.setChildrenCollapsible(False)
        self.split.addWidget(map_box)
        self.split.addWidget(self.strips)
        self.split.setStretchFactor(0, 3)
        self.split.setStretchFactor(1, 2)
        self.split.setSizes([300, 200])
        self.right = QStackedWidget()
        self.right.addWidget(self.split)
        self.right.addWidget(self.note)
        self._row = QHBoxLayout()
        self._row.setSpacing(8)
        self._row.addLayout(self._column, _FIGURES)
        self._row.addWidget(self.right, _PICTURES)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(8, 8, 8, 8)
        whole.setSpacing(8)
        whole.addLayout(self._row, 1)
        whole.addWidget(self.transport)

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Draw map and curves."""
        if self._snapshot is None:
            self.right.setCurrentIndex(0)
        self._snapshot = snapshot
        self.map.show_snapshot(snapshot)
        if not self._saddle:
            self.strips.show_snapshot(snapshot)

    def show_figures(self, figures: Mapping[Channel, Figure]) -> None:
        """Print the digits and the active cell."""
        palette, display = self.look.palette, self.look.display
        for tile, numeral in zip(TILES, self.numerals, strict=True):
            channel = tile_channel(tile, figures)
            numeral.setVisible(channel is not None and (tile.in_saddle or not self._saddle))
            if channel is None:
                continue
            shown = tile_text(tile, channel, figures, display)
            numeral.set_label(shown.label, _swatch(channel, palette.first, palette.second))
            numeral.show_value(shown.text, shown.unit, shown.note, shown.is_stale)
        self._show_caption()

    def clear(self) -> None:
        """Forget the readings: another source begins."""
        self._snapshot = None
        self.map.show_snapshot(None)
        self.strips.show_snapshot(None)
        self.show_figures({})

    def show_state(self, state: FrameState) -> None:
        """Follow the source: the replay bar is there while a file plays."""
        self._state = state
        self.transport.setVisible(state.source.is_replay and not self._saddle)
        self.transport.show_source(state.source)
        self._show_caption()

    def set_look(self, look: Look) -> None:
        """Change palette, scale and units."""
        super().set_look(look)
        for numeral in self.numerals:
            numeral.set_look(look)
        self.map.set_look(look)
        self.strips.set_look(look)
        self._show_caption()

    def set_saddle(self, on: bool) -> None:
        """Leave only giant figures and the map."""
        self._saddle = on
        for tile, numeral in zip(TILES, self.numerals, strict=True):
            numeral.set_digit_px(SADDLE_PX if on else tile.digit_px)
            numeral.setVisible(tile.in_saddle or not on)
            self._column.setStretchFactor(numeral, 1 if on else tile.digit_px)
        self._row.setStretch(0, _FIGURES_IN_SADDLE if on else _FIGURES)
        self.strips.setVisible(not on)
        self.reset.setVisible(not on)
        self.show_state(self._state)
        if not on and self._snapshot is not None:
            self.strips.show_snapshot(self._snapshot)

    def act(self, action: str) -> bool:
        """Carry out the keys of this page."""
        if action == "next_map":
            self.map.next_view()
            self._show_caption()
        elif action == "reset_map":
            self.reset_map_requested.emit()
        elif self._state.source.is_replay and action in _REPLAY_ACTIONS:
            _REPLAY_ACTIONS[action](self.transport)
        else:
            return False
        return True

    def save_state(self, store: QSettings) -> None:
        """Store where the splitter stands."""
        store.setValue(_SPLIT, self.split.saveState())

    def restore_state(self, store: QSettings) -> None:
        """Put the splitter back."""
        self.split.restoreState(load_bytes(store, _SPLIT))

    def _show_caption(self) -> None:
        snapshot = self._snapshot
        if snapshot is None:
            self.right.setCurrentIndex(1)
            self.note.say(*_EMPTY_WORDS)
            return
        reasons = tuple(snapshot.off.values())
        set_state(self.caption, "attention" if reasons else "")
        self.caption.setText(f"! {reasons[0]}" if reasons else self._cell_words(snapshot))

    def _cell_words(self, snapshot: Snapshot) -> str:
        view = self.map.view
        key = "  [M]" if len(self.map.views) > 1 else ""
        cell = snapshot.active_cell
        if cell is None:
            return f"{view.title}{key}   no active cell: rpm or load is missing or off the map"
        grid = view.grid(snapshot)
        spans = ", ".join(
            _span(axis, i, self.look) for axis, i in zip((grid.rpm, grid.load), cell, strict=True)
        )
        return f"{view.title}{key}   {spans}: {view.text(float(grid.values[cell]))}"


_EMPTY_WORDS = (
    "Figures, map and curves will be here",
    "As soon as the dyno is heard: engine speed, mixture, manifold pressure, throttle, power and "
    "torque, the cells of the map as they fill, and the last minute as curves.",
    "Go to Connect  [1]",
)

_REPLAY_ACTIONS = {
    "seek_back": lambda transport: transport.seek_by(-SEEK_STEP_S),
    "seek_on": lambda transport: transport.seek_by(SEEK_STEP_S),
    "faster": lambda transport: transport.change_speed(1),
    "slower": lambda transport: transport.change_speed(-1),
}


def _swatch(channel: Channel, first: str, second: str) -> str | None:
    """Return the colour of the curve, where two curves share a chart."""
    return {Channel.LAMBDA_FRONT: first, Channel.LAMBDA_REAR: second}.get(channel)


def _span(axis: Axis, i: int, look: Look) -> str:
    low, high = (number(look.display.value(edge, axis.unit), 0) for edge in axis.edges[i : i + 2])
    return f"{low}–{high} {look.display.unit(axis.unit).value}"
