"""A recording replayed is the session as it was, at any pace."""

from pathlib import Path

import pytest

from dynoai_desktop.capture.pcap import PacketEncoder, file_header
from dynoai_desktop.capture.sources.contract import CaptureError, Datagram
from dynoai_desktop.capture.sources.replay import ReplaySource, recording_span

START_US = 1_700_000_000_000_000


def recording(folder: Path, seconds: float = 10.0, step_ms: int = 20) -> Path:
    encoder = PacketEncoder("224.0.2.10", 22344)
    path = folder / "raw.pcap"
    times = range(0, int(seconds * 1e6), step_ms * 1000)
    items = [Datagram(START_US + t, t.to_bytes(8, "little"), ("10.0.0.1", 5)) for t in times]
    path.write_bytes(file_header() + b"".join(map(encoder.encode, items)))
    return path


class Clock:
    """A monotonic clock that the test moves; sleeping moves it too."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock(monkeypatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("dynoai_desktop.capture.sources.replay.time", clock)
    return clock


def opened(path: Path, speed: float) -> ReplaySource:
    source = ReplaySource(path, speed)
    source.open()
    return source


def read_for(source: ReplaySource, clock: Clock, seconds: float) -> list[Datagram]:
    until, got = clock.now + seconds, []
    while clock.now < until and not source.finished:
        got += source.receive(0.02)
    return got


def test_as_fast_as_possible_hands_out_everything_in_order(tmp_path) -> None:
    source, got = opened(recording(tmp_path), 0), []
    while not source.finished:
        got += source.receive(0.0)
        assert source.now_us() >= got[-1].arrival_us
    source.close()
    assert [d.arrival_us for d in got] == list(range(START_US, START_US + 10_000_000, 20_000))


@pytest.mark.parametrize("speed", [1.0, 4.0, 16.0])
def test_pace_follows_the_chosen_speed(tmp_path, clock, speed) -> None:
    source = opened(recording(tmp_path, 60), speed)
    got = read_for(source, clock, 2.0)
    source.close()
    assert (got[-1].arrival_us - START_US) / 1e6 == pytest.approx(2.0 * speed, abs=0.05 * speed)


def test_the_clock_never_runs_ahead_of_a_datagram_still_to_come(tmp_path, clock) -> None:
    source = opened(recording(tmp_path), 16.0)
    for _ in range(50):
        clock.now += 0.037
        now_us = source.now_us()
        following = source.receive(0.0)
        assert all(d.arrival_us >= now_us for d in following[:1])
        assert source.now_us() >= now_us
    source.close()


def test_pause_holds_the_recording_and_its_clock(tmp_path, clock) -> None:
    source = opened(recording(tmp_path), 1.0)
    read_for(source, clock, 1.0)
    source.set_paused(True)
    source.receive(0.0)
    held = source.now_us()
    assert read_for(source, clock, 5.0) == []
    assert source.now_us() == held
    source.set_paused(False)
    assert read_for(source, clock, 1.0)
    source.close()


def test_seeking_forward_runs_through_everything_on_the_way(tmp_path, clock) -> None:
    source = opened(recording(tmp_path), 1.0)
    assert source.seek(5.0) is False
    got = read_for(source, clock, 0.05)
    assert [d.arrival_us for d in got][:250] == list(range(START_US, START_US + 5_000_000, 20_000))
    assert source.elapsed_s == pytest.approx(5.0, abs=0.1)
    source.close()


def test_seeking_back_starts_over_and_says_so(tmp_path, clock) -> None:
    source = opened(recording(tmp_path), 1.0)
    read_for(source, clock, 6.0)
    assert source.seek(2.0) is True
    got = read_for(source, clock, 0.05)
    assert got[0].arrival_us == START_US
    assert source.elapsed_s == pytest.approx(2.0, abs=0.1)
    source.close()


def test_seeking_works_while_paused(tmp_path, clock) -> None:
    source = opened(recording(tmp_path), 1.0)
    source.set_paused(True)
    source.seek(3.0)
    read_for(source, clock, 0.2)
    assert source.elapsed_s == pytest.approx(3.0, abs=0.001)
    source.close()


def test_seeking_beyond_the_end_finishes(tmp_path, clock) -> None:
    source = opened(recording(tmp_path), 1.0)
    source.seek(1e6)
    read_for(source, clock, 0.5)
    assert source.finished
    source.close()


def test_a_session_folder_is_as_good_as_its_file(tmp_path) -> None:
    path = recording(tmp_path)
    assert recording_span(tmp_path) == recording_span(path)
    assert recording_span(path) == (START_US, START_US + 9_980_000, 500)


def test_a_recording_without_datagrams_is_refused_in_words(tmp_path) -> None:
    path = tmp_path / "raw.pcap"
    path.write_bytes(file_header())
    with pytest.raises(CaptureError, match="nothing to replay"):
        ReplaySource(path).open()


def test_a_replay_cannot_run_backwards(tmp_path) -> None:
    source = opened(recording(tmp_path), 1.0)
    with pytest.raises(ValueError, match="backwards"):
        source.set_speed(-1.0)
    source.close()
