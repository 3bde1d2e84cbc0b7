"""What to drive next, between the window and what is remembered of the vehicle.

After every finished pull of a recording, and at its end, the session is studied in a process of
its own (the command `feedback`), so that neither the capture thread nor the picture waits for it;
an analysis made in the window is taken as it is. Then the plan is made again on a thread. A pull
that was not recorded teaches nothing: there is no file it could be checked against later.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QTimer

from dynoai_desktop.core.store.json_store import StoreError
from dynoai_desktop.core.store.vehicles import NO_VEHICLE, VehicleRecord
from dynoai_desktop.core.tune.files import replace_all
from dynoai_desktop.core.tune.tables import TuneError
from dynoai_desktop.desks.background import Background
from dynoai_desktop.desks.planning_error import PlanningError
from dynoai_desktop.desks.run_study import RunStudy, Studied, StudyOrder
from dynoai_desktop.ui.cooling import HEATING, CoolingWatch
from dynoai_desktop.ui.messages import Severity
from dynoai_desktop.ui.plan_state import PlanState, StepWish, Verdict
from dynoai_desktop.ui.plan_words import answer_words, checklist_text, next_line

if TYPE_CHECKING:
    from dynoai_desktop.core.analysis.cause_tree import Cause
    from dynoai_desktop.core.analysis.payload import Payload
    from dynoai_desktop.core.analysis.tune_settings import TunePart
    from dynoai_desktop.core.live.runs import Run
    from dynoai_desktop.core.live.snapshot import Snapshot
    from dynoai_desktop.core.planning.limits import PlanningLimits
    from dynoai_desktop.core.planning.steps import Step
    from dynoai_desktop.desks.plan_making import Made
    from dynoai_desktop.desks.tune_bench import TuneFile
    from dynoai_desktop.ui.main_window import MainWindow

CHECKLIST_NAME = "checklist.txt"
_USUAL_COOLING_S = 45.0
_COOLING_MS = 250  # digits move four times a second
_SOON_MS = 300  # after another vehicle is set
_SETTLES_MS = 1500  # after a pull, until what was recorded of it is on the disk
_UNRECORDED = (
    "Pull {} was not recorded, so nothing was learned from it. Press Space before the next one."
)


class PlanningDesk(QObject):
    """Lives on the GUI thread, beside the station."""

    def __init__(self, window: MainWindow) -> None:
        """Connect the window's wishes; nothing is planned before a vehicle is set."""
        super().__init__()
        self._window = window
        self._folder = Path()
        self._record = NO_VEHICLE
        self._made: Made | None = None
        self._state = PlanState()
        self._background = Background(PlanningError, StoreError)
        self._waiting = 0  # plans under way
        self._study = RunStudy(self)
        self._study.done.connect(self._take_study)
        self._watch = CoolingWatch()
        self._seen_s = -math.inf  # when the newest run seen began
        self._chosen = ""  # key of the step on the card
        self._causes: tuple[Cause, ...] = ()  # of the run analysed last
        self._learned_log: Path | None = None  # in the window, and nothing was said since
        self._driven: list[str] = []  # step of every pull of this recording; "" for another one
        # The window stands before the planner is loaded, and of two vehicles in a row only the
        # second is planned for.
        self._soon = QTimer(self, singleShot=True, interval=_SOON_MS)
        self._soon.timeout.connect(self._remake)
        self._settle = QTimer(self, singleShot=True, interval=_SETTLES_MS)
        self._settle.timeout.connect(self._study_recording)
        self._cooling = QTimer(self, interval=_COOLING_MS)
        self._cooling.timeout.connect(self._show_cooling)
        window.plan_said.connect(self.answer)
        window.plan_step_chosen.connect(self._choose)
        window.plan_take_back_requested.connect(self.take_back)
        window.plan_requested.connect(self._remake)
        window.plan_export_requested.connect(self.export)
        window.plan_reset_requested.connect(self.reset)
        window.plan_restore_requested.connect(self.restore)
        window.plan_limits_changed.connect(self.set_limits)
        window.plan_limits_reset_requested.connect(self.usual_limits)
        window.live_model.snapshot_taken.connect(self._hear)
        window.live_model.cleared.connect(self._clear)

    @property
    def is_busy(self) -> bool:
        """Return whether a run is being studied or a plan made."""
        return self._waiting > 0 or self._study.is_busy or self._soon.isActive()

    def close(self) -> None:
        """Stop what runs and wait for its end."""
        for timer in (self._soon, self._settle, self._cooling):
            timer.stop()
        self._study.close()
        self._background.close()

    # The vehicle and its tune

    def set_vehicle(self, folder: Path, record: VehicleRecord) -> None:
        """Plan for another vehicle, or by other facts about it."""
        if (folder, record) == (self._folder, self._record):
            return
        self._folder, self._record = folder, record
        self._made, self._chosen, self._driven = None, "", []
        self._learned_log, self._causes = None, ()
        self._state = PlanState(
            vehicle=record.name, simulated=record.simulated, cooling=self._state.cooling
        )
        if record.name:
            self._soon.start()
        else:
            self._soon.stop()
        self._show()

    def set_tune(self, paths: Sequence[Path]) -> None:
        """Take in that the vehicle runs on another tune: what it touched has to be driven again."""
        folder, record = self._folder, self._record

        def put() -> object:
            from dynoai_desktop.desks import planning_work as work

            return work.put_in_force(folder, record, paths)

        self._remake(put)

    # Runs

    def take_recording(self, session: Path) -> None:
        """Learn from a session that has ended."""
        self._settle.stop()
        steps, self._driven = set(self._driven), []
        # What a run brought is compared with a promise only where it was driven for that alone.
        self._begin_study(session, steps.pop() if len(steps) == 1 else "")

    def take_analysis(self, path: Path, payload: Payload, files: Sequence[TuneFile]) -> None:
        """Learn from a run that was analysed in the window, with the tune it was analysed by."""
        folder, record = self._folder, self._record

        def learn() -> object:
            from dynoai_desktop.desks import planning_work as work

            tune = work.tune_in_force(_parts(files))
            origin = work.origin_of(path)
            run = work.taught(payload, origin, record, "" if tune is None else tune.sha256)
            return work.learn(folder, record, run)

        self._learned_log, self._causes = path, payload.causes.causes
        self._remake(learn, f"{path.name} was learned from. Z takes it back.")

    def _hear(self, snapshot: Snapshot) -> None:
        """Follow temperatures and pulls; a finished pull of a recording is studied."""
        self._watch.take(snapshot)
        if not self._cooling.isActive():
            self._cooling.start()
        news = [run for run in snapshot.runs if run.start_s > self._seen_s]
        self._seen_s = max((run.start_s for run in news), default=self._seen_s)
        if not self._record.name or self._window.state.source.is_replay:
            return
        for run in news:
            if run.kind not in HEATING:  # an idle hold waits for the next pull, or for the end
                continue
            if self._window.state.recording.active:
                self._driven.append(self._step_of(run))
                self._settle.start()
            else:
                self._say(_UNRECORDED.format(run.number))

    def _step_of(self, run: Run) -> str:
        """Return the key of the step on the card if the pull was that, else ""."""
        from dynoai_desktop.desks.planning_work import was_driven

        step = self._step(self._chosen)
        return step.key if step is not None and was_driven(run, step) else ""

    def _clear(self) -> None:
        """Another source begins."""
        self._watch.clear()
        self._seen_s = -math.inf
        self._show_cooling()

    def _study_recording(self) -> None:
        recording = self._window.state.recording
        if recording.active and recording.folder is not None:
            self._begin_study(recording.folder)

    def _begin_study(self, session: Path, step: str = "") -> None:
        if self._record.name:
            order = StudyOrder(session, self._record.name, self._folder.parent.parent, step)
            self._study.start(order)
            self._show()

    def _take_study(self, studied: Studied) -> None:
        order = studied.order
        if order.vehicle != self._record.name:
            return
        if studied.message:
            self._refuse(f"Nothing was learned from {order.session.name}. {studied.message}")
        else:
            self._remake(None, studied.words)

    # What the tuner says

    def _choose(self, key: str) -> None:
        self._chosen = key

    def answer(self, wish: StepWish) -> None:
        """Remember what was said about a step, and plan on."""
        step = self._step(wish.step)
        if step is None:
            return
        from dynoai_desktop.core.planning.memory import Answer, Feedback
        from dynoai_desktop.desks import planning_work as work

        folder, record = self._folder, self._record
        recording = self._window.state.recording
        run_id = recording.folder.name if recording.active and recording.folder else ""
        done = wish.verdict is Verdict.DONE
        self._learned_log = None
        if done and run_id:
            self._driven = [step.key]
        said = Feedback(
            Answer(wish.verdict.value),
            step.key,
            step.test_type,
            wish.reason,
            datetime.now(UTC).isoformat(timespec="seconds"),
            run_id=run_id if done else "",
        )
        self._remake(
            lambda: work.answer(folder, record, said), answer_words(wish, step.name, bool(run_id))
        )

    def take_back(self) -> None:
        """Forget the log that was learned from just now, else what was said last."""
        from dynoai_desktop.desks import planning_work as work

        folder, record = self._folder, self._record
        path, self._learned_log = self._learned_log, None
        if path is not None:
            self._remake(lambda: work.forget(folder, record, path), f"{path.name} is forgotten.")
        elif self._state.answers:
            self._remake(lambda: work.take_back(folder, record), "The last answer is taken back.")

    def _step(self, key: str) -> Step | None:
        """Return the step with this key, the first one of the plan without such a step."""
        steps = () if self._made is None else self._made.plan.steps
        first = steps[0] if steps else None
        return next((step for step in steps if step.key == key), first)

    def set_limits(self, limits: PlanningLimits) -> None:
        """Keep other limits for this vehicle."""
        from dynoai_desktop.core.planning.limits_file import save_limits

        folder = self._folder
        self._remake(lambda: save_limits(folder, limits))

    def usual_limits(self) -> None:
        """Go back to the limits that follow from the vehicle's record."""
        from dynoai_desktop.core.planning.limits import default_limits

        self.set_limits(default_limits(self._record))

    def reset(self) -> None:
        """Forget what was learned; it can be brought back."""
        from dynoai_desktop.core.planning.coverage_file import reset_coverage

        folder, record = self._folder, self._record
        self._remake(lambda: reset_coverage(folder, record))

    def restore(self) -> None:
        """Bring back what was forgotten last."""
        from dynoai_desktop.core.planning.coverage_file import restore_last_reset

        folder, record = self._folder, self._record
        self._remake(lambda: restore_last_reset(folder, record), "What was forgotten is back.")

    def export(self) -> None:
        """Write the checklist beside what is kept of the vehicle."""
        text = checklist_text(self._state, self._window.display)
        target = self._folder / CHECKLIST_NAME
        if not text:
            return
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            replace_all({target: text.encode()})
        except (TuneError, OSError) as error:
            self._window.show_notice(str(error), Severity.ATTENTION)
            return
        self._say(f"Written to {target}.")

    # The plan

    def _remake(self, first: Callable[[], Any] | None = None, said: str = "") -> None:
        """Do *first*, then plan again; *said* is news that goes with the plan."""
        if not self._record.name:
            return
        folder, record, now = self._folder, self._record, datetime.now(UTC)
        causes = self._causes

        def work() -> tuple[Made, PlanState, tuple[str, ...]]:
            from dynoai_desktop.desks import plan_making

            done = None if first is None else first()
            made = plan_making.make(folder, record, now, causes=causes)
            notes = (*getattr(done, "notes", ()), *made.notes)
            return made, plan_making.plan_state(made, record, now), notes

        self._waiting += 1
        self._background.start(
            work,
            lambda answer: self._take(record, said, *answer),
            lambda message: self._not_made(record, message),
        )
        self._show()

    def _take(
        self,
        record: VehicleRecord,
        said: str,
        made: Made,
        state: PlanState,
        notes: tuple[str, ...],
    ) -> None:
        self._waiting -= 1
        if record != self._record:
            return
        self._made = made
        if notes:
            self._window.show_notice(" ".join(dict.fromkeys(notes)), Severity.ATTENTION)
        self._state = replace(state, message=said, cooling=self._state.cooling)
        self._show()

    def _not_made(self, record: VehicleRecord, message: str) -> None:
        self._waiting -= 1
        if record == self._record:
            self._learned_log = None
            self._refuse(message)

    def _refuse(self, message: str) -> None:
        self._window.show_notice(message, Severity.ATTENTION)
        self._state = replace(self._state, message=message, failed=self._made is None)
        self._show()

    def _say(self, message: str) -> None:
        self._state = replace(self._state, message=message)
        self._show()

    def _show_cooling(self) -> None:
        usual_s = _USUAL_COOLING_S if self._made is None else self._made.ways.cooling_s.mean
        cooling = self._watch.state(usual_s)
        if self._record.name and cooling != self._state.cooling:
            self._state = self._state.with_cooling(cooling)
            self._window.set_plan(self._state)

    def _show(self) -> None:
        self._state = replace(self._state, thinking=self.is_busy)
        self._window.set_plan(self._state)
        plan, cells = self._state.plan, self._state.cells
        load = None if cells is None else cells.load
        line = "" if plan is None else next_line(plan, load, self._window.display)
        if line != self._window.state.next_step:
            self._window.set_next_step(line)


def _parts(files: Sequence[TuneFile]) -> list[TunePart]:
    from dynoai_desktop.core.analysis.tune_settings import TunePart

    return [TunePart(file.tune, file.cylinder) for file in files]
