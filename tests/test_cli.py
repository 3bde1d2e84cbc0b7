"""The command line that scripts and shop automation rely on."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from dynoai_desktop.capture.pcap import file_header
from dynoai_desktop.cli import main
from dynoai_desktop.commands import COMMANDS
from dynoai_desktop.core.store.json_store import json_text


@pytest.fixture(scope="module")
def recording(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("sim") / "two pulls.pcap"
    assert main(["simulate", "--out", str(path), "--pulls", "1", "--seed", "3"]) == 0
    return path


def document(capsys) -> dict:
    """Exactly one JSON document on stdout, and no NaN in it."""

    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is not JSON")

    return json.loads(capsys.readouterr().out, parse_constant=refuse)


def test_the_same_seed_writes_the_same_file(recording, tmp_path) -> None:
    again = tmp_path / "again.pcap"
    main(["simulate", "--out", str(again), "--pulls", "1", "--seed", "3"])
    assert again.read_bytes() == recording.read_bytes()
    main(["simulate", "--out", str(again), "--pulls", "1", "--seed", "4"])
    assert again.read_bytes() != recording.read_bytes()


def test_inspect_says_what_is_in_a_recording(recording, capsys) -> None:
    assert main(["inspect", str(recording), "--json"]) == 0
    found = document(capsys)
    assert found["format"] == "jetdrive-pcap"
    assert found["simulated"] is True
    core = found["providers"][0]
    assert core["name"] == "Power Core SIMULATED"
    assert (core["lost"], core["duplicates"], core["out_of_order"], core["malformed"]) == (0,) * 4
    rpm = next(c for c in core["channels"] if c["name"] == "Engine RPM")
    assert rpm["unit"] == "rpm"
    assert rpm["max"] > 5000
    assert rpm["rate_hz"] == pytest.approx(100, abs=1)


def test_inspect_reports_the_reference_capture_as_its_facts_say(shared_data, capsys) -> None:
    path = shared_data / "jetdrive" / "reference_two_providers.pcap"
    assert main(["inspect", str(path), "--json"]) == 0
    found = document(capsys)
    core, probe = found["providers"]
    assert (core["host_id"], core["frames"], core["samples"]) == (0x4C27, 1704, 58_888)
    assert (probe["host_id"], probe["frames"], probe["samples"]) == (0xB23C, 72, 476)
    assert (len(core["channels"]), len(probe["channels"])) == (35, 7)
    assert found["warnings"] == []
    by_name = {c["name"]: c for c in core["channels"]}
    assert by_name["Engine RPM"]["max"] == pytest.approx(6200.3, abs=0.05)
    assert by_name["Knock Retard Front"]["max"] == 2.5


def test_inspect_reads_like_a_report_without_json(recording, capsys) -> None:
    main(["inspect", str(recording)])
    text = capsys.readouterr().out
    assert "Engine RPM" in text
    assert "lost 0" in text


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "empty"),
        (file_header()[:20] + b"\x69\0\0\0", "link of type 105"),
        (b"\x0a\x0d\x0d\x0a" + bytes(60), "pcapng"),
        (b"nothing of the kind", "not a pcap|too short"),
    ],
)
def test_an_unreadable_file_is_exit_2_and_one_sentence(tmp_path, capsys, content, sentence):
    path = tmp_path / "x.pcap"
    path.write_bytes(content)
    assert main(["inspect", str(path), "--json"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.strip().splitlines()) == 1
    assert any(word in err for word in sentence.split("|"))


def test_a_truncated_recording_is_read_up_to_the_break(recording, tmp_path, capsys) -> None:
    path = tmp_path / "cut.pcap"
    path.write_bytes(recording.read_bytes()[:-7])
    assert main(["inspect", str(path), "--json"]) == 0
    assert [w["code"] for w in document(capsys)["warnings"]] == ["truncated"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["inspect", "no such file.pcap"],
        ["simulate", "--profile", "moped", "--out", "x.pcap"],
        ["simulate", "--scenario", "hopeless", "--out", "x.pcap"],
        ["simulate", "--pulls", "0", "--out", "x.pcap"],
        ["simulate", "--out", "no such folder/x.pcap"],
        ["record", "--seconds", "-1"],
        ["record", "--seconds", "nan", "--iface", "127.0.0.1"],
        ["record", "--seconds", "1", "--iface", "203.0.113.9"],
        ["tour", "--out", "x", "no such file.pcap"],
        ["bench", "--only", "patience"],
    ],
)
def test_bad_usage_is_exit_2_and_one_clear_sentence(tmp_path, monkeypatch, capsys, arguments):
    monkeypatch.chdir(tmp_path)
    assert main([*arguments, "--data-dir", str(tmp_path / "data")]) == 2
    _, err = capsys.readouterr()
    assert len(err.strip().splitlines()) == 1
    assert err.strip().endswith(".")
    assert list(tmp_path.iterdir()) == [] or [p.name for p in tmp_path.iterdir()] == ["data"]


def test_an_unknown_command_names_the_known_ones(capsys) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(["measure"])
    assert exit_.value.code == 2
    assert all(command.name in capsys.readouterr().err for command in COMMANDS[:1])


@pytest.mark.parametrize("command", [command.name for command in COMMANDS])
def test_every_command_explains_itself(command, capsys) -> None:
    with pytest.raises(SystemExit) as exit_:
        main([command, "--help"])
    assert exit_.value.code == 0
    assert "--data-dir" in capsys.readouterr().out


def test_json_has_no_nan_and_no_infinity() -> None:
    assert json.loads(json_text({"a": [float("nan"), float("inf"), 1.0]})) == {
        "a": [None, None, 1.0]
    }


def test_inspect_does_not_wait_for_qt(recording) -> None:
    code = (
        "import sys; from dynoai_desktop.cli import main; "
        f"main(['inspect', {str(recording)!r}]); "
        "assert not [m for m in sys.modules if m.startswith(('PySide6', 'pandas'))]"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


class Publisher:
    """The simulated dyno in a process of its own, as `--demo` starts it."""

    def __init__(self, port: int) -> None:
        self.port = port

    def __enter__(self) -> subprocess.Popen:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "dynoai_desktop", "simulate", "--iface", "127.0.0.1",
             "--until-stdin-closes"],
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"JETDRIVE_PORT": str(self.port)},
        )  # fmt: skip
        assert self.process.stderr is not None
        assert self.process.stderr.readline() == "publishing\n"
        return self.process

    def __exit__(self, *exc: object) -> None:
        self.process.communicate(timeout=10)
        assert self.process.returncode == 0


def test_record_hears_the_simulated_dyno_on_real_multicast(
    data_dir, free_udp_port, monkeypatch, capsys
) -> None:
    monkeypatch.setenv("JETDRIVE_PORT", str(free_udp_port))
    arguments = ["--seconds", "3.5", "--iface", "127.0.0.1", "--vehicle", "Road King", "--json"]
    with Publisher(free_udp_port):
        assert main(["record", *arguments, "--data-dir", str(data_dir)]) == 0
    found = document(capsys)
    assert {p["name"] for p in found["providers"]} == {
        "Power Core SIMULATED",
        "Atmospheric Probe SIMULATED",
    }
    assert all(p["lost"] == 0 for p in found["providers"])
    folder = Path(found["session"])
    assert folder.name.endswith("_road-king")
    session = json.loads((folder / "session.json").read_text())
    assert session["simulated"] is True
    assert session["mapping"]["rpm"]["name"] == "Engine RPM"
    assert main(["inspect", str(folder), "--json"]) == 0
    assert len(document(capsys)["providers"]) == 2


def test_record_says_so_when_nothing_is_heard(data_dir, free_udp_port, monkeypatch, capsys):
    monkeypatch.setenv("JETDRIVE_PORT", str(free_udp_port))
    monkeypatch.setenv("JETDRIVE_IFACE", "127.0.0.1")
    assert main(["record", "--seconds", "0.3", "--data-dir", str(data_dir)]) == 1
    assert "Nothing was heard of a dyno" in capsys.readouterr().err


def test_mapping_names_sources_confidence_and_reasons(shared_data, capsys) -> None:
    path = shared_data / "jetdrive" / "reference_two_providers.pcap"
    assert main(["mapping", str(path), "--json"]) == 0
    found = document(capsys)
    assert found["ready"] is True
    names = {key: entry["name"] for key, entry in found["channels"].items()}
    assert names["rpm"] == "Engine RPM"
    assert (names["afr_front"], names["afr_rear"]) == (
        "LC1 Volts Petrol AFR",
        "LC2 Volts Petrol AFR",
    )
    assert names["map_kpa"] == "MAP kPa"
    assert found["channels"]["baro"]["provider"] == "Atmospheric Probe"
    assert all(entry["reasons"] for entry in found["channels"].values())
    assert not set(names.values()) & {"Sampling", "TCP TX kB/s", "Internal Temp 1"}


def without(path: Path, names: tuple[bytes, ...], out: Path) -> Path:
    """The reference capture with channels renamed to something that says nothing."""
    data = path.read_bytes()
    for name in names:
        data = data.replace(name + bytes(30 - len(name)), b"Thing".ljust(30, b"\0"))
    out.write_bytes(data)
    return out


def test_without_a_manifold_sensor_barometric_pressure_is_not_taken_for_it(
    shared_data, tmp_path, capsys
) -> None:
    source = shared_data / "jetdrive" / "reference_two_providers.pcap"
    path = without(source, (b"MAP kPa", b"TPS"), tmp_path / "no map.pcap")
    assert main(["mapping", str(path), "--json"]) == 1
    found = document(capsys)
    assert "map_kpa" not in found["channels"]
    assert found["unmapped_required"] == ["map_kpa"]
    assert main(["preflight", str(path), "--json"]) == 1
    failed = [c["id"] for c in document(capsys)["checks"] if c["status"] == "fail"]
    assert "required_channels" in failed


def test_preflight_passes_the_reference_capture_and_explains_every_check(shared_data, capsys):
    path = shared_data / "jetdrive" / "reference_two_providers.pcap"
    assert main(["preflight", str(path), "--json"]) == 0
    found = document(capsys)
    assert found["passed"] is True
    assert len(found["checks"]) >= 20
    assert all(c["message"] for c in found["checks"])
    assert all(c["fix"] for c in found["checks"] if c["status"] in ("fail", "warning"))


def test_preflight_finds_what_is_wrong_with_a_real_capture(shared_data, capsys) -> None:
    path = shared_data / "real" / "jetdrive_capture_1.csv"
    assert main(["preflight", str(path), "--json"]) == 1
    failed = {c["id"] for c in document(capsys)["checks"] if c["status"] == "fail"}
    assert {"required_channels", "held_values"} <= failed


def test_preflight_listens_to_the_network(data_dir, free_udp_port, monkeypatch, capsys) -> None:
    monkeypatch.setenv("JETDRIVE_PORT", str(free_udp_port))
    arguments = ["--live", "--iface", "127.0.0.1", "--seconds", "6", "--json"]
    with Publisher(free_udp_port):
        main(["preflight", *arguments, "--data-dir", str(data_dir)])
    found = document(capsys)
    by_id = {c["id"]: c["status"] for c in found["checks"]}
    assert found["simulated"] is True
    assert (by_id["connectivity"], by_id["required_channels"]) == ("pass", "pass")
    assert (by_id["recording"], by_id["disk_space"], by_id["processor"]) == ("pass",) * 3
