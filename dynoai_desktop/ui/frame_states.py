"""What the composition root tells the window: one state after another, each drawn at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from dynoai_desktop.core.live.limits import LiveSettings
from dynoai_desktop.core.trust.channel_map import ChannelMap
from dynoai_desktop.ui.live_model import LiveModel
from dynoai_desktop.ui.messages import (
    AnalysisState,
    FrameState,
    InterfaceRow,
    MappingState,
    Notice,
    PreflightState,
    RecordingState,
    SessionRow,
    Severity,
    SourceState,
    TargetsState,
    TuneState,
    VehiclesState,
)
from dynoai_desktop.ui.panels import PLAN_LIMITS_PAGE, PLAN_PAGE, REHEARSAL_PAGE, TUNING_PAGE
from dynoai_desktop.ui.plan_state import PlanState
from dynoai_desktop.ui.rehearsal import RehearsalState, TuningState
from dynoai_desktop.ui.wishes import Wishes


class FrameStates(Wishes):
    """The frame state and its `set_…` methods; the window draws what has changed."""

    live_model: LiveModel

    def __init__(self) -> None:
        """Start with nothing known."""
        super().__init__()
        self._state = FrameState()

    @property
    def state(self) -> FrameState:
        """Return everything the frame shows besides readings."""
        return self._state

    def _change(self, state: FrameState) -> None:
        """Take another state and draw frame and page."""
        raise NotImplementedError

    def _change_page(self, key: str, state: FrameState) -> None:
        """Take another state that only one page shows."""
        raise NotImplementedError

    def _follow_vehicle(self) -> None:
        """Show mixture by the fuel of the vehicle in force."""
        raise NotImplementedError

    def set_interfaces(self, interfaces: Sequence[tuple[str, str, bool]]) -> None:
        """List the interfaces: (address, description, is up)."""
        rows = tuple(InterfaceRow(*row) for row in interfaces)
        self._change(replace(self._state, interfaces=rows))

    def set_source_state(self, source: SourceState) -> None:
        """Follow the source. Say so before its first snapshot: another source starts empty."""
        before = self._state.source
        another = (source.kind, source.interface, source.path) != (
            before.kind,
            before.interface,
            before.path,
        )
        state = replace(self._state, source=source)
        if another:  # what was found out about another bus must not be believed of this one
            known = replace(state.mapping, channel_map=ChannelMap(), evidence=(), message="")
            state = replace(state, preflight=PreflightState(), mapping=known)
        self._change(state)
        self.live_model.set_still(source.stands_still)
        if another:
            self.live_model.clear()

    def set_recording(self, recording: RecordingState) -> None:
        """Follow the recording."""
        self._change(replace(self._state, recording=recording))

    def set_sessions(self, sessions: Sequence[SessionRow]) -> None:
        """List the recorded sessions."""
        self._change(replace(self._state, sessions=tuple(sessions)))

    def set_preflight(self, preflight: PreflightState) -> None:
        """Follow a preflight, or show what it came to."""
        self._change(replace(self._state, preflight=preflight))

    def set_mapping(self, mapping: MappingState) -> None:
        """Follow the mapping."""
        self._change(replace(self._state, mapping=mapping))

    def set_rehearsal(self, rehearsal: RehearsalState) -> None:
        """Follow the simulated dyno, several times a second: only its own page is drawn."""
        self._change_page(REHEARSAL_PAGE, replace(self._state, rehearsal=rehearsal))

    def set_analysis(self, analysis: AnalysisState) -> None:
        """Follow an analysis, or show what it found."""
        self._change(replace(self._state, analysis=analysis))

    def set_tune(self, tune: TuneState) -> None:
        """Follow the tune that is to be corrected."""
        self._change(replace(self._state, tune=tune))

    def set_tuning(self, tuning: TuningState) -> None:
        """Follow the virtual tuning sessions: only their own page is drawn."""
        self._change_page(TUNING_PAGE, replace(self._state, tuning=tuning))

    def set_targets(self, targets: TargetsState) -> None:
        """Show the vehicle's targets, or why those asked for cannot be used."""
        self._change(replace(self._state, targets=targets))

    def set_live_settings(self, settings: LiveSettings) -> None:
        """Show the limits of gates and alerts that are in force."""
        self._change(replace(self._state, live=settings))

    def set_plan(self, plan: PlanState) -> None:
        """Follow the plan and, four times a second, the cooling: few pages show it."""
        state = replace(self._state, plan=plan)
        for key in (PLAN_PAGE, PLAN_LIMITS_PAGE):
            self._change_page(key, state)

    def set_next_step(self, text: str) -> None:
        """Say in one line which pull comes next; "" for none."""
        self._change(replace(self._state, next_step=text))

    def set_vehicles(self, vehicles: VehiclesState) -> None:
        """Show the tuner's vehicles, and go by the fuel of the one in force."""
        self._change(replace(self._state, vehicles=vehicles))
        self._follow_vehicle()

    def show_notice(self, text: str, severity: Severity = Severity.INFO) -> None:
        """Say one sentence at the foot of the window, until A or the next one."""
        self._change(replace(self._state, notice=Notice(text, severity)))
