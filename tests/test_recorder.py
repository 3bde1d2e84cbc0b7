"""Every datagram is kept, whatever happens to the program or to the disk."""

import csv
import errno
import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType

import pytest

from dynoai_desktop.capture.pcap import PcapReader
from dynoai_desktop.capture.recorder import COLUMNS, Recorder, new_session_folder
from dynoai_desktop.capture.sources.contract import CaptureError, Datagram
from dynoai_desktop.core.channels import Channel
from dynoai_desktop.core.samples import WINDOW_US, Aggregate
from dynoai_desktop.core.store.sessions import list_sessions, summarise
from dynoai_desktop.core.store.vehicles import vehicle_slug

START_US = 1_700_000_000_000_000
GROUP = ("224.0.2.10", 22344)


def make(folder: Path, preamble=(), **document) -> Recorder:
    folder.mkdir(parents=True)
    return Recorder(folder, document, preamble, *GROUP, START_US)


def datagrams(first: int, count: int) -> list[Datagram]:
    return [
        Datagram(START_US + 1000 * i, i.to_bytes(4, "little"), ("169.254.22.100", 22344))
        for i in range(first, first + count)
    ]


def kept(folder: Path) -> list[Datagram]:
    with PcapReader(folder / "raw.pcap") as reader:
        return list(reader)


def test_what_arrived_is_on_disk_in_order_with_its_arrival_time(tmp_path) -> None:
    recorder = make(tmp_path / "s")
    for first in range(0, 500, 50):
        recorder.write(datagrams(first, 50))
    progress = recorder.close()
    assert progress.error == ""
    assert kept(tmp_path / "s") == datagrams(0, 500)


def test_the_announcements_heard_before_come_first(tmp_path) -> None:
    early = [Datagram(START_US - 20_000_000, b"who I am", ("169.254.22.100", 22344))]
    recorder = make(tmp_path / "s", preamble=early)
    recorder.write(datagrams(0, 1))
    recorder.close()
    assert kept(tmp_path / "s")[0] == early[0]


def test_the_table_leaves_what_was_not_heard_empty(tmp_path) -> None:
    recorder = make(tmp_path / "s")
    index = START_US // WINDOW_US
    recorder.write_row(Aggregate(index, MappingProxyType({Channel.RPM: 0.0}), 1))
    recorder.write_row(Aggregate(index + 1, MappingProxyType({Channel.TPS: 12.5}), 1))
    recorder.close()
    with (tmp_path / "s" / "live.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == COLUMNS
    assert (rows[0]["rpm [rpm]"], rows[0]["tps [%]"]) == ("0", "")
    assert (rows[1]["rpm [rpm]"], rows[1]["tps [%]"]) == ("", "12.5")
    assert rows[1]["time_s"] == "0.050"


def test_the_session_document_says_what_was_recorded_and_that_it_ended(tmp_path) -> None:
    recorder = make(tmp_path / "s", vehicle="Road King", simulated=True)
    recorder.write(datagrams(0, 1001))
    recorder.close({"providers": ["x"]})
    document = json.loads((tmp_path / "s" / "session.json").read_text())
    assert document["schema_version"] == 1
    assert document["duration_s"] == 1.0
    assert document["datagrams"] == 1001
    assert document["providers"] == ["x"]
    listed = list_sessions(tmp_path)[0]
    assert (listed.vehicle, listed.simulated, listed.note) == ("Road King", True, "")


def test_a_session_that_was_cut_short_is_listed_as_such(tmp_path) -> None:
    recorder = make(tmp_path / "s")
    assert summarise(tmp_path / "s").note == "ended unexpectedly"
    recorder.close()


def test_a_session_without_a_readable_document_is_still_listed(tmp_path) -> None:
    make(tmp_path / "s").close()
    (tmp_path / "s" / "session.json").write_text("{")
    assert "can be replayed" in list_sessions(tmp_path)[0].note


_KILLED = """
import sys
from pathlib import Path
from tests.test_recorder import datagrams, make
folder = Path(sys.argv[1])
recorder = make(folder)
sent = 0
while True:
    recorder.write(datagrams(sent, 20))
    sent += 20
    if sent % 2000 == 0:
        while (folder / "raw.pcap").stat().st_size < 24 + 48 * sent:
            recorder.progress()
        print(sent, flush=True)
"""


def test_a_killed_program_loses_nothing_that_had_been_handed_over_a_second_before(tmp_path):
    folder = tmp_path / "s"
    process = subprocess.Popen(
        [sys.executable, "-c", _KILLED, str(folder)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parent.parent,
    )
    assert process.stdout is not None
    with process.stdout:
        promised = int(process.stdout.readline())
        process.send_signal(signal.SIGKILL if os.name == "posix" else signal.SIGTERM)
        process.wait(10)
    survived = kept(folder)
    assert len(survived) >= promised
    assert survived == datagrams(0, len(survived))


def test_a_full_disk_is_an_alarm_and_what_was_written_before_stays(tmp_path, monkeypatch) -> None:
    recorder = make(tmp_path / "s")
    recorder.write(datagrams(0, 10))
    writer = recorder._writer
    real = writer._files["raw.pcap"]

    class FullAfter:
        """The disk as the writer sees it once it is full: a short write, then the error."""

        def __init__(self) -> None:
            self.room = 300

        def write(self, data) -> int:
            if not self.room:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            part = data[: self.room]
            self.room -= len(part)
            return real.write(part)

        def fileno(self) -> int:
            return real.fileno()

        def close(self) -> None:
            real.close()

    writer._files["raw.pcap"] = FullAfter()
    writer.join(0.6)
    recorder.write(datagrams(10, 400))
    progress = recorder.close()
    assert "No space left" in progress.error
    assert "Check the disk" in progress.error
    survived = kept(tmp_path / "s")
    assert survived == datagrams(0, len(survived))


def test_a_vanished_folder_is_an_alarm(tmp_path) -> None:
    recorder = make(tmp_path / "s")
    recorder.write(datagrams(0, 10))
    (tmp_path / "s").rename(tmp_path / "elsewhere")
    progress = recorder.close()
    assert "vanished" in progress.error or "Cannot save" in progress.error


@pytest.mark.skipif(
    not Path("/dev/full").exists(), reason="needs a device that is always full, as Linux has"
)
def test_a_really_full_device_is_an_alarm(tmp_path, monkeypatch) -> None:
    folder = tmp_path / "s"
    folder.mkdir()
    real_open = Path.open

    def open_full(self, mode="r", **options):
        return real_open(
            Path("/dev/full") if self.name == "raw.pcap" else self,
            mode.replace("x", "w") if self.name == "raw.pcap" else mode,
            **options,
        )

    monkeypatch.setattr(Path, "open", open_full)
    recorder = Recorder(folder, {}, (), *GROUP, START_US)
    monkeypatch.undo()
    recorder._writer.join(5)
    assert "No space left" in recorder.error
    recorder.write(datagrams(0, 5))  # the screen goes on; nothing piles up and nothing raises
    assert recorder._writer.queue.qsize() < 5
    recorder.close()


def test_a_folder_that_cannot_be_made_is_one_clear_sentence(tmp_path) -> None:
    (tmp_path / "sessions").write_text("a file where a folder should be")
    with pytest.raises(CaptureError, match="Choose another data folder"):
        new_session_folder(tmp_path / "sessions", "x", datetime.now(UTC))


def test_two_sessions_of_one_second_get_folders_of_their_own(tmp_path) -> None:
    now = datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC)
    first, second = (new_session_folder(tmp_path, "Road King", now) for _ in range(2))
    assert first.name == "20261121T120000Z_road-king"
    assert second.name == "20261121T120000Z_road-king-2"


@pytest.mark.parametrize("name", ["../../etc", "a/b\\c", "", "...", "\x00", "ÄÖÜ", "x" * 300])
def test_a_vehicle_name_never_leaves_its_folder(tmp_path, name) -> None:
    assert vehicle_slug(name).strip("abcdefghijklmnopqrstuvwxyz0123456789-") == ""
    assert 0 < len(vehicle_slug(name)) <= 40
