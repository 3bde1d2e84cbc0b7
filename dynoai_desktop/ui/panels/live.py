"""Live: big figures, the map that fills, this pull or the last, the last minute, the replay bar."""

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

from dynoai_desktop.core.channels import Channel, Cylinder
from dynoai_desktop.core.live.snapshot import Mixture, Snapshot
from dynoai_desktop.ui.live_model import Figure
from dynoai_desktop.ui.look import Look
from dynoai_desktop.ui.messages import FrameState
from dynoai_desktop.ui.panels.panel import Panel
from dynoai_desktop.ui.preferences import load_bytes, load_text
from dynoai_desktop.ui.run_words import card_words
from dynoai_desktop.ui.widgets.alert_banner import AlertBanner
from dynoai_desktop.ui.widgets.alert_list import AlertList, alert_rows
from dynoai_desktop.ui.widgets.cell_map import CellMap
from dynoai_desktop.ui.widgets.elided import ElidedLabel, set_state
from dynoai_desktop.ui.widgets.empty_note import EmptyNote
from dynoai_desktop.ui.widgets.map_views import SIDE_TITLES
from dynoai_desktop.ui.widgets.numeral import Numeral
from dynoai_desktop.ui.widgets.run_card import RunCard
from dynoai_desktop.ui.widgets.strip_charts import StripCharts
from dynoai_desktop.ui.widgets.tile_column import TileColumn
from dynoai_desktop.ui.widgets.transport import SEEK_STEP_S, Transport

_SPLIT, _VIEW = "live/split", "live/view"
# Shares of the width. The figures need room for five digits of 96 px at 1920 × 1080.
_FIGURES, _MAP, _CARD = 31, 47, 22
_FIGURES_IN_SADDLE = 62
_NO_MIXTURES: Mapping[Cylinder, Mixture] = {}


class LivePanel(Panel):
    """Draws snapshots; reports what the user wants of the replay and the live analysis."""

    replay_paused = Signal(bool)
    replay_speed_changed = Signal(float)
    replay_seeked = Signal(float)
    live_requested = Signal()
    reset_map_requested = Signal()
    analysis_enabled = Signal(bool)

    def __init__(self, look: Look) -> None:
        """Start with nothing heard."""
        super().__init__(look, "Live")
        self._snapshot: Snapshot | None = None
        self._state = FrameState()
        self._saddle = False
        self.tiles = TileColumn(look)
        self.map = CellMap(look)
        self.strips = StripCharts(look)
        self.card = RunCard(look)
        self.alerts = AlertList(look)
        self.banner = AlertBanner(look)
        self.caption = ElidedLabel("heading", "Active cell")
        self.reset = QPushButton("Empty  [Ctrl+R]")
        self.reset.setAccessibleName("Empty the map, key Ctrl+R")
        self.reset.clicked.connect(self.reset_map_requested)
        self.targets = QPushButton("Targets  [T]")
        self.targets.setAccessibleName("Targets, key T")
        self.targets.clicked.connect(lambda: self.page_wanted.emit("targets"))
        for button in (self.reset, self.targets):
            button.setProperty("role", "compact")
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
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

    @property
    def numerals(self) -> list[Numeral]:
        """Return the big figures, top to bottom."""
        return self.tiles.numerals

    def _lay_out(self) -> None:
        over_map = QHBoxLayout()
        over_map.setContentsMargins(8, 2, 2, 2)
        over_map.addWidget(self.caption, 1)
        over_map.addWidget(self.targets)
        over_map.addWidget(self.reset)
        map_box = QWidget()
        map_box.setProperty("role", "bar")
        map_box.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        map_column = QVBoxLayout(map_box)
        map_column.setContentsMargins(0, 0, 0, 0)
        map_column.setSpacing(0)
        map_column.addLayout(over_map)
        map_column.addWidget(self.map, 1)
        self.side = QStackedWidget()
        self.side.addWidget(self.card)
        self.side.addWidget(self.alerts)
        pictures = QWidget()
        self._pictures_row = QHBoxLayout(pictures)
        self._pictures_row.setContentsMargins(0, 0, 0, 0)
        self._pictures_row.setSpacing(8)
        self._pictures_row.addWidget(map_box, _MAP)
        self._pictures_row.addWidget(self.side, _CARD)
        self.right = QStackedWidget()
        self.right.addWidget(pictures)
        self.right.addWidget(self.note)
        upper = QWidget()
        self._row = QHBoxLayout(upper)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(8)
        self._row.addWidget(self.tiles, _FIGURES)
        self._row.addWidget(self.right, _MAP + _CARD)
        self.split = QSplitter(Qt.Orientation.Vertical)
        self.split.setHandleWidth(8)
        self.split.setChildrenCollapsible(False)
        self.split.addWidget(upper)
        self.split.addWidget(self.strips)
        self.split.setStretchFactor(0, 3)
        self.split.setStretchFactor(1, 1)
        self.split.setSizes([690, 250])
        whole = QVBoxLayout(self)
        whole.setContentsMargins(8, 8, 8, 8)
        whole.setSpacing(8)
        whole.addWidget(self.split, 1)
        whole.addWidget(self.banner)
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
        """Print the digits, the active cell and the card."""
        snapshot = self._snapshot
        self.tiles.show_figures(figures, _NO_MIXTURES if snapshot is None else snapshot.mixtures)
        self._show_caption()
        self._show_side()

    def clear(self) -> None:
        """Forget the readings: another source begins."""
        self._snapshot = None
        self.map.show_snapshot(None)
        self.strips.show_snapshot(None)
        self.show_figures({})

    def show_state(self, state: FrameState) -> None:
        """Follow the source, with the replay bar while a file plays, and the alerts."""
        self._state = state
        self.transport.setVisible(state.source.is_replay and not self._saddle)
        self.transport.show_source(state.source)
        if self._saddle:
            worst = state.alerts[0] if state.alerts else None
            self.banner.show_words(worst, state.next_step)
        else:
            self.banner.hide()
        self._show_caption()
        self._show_side()

    def set_look(self, look: Look) -> None:
        """Change palette, scale and units."""
        super().set_look(look)
        for widget in (self.tiles, self.map, self.strips, self.card, self.alerts, self.banner):
            widget.set_look(look)
        self._show_caption()
        self._show_side()

    def set_saddle(self, on: bool) -> None:
        """Leave only giant figures, the map, the worst alert and the next pull."""
        self._saddle = on
        self.tiles.set_saddle(on)
        self._row.setStretch(0, _FIGURES_IN_SADDLE if on else _FIGURES)
        for widget in (self.strips, self.reset, self.targets, self.side):
            widget.setVisible(not on)
        self.show_state(self._state)
        if not on and self._snapshot is not None:
            self.strips.show_snapshot(self._snapshot)

    def act(self, action: str) -> bool:
        """Carry out the keys of this page."""
        acts = {
            "next_map": self._next_map,
            "next_cylinder": self._next_cylinder,
            "reset_map": self.reset_map_requested.emit,
            "analysis": self._toggle_analysis,
            "open_alerts": lambda: self._open_side(True),
            "alerts": lambda: self._open_side(self.side.currentWidget() is self.card),
        }
        if self._state.source.is_replay and action in _REPLAY_ACTIONS:
            _REPLAY_ACTIONS[action](self.transport)
        elif (
            action == "back"
            and self.side.isVisible()
            and self.side.currentWidget() is not self.card
        ):
            self._open_side(False)
        elif action in acts:
            acts[action]()
        else:
            return False
        return True

    def save_state(self, store: QSettings) -> None:
        """Store where the splitter stands and which map is in front."""
        store.setValue(_SPLIT, self.split.saveState())
        store.setValue(_VIEW, self.map.view.key)

    def restore_state(self, store: QSettings) -> None:
        """Put splitter and map back."""
        self.split.restoreState(load_bytes(store, _SPLIT))
        keys = [view.key for view in self.map.views]
        if (key := load_text(store, _VIEW)) in keys:
            self.map.set_view(keys.index(key))

    def _next_map(self) -> None:
        self.map.next_view()
        self._show_caption()

    def _next_cylinder(self) -> None:
        self.map.next_side()
        self._show_caption()

    def _toggle_analysis(self) -> None:
        if self._snapshot is not None:
            self.analysis_enabled.emit(not self._snapshot.enabled)

    def _open_side(self, alerts: bool) -> None:
        self.side.setCurrentWidget(self.alerts if alerts else self.card)
        self._show_side()

    def _show_side(self) -> None:
        """Print the card, or the list of alerts that has taken its place."""
        snapshot = self._snapshot
        if self.side.currentWidget() is self.card:
            display = self.look.display
            self.card.show_words(None if snapshot is None else card_words(snapshot, display))
            return
        now_s = 0.0 if snapshot is None else snapshot.time_s
        gaps = () if snapshot is None else (*snapshot.off.values(), *snapshot.unwatched.values())
        self.alerts.show_rows(alert_rows(self._state.alerts, now_s), gaps)

    def _show_caption(self) -> None:
        snapshot = self._snapshot
        if snapshot is None:
            self.right.setCurrentIndex(1)
            self.note.say(*_EMPTY_WORDS)
            return
        reasons = tuple(snapshot.off.values())
        set_state(self.caption, "attention" if reasons else "")
        self.targets.setVisible(not reasons and not self._saddle)  # the sentence needs the room
        more = f"  +{len(reasons) - 1} [F8]" if len(reasons) > 1 else ""
        self.caption.setText(f"! {reasons[0]}{more}" if reasons else self._map_words(snapshot))

    def _map_words(self, snapshot: Snapshot) -> str:
        view, side = self.map.view, self.map.side
        words = f"{view.title} [M]"
        if snapshot.cylinders:
            of_both = side is None and view.key == "hits"
            words += f"  {'fewest of both' if of_both else SIDE_TITLES[side]}"
            words += " [C]" if len(self.map.sides) > 1 else ""
            words += "  ◤F ◢R" if side is None and not of_both else ""
        return words if self.map.facts is not None else f"{words}  off the map"


_EMPTY_WORDS = (
    "Figures, map and curves will be here",
    "As soon as the dyno is heard: engine speed, mixture, manifold pressure, throttle, power and "
    "torque, the cells of the map as they fill, every pull as it is found, and the last minute as "
    "curves.",
    "Go to Connect  [1]",
)

_REPLAY_ACTIONS = {
    "seek_back": lambda transport: transport.seek_by(-SEEK_STEP_S),
    "seek_on": lambda transport: transport.seek_by(SEEK_STEP_S),
    "faster": lambda transport: transport.change_speed(1),
    "slower": lambda transport: transport.change_speed(-1),
}
