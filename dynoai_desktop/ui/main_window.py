"""The window: frame, pages, keys.

It knows no capture and no disk. The composition root hands it readings (`live_model`) and states
(`set_…`), and connects its signals, which are the user's wishes.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QEvent, QSettings, Qt, Signal
from PySide6.QtGui import (
    QCloseEvent,
    QDragEnterEvent,
    QDropEvent,
    QHideEvent,
    QResizeEvent,
    QShowEvent,
)
from PySide6.QtWidgets import QApplication, QGridLayout, QWidget

from dynoai_desktop.core.live.snapshot import Snapshot
from dynoai_desktop.core.trust.health import BusHealth
from dynoai_desktop.core.units import STOICH_AFR, Display
from dynoai_desktop.ui.actions import Actions
from dynoai_desktop.ui.advice import worst_notice
from dynoai_desktop.ui.alerts import AlertBook
from dynoai_desktop.ui.drops import dropped_file
from dynoai_desktop.ui.frame_states import FrameStates
from dynoai_desktop.ui.live_model import LiveModel
from dynoai_desktop.ui.look import Look, window_scale
from dynoai_desktop.ui.messages import (
    FrameState,
    SourceKind,
    SourceState,
)
from dynoai_desktop.ui.notices import third_party_notices
from dynoai_desktop.ui.pages import Pages
from dynoai_desktop.ui.panels import (
    DROP_PAGE,
    PANELS,
    SADDLE_PAGE,
    VEHICLE_PAGE,
    PanelContext,
    PanelSpec,
    page_keys,
)
from dynoai_desktop.ui.panels.panel import Panel
from dynoai_desktop.ui.preferences import (
    Preferences,
    load_bytes,
    load_preferences,
    load_text,
    save_preferences,
)
from dynoai_desktop.ui.shortcuts import Shortcuts
from dynoai_desktop.ui.style_sheet import style_sheet
from dynoai_desktop.ui.theme import PALETTES, prepare_application, qt_palette
from dynoai_desktop.ui.trends import Trends
from dynoai_desktop.ui.voice_desk import VoiceDesk
from dynoai_desktop.ui.widgets.footer import Footer
from dynoai_desktop.ui.widgets.header import Header
from dynoai_desktop.ui.widgets.rail import Rail

FIRST_SIZE = (1280, 800)
SMALLEST_SIZE = (
    1024,
    640,
)  # fixed, so that text of the larger window does not stop a shrinking one
_GEOMETRY, _PAGE = "window/geometry", "window/page"


class MainWindow(FrameStates):
    """Frame and pages. Every method is for the GUI thread."""

    frame_drawn = Signal(float)  # time_s of the snapshot whose pixels are on the window now

    def __init__(
        self,
        settings_path: Path,
        version: str = "",
        notices: str = "",
        live_model: LiveModel | None = None,
    ) -> None:
        """Build the frame and the page that was open last.

        *settings_path* is the ini file that remembers choices and layout. *notices* replaces the
        shipped third-party notices.
        """
        super().__init__()
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        prepare_application(app)
        self._store = QSettings(str(settings_path), QSettings.Format.IniFormat)
        self._version, self._notices = version, notices or third_party_notices()
        self._saddle = False
        self._drawn_s: float | None = None
        self.preferences = load_preferences(self._store)
        self.look = Look()
        self.live_model = live_model or LiveModel(parent=self)
        self.trends, self.voice = Trends(), VoiceDesk(parent=self)
        self._alerts = AlertBook()
        self.header, self.footer, self.rail = Header(), Footer(), Rail(self.look)
        self.pages = Pages(PANELS, self._build)
        self._lay_out()
        self._wire()
        self._make_keys()
        self._restore()

    def _lay_out(self) -> None:
        self.setWindowTitle("DynoAI Desktop")
        self.setMinimumSize(*SMALLEST_SIZE)
        self.setAcceptDrops(True)
        frame = QWidget()
        frame.setProperty("role", "ground")
        frame.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        grid = QGridLayout(frame)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(1)
        grid.addWidget(self.header, 0, 0, 1, 2)
        grid.addWidget(self.rail, 1, 0)
        grid.addWidget(self.pages, 1, 1)
        grid.addWidget(self.footer, 2, 0, 1, 2)
        grid.setRowStretch(1, 1)
        grid.setColumnStretch(1, 1)
        self.setCentralWidget(frame)
        health = self.live_model.health
        for key, spec in page_keys():
            mark = spec.mark(self._state, health) if spec.mark is not None else None
            if spec.in_rail:
                self.rail.add_page(spec.key, key, spec.title, mark)

    def _wire(self) -> None:
        self.rail.chosen.connect(self.show_page)
        self.header.record_pressed.connect(lambda: self._actions.act("record"))
        self.settings_changed.connect(self._take_preferences)
        self.header.vehicle_pressed.connect(lambda: self.show_page(VEHICLE_PAGE))
        self.targets_changed.connect(
            lambda grid: self.set_targets(replace(self._state.targets, grid=grid, message=""))
        )
        self.limits_changed.connect(self.set_live_settings)
        self.live_model.snapshot_taken.connect(self._hear)
        self.live_model.curves_due.connect(self._draw_snapshot)
        self.live_model.digits_due.connect(lambda figures: self.panel().show_figures(figures))
        self.live_model.health_due.connect(self._draw_health)
        self.live_model.cleared.connect(self._clear)
        self.live_model.failed.connect(self._take_failure)

    def _make_keys(self) -> None:
        self._actions = Actions(self)
        pages = [(key, spec.key) for key, spec in page_keys()]
        self._shortcuts = Shortcuts(self, pages, self.act, self.show_page)

    def _restore(self) -> None:
        self._follow_preferences()
        if not self.restoreGeometry(load_bytes(self._store, _GEOMETRY)):
            self.resize(*FIRST_SIZE)
        self._restyle()
        page = load_text(self._store, _PAGE)
        self.show_page(page if self.pages.in_workflow(page) else PANELS[0].key)

    # Pages

    @property
    def page(self) -> str:
        """Return the key of the page in front."""
        return self.pages.page

    @property
    def fuel(self) -> str:
        """Return the fuel everything goes by: the vehicle's, or the preferred one without any."""
        record = self._state.vehicles.record
        return record.fuel if record.name else self.preferences.fuel

    @property
    def display(self) -> Display:
        """Return how numbers are shown, mixture by the fuel in use."""
        return replace(self.preferences.display, stoich=STOICH_AFR[self.fuel])

    def panel(self, key: str = "") -> Panel:
        """Return a page, the one in front by default; it is built when first asked for."""
        return self.pages.panel(key)

    def show_page(self, key: str) -> None:
        """Bring a page to the front and show it the newest of everything."""
        self.rail.show_page(key)
        if key == self.page:
            return
        if self._saddle:
            self.set_saddle(False)
        panel = self.pages.open(key)
        self._shortcuts.follow(key)
        self.refresh()
        panel.setFocus()

    def set_saddle(self, on: bool, full_screen: bool = True) -> None:
        """Switch the view for somebody on the vehicle: giant figures and the map, no rail."""
        if on == self._saddle:
            return
        if on:
            self.show_page(SADDLE_PAGE)
        self._saddle = on
        self.rail.setVisible(not on)
        self.panel(SADDLE_PAGE).set_saddle(on)
        full = Qt.WindowState.WindowFullScreen
        if on and full_screen and self.isVisible():
            self.setWindowState(self.windowState() | full)
        elif not on and self.isFullScreen():
            self.setWindowState(self.windowState() & ~full)

    def _build(self, spec: PanelSpec) -> Panel:
        context = PanelContext(
            self.look, self.preferences, self._version, self._notices, self.trends, self.voice
        )
        panel = spec.build(context)
        panel.page_wanted.connect(self.show_page)
        for wish in spec.wishes:
            getattr(panel, wish).connect(getattr(self, wish))
        panel.restore_state(self._store)
        return panel

    def refresh(self) -> None:
        """Show the page in front the newest of everything."""
        panel = self.panel()
        self.trends.take(self.live_model.health)
        panel.show_state(self._state)
        panel.show_health(self.live_model.health)
        snapshot = self.live_model.snapshot
        if snapshot is not None:
            self._draw_snapshot(snapshot)
        panel.show_figures(self.live_model.figures())

    # States

    def acknowledge(self) -> None:
        """Take away what the foot of the window says: an alert, a notice of ours or of the bus."""
        shown = worst_notice(self._state, self.live_model.health)
        if shown is not None and shown.alert:
            numbers = self._alerts.acknowledge()
            self._tell_alerts()
            for number in numbers:
                self.alert_acknowledged.emit(number)
            return
        notices = self.live_model.health.notices
        heard = notices[-1] if notices else ""
        self._change(replace(self._state, notice=None, acknowledged=heard))

    def _change(self, state: FrameState) -> None:
        """Take another state and draw frame and page."""
        self._state = state
        self.header.show_state(self._state)
        self.footer.show_next(state.next_step)
        self._show_bus(self.live_model.health)
        if self.page:
            self.panel().show_state(self._state)

    def _change_page(self, key: str, state: FrameState) -> None:
        """Take another state that only one page shows."""
        self._state = state
        if self.page == key:
            self.panel().show_state(state)

    def _show_bus(self, health: BusHealth) -> None:
        self.header.show_health(health, self._state)
        self.footer.show_notice(worst_notice(self._state, health))
        for spec in PANELS:
            if spec.mark is not None:
                self.rail.button(spec.key).set_mark(spec.mark(self._state, health))

    def _hear(self, snapshot: Snapshot) -> None:
        if self._alerts.take(snapshot.alerts):
            self._tell_alerts()
        self.voice.hear(snapshot)

    def _tell_alerts(self) -> None:
        """Tell of other alerts, without asking every page: they come and go with the engine."""
        self._state = replace(self._state, alerts=self._alerts.groups)
        self._show_bus(self.live_model.health)
        if self.page == SADDLE_PAGE:
            self.panel().show_state(self._state)

    def _draw_snapshot(self, snapshot: Snapshot) -> None:
        self._drawn_s = snapshot.time_s
        self.panel().show_snapshot(snapshot)

    def _draw_health(self, health: BusHealth) -> None:
        self.trends.take(health)
        self._show_bus(health)
        self.panel().show_health(health)

    def _clear(self) -> None:
        self.trends.clear()
        self.voice.silence()
        self._alerts.clear()
        self._tell_alerts()
        for panel in self.pages.built:
            panel.clear()
        self._drawn_s = None
        self._show_bus(self.live_model.health)

    def _take_failure(self, message: str) -> None:
        interface = self._state.source.interface
        self.set_source_state(SourceState(SourceKind.FAILED, interface, message=message))

    # Keys

    def act(self, action: str) -> None:
        """Carry out the action of a key: the page in front first, then the window."""
        if not self.panel().act(action):
            self._actions.act(action)

    @property
    def in_saddle(self) -> bool:
        """Return whether the saddle view is on."""
        return self._saddle

    # Look and layout

    def _take_preferences(self, preferences: Preferences) -> None:
        self.preferences = preferences
        save_preferences(self._store, preferences)
        self._follow_preferences()
        self._restyle()

    def _follow_vehicle(self) -> None:
        """Show mixture by the fuel of the vehicle in force."""
        if self.display != self.look.display:
            self._follow_preferences()
            self._restyle()

    def _follow_preferences(self) -> None:
        self.voice.set_mode(self.preferences.voice, self.display)
        self.footer.show_voice(self.voice.is_heard)
        for panel in self.pages.built:
            panel.show_preferences(self.preferences)

    def _restyle(self) -> None:
        preferences = self.preferences
        scale = window_scale(self.width(), self.height()) * preferences.font_scale
        look = Look(PALETTES[preferences.theme], scale, self.display)
        if look == self.look and self.styleSheet():
            return
        dressed = (look.palette, look.scale) == (self.look.palette, self.look.scale)
        self.look = look
        if not dressed or not self.styleSheet():
            self.setPalette(qt_palette(look.palette))
            self.setStyleSheet(style_sheet(look.palette, look.scale))
        self.rail.set_look(look)
        for panel in self.pages.built:
            panel.set_look(look)
        if self.page:
            self.refresh()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take a file that is held over the window."""
        if dropped_file(event.mimeData()) is not None and not self._state.recording.active:
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Analyse the file that was let go; a tune is put on the bench."""
        path = dropped_file(event.mimeData())
        if path is not None and not self._state.recording.active:
            event.acceptProposedAction()
            self.show_page(DROP_PAGE)
            self.panel(DROP_PAGE).take_file(path)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fit the text to the window."""
        super().resizeEvent(event)
        self._restyle()

    def showEvent(self, event: QShowEvent) -> None:
        """Begin to draw."""
        super().showEvent(event)
        self.live_model.set_watched(True)

    def hideEvent(self, event: QHideEvent) -> None:
        """Stop drawing: nobody looks."""
        super().hideEvent(event)
        self.live_model.set_watched(False)

    def changeEvent(self, event: QEvent) -> None:
        """Stop drawing while minimised."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.WindowStateChange:
            self.live_model.set_watched(self.isVisible() and not self.isMinimized())

    def event(self, event: QEvent) -> bool:
        """Report when everything that was due has been painted."""
        handled = super().event(event)
        if event.type() == QEvent.Type.UpdateRequest and self._drawn_s is not None:
            drawn_s, self._drawn_s = self._drawn_s, None
            self.frame_drawn.emit(drawn_s)
        return handled

    def closeEvent(self, event: QCloseEvent) -> None:
        """Fall silent and remember the layout."""
        self.voice.close()
        self.set_saddle(False)
        self._store.setValue(_GEOMETRY, self.saveGeometry())
        self._store.setValue(_PAGE, self.pages.workflow_page)
        for panel in self.pages.built:
            panel.save_state(self._store)
        save_preferences(self._store, self.preferences)
        self._store.sync()
        self.live_model.set_watched(False)
        super().closeEvent(event)
