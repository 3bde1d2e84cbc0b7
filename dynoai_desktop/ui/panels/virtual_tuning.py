"""Virtual tuning: the simulator pulls, the program corrects, and the truth stands beside it."""

from __future__ import annotations

from PySide6.QtCore import QSettings, Qt, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QProgressBar,
    QVBoxLayout,
    QWidget,
)

from dynoai_desktop.core.simulator.tuning.outcome import Iteration, Outcome
from dynoai_desktop.core.simulator.tuning.settings import TuningSettings
from dynoai_desktop.ui.look import Look
from dynoai_desktop.ui.messages import FrameState
from dynoai_desktop.ui.panels.panel import Panel
from dynoai_desktop.ui.panels.rig_choice import LARGEST_SEED, RigChoice
from dynoai_desktop.ui.panels.rig_editor import TUNE, VEHICLE
from dynoai_desktop.ui.panels.tuning_maps import TuningMaps
from dynoai_desktop.ui.panels.tuning_rows import ITERATION_COLUMNS, STATUS, doing, short
from dynoai_desktop.ui.preferences import load_text
from dynoai_desktop.ui.rehearsal import TuningRow, TuningState, TuningWish
from dynoai_desktop.ui.scales import parse_number
from dynoai_desktop.ui.widgets.buttons import glove_button, name_button
from dynoai_desktop.ui.widgets.elided import set_state
from dynoai_desktop.ui.widgets.empty_note import EmptyNote
from dynoai_desktop.ui.widgets.error_curves import ErrorCurve
from dynoai_desktop.ui.widgets.row_model import RowModel
from dynoai_desktop.ui.widgets.row_table import RowTable
from dynoai_desktop.ui.widgets.simulated_head import SimulatedHead
from dynoai_desktop.ui.widgets.stepper import Stepper

_ROW_PX = 32
_ID = Qt.ItemDataRole.UserRole
_RIGHT_VE_PCT = 2.0  # what the true error of a finished tune stays under
_PAGE = "tuning"  # what is remembered stands under this name


class VirtualTuningPanel(Panel):
    """Draws the sessions; reports start, stop and purge."""

    tuning_page_opened = Signal()
    tuning_start_requested = Signal(object)  # TuningWish
    tuning_stop_requested = Signal(str)  # id
    tuning_purge_requested = Signal()

    def __init__(self, look: Look) -> None:
        """Start without sessions."""
        super().__init__(look, "Virtual tuning")
        self._state = TuningState()
        self._chosen = ""  # id of the session that is shown
        self._wanted_round = TuningWish("", "", 0).round
        self._drawn: object = None  # what the tables and curves show now
        self._complaint = ""
        self.choice = RigChoice(editable=False)
        self.choice.refused.connect(self._refuse)
        self.round = Stepper("What is driven")
        self.seed = QLineEdit("1")
        self.seed.setMaxLength(12)
        self.seed.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.seed.setAccessibleName("Seed")
        self.seed.returnPressed.connect(self._start)
        self.start = glove_button("Start", "G", self._start)
        self.stop = glove_button("Stop", "X", self._stop)
        self.purge = glove_button("Forget ended", "Del", self.tuning_purge_requested.emit)
        self.sessions = QListWidget()
        self.sessions.setAccessibleName("Sessions")
        self.sessions.setWordWrap(True)
        self.sessions.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.sessions.currentItemChanged.connect(self._choose)
        self.head = SimulatedHead("Status", "What it is doing")
        self.word, self.detail = self.head.word, self.head.detail
        self.progress = QProgressBar()
        self.progress.setRange(0, 1000)
        self.progress.setTextVisible(False)
        self.progress.setAccessibleName("Progress of the iteration")
        self.model: RowModel[Iteration] = RowModel(
            ITERATION_COLUMNS, lambda row: row.number, look, self
        )
        self.table = RowTable(self.model, "Iterations", _ROW_PX, look)
        wanted = TuningSettings().tolerance_afr
        self.curves = (
            ErrorCurve("Largest AFR error", wanted, look),
            ErrorCurve("True VE error, % rms", _RIGHT_VE_PCT, look),
        )
        self.maps = TuningMaps(look)
        self.view_button = glove_button("", "M", self._next_view)
        self.side_button = glove_button("", "C", self._next_side)
        self.note = EmptyNote()
        self.note.say(
            "Virtual tuning sessions will be shown here",
            "A simulated vehicle with known errors in its tune is pulled, analysed and corrected "
            "by the code that does it for real ones, round after round. The true error, which only "
            "a simulator knows, stands beside the measured one.",
            "Start  [G]",
        )
        self.note.pressed.connect(self._start)
        self._lay_out()
        self.show_state(FrameState())

    def _lay_out(self) -> None:
        left = QGridLayout()
        left.setSpacing(6)
        left.addWidget(self.choice, 0, 0, 1, 2)
        left.addWidget(self.round, 1, 0, 1, 2)
        left.addWidget(QLabel("Seed"), 2, 0)
        left.addWidget(self.seed, 2, 1)
        left.addWidget(self.start, 3, 0)
        left.addWidget(self.stop, 3, 1)
        left.addWidget(self.sessions, 4, 0, 1, 2)
        left.addWidget(self.purge, 5, 0, 1, 2)
        left.setRowStretch(4, 1)
        self.head.addWidget(self.view_button)
        self.head.addWidget(self.side_button)
        middle = QHBoxLayout()
        middle.setSpacing(8)
        middle.addWidget(self.table, 4)
        curves = QVBoxLayout()
        curves.setSpacing(6)
        for curve in self.curves:
            curves.addWidget(curve)
        middle.addLayout(curves, 1)
        right = QVBoxLayout()
        right.setContentsMargins(0, 0, 0, 0)
        right.setSpacing(8)
        right.addLayout(self.head)
        right.addWidget(self.progress)
        right.addLayout(middle, 4)
        right.addWidget(self.maps, 6)
        self.shown = QWidget()
        self.shown.setLayout(right)
        body = QHBoxLayout(self)
        body.setContentsMargins(12, 12, 12, 12)
        body.setSpacing(12)
        body.addLayout(left, 24)
        body.addWidget(self.shown, 76)
        body.addWidget(self.note, 76)
        self.setFocusProxy(self.sessions)

    # What is shown

    def show_state(self, state: FrameState) -> None:
        """Follow the sessions."""
        before, self._state = self._state, state.tuning
        tuning = self._state
        self.choice.show_choices(tuning.vehicles, tuning.scenarios)
        if before.rounds != tuning.rounds:
            self.round.show_rows(tuning.rounds)
            self.round.choose(self._wanted_round)
        self._list_sessions({row.id for row in before.sessions})
        self.purge.setEnabled(any(row.progress.status.is_final for row in tuning.sessions))
        self.note.setVisible(not tuning.sessions)
        self.shown.setVisible(bool(tuning.sessions))
        self._show_session()

    def _list_sessions(self, known: set[str]) -> None:
        rows = self._state.sessions
        ids = [row.id for row in rows]
        new = next((row_id for row_id in ids if row_id not in known), "")
        if ids != [self.sessions.item(i).data(_ID) for i in range(self.sessions.count())]:
            chosen = new or self._chosen
            self.sessions.blockSignals(True)
            self.sessions.clear()
            for row_id in ids:
                QListWidgetItem(self.sessions).setData(_ID, row_id)
            self._chosen = chosen if chosen in ids else ids[0] if ids else ""
            if self._chosen:
                self.sessions.setCurrentRow(ids.index(self._chosen))
            self.sessions.blockSignals(False)
        for i, row in enumerate(rows):
            text = f"{row.title}\n{short(row.progress, row.outcome)}"
            if self.sessions.item(i).text() != text:
                self.sessions.item(i).setText(text)

    def _show_session(self) -> None:
        row = self.session
        message = self._complaint or self._state.message
        self.stop.setEnabled(row is not None and not row.progress.status.is_final)
        if row is None:
            self.note.title.setText(message or "Virtual tuning sessions will be shown here")
            return
        sign, word, mood = STATUS[row.progress.status]
        self.word.setText(f"{sign} {word} · {row.title}")
        set_state(self.word, mood)
        self.detail.setText(message or doing(row.progress))
        set_state(self.detail, "attention" if message else "")
        self.progress.setValue(round(1000 * row.progress.share))
        key = (row.id, len(row.outcome.iterations), row.outcome.tables)
        if key != self._drawn:
            self._drawn = key
            self._draw(row.outcome)

    def _draw(self, outcome: Outcome) -> None:
        rows = outcome.iterations
        self.model.set_rows(rows)
        self.curves[0].show_points([(row.number, row.max_afr_error) for row in rows])
        self.curves[1].show_points([(row.number, row.true_ve_rmse_pct) for row in rows])
        self.maps.show_outcome(outcome)
        self._name_maps()

    def _name_maps(self) -> None:
        name_button(self.view_button, self.maps.title, "M")
        name_button(self.side_button, self.maps.side.value.capitalize(), "C")

    @property
    def session(self) -> TuningRow | None:
        """Return the session that is shown."""
        return next((row for row in self._state.sessions if row.id == self._chosen), None)

    def showEvent(self, event: QShowEvent) -> None:
        """Ask what there is."""
        super().showEvent(event)
        self.tuning_page_opened.emit()

    def set_look(self, look: Look) -> None:
        """Change palette, scale and units."""
        super().set_look(look)
        self.table.set_look(look)
        self.maps.set_look(look)
        for curve in self.curves:
            curve.set_look(look)

    def save_state(self, store: QSettings) -> None:
        """Remember what is tuned."""
        self.choice.save_state(store, _PAGE)
        store.setValue(f"{_PAGE}/seed", self.seed.text())
        store.setValue(f"{_PAGE}/round", self.round.key or self._wanted_round)

    def restore_state(self, store: QSettings) -> None:
        """Take up what was tuned last."""
        self.choice.restore_state(store, _PAGE)
        self._wanted_round = load_text(store, f"{_PAGE}/round") or self._wanted_round
        self.round.choose(self._wanted_round)
        seed = load_text(store, f"{_PAGE}/seed")
        if _is_seed(parse_number(seed)):
            self.seed.setText(seed)

    # Wishes

    def act(self, action: str) -> bool:
        """Carry out the keys of this page."""
        acts = {
            "rig_start": self._start,
            "abort": self._stop,
            "purge": self.tuning_purge_requested.emit,
            "tuning_map": self._next_view,
            "tuning_side": self._next_side,
            "vehicle_file": self.choice.choose_file,
        }
        if action not in acts:
            return False
        acts[action]()
        return True

    def _start(self) -> None:
        seed = parse_number(self.seed.text())
        if not _is_seed(seed):
            self._complaint = f"Seed must be a whole number between 0 and {LARGEST_SEED}."
            self._show_session()
            return
        self._complaint = ""
        if self._state.vehicles:
            profile, profile_file = self.choice.chosen(VEHICLE)
            scenario, scenario_file = self.choice.chosen(TUNE)
            driven = self.round.key or self._wanted_round
            self.tuning_start_requested.emit(
                TuningWish(profile, scenario, int(seed), driven, profile_file, scenario_file)
            )

    def _refuse(self, words: str) -> None:
        self._complaint = words
        self._show_session()

    def _stop(self) -> None:
        row = self.session
        if row is not None and not row.progress.status.is_final:
            self.tuning_stop_requested.emit(row.id)

    def _choose(self, item: QListWidgetItem | None) -> None:
        if item is not None:
            self._chosen = item.data(_ID)
            self._show_session()

    def _next_view(self) -> None:
        self.maps.next_view()
        self._name_maps()

    def _next_side(self) -> None:
        self.maps.next_side()
        self._name_maps()


def _is_seed(number: float) -> bool:
    return 0 <= number <= LARGEST_SEED and number == int(number)
