"""What every reader promises, whatever the format."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from dynoai_desktop.capture.readers import (
    READERS,
    LogReader,
    ReaderError,
    ReadingCancelledError,
    choose_reader,
    inspect_log,
    read_log,
)
from dynoai_desktop.capture.readers.contract import HEAD_BYTES, MAX_LOG_BYTES
from dynoai_desktop.core.channels import CHANNELS, Channel
from dynoai_desktop.core.units import base_unit
from tests.readers_world import NAMES_ONLY, SAMPLES, write

BY_FORMAT = {reader.format: reader for reader in READERS}


@pytest.fixture(params=sorted(SAMPLES))
def sample(request, tmp_path):
    """A reader and a file of its format."""
    name, build = SAMPLES[request.param]
    return BY_FORMAT[request.param], write(tmp_path, name, build())


def test_every_format_of_the_table_is_under_contract():
    assert {reader.format for reader in READERS} == set(SAMPLES)


class TestContract:
    def test_its_own_files_are_found_to_be_its_own(self, sample):
        reader, path = sample
        assert choose_reader(path) is reader

    def test_the_name_of_a_file_does_not_matter(self, sample, tmp_path):
        reader, path = sample
        assert choose_reader(path.rename(tmp_path / "download(3).dat")) is reader

    def test_files_of_other_formats_are_left_to_their_readers(self, sample, tmp_path):
        reader, _ = sample
        for other, (name, build) in SAMPLES.items():
            if other != reader.format and reader.format != "csv":
                assert reader.detect(tmp_path / name, build()[:HEAD_BYTES]) == 0.0

    def test_detection_survives_any_bytes(self, sample, tmp_path):
        reader, _ = sample
        rng = np.random.default_rng(3)
        for size in (0, 1, 3, 100, 5000):
            assert 0 <= reader.detect(tmp_path / "x", rng.bytes(size)) <= 1

    def test_columns_and_time_have_one_length(self, sample):
        reader, path = sample
        table = reader.read(path)
        assert table.format == reader.format
        assert table.rows == (0 if reader.format in NAMES_ONLY else 40)
        assert all(column.values.shape == (table.rows,) for column in table.columns)
        assert all(column.values.dtype.kind == "f" for column in table.columns)

    def test_figures_are_those_of_the_finite_samples(self, sample):
        reader, path = sample
        for column in reader.read(path).columns:
            finite = column.values[np.isfinite(column.values)]
            assert column.count == finite.size
            assert not np.isinf(column.values).any()
            if finite.size:
                assert (column.minimum, column.maximum) == (finite.min(), finite.max())
            else:
                assert math.isnan(column.minimum) and math.isnan(column.maximum)

    def test_keys_are_unique_and_one_column_serves_a_channel(self, sample):
        reader, path = sample
        columns = reader.read(path).columns
        keys = [column.key for column in columns]
        assert len(set(keys)) == len(keys)
        canonical = [column.canonical for column in columns if column.canonical]
        assert len(set(canonical)) == len(canonical)

    def test_a_usable_channel_is_in_a_unit_of_its_quantity(self, sample):
        reader, path = sample
        for channel, column in reader.read(path).usable.items():
            assert base_unit(column.unit) is base_unit(CHANNELS[channel].unit)

    def test_engine_speed_comes_out_in_rpm(self, sample):
        reader, path = sample
        speed = reader.read(path).series(Channel.RPM)
        if reader.format not in NAMES_ONLY:
            assert speed is not None
            assert np.nanmin(speed) >= 900 and np.nanmax(speed) <= 3000

    def test_progress_ends_at_one(self, sample):
        reader, path = sample
        seen = []
        reader.read(path, progress=seen.append)
        assert seen == sorted(seen)
        assert seen[-1] == 1.0

    def test_cancelling_stops_the_reading(self, sample):
        reader, path = sample
        with pytest.raises(ReadingCancelledError, match="cancelled"):
            reader.read(path, cancelled=lambda: True)

    def test_what_inspect_prints_is_json_without_nan(self, sample):
        _, path = sample
        document = inspect_log(path)
        json.dumps(document, allow_nan=False)
        assert {"format", "duration_s", "rows", "channels", "warnings"} <= set(document)
        for channel in document["channels"]:
            assert {"name", "canonical", "unit", "count", "min", "max"} <= set(channel)
        for warning in document["warnings"]:
            assert {"code", "message"} <= set(warning)

    def test_every_warning_is_one_sentence_that_ends(self, sample):
        reader, path = sample
        for warning in reader.read(path).warnings:
            assert warning.message[-1] == "."
            assert "\n" not in warning.message

    def test_reading_twice_gives_the_same(self, sample):
        reader, path = sample
        first, second = reader.read(path), reader.read(path)
        assert [w.message for w in first.warnings] == [w.message for w in second.warnings]
        for one, other in zip(first.columns, second.columns, strict=True):
            np.testing.assert_array_equal(one.values, other.values)

    def test_a_missing_file_is_one_sentence(self, sample, tmp_path):
        reader, _ = sample
        with pytest.raises(ReaderError, match=r"Cannot open gone\.csv: No such file"):
            reader.read(tmp_path / "gone.csv")

    def test_an_empty_file_is_one_sentence(self, sample, tmp_path):
        reader, _ = sample
        with pytest.raises(ReaderError, match="is empty"):
            reader.read(write(tmp_path, "nothing.csv", b""))

    def test_a_file_cut_anywhere_is_read_or_refused(self, sample, tmp_path):
        reader, path = sample
        data = path.read_bytes()
        for cut in range(1, len(data), max(1, len(data) // 60)):
            _read_or_refuse(reader, write(tmp_path, "cut", data[:cut]))

    def test_a_file_with_flipped_bytes_is_read_or_refused(self, sample, tmp_path):
        reader, path = sample
        rng = np.random.default_rng(11)
        clean = np.frombuffer(path.read_bytes(), np.uint8)
        for _ in range(40):
            data = clean.copy()
            at = rng.integers(0, data.size, 12)
            data[at] = rng.integers(0, 256, 12)
            _read_or_refuse(reader, write(tmp_path, "flipped", data.tobytes()))


def _read_or_refuse(reader: LogReader, path) -> None:
    try:
        table = reader.read(path)
    except ReaderError as error:
        assert str(error)
        assert "\n" not in str(error)
    else:
        assert all(column.values.shape == (table.rows,) for column in table.columns)


def test_a_file_of_two_gigabytes_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / "huge.csv"
    with path.open("wb") as file:
        file.write(b"Time,RPM\n0,1000\n")
        file.truncate(2 * 1024**3)  # sparse: takes no room
    with pytest.raises(ReaderError, match=r"2\.1 GB; logs up to 1 GB are read"):
        read_log(path)
    assert path.stat().st_size > MAX_LOG_BYTES


def test_a_folder_is_refused(tmp_path):
    with pytest.raises(ReaderError, match="is a folder"):
        read_log(tmp_path)


def test_random_bytes_are_refused_in_one_sentence(tmp_path):
    rng = np.random.default_rng(5)
    for size in (1, 10, 1000, 70_000):
        with pytest.raises(ReaderError) as caught:
            read_log(write(tmp_path, "noise.bin", rng.bytes(size) + b"\0"))
        assert str(caught.value).endswith(".")


def test_a_winpep_8_file_lists_its_channels_and_asks_for_a_csv(tmp_path):
    table = read_log(write(tmp_path, "run.wp8", SAMPLES["wp8"][1]()))
    assert [column.name for column in table.columns] == ["Engine RPM", "Power"]
    assert [column.unit_text for column in table.columns] == ["rpm", "hp"]
    (warning,) = table.warnings
    assert warning.code == "names_only"
    assert "export the run as CSV" in warning.message
