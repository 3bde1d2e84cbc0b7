"""The steps of a tune's history as the window lists them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dynoai_desktop.core.store.json_store import StoreError
from dynoai_desktop.core.tune.difference import Difference
from dynoai_desktop.core.tune.events import Event, applied
from dynoai_desktop.core.tune.store import TuneStore
from dynoai_desktop.core.tune.tables import TuneError
from dynoai_desktop.ui.messages import TuneStep


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """The steps so far, or why they cannot be shown."""

    steps: tuple[TuneStep, ...] = ()
    can_undo: bool = False
    problem: str = ""


def read_history_of(store: TuneStore, known: Mapping[str, Difference | None]) -> History:
    """Return the history on disk; *known* are differences worked out before, by hash of a step."""
    try:
        events = store.history()
    except (TuneError, StoreError) as error:
        return History(problem=str(error))
    undone = {event.undoes for event in events}
    steps = tuple(_step(store, event, event.sequence in undone, known) for event in events)
    return History(steps, bool(applied(events)))


def _step(
    store: TuneStore, event: Event, taken_back: bool, known: Mapping[str, Difference | None]
) -> TuneStep:
    try:
        found = known[event.hash] if event.hash in known else store.difference(event)
    except TuneError:
        found = None
    return TuneStep(
        event.sequence,
        event.operation,
        event.at,
        tuple(Path(file.output).name for file in event.files),
        taken_back,
        found,
        event.hash,
        event.half,
        event.alone,
    )
