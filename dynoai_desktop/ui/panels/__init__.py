"""The pages of the window: one row each, in the order of the workflow.

A page is built when it is first opened. The modules of the pages are imported then, too, so the
window stands before the plotting library is loaded.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dynoai_desktop.core.trust.health import BusHealth
from dynoai_desktop.ui.look import Look
from dynoai_desktop.ui.marks import (
    PageMark,
    analyse_mark,
    connect_mark,
    live_mark,
    mapping_mark,
    plan_mark,
    preflight_mark,
    runs_mark,
)
from dynoai_desktop.ui.messages import FrameState
from dynoai_desktop.ui.preferences import Preferences
from dynoai_desktop.ui.trends import Trends
from dynoai_desktop.ui.voice_desk import VoiceDesk

if TYPE_CHECKING:
    from dynoai_desktop.ui.panels.panel import Panel

SADDLE_PAGE = "live"
DROP_PAGE = "analyse"
REHEARSAL_PAGE = "simulator"
TUNING_PAGE = "tuning"
VEHICLE_PAGE = "vehicle"
PLAN_PAGE, PLAN_LIMITS_PAGE = "plan", "plan_limits"


@dataclass(frozen=True, slots=True)
class PanelContext:
    """What a page may need to be built."""

    look: Look
    preferences: Preferences
    version: str
    notices: str
    trends: Trends
    voice: VoiceDesk


@dataclass(frozen=True, slots=True)
class PanelSpec:
    """One page. *wishes* are the panel's signals that the window passes on under their names."""

    key: str
    title: str
    build: Callable[[PanelContext], Panel]
    wishes: tuple[str, ...] = ()
    mark: Callable[[FrameState, BusHealth], PageMark] | None = None  # None: not in the workflow
    shortcut: str = ""  # pages of the workflow are numbered instead
    in_rail: bool = True  # False: reached by its key and from another page


def _connect(context: PanelContext) -> Panel:
    from dynoai_desktop.ui.panels.connect import ConnectPanel

    return ConnectPanel(context.look)


def _mapping(context: PanelContext) -> Panel:
    from dynoai_desktop.ui.panels.mapping import MappingPanel

    return MappingPanel(context.look, context.trends)


def _preflight(context: PanelContext) -> Panel:
    from dynoai_desktop.ui.panels.preflight import PreflightPanel

    pages = {spec.key: (spec.title, key) for key, spec in page_keys()}
    return PreflightPanel(context.look, context.trends, pages)


def _health(context: PanelContext) -> Panel:
    from dynoai_desktop.ui.panels.health import HealthPanel

    return HealthPanel(context.look, context.trends)


def _live(context: PanelContext) -> Panel:
    from dynoai_desktop.ui.panels.live import LivePanel

    return LivePanel(context.look)


def _analyse(context: PanelContext) -> Panel:
    from dynoai_desktop.ui.panels.analyse import AnalysePanel

    return AnalysePanel(context.look)


def _plan(context: PanelContext) -> Panel:
    from dynoai_desktop.ui.panels.planner import PlannerPanel

    keys = {spec.key: key for key, spec in page_keys()}
    return PlannerPanel(context.look, keys)


def _plan_limits(context: PanelContext) -> Panel:
    from dynoai_desktop.ui.panels.plan_limits import PlanLimitsPanel

    return PlanLimitsPanel(context.look)


def _runs(context: PanelContext) -> Panel:
    from dynoai_desktop.ui.panels.runs import RunsPanel

    return RunsPanel(context.look)


def _simulator(context: PanelContext) -> Panel:
    from dynoai_desktop.ui.panels.simulator import SimulatorPanel

    return SimulatorPanel(context.look)


def _tuning(context: PanelContext) -> Panel:
    from dynoai_desktop.ui.panels.virtual_tuning import VirtualTuningPanel

    return VirtualTuningPanel(context.look)


def _settings(context: PanelContext) -> Panel:
    from dynoai_desktop.ui.panels.settings import SettingsPanel

    return SettingsPanel(context.look, context.preferences, context.voice)


def _targets(context: PanelContext) -> Panel:
    from dynoai_desktop.ui.panels.targets import TargetsPanel

    return TargetsPanel(context.look)


def _limits(context: PanelContext) -> Panel:
    from dynoai_desktop.ui.panels.limits import LimitsPanel

    return LimitsPanel(context.look)


def _vehicle(context: PanelContext) -> Panel:
    from dynoai_desktop.ui.panels.vehicle import VehiclePanel

    return VehiclePanel(context.look)


def _keys(context: PanelContext) -> Panel:
    from dynoai_desktop.ui.panels.help import KeysPanel

    return KeysPanel(context.look, tuple((key, spec.title) for key, spec in page_keys()))


def _about(context: PanelContext) -> Panel:
    from dynoai_desktop.ui.panels.help import AboutPanel

    return AboutPanel(context.look, context.version, context.notices)


PANELS: tuple[PanelSpec, ...] = (
    PanelSpec("connect", "Connect", _connect, ("interface_chosen",), connect_mark),
    PanelSpec(
        "mapping",
        "Mapping",
        _mapping,
        (
            "mapping_chosen",
            "mapping_save_requested",
            "mapping_export_requested",
            "mapping_import_requested",
            "mapping_template_requested",
            "providers_pinned",
        ),
        mapping_mark,
    ),
    PanelSpec(
        "preflight",
        "Preflight",
        _preflight,
        ("preflight_requested", "preflight_cancelled", "override_requested"),
        preflight_mark,
    ),
    PanelSpec(
        "live",
        "Live",
        _live,
        (
            "replay_paused",
            "replay_speed_changed",
            "replay_seeked",
            "live_requested",
            "reset_map_requested",
            "analysis_enabled",
        ),
        live_mark,
    ),
    PanelSpec(
        "analyse",
        "Analyse",
        _analyse,
        (
            "analyse_requested",
            "analysis_cancelled",
            "tune_chosen",
            "tune_preview_requested",
            "tune_apply_requested",
            "tune_undo_requested",
        ),
        analyse_mark,
    ),
    PanelSpec(
        PLAN_PAGE,
        "Plan",
        _plan,
        (
            "plan_said",
            "plan_step_chosen",
            "plan_take_back_requested",
            "plan_requested",
            "plan_export_requested",
            "plan_reset_requested",
            "plan_restore_requested",
        ),
        plan_mark,
    ),
    PanelSpec(
        "runs",
        "Runs",
        _runs,
        ("replay_requested", "open_folder_requested", "analyse_requested"),
        runs_mark,
    ),
    PanelSpec("health", "Channels", _health, shortcut="F3"),
    PanelSpec(
        REHEARSAL_PAGE,
        "Simulator",
        _simulator,
        (
            "simulator_page_opened",
            "simulator_start_requested",
            "simulator_stop_requested",
            "simulator_ordered",
        ),
        shortcut="F5",
    ),
    PanelSpec(
        TUNING_PAGE,
        "Tuning",
        _tuning,
        (
            "tuning_page_opened",
            "tuning_start_requested",
            "tuning_stop_requested",
            "tuning_purge_requested",
        ),
        shortcut="F6",
    ),
    PanelSpec("settings", "Settings", _settings, ("settings_changed",), shortcut="F2"),
    PanelSpec(
        "targets",
        "Targets",
        _targets,
        ("targets_changed", "targets_import_requested"),
        shortcut="F7",
        in_rail=False,
    ),
    PanelSpec(
        "limits", "Gates and alerts", _limits, ("limits_changed",), shortcut="F4", in_rail=False
    ),
    PanelSpec(
        VEHICLE_PAGE,
        "Vehicle",
        _vehicle,
        ("vehicle_chosen", "vehicle_saved"),
        shortcut="F9",
        in_rail=False,
    ),
    PanelSpec(
        PLAN_LIMITS_PAGE,
        "Plan limits",
        _plan_limits,
        ("plan_limits_changed", "plan_limits_reset_requested"),
        shortcut="F10",
        in_rail=False,
    ),
    PanelSpec("keys", "Keys", _keys, shortcut="?"),
    PanelSpec("about", "About", _about, shortcut="F12"),
)


def page_keys() -> list[tuple[str, PanelSpec]]:
    """Return every page with the key that opens it; pages of the workflow are numbered."""
    numbers = iter(range(1, len(PANELS) + 1))
    return [
        (str(next(numbers)) if spec.mark is not None else spec.shortcut, spec) for spec in PANELS
    ]
