"""JSON documents: after a crash the old or the new one is there, and nothing unreadable is lost."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynoai_desktop.core.store import json_store
from dynoai_desktop.core.store.json_store import (
    FolderLock,
    StoreError,
    parse_object,
    read_document,
    write_document,
)

OLD = {"schema_version": 1, "name": "old"}
NEW = {"schema_version": 1, "name": "new"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "vehicle" / "vehicle.json"


def read(path: Path, version: int = 1, **more):
    return read_document(path, schema_version=version, **more)


def test_what_is_written_is_read_back(path: Path) -> None:
    document = {"schema_version": 1, "name": "Élan λ °", "values": [1, 2.5, None, True]}
    write_document(path, document)
    loaded = read(path)
    assert loaded.document == document and loaded.notes == ()
    assert sorted(p.name for p in path.parent.iterdir()) == ["vehicle.json"]


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@given(value=_json)
def test_any_json_survives(tmp_path_factory, value) -> None:
    path = tmp_path_factory.mktemp("any") / "document.json"
    write_document(path, {"schema_version": 1, "value": value})
    loaded = read(path)
    assert loaded.document == {"schema_version": 1, "value": value}


def test_a_missing_file_is_no_fault(path: Path) -> None:
    assert read(path) == json_store.Loaded(None)


def test_the_last_state_is_kept_as_a_backup(path: Path) -> None:
    write_document(path, OLD)
    write_document(path, NEW)
    assert json.loads((path.parent / "vehicle.json.bak").read_text()) == OLD


@pytest.mark.parametrize("step", ["fsync", "link", "replace"])
def test_a_crash_at_any_step_leaves_old_or_new(path: Path, monkeypatch, step: str) -> None:
    write_document(path, OLD)

    class Crash(BaseException):
        pass

    def crash(*_args: object, **_more: object) -> None:
        raise Crash

    with monkeypatch.context() as patch:
        if step == "replace":
            patch.setattr(Path, "replace", crash)
        else:
            patch.setattr(json_store.os, step, crash)
        with pytest.raises(Crash):
            write_document(path, NEW)
    assert read(path).document in (OLD, NEW)
    write_document(path, NEW)  # what the crash left behind is not in the way
    assert read(path).document == NEW


def test_a_file_system_without_links_keeps_a_backup_all_the_same(path: Path, monkeypatch) -> None:
    def refuse(*_args: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(json_store.os, "link", refuse)
    write_document(path, OLD)
    write_document(path, NEW)
    assert json.loads((path.parent / "vehicle.json.bak").read_text()) == OLD


def test_a_full_disk_is_reported_and_the_old_document_stays(path: Path, monkeypatch) -> None:
    write_document(path, OLD)

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(json_store.os, "fsync", full)
    with pytest.raises(StoreError, match=r"Cannot save vehicle\.json: No space left.*room"):
        write_document(path, NEW)
    assert read(path).document == OLD
    assert not list(path.parent.glob("*.tmp"))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not valid JSON"),
        (b'{"schema_version": 1', "not valid JSON"),
        (b"\xff\xfe\x00", "not text"),
        (b"[1, 2]", "does not hold a JSON object"),
        (b'{"name": "x"}', "states no schema version"),
        (b'{"schema_version": "1"}', "states no schema version"),
        (b'{"schema_version": true}', "states no schema version"),
        (b'{"schema_version": 1, "x": NaN}', "NaN"),
        (b'{"schema_version": 2}', "newer program"),
        (b'{"schema_version": 0}', "cannot read"),
        (b'{"schema_version": 1, "x": ' + b"[" * 5000 + b"]" * 5000 + b"}", "nested too deeply"),
    ],
)
def test_an_unreadable_file_is_set_aside_and_reported(path: Path, content, reason) -> None:
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    loaded = read(path)
    assert loaded.document is None
    assert reason in loaded.notes[0] and "vehicle.json.set-aside-1" in loaded.notes[0]
    assert (path.parent / "vehicle.json.set-aside-1").read_bytes() == content
    assert not path.exists()


def test_the_backup_steps_in_for_a_damaged_file(path: Path) -> None:
    write_document(path, OLD)
    write_document(path, NEW)
    path.write_bytes(b"\x00" * 100)
    loaded = read(path)
    assert loaded.document == OLD
    assert "last good state" in loaded.notes[-1]


def test_setting_aside_twice_keeps_both(path: Path) -> None:
    path.parent.mkdir(parents=True)
    for content in (b"one", b"two"):
        path.write_bytes(content)
        read(path)
    kept = {p.read_bytes() for p in path.parent.glob("*.set-aside-*")}
    assert kept == {b"one", b"two"}


def test_writing_over_a_damaged_file_does_not_damage_the_backup(path: Path) -> None:
    write_document(path, OLD)
    write_document(path, NEW)
    path.write_bytes(b"damage")
    write_document(path, NEW)
    assert json.loads((path.parent / "vehicle.json.bak").read_text()) == OLD
    assert [p.read_bytes() for p in path.parent.glob("*.set-aside-*")] == [b"damage"]


def test_a_huge_file_is_not_read(path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.write_bytes(b" " * 2000)
    loaded = read(path, max_bytes=1000)
    assert loaded.document is None and "larger than any document" in loaded.notes[0]


def test_old_documents_are_brought_up_to_date_step_by_step(path: Path) -> None:
    write_document(path, {"schema_version": 1, "rpm": 900})
    migrations = {
        1: lambda d: {**d, "idle": d["rpm"]},
        2: lambda d: {k: v for k, v in d.items() if k != "rpm"},
    }
    loaded = read(path, 3, migrations=migrations)
    assert loaded.document == {"schema_version": 3, "idle": 900}
    assert json.loads(path.read_text())["schema_version"] == 1, "reading changes nothing"


def test_a_migration_that_misses_a_field_sets_the_file_aside(path: Path) -> None:
    write_document(path, {"schema_version": 1})
    loaded = read(path, 2, migrations={1: lambda d: {**d, "idle": d["rpm"]}})
    assert loaded.document is None and "lacks 'rpm'" in loaded.notes[0]


@pytest.mark.parametrize("bad", [{}, {"schema_version": None}, {"schema_version": 1.0}])
def test_a_document_without_a_version_is_refused(path: Path, bad) -> None:
    with pytest.raises(ValueError, match="schema_version"):
        write_document(path, bad)


def test_not_a_number_never_reaches_the_disk(path: Path) -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        write_document(path, {"schema_version": 1, "x": float("nan")})
    assert not path.exists()


def test_brackets_in_text_do_not_count_as_nesting() -> None:
    assert parse_object(b'{"a": "[][][][]"}') == {"a": "[][][][]"}


# --- the lock ----------------------------------------------------------------------------------


def test_a_second_instance_is_told_who_has_the_folder(tmp_path: Path) -> None:
    with (
        FolderLock(tmp_path, "This vehicle"),
        pytest.raises(StoreError, match="This vehicle is open in another window"),
    ):
        FolderLock(tmp_path, "This vehicle").acquire()
    with FolderLock(tmp_path):
        pass


def test_a_killed_process_does_not_leave_the_folder_locked(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path\n"
        "from dynoai_desktop.core.store.json_store import FolderLock\n"
        "lock = FolderLock(Path(sys.argv[1])); lock.acquire()\n"
        "print('locked', flush=True); sys.stdin.read()\n"
    )
    root = Path(json_store.__file__).parents[3]
    with subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"locked\n"
        with pytest.raises(StoreError):
            FolderLock(tmp_path).acquire()
        process.kill()
    with FolderLock(tmp_path):
        pass


def test_releasing_twice_is_harmless(tmp_path: Path) -> None:
    lock = FolderLock(tmp_path)
    lock.acquire()
    lock.acquire()
    lock.release()
    lock.release()


def test_a_document_that_cannot_be_meant_is_set_aside_and_its_backup_used(path: Path) -> None:
    def named(document) -> None:
        if document["name"] == "new":
            raise ValueError("name: new is taken.")

    write_document(path, OLD)
    write_document(path, NEW)
    loaded = read(path, check=named)
    assert loaded.document == OLD
    assert "cannot be used (name: new is taken)" in loaded.notes[0]
    assert path.with_name("vehicle.json.set-aside-1").is_file()
