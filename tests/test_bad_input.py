"""Input that nobody meant to give: one clear sentence, exit code 2, and nothing written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dynoai_desktop.cli import main
from dynoai_desktop.core.tune.corrections import to_csv
from tests import tune_world
from tests.tune_world import FRONT, everything_in

HEAD = "Time (s),RPM,MAP (kPa)"
BOMB = (
    b'<!DOCTYPE b [<!ENTITY a "ha">'
    + b"".join(b'<!ENTITY a%d "%s">' % (i, b"&a%d;" % (i - 1) * 10) for i in range(1, 12))
    + b"]><PVV>&a11;</PVV>"
)


def rows(count: int = 200, head: str = HEAD, row: str = "{t:.2f},{rpm},{load}") -> str:
    lines = [row.format(t=i / 20, rpm=2000 + 5 * i, load=60 + i % 9) for i in range(count)]
    return "\n".join([head, *lines, ""])


def backwards() -> str:
    head, *lines = rows().splitlines()
    return "\n".join([head, *lines[:100], *lines[50:], ""])


LOGS = {
    "nothing": ("", "is empty"),
    "a header only": (f"{HEAD}\n", "no rows below it"),
    "a header and rows that do not fit it": (
        rows(row="{t:.2f},{rpm},{load},1,2,3"), "found|more cells|no table"
    ),
    "time going back": (backwards(), "Time goes back at row 101"),
    "no engine speed": (rows(head="Time (s),Speed,MAP (kPa)"), "never guessed"),
    "no load": (rows(head="Time (s),RPM,Coolant (C)"), "never guessed"),
    "words for engine speed": (rows(row="{t:.2f},fast,{load}"), "never guessed|no table"),
    "a letter": ("Dear dyno,\nplease find attached nothing.\n", "no table|no log"),
    "noise": ("\0\1\2\xff" * 500, "not a text log|no log"),
}  # fmt: skip


@pytest.fixture
def ask(data_dir: Path, capsys):
    def run(*arguments: object) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main([*map(str, arguments), "--data-dir", str(data_dir)])
        out, err = capsys.readouterr()
        return code, out, err

    return run


def refused(answer: tuple[int, str, str], reason: str) -> None:
    """Check that it was refused in one sentence that speaks of the reason."""
    import re

    code, out, err = answer
    assert (code, out) == (2, "")
    assert len(err.strip().splitlines()) == 1
    assert err.strip().endswith(".")
    assert re.search(reason, err), err


@pytest.mark.parametrize(("text", "reason"), LOGS.values(), ids=LOGS.keys())
def test_a_log_that_cannot_be_analysed(ask, tmp_path, text, reason) -> None:
    log, out = tmp_path / "log.csv", tmp_path / "out"
    log.write_bytes(text.encode("latin-1"))
    refused(ask("analyze", log, "--out", out), reason)
    assert not out.exists()


@pytest.mark.parametrize("name", ["log.csv", "tune.pvv", "corrections.json"])
def test_a_file_of_two_gigabytes_is_refused_before_it_is_read(ask, tmp_path, name) -> None:
    huge, log, tune = tmp_path / name, tmp_path / "small.csv", tmp_path / "small.pvv"
    log.write_text(rows())
    tune.write_bytes(tune_world.pvv())
    with huge.open("wb") as file:
        file.truncate(2 << 30)  # sparse: no disk is used
    out = tmp_path / "copy.pvv"
    calls = {
        "log.csv": ("analyze", huge),
        "tune.pvv": ("analyze", log, "--tune", huge),
        "corrections.json": ("apply", huge, "--tune", tune, "--out", out),
    }
    refused(ask(*calls[name]), "larger than any tune|2.1 GB; logs up to")
    assert not out.exists()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (rows().replace("5.00,2500,61\n", "5.00,2500\n"), "ragged_rows"),
        (rows().replace("5.00,2500,61\n", "5.00,2500,61,7,7\n"), "ragged_rows"),
        (rows().replace("2500", "=cmd()"), "text_in_numbers"),
        (rows(head=f"{HEAD},RPM", row="{t:.2f},{rpm},{load},{rpm}"), "duplicate_header"),
    ],
)
def test_what_can_be_read_around_is_read_and_said(ask, tmp_path, text, code) -> None:
    log = tmp_path / "log.csv"
    log.write_text(text)
    done, out, _ = ask("inspect", log, "--json")
    assert done == 0
    assert code in {warning["code"] for warning in json.loads(out)["warnings"]}
    assert ask("analyze", log)[0] == 0


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (BOMB, "document type"),
        (tune_world.pvv()[:900], "not a readable PVV"),
        (b"\x89PNG\r\n", "no tune we know"),
        (b"", "no tune we know"),
        (b"<PVV></PVV>", "no VE table"),
    ],
)
def test_a_tune_that_is_none(ask, tmp_path, data, reason) -> None:
    log, tune = tmp_path / "log.csv", tmp_path / "tune.pvv"
    corrections, out = tmp_path / "corrections.json", tmp_path / "copy.pvv"
    log.write_text(rows())
    tune.write_bytes(data)
    corrections.write_bytes(tune_world.corrections().encoded())
    before = everything_in(tmp_path)
    refused(ask("analyze", log, "--tune", tune), f"{reason}|VE table")
    refused(ask("apply", corrections, "--tune", tune, "--out", out), f"{reason}|VE table")
    assert everything_in(tmp_path) == before


def test_corrections_on_other_axes(ask, tmp_path) -> None:
    tune, out = tmp_path / "tune.pvv", tmp_path / "copy.pvv"
    tune.write_bytes(tune_world.pvv())
    other = tune_world.pvv().replace(b'<Row label="3.5">', b'<Row label="3.75">')
    corrections = tmp_path / "corrections.json"
    corrections.write_bytes(tune_world.corrections(tune=other).encoded())
    refused(ask("apply", corrections, "--tune", tune, "--out", out), "other axes")
    assert not out.exists()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"unit": "percent"}, "in “percent”, not multipliers"),
        ({"unit": None}, "does not say in which unit"),
    ],
)
def test_factors_in_another_unit(ask, tmp_path, change, reason) -> None:
    tune, out = tmp_path / "tune.pvv", tmp_path / "copy.pvv"
    tune.write_bytes(tune_world.pvv())
    corrections = tmp_path / "corrections.json"
    corrections.write_text(json.dumps(tune_world.corrections().document() | change))
    refused(ask("apply", corrections, "--tune", tune, "--out", out), reason)
    assert not out.exists()


def test_percentages_that_call_themselves_multipliers(ask, tmp_path) -> None:
    document = tune_world.corrections().document()
    document["cylinders"]["front"]["multiplier"][0][0] = -7.0
    tune, path = tmp_path / "tune.pvv", tmp_path / "corrections.json"
    tune.write_bytes(tune_world.pvv())
    path.write_text(json.dumps(document))
    refused(ask("apply", path, "--tune", tune, "--out", tmp_path / "x.pvv"), "not multipliers")
    assert b"1.05" in to_csv(tune_world.corrections(), FRONT)  # what is meant by one
