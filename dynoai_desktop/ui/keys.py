"""Every key of the window, in the order of the help page."""

from __future__ import annotations

from dataclasses import dataclass

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

KEYS: tuple[KeyRow, ...] = (
    KeyRow("record", ("Space",), "Start or stop recording; pause or go on in a replay"),
    *_MAP_KEYS,
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
    KeyRow("open_file", ("Ctrl+O",), "Replay a recording from elsewhere", ("runs",)),
    KeyRow("open_folder", ("O",), "Show the run in the file manager", ("runs",)),
    KeyRow("acknowledge", ("A",), "Acknowledge the notice at the foot of the window"),
    KeyRow("back", ("Esc",), "Back: out of the saddle view, out of settings and help"),
)

# Said on the help page, done by the widget that has the focus.
MORE_KEYS: tuple[tuple[str, str], ...] = (
    ("Enter", "Listen on the chosen interface; replay the chosen run; choose a source; override"),
    ("Tab", "To the next list, field or button"),
)
