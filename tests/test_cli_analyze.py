"""`analyze` from the command line: answers from what is kept, and refuses what it must not mix."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from dynoai_desktop.cli import main
from dynoai_desktop.commands import analyze
from dynoai_desktop.core.analysis import archive, settings
from dynoai_desktop.core.channels import Cylinder
from dynoai_desktop.core.store.vehicles import VehicleRecord
from dynoai_desktop.core.tune import matrix_csv
from dynoai_desktop.core.tune.formats import read_tune
from tests import tune_world


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("simulated") / "raw.pcap"
    assert main(["simulate", "--out", str(path), "--pulls", "1", "--seed", "5"]) == 0
    return path


@pytest.fixture
def session(recording: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "20260101T000000Z_bike"
    folder.mkdir()
    shutil.copy(recording, folder / "raw.pcap")
    (folder / "session.json").write_text('{"vehicle": "Bike"}')
    return folder


@pytest.fixture
def tune(tmp_path: Path) -> Path:
    path = tmp_path / "stage1.pvv"
    path.write_bytes(tune_world.pvv())
    return path


@pytest.fixture(scope="module")
def written(recording: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `--out` leaves behind for the recording on the tune's own axes."""
    folder = tmp_path_factory.mktemp("written")
    tune = folder / "stage1.pvv"
    tune.write_bytes(tune_world.pvv())
    out = ["--tune", str(tune), "--out", str(folder), "--data-dir", str(folder / "data")]
    assert main(["analyze", str(recording), *out]) == 0
    return folder


@pytest.fixture
def ask(data_dir: Path, capsys):
    """Call the program; returns exit code, the JSON document, and what it said."""

    def run(*arguments: object) -> tuple[int, dict, str]:
        capsys.readouterr()
        code = main([*map(str, arguments), "--json", "--data-dir", str(data_dir)])
        out, err = capsys.readouterr()
        return code, json.loads(out) if out else {}, err

    return run


@pytest.fixture
def analysed(monkeypatch) -> list[str]:
    """What is really analysed from here on, not answered from what is kept."""
    done = []
    real = analyze.analyse

    def counted(frame, told):
        done.append("analysed")
        return real(frame, told)

    monkeypatch.setattr(analyze, "analyse", counted)
    return done


def test_the_same_question_is_answered_from_what_is_kept(ask, session, analysed) -> None:
    code, first, said = ask("analyze", session)
    assert (code, said) == (0, "")
    assert json.loads((session / "analysis" / archive.NAME).read_text()) == first
    code, second, said = ask("analyze", session / "raw.pcap")
    assert (code, second) == (0, first)
    assert "kept with the session" in said
    assert analysed == ["analysed"]
    ask("analyze", session, "--fresh")
    assert len(analysed) == 2


def test_another_question_is_not(ask, session, tune, analysed, data_dir, monkeypatch) -> None:
    ask("analyze", session)
    _, on_tune, _ = ask("analyze", session, "--tune", tune)
    assert len(on_tune["ve_correction"]["front"]["rpm"]) == 5
    tune.write_bytes(tune_world.pvv(front=lambda r, c: "70"))
    ask("analyze", session, "--tune", tune)
    from dynoai_desktop.core.store.vehicle_folders import save_vehicle, vehicles_folder

    save_vehicle(vehicles_folder(data_dir), VehicleRecord("Bike", redline_rpm=5600.0))
    ask("analyze", session, "--tune", tune)
    (session / "session.json").write_text('{"vehicle": "Bike", "stoich": 14.2}')
    ask("analyze", session, "--tune", tune)
    monkeypatch.setattr(archive, "MATH_VERSION", "next")
    ask("analyze", session, "--tune", tune)
    assert len(analysed) == 6


def test_a_kept_analysis_that_was_damaged_is_made_anew(ask, session, analysed) -> None:
    ask("analyze", session)
    path = session / "analysis" / archive.NAME
    path.write_text(path.read_text()[:1000])
    code, document, _ = ask("analyze", session)
    assert code == 0
    assert len(analysed) == 2
    assert json.loads(path.read_text()) == document


def test_a_table_beside_the_recording_is_a_log_of_its_own(ask, session, analysed) -> None:
    ask("analyze", session)
    log = session / "export.csv"
    rows = "".join(f"{i / 20},{2000 + i},{60 + i % 7}\n" for i in range(200))
    log.write_text(f"Time (s),RPM,MAP (kPa)\n{rows}")
    before = (session / "analysis" / archive.NAME).read_bytes()
    _, document, _ = ask("analyze", log)
    assert document["input"]["rows"] == 200
    assert (session / "analysis" / archive.NAME).read_bytes() == before


def test_a_session_that_cannot_be_written_to_is_analysed_all_the_same(
    ask, session, monkeypatch, caplog
) -> None:
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("dynoai_desktop.core.tune.files.os.fsync", full)
    code, document, _ = ask("analyze", session)
    assert code == 0
    assert document["simulated"] is True
    assert "not kept" in caplog.text


# An analysis that was written before


def test_a_kept_analysis_can_be_read_and_its_tables_written_again(ask, written, tmp_path) -> None:
    document = json.loads((written / archive.NAME).read_text())
    code, again, _ = ask("analyze", written / archive.NAME, "--out", tmp_path / "again")
    assert (code, again) == (0, document)
    assert (tmp_path / "again" / "corrections.json").is_file()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"schema_version": "dynoai.nextgen@2"}, "no analysis of this program"),
        ({"schema_version": None}, "no analysis of this program"),
        ({"math_version": "0.9"}, "results of different versions are never mixed"),
    ],
)
def test_an_analysis_of_another_version_is_refused_and_not_applied(
    ask, written, tune, tmp_path, change, reason
) -> None:
    document = json.loads((written / archive.NAME).read_text())
    path = tmp_path / "other.json"
    path.write_text(json.dumps(document | change))
    for arguments in (
        ("analyze", path),
        ("apply", path, "--tune", tune, "--out", tmp_path / "copy.pvv"),
    ):
        code, _, said = ask(*arguments)
        assert code == 2
        assert reason in said
    assert not (tmp_path / "copy.pvv").exists()


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"\xff", b"[" * 1000, b'{"a": NaN}'])
def test_what_is_no_analysis_is_one_sentence(ask, tmp_path, content) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(content)
    code, _, said = ask("analyze", path)
    assert code == 2
    assert len(said.strip().splitlines()) == 1


def test_the_versions_are_those_of_the_mathematics() -> None:
    assert archive.MATH_VERSION == settings.MATH_VERSION


# Half, and one cylinder


def test_half_of_each_change_is_applied(ask, written, tune, tmp_path) -> None:
    found = {}
    for name, options in (("all", ()), ("half", ("--half",))):
        copy = tmp_path / f"{name}.pvv"
        _, document, _ = ask(
            "apply", written / "corrections.json", "--tune", tune, "--out", copy,
            "--limit", "15", "--dry-run", "--vehicle", "Simulated twin", *options,
        )  # fmt: skip
        cells = document["files"][0]["changes"]
        found[name] = {(c["cylinder"], c["row"], c["column"]): c["multiplier"] for c in cells}
    assert found["half"]
    for cell, multiplier in found["half"].items():
        assert multiplier - 1 == pytest.approx((found["all"][cell] - 1) / 2)


def test_one_cylinder_is_corrected_only_when_told_to(ask, tune, tmp_path) -> None:
    path, copy = tmp_path / "rear.json", tmp_path / "copy.pvv"
    path.write_bytes(tune_world.corrections(1.04, cylinders=(Cylinder.REAR,)).encoded())
    arguments = ("apply", path, "--tune", tune, "--out", copy)
    code, _, said = ask(*arguments)
    assert code == 2
    assert "Both cylinders are changed or none" in said
    assert not copy.exists()
    code, document, _ = ask(*arguments, "--only-rear")
    assert code == 0
    assert document["files"][0]["unchanged_cylinders"] == ["front"]
    assert document["event"]["alone"] == "rear"
    before, after = (read_tune(p.read_bytes()).ve_tables() for p in (tune, copy))
    assert before[Cylinder.FRONT].cells[0][0].text == after[Cylinder.FRONT].cells[0][0].text
    assert ask("rollback")[0] == 0
    assert copy.read_bytes() == tune.read_bytes()


def test_two_single_tables_are_one_tune_for_the_analysis(ask, session, tmp_path) -> None:
    tables = read_tune(tune_world.pvv()).ve_tables()
    tunes = []
    for side in (Cylinder.FRONT, Cylinder.REAR):
        path = tmp_path / f"{side.value}.csv"
        path.write_bytes(matrix_csv.write(tables[side].grid()))
        tunes += ["--tune", f"{side.value}={path}"]
    code, document, _ = ask("analyze", session, *tunes)
    assert code == 0
    assert len(document["ve_correction"]["rear"]["load"]) == 4
