"""A JETDRIVE stream written as a table by a logger: SI units as on the wire, names cut at 30."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from dynoai_desktop.capture.readers.contract import Cancelled, LogReader, Progress
from dynoai_desktop.capture.readers.draft import Draft
from dynoai_desktop.capture.readers.headers import Header
from dynoai_desktop.capture.readers.table import Format
from dynoai_desktop.capture.readers.textlog import read_text_log
from dynoai_desktop.core.logs import Code, LogTable, LogWarning
from dynoai_desktop.core.trust.names import WIRE_NAME_BYTES
from dynoai_desktop.core.units import Unit

_FIRST = re.compile(rb'^(\xef\xbb\xbf)?"?(Timestamp|timestamp)"?,')
_OWN = re.compile(rb'[,"](chan_\d+|Engine Speed|Digital RPM 1|Engine RPM)["\r\n,]')
# The wire is SI. Speed is left open: loggers were seen to convert it without saying so.
_UNITS = {
    "engine temperature": Unit.CELSIUS,
    "intake air temperature": Unit.CELSIUS,
    "temperature 1": Unit.CELSIUS,
    "temperature 2": Unit.CELSIUS,
    "pressure": Unit.KILOPASCAL,
    "manifold absolute pressure": Unit.KILOPASCAL,
}


def detect(_path: Path, head: bytes) -> float:
    """Return 0.9 for a Timestamp column beside the names of a Dynojet network."""
    first = head.split(b"\n", 1)[0] + b"\n"
    if not _FIRST.match(first):
        return 0.0
    return 0.9 if len(_OWN.findall(first)) >= 2 or b"chan_" in first else 0.0


def read(
    path: Path, progress: Progress | None = None, cancelled: Cancelled | None = None
) -> LogTable:
    """Return the log in *path*. Raises ReaderError."""
    return read_text_log(path, _FORM, progress, cancelled)


def _unit(header: Header) -> Unit | None:
    return _UNITS.get(header.name.lower())


def _judge(draft: Draft) -> Iterable[LogWarning]:
    cut = [i for i, c in draft.data() if len(c.name.encode()) >= WIRE_NAME_BYTES]
    if cut:
        yield LogWarning(
            Code.NAME_CUT,
            f"{draft.names(cut)}: cut at {WIRE_NAME_BYTES} characters by the network.",
            draft.keys(cut),
        )


_FORM = Format("jetdrive_capture", "JETDRIVE capture table", unit_of=_unit, judge=_judge)
READER = LogReader("jetdrive_capture", "JETDRIVE capture table", (".csv",), detect, read)
