"""Preflight and mapping as a tuner uses them: real window, real multicast, real files."""

import json
import time

import pytest
from PySide6.QtCore import Qt

from dynoai_desktop.core.channels import Channel
from dynoai_desktop.core.trust.channel_map import Choice
from dynoai_desktop.station import LOOPBACK, Station
from tests.test_station import LONG, station  # noqa: F401 - the fixture

# Pytest finds fixtures by name in the module.
pytestmark = pytest.mark.timeout(90)


@pytest.fixture
def listening(qtbot, station: Station, monkeypatch) -> Station:  # noqa: F811
    """The station with the simulated dyno on the air; a preflight takes three seconds."""
    monkeypatch.setattr("dynoai_desktop.desks.trust_desk.SAMPLING_S", 3.0)
    station.start_simulator()
    window = station.window
    qtbot.waitUntil(
        lambda: Channel.HUMIDITY in window.state.mapping.channel_map.bindings, timeout=LONG
    )
    return station


def bindings(station: Station) -> dict:  # noqa: F811
    return dict(station.window.state.mapping.channel_map.bindings)


def test_p_runs_the_preflight_and_the_session_keeps_it(qtbot, listening) -> None:
    window = listening.window
    qtbot.keyClick(window, Qt.Key.Key_P)
    assert window.page == "preflight"
    qtbot.waitUntil(lambda: window.state.preflight.running)
    qtbot.waitUntil(lambda: window.state.preflight.report is not None, timeout=LONG)
    report = window.state.preflight.report
    assert report.simulated
    assert {c.id for c in report.checks if c.status == "pass"} >= {"connectivity", "recording"}
    listening.start_recording()
    qtbot.waitUntil(lambda: listening.recording is not None, timeout=LONG)
    document = json.loads((listening.recording.folder / "session.json").read_text())
    assert len(document["preflight"]["checks"]) == len(report.checks)


def test_a_failed_check_can_be_overridden_with_a_reason_that_is_kept(qtbot, listening) -> None:
    window = listening.window
    window.mapping_chosen.emit(Channel.MAP, Choice("", enabled=False))
    window.mapping_chosen.emit(Channel.TPS, Choice("", enabled=False))
    qtbot.waitUntil(lambda: Channel.MAP not in bindings(listening), timeout=LONG)
    window.preflight_requested.emit()
    qtbot.waitUntil(lambda: window.state.preflight.report is not None, timeout=LONG)
    report = window.state.preflight.report
    failed = {c.id for c in report.checks if c.status == "fail"}
    assert "required_channels" in failed
    assert not report.passed
    for check in failed:
        window.override_requested.emit(check, "only the power curve is wanted")
    assert window.state.preflight.report.passed
    kept = {c["id"]: c.get("override") for c in listening._desk.facts["preflight"]["checks"]}
    assert kept["required_channels"] == "only the power curve is wanted"


def test_a_chosen_source_is_used_at_once_and_given_back(qtbot, listening) -> None:
    window = listening.window
    assert bindings(listening)[Channel.RPM].source.name == "Engine RPM"
    window.mapping_chosen.emit(Channel.RPM, Choice("Digital RPM 1"))
    qtbot.waitUntil(
        lambda: bindings(listening)[Channel.RPM].source.name == "Digital RPM 1", timeout=LONG
    )
    assert not window.state.mapping.saved
    window.mapping_chosen.emit(Channel.RPM, None)
    qtbot.waitUntil(
        lambda: bindings(listening)[Channel.RPM].source.name == "Engine RPM", timeout=LONG
    )


def test_a_saved_mapping_is_found_again_by_the_channels(qtbot, listening, data_dir) -> None:
    window = listening.window
    window.mapping_chosen.emit(Channel.RPM, Choice("Digital RPM 1"))
    qtbot.waitUntil(
        lambda: bindings(listening)[Channel.RPM].source.name == "Digital RPM 1", timeout=LONG
    )
    window.mapping_save_requested.emit()
    assert window.state.mapping.saved
    assert list((data_dir / "vehicles").rglob("mappings/*.json"))
    listening.listen(LOOPBACK)
    qtbot.waitUntil(
        lambda: (
            Channel.RPM in bindings(listening)
            and bindings(listening)[Channel.RPM].source.name == "Digital RPM 1"
        ),
        timeout=LONG,
    )


def test_an_exported_mapping_can_be_imported_elsewhere(qtbot, listening, tmp_path) -> None:
    window, path = listening.window, tmp_path / "shop.json"
    window.mapping_chosen.emit(Channel.RPM, Choice("Digital RPM 1"))
    qtbot.waitUntil(
        lambda: bindings(listening)[Channel.RPM].source.name == "Digital RPM 1", timeout=LONG
    )
    window.mapping_export_requested.emit(path)
    window.mapping_chosen.emit(Channel.RPM, None)
    qtbot.waitUntil(
        lambda: bindings(listening)[Channel.RPM].source.name == "Engine RPM", timeout=LONG
    )
    window.mapping_import_requested.emit(path)
    qtbot.waitUntil(
        lambda: bindings(listening)[Channel.RPM].source.name == "Digital RPM 1", timeout=LONG
    )


@pytest.mark.parametrize("content", [b"", b"{}", b"[1, 2]", b"\x00" * 100, b'{"type": 5}'])
def test_a_file_that_is_no_mapping_leaves_the_present_one(qtbot, listening, tmp_path, content):
    window, path = listening.window, tmp_path / "x.json"
    path.write_bytes(content)
    before = bindings(listening)
    window.mapping_import_requested.emit(path)
    assert "x.json is not used" in window.state.notice.text
    assert bindings(listening) == before


def test_a_second_dyno_cannot_change_a_number_of_a_pinned_run(qtbot, listening) -> None:
    window = listening.window
    window.providers_pinned.emit(("Power Core SIMULATED",))
    qtbot.waitUntil(lambda: Channel.HUMIDITY not in bindings(listening), timeout=LONG)
    used = {b.source.provider for b in bindings(listening).values()}
    assert used == {"Power Core SIMULATED"}
    foreign = next(
        p for p in window.live_model.health.providers if p.name.startswith("Atmospheric")
    )
    qtbot.waitUntil(
        lambda: any(
            p.name == foreign.name and p.frames > foreign.frames
            for p in window.live_model.health.providers
        ),
        timeout=LONG,
    )
    window.providers_pinned.emit(())
    qtbot.waitUntil(lambda: Channel.HUMIDITY in bindings(listening), timeout=LONG)


def test_a_preflight_is_cancelled_when_the_source_changes(qtbot, listening) -> None:
    window = listening.window
    window.preflight_requested.emit()
    assert window.state.preflight.running
    started = time.monotonic()
    listening.listen("203.0.113.9")
    assert not window.state.preflight.running
    assert time.monotonic() - started < 10


def test_the_difference_of_the_widebands_is_remembered_with_the_mapping(
    qtbot, listening, data_dir
) -> None:
    window = listening.window
    window.preflight_requested.emit()
    qtbot.waitUntil(lambda: window.state.preflight.report is not None, timeout=LONG)
    window.mapping_save_requested.emit()
    path = next((data_dir / "vehicles").rglob("widebands.json"))
    assert abs(json.loads(path.read_text())["front_minus_rear"]) < 0.2
