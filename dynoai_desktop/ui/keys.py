"""Every key of the window, in the order of the help page."""

from __future__ import annotations

from dataclasses import dataclass

from dynoai_desktop.ui.rehearsal import DRIVES
from dynoai_desktop.ui.widgets.map_views import MAP_VIEWS


@dataclass(frozen=True, slots=True)
class KeyRow:
    """One action and its keys. Without pages it works everywhere."""

    action: str
    keys: tuple[str, ...]
    text: str
    pages: tuple[str, ...] = ()
    repeats: bool = False  # while the key is held down


_MAP_KEYS = (KeyRow("next_map", ("M",), "Next map view", ("live",)),) if len(MAP_VIEWS) > 1 else ()

_REHEARSAL = ("simulator", "tuning")
_SECTIONED = ("analyse", "plan")
_DRIVE_KEYS = tuple(
    KeyRow(f"drive_{row.programme}", (row.key,), f"Simulator: {row.title}", ("simulator",))
    for row in DRIVES
)

KEYS: tuple[KeyRow, ...] = (
    KeyRow("record", ("Space",), "Start or stop recording; pause or go on in a replay"),
    *_MAP_KEYS,
    KeyRow("next_cylinder", ("C",), "Map: worst of both, front, rear", ("live",)),
    KeyRow("targets", ("T",), "Targets, at the cell under the engine", ("live",)),
    KeyRow("analysis", ("E",), "Live analysis on or off; the recording goes on", ("live",)),
    KeyRow("reset_map", ("Ctrl+R",), "Empty the map; the recording goes on", ("live",)),
    KeyRow("saddle", ("F11",), "Saddle view: giant figures and the map"),
    KeyRow("seek_back", ("Left",), "Replay: back 5 s", ("live",), repeats=True),
    KeyRow("seek_on", ("Right",), "Replay: on 5 s", ("live",), repeats=True),
    KeyRow("faster", ("Up",), "Replay: faster", ("live",)),
    KeyRow("slower", ("Down",), "Replay: slower", ("live",)),
    KeyRow("go_live", ("L",), "Leave the replay, back to the dyno"),
    KeyRow("preflight", ("P",), "Preflight: check the data, from every page"),
    KeyRow("find", ("Ctrl+F",), "Find a channel", ("connect", "mapping", "health")),
    KeyRow("scale", ("S",), "Mapping: unit and scale of the source", ("mapping",)),
    KeyRow("automatic", ("B",), "Mapping: back to automatic", ("mapping",)),
    KeyRow("leave_empty", ("Del",), "Mapping: leave the quantity empty", ("mapping",)),
    KeyRow("show_all", ("H",), "Mapping: show all quantities", ("mapping",)),
    KeyRow("save", ("Ctrl+S",), "Mapping: save for this set of channels", ("mapping",)),
    KeyRow("export", ("Ctrl+E",), "Mapping: export to a file", ("mapping",)),
    KeyRow("import", ("Ctrl+I",), "Mapping: import from a file", ("mapping",)),
    KeyRow("templates", ("Ctrl+T",), "Mapping: use a template", ("mapping",)),
    KeyRow("pin", ("Ctrl+P",), "Pin the providers to use"),
    KeyRow("copy_list", ("Ctrl+C",), "Channels: copy the list for support", ("health",)),
    KeyRow("unused", ("N",), "Channels: those not used only", ("health",)),
    KeyRow("open_log", ("Ctrl+O",), "Analyse: open a recording or a log", ("analyse",)),
    KeyRow("next_section", ("PgDown",), "Analyse, Plan: next section", _SECTIONED),
    KeyRow("section_before", ("PgUp",), "Analyse, Plan: section before", _SECTIONED),
    KeyRow("next_surface", ("M",), "Analyse: next map", ("analyse",)),
    KeyRow("next_cylinder", ("C",), "Analyse: other cylinder", ("analyse",)),
    KeyRow("turn_cut", ("D",), "Analyse: cut along the other axis", ("analyse",)),
    KeyRow("whole_table", ("W",), "Analyse: whole table, or where the data are", ("analyse",)),
    KeyRow("copy_table", ("Ctrl+C",), "Analyse: copy what is shown, with axes", ("analyse",)),
    KeyRow("copy_bare", ("Ctrl+Shift+C",), "Analyse: copy for Power Core, no axes", ("analyse",)),
    KeyRow("copy_tunerstudio", ("Ctrl+Alt+C",), "Analyse: copy for TunerStudio", ("analyse",)),
    KeyRow("choose_tune", ("T",), "Tune: choose the tune to correct", ("analyse",)),
    KeyRow("lock_cell", ("K",), "Tune: lock the cell under the cursor", ("analyse",)),
    KeyRow("less_step", ("-",), "Tune: smaller step limit", ("analyse",)),
    KeyRow("more_step", ("+", "="), "Tune: larger step limit", ("analyse",)),
    KeyRow("half_step", ("F",), "Tune: half of each change, or all of it", ("analyse",)),
    KeyRow("one_cylinder", ("R",), "Tune: correct the measured cylinder alone", ("analyse",)),
    KeyRow("apply_tune", ("Ctrl+S",), "Tune: write the corrected copy", ("analyse",)),
    KeyRow("undo_tune", ("Z",), "Tune: take the last step back", ("analyse",)),
    KeyRow("tune_history", ("H",), "Tune: history, or the preview again", ("analyse",)),
    KeyRow("step_done", ("D",), "Plan: the test on the card is done", ("plan",)),
    KeyRow("step_skip", ("S",), "Plan: it is skipped, because …", ("plan",)),
    KeyRow("step_impossible", ("N",), "Plan: it is not possible here", ("plan",)),
    KeyRow("plan_take_back", ("Z",), "Plan: take the last answer or log back", ("plan",)),
    KeyRow("plan_cylinder", ("C",), "Plan: map of the worst of both, front, rear", ("plan",)),
    KeyRow("copy_checklist", ("Ctrl+C",), "Plan: copy the checklist", ("plan",)),
    KeyRow("export_checklist", ("Ctrl+E",), "Plan: write the checklist to a file", ("plan",)),
    KeyRow("plan_reset", ("Del",), "Plan: forget what was learned", ("plan",)),
    KeyRow("plan_restore", ("Ctrl+Z",), "Plan: bring back what was forgotten", ("plan",)),
    KeyRow("usual_limits", ("Ctrl+D",), "Plan limits: back to the usual ones", ("plan_limits",)),
    KeyRow("analyse_run", ("E",), "Analyse the chosen run", ("runs",)),
    KeyRow("open_file", ("Ctrl+O",), "Replay a recording from elsewhere", ("runs",)),
    KeyRow("open_folder", ("O",), "Show the run in the file manager", ("runs",)),
    KeyRow("rig_start", ("G",), "Simulated dyno: start, stop; virtual tuning: start", _REHEARSAL),
    *_DRIVE_KEYS,
    KeyRow("throttle_up", ("+", "="), "Simulator: open the throttle", ("simulator",), repeats=True),
    KeyRow("throttle_down", ("-",), "Simulator: close the throttle", ("simulator",), repeats=True),
    KeyRow("throttle_shut", ("0",), "Simulator: shut the throttle", ("simulator",)),
    KeyRow("gear_up", ("PgUp",), "Simulator: next gear", ("simulator",)),
    KeyRow("gear_down", ("PgDown",), "Simulator: gear before", ("simulator",)),
    KeyRow("clutch", ("K",), "Simulator: close or open the clutch", ("simulator",)),
    KeyRow("brake", ("B",), "Simulator: drum brake on or off", ("simulator",)),
    KeyRow("engine", ("E",), "Simulator: engine on or off", ("simulator",)),
    KeyRow("load", ("Q",), "Simulator: load brake on or off", ("simulator",)),
    KeyRow("load_mode", ("M",), "Simulator: what the load brake holds", ("simulator",)),
    KeyRow("vehicle_file", ("Ctrl+O",), "Simulator: a vehicle or tune from a file", _REHEARSAL),
    KeyRow("edit_rig_vehicle", ("O",), "Simulator: a vehicle of your own", ("simulator",)),
    KeyRow("save_rig", ("Ctrl+S",), "Simulator: save and use what is edited", ("simulator",)),
    KeyRow("edit_rig_tune", ("U",), "Simulator: a tune with errors of your own", ("simulator",)),
    KeyRow("abort", ("X",), "Abort what the simulated dyno does; stop a virtual tuning session"),
    KeyRow("tuning_map", ("M",), "Virtual tuning: next table", ("tuning",)),
    KeyRow("tuning_side", ("C",), "Virtual tuning: other cylinder", ("tuning",)),
    KeyRow("purge", ("Del",), "Virtual tuning: forget ended sessions", ("tuning",)),
    KeyRow("preset_street", ("Ctrl+1",), "Targets: street", ("targets",)),
    KeyRow("preset_performance", ("Ctrl+2",), "Targets: performance", ("targets",)),
    KeyRow("preset_boost", ("Ctrl+3",), "Targets: boost", ("targets",)),
    KeyRow("tune", ("Ctrl+U",), "Targets: take them from a tune", ("targets",)),
    KeyRow("undo", ("Z",), "Targets: undo", ("targets",)),
    KeyRow("default", ("D",), "Gates and alerts: back to the default", ("limits",)),
    KeyRow("all_defaults", ("Shift+D",), "Gates and alerts: all to their defaults", ("limits",)),
    KeyRow("edit_vehicle", ("E",), "Vehicle: change what is stated about it", ("vehicle",)),
    KeyRow("new_vehicle", ("N",), "Vehicle: a new one", ("vehicle",)),
    KeyRow("save_vehicle", ("Ctrl+S",), "Vehicle: save what was typed", ("vehicle",)),
    KeyRow("vehicle_tune", ("Ctrl+O",), "Vehicle: choose its tune file", ("vehicle",)),
    KeyRow("voice", ("V",), "Voice on or off"),
    KeyRow("alerts", ("F8",), "All alerts, and what is not watched"),
    KeyRow("acknowledge", ("A",), "Acknowledge the notice at the foot of the window"),
    KeyRow("back", ("Esc",), "Back: out of the saddle view, out of settings and help"),
)

# Said on the help page, done by the widget that has the focus.
MORE_KEYS: tuple[tuple[str, str], ...] = (
    ("Enter", "Listen; replay the chosen run; choose a source or a vehicle; override"),
    ("Esc Esc", "On Simulator: abort"),
    ("Tab", "To the next list, field or button"),
)
