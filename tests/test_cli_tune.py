"""Corrections to a tune from the command line: previewed, written, taken back."""

import json
from pathlib import Path

import numpy as np
import pytest

from dynoai_desktop.cli import main
from dynoai_desktop.core.axis import CellGrid
from dynoai_desktop.core.tune.corrections import Corrections
from dynoai_desktop.core.tune.formats import read_tune


@pytest.fixture
def tune(shared_data) -> Path:
    return shared_data / "real" / "harley_tune_before.pvv"


@pytest.fixture
def corrections(tune, tmp_path) -> Path:
    """Three percent more fuel in one cell of each cylinder, twenty less in another."""
    factors = {}
    for cylinder, table in read_tune(tune.read_bytes()).ve_tables().items():
        grid = table.grid()
        values = np.ones_like(grid.values)
        values[5, 5], values[6, 5] = 1.03, 0.8
        factors[cylinder] = CellGrid(grid.rpm, grid.load, values)
    path = tmp_path / "corrections.json"
    path.write_bytes(Corrections(factors).encoded())
    return path


def run(capsys, *arguments: object) -> tuple[int, dict]:
    code = main([*map(str, arguments), "--json"])
    out = capsys.readouterr().out
    return code, json.loads(out) if out else {}


def test_a_preview_writes_nothing(tune, corrections, tmp_path, data_dir, capsys) -> None:
    copy = tmp_path / "after.pvv"
    code, found = run(
        capsys,
        "apply",
        corrections,
        "--tune",
        tune,
        "--out",
        copy,
        "--dry-run",
        "--data-dir",
        data_dir,
    )
    assert code == 0
    assert found["files"][0]["cells"] == {"unchanged": 914, "changed": 2, "limited": 2}
    assert {c["cylinder"] for c in found["files"][0]["changes"]} == {"front", "rear"}
    assert not copy.exists()
    assert list(data_dir.iterdir()) == []


def test_what_was_applied_is_taken_back_to_the_byte(tune, corrections, tmp_path, data_dir, capsys):
    copy = tmp_path / "after.pvv"
    where = ("--vehicle", "Road King", "--data-dir", data_dir)
    code, found = run(capsys, "apply", corrections, "--tune", tune, "--out", copy, *where)
    assert code == 0
    changed = [a != b for a, b in zip(tune.read_bytes(), copy.read_bytes(), strict=False)]
    assert any(changed)
    assert found["event"]["operation"] == "apply"
    assert (
        main(["apply", str(corrections), "--tune", str(tune), "--out", str(copy), *map(str, where)])
        == 2
    )
    assert "already been applied" in capsys.readouterr().err
    code, found = run(capsys, "rollback", *where)
    assert (code, found["operation"]) == (0, "rollback")
    assert copy.read_bytes() == tune.read_bytes()
    assert main(["rollback", *map(str, where)]) == 2
    assert "nothing to take back" in capsys.readouterr().err


@pytest.mark.parametrize("content", [b"", b"{}", b"not json", b'{"ve_correction": {"front": {}}}'])
def test_corrections_that_cannot_be_read_change_nothing(
    tune, tmp_path, data_dir, capsys, content
) -> None:
    path, copy = tmp_path / "x.json", tmp_path / "after.pvv"
    path.write_bytes(content)
    arguments = ["apply", str(path), "--tune", str(tune), "--out", str(copy)]
    assert main([*arguments, "--data-dir", str(data_dir)]) == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1
    assert not copy.exists()


def test_the_original_is_never_written(tune, corrections, tmp_path, data_dir, capsys) -> None:
    original = tmp_path / "mine.pvv"
    original.write_bytes(tune.read_bytes())
    arguments = ["apply", str(corrections), "--tune", str(original), "--out", str(original)]
    assert main([*arguments, "--data-dir", str(data_dir)]) == 2
    assert "never written" in capsys.readouterr().err
    assert original.read_bytes() == tune.read_bytes()
