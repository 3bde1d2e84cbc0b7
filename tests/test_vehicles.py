"""Vehicles on disk: what is stated comes back, what cannot be meant is refused by its name."""

from __future__ import annotations

import dataclasses
import json
import math
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynoai_desktop.core.analysis.settings import AnalysisSettings
from dynoai_desktop.core.analysis.vehicle_settings import injector_of, known_settings
from dynoai_desktop.core.axis import Axis
from dynoai_desktop.core.channels import Channel
from dynoai_desktop.core.live.limits import AlertLimits, GateLimits, LiveSettings
from dynoai_desktop.core.live.targets import preset_targets
from dynoai_desktop.core.live.vehicle_axes import live_axes
from dynoai_desktop.core.simulator.profiles import PROFILES
from dynoai_desktop.core.simulator.vehicle import record_of_profile
from dynoai_desktop.core.store.vehicle_folders import (
    document_of,
    list_vehicles,
    load_vehicle,
    record_from,
    save_vehicle,
    vehicle_named,
)
from dynoai_desktop.core.store.vehicle_live import (
    load_live,
    load_targets,
    save_live,
    save_targets,
)
from dynoai_desktop.core.store.vehicles import (
    RANGES,
    UNNAMED,
    VehicleError,
    VehicleRecord,
    vehicle_slug,
)
from dynoai_desktop.core.units import STOICH_AFR, Unit

KING = VehicleRecord(
    "Road King 114",
    note="stage 2, 2-into-1 exhaust",
    idle_rpm=900.0,
    redline_rpm=5800.0,
    displacement_cc=1868.0,
    cylinders=2,
    gear_ratios=(9.312, 6.421, 4.774, 3.926, 3.279, 2.79),
    dyno_gear=5,
    tyre_circumference_m=2.0726,
    injector_g_per_s=5.2,
    injector_dead_ms=((12.0, 1.2), (14.0, 0.9)),
    tune_path="/tunes/stage2.pvv",
)
OLD_FILES = Path(__file__).parent / "data" / "vehicles"


@pytest.fixture
def vehicles(tmp_path: Path) -> Path:
    return tmp_path / "vehicles"


# Names and folders


@given(st.text())
def test_a_slug_is_a_harmless_folder_name_and_stays_what_it_is(name: str) -> None:
    slug = vehicle_slug(name)
    assert 0 < len(slug) <= 40
    assert set(slug) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
    assert not slug.startswith("-") and not slug.endswith("-")
    assert vehicle_slug(slug) == slug


def test_names_in_other_scripts_and_device_names_get_folders_of_their_own() -> None:
    names = ["Ямаха", "ヤマハ", "", "aux", "COM1"]
    slugs = [vehicle_slug(name) for name in names]
    assert len(set(slugs)) == len(names)
    assert not {"aux", "com1"} & set(slugs)
    assert slugs[2] == UNNAMED


def test_two_names_that_share_a_folder_are_refused_in_words(vehicles: Path) -> None:
    save_vehicle(vehicles, KING)
    with pytest.raises(VehicleError, match="would share the folder road-king-114") as caught:
        save_vehicle(vehicles, VehicleRecord("ROAD KING: 114"))
    assert caught.value.field == "name"
    with pytest.raises(VehicleError, match="already"):
        save_vehicle(vehicles, KING)
    assert list_vehicles(vehicles).records == (KING,)


@pytest.mark.parametrize(
    ("name", "reason"),
    [("", "give the vehicle a name"), ("Vehicle", "of its own"), ("Simulated twin", "kept for")],
)
def test_names_the_program_needs_itself_are_refused(vehicles, name, reason) -> None:
    with pytest.raises(VehicleError, match=reason):
        save_vehicle(vehicles, VehicleRecord(name))
    assert not vehicles.exists() or list_vehicles(vehicles).records == ()


def test_a_name_or_its_slug_finds_the_vehicle(vehicles: Path) -> None:
    save_vehicle(vehicles, KING)
    assert vehicle_named(vehicles, "Road King 114") == KING
    assert vehicle_named(vehicles, "road-king-114") == KING
    assert vehicle_named(vehicles, "Sportster") == VehicleRecord("Sportster")
    assert vehicle_named(vehicles, "") == VehicleRecord("")


def test_another_name_takes_the_whole_folder_along(vehicles: Path) -> None:
    folder = save_vehicle(vehicles, KING)
    (folder / "mappings").mkdir()
    renamed = dataclasses.replace(KING, name="Old Road King")
    moved = save_vehicle(vehicles, renamed, replaces=KING.name)
    assert (moved / "mappings").is_dir() and not folder.exists()
    assert list_vehicles(vehicles).records == (renamed,)


def test_a_vehicle_with_a_tune_history_keeps_its_name(vehicles: Path) -> None:
    folder = save_vehicle(vehicles, KING)
    (folder / "tune").mkdir()
    (folder / "tune" / "history.json").write_text("{}")
    with pytest.raises(VehicleError, match="tunes were written"):
        save_vehicle(vehicles, dataclasses.replace(KING, name="Other"), replaces=KING.name)
    spelt = dataclasses.replace(KING, name="Road-King 114")
    save_vehicle(vehicles, spelt, replaces=KING.name)
    assert list_vehicles(vehicles).records == (spelt,)


def test_a_rehearsal_never_takes_the_place_of_a_real_vehicle(vehicles: Path) -> None:
    save_vehicle(vehicles, KING)
    with pytest.raises(VehicleError, match="simulated"):
        save_vehicle(vehicles, dataclasses.replace(KING, simulated=True))
    assert list_vehicles(vehicles).records == (KING,)


# What is stated


FIGURES = {
    "idle_rpm": st.floats(400.0, 1500.0),
    "redline_rpm": st.floats(3000.0, 15000.0),
    "displacement_cc": st.floats(50.0, 8000.0),
    "cylinders": st.integers(1, 12),
    "tyre_circumference_m": st.floats(0.5, 3.0),
    "injector_g_per_s": st.floats(0.1, 50.0),
}
STATED = st.fixed_dictionaries({}, optional=FIGURES)


@given(
    facts=STATED,
    fuel=st.sampled_from(sorted(STOICH_AFR)),
    boost=st.floats(0.0, 300.0),
    gears=st.lists(st.floats(0.5, 20.0), max_size=8),
    note=st.text(max_size=200),
)
def test_a_record_comes_back_as_it_was(tmp_path_factory, facts, fuel, boost, gears, note) -> None:
    vehicles = tmp_path_factory.mktemp("any")
    record = VehicleRecord(
        "Any", fuel=fuel, boost_kpa=boost, gear_ratios=tuple(gears), note=note, **facts
    )
    save_vehicle(vehicles, record)
    assert list_vehicles(vehicles).records == (record,)


def test_what_is_not_stated_is_not_written() -> None:
    assert document_of(VehicleRecord("Bare")) == {
        "schema_version": 1,
        "name": "Bare",
        "fuel": "gasoline",
    }


@pytest.mark.parametrize("path", sorted(OLD_FILES.glob("version-*.json")), ids=lambda p: p.stem)
def test_every_old_file_still_opens(vehicles: Path, path: Path) -> None:
    folder = vehicles / KING.slug
    folder.mkdir(parents=True)
    shutil.copy(path, folder / "vehicle.json")
    assert load_vehicle(folder) == (KING, ())


WRONG = [
    ("fuel", "diesel"),
    ("fuel", 3),
    ("fuel", ["gasoline"]),
    ("name", 5),
    ("name", "two\nlines"),
    ("name", " blank"),
    ("name", "x" * 81),
    ("simulated", "yes"),
    ("note", None),
    ("redline_rpm", 900.0),
    ("redline_rpm", 100.0),
    ("redline_rpm", "fast"),
    ("redline_rpm", True),
    ("redline_rpm", math.nan),
    ("redline_rpm", math.inf),
    ("idle_rpm", -1.0),
    ("displacement_cc", 0.0),
    ("cylinders", 2.5),
    ("cylinders", 0),
    ("boost_kpa", None),
    ("boost_kpa", -5.0),
    ("gear_ratios", (3.0, 0.0)),
    ("gear_ratios", (3.0, -1.0)),
    ("gear_ratios", (3.0, math.nan)),
    ("gear_ratios", (3.0, "2")),
    ("gear_ratios", 3.0),
    ("gear_ratios", (1.0,) * 13),
    ("dyno_gear", 7),
    ("dyno_gear", 0),
    ("tyre_circumference_m", 20.0),
    ("injector_g_per_s", 0.0),
    ("injector_dead_ms", ((14.0, 0.9), (12.0, 1.2))),
    ("injector_dead_ms", ((14.0, 0.9), (14.0, 0.8))),
    ("injector_dead_ms", ((14.0, math.nan),)),
    ("injector_dead_ms", ((1.0, 0.9),)),
    ("injector_dead_ms", ((14.0,),)),
    ("injector_dead_ms", "14:0.9"),
]


@pytest.mark.parametrize(("field", "value"), WRONG)
def test_what_no_vehicle_can_be_is_refused_by_the_name_of_the_field(field, value) -> None:
    with pytest.raises(VehicleError) as caught:
        dataclasses.replace(KING, **{field: value})
    assert caught.value.field == field


@pytest.mark.parametrize(("field", "value"), WRONG)
def test_a_file_that_states_it_is_set_aside_and_reported(vehicles, field, value) -> None:
    folder = vehicles / KING.slug
    folder.mkdir(parents=True)
    document = {**document_of(KING), field: value}
    (folder / "vehicle.json").write_text(json.dumps(document))
    found = list_vehicles(vehicles)
    assert found.records == ()
    assert any("set-aside-1" in note for note in found.notes)
    assert (folder / "vehicle.json.set-aside-1").is_file()


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"schema_version": 99}', "\x00" * 40])
def test_garbage_is_set_aside_and_the_last_good_record_is_used(vehicles: Path, text: str) -> None:
    folder = save_vehicle(vehicles, KING)
    newer = dataclasses.replace(KING, redline_rpm=6000.0)
    save_vehicle(vehicles, newer, replaces=KING.name)
    (folder / "vehicle.json").write_text(text)
    record, notes = load_vehicle(folder)
    assert record == KING
    assert "last good state" in notes[-1]


def test_a_copied_folder_is_left_alone_and_said(vehicles: Path) -> None:
    folder = save_vehicle(vehicles, KING)
    shutil.copytree(folder, vehicles / "copy")
    found = list_vehicles(vehicles)
    assert found.records == (KING,)
    assert "name of its own" in found.notes[0]
    assert (vehicles / "copy" / "vehicle.json").is_file()


def test_whole_numbers_written_with_a_point_are_whole_numbers() -> None:
    assert record_from({**document_of(KING), "cylinders": 2.0}).cylinders == 2


def test_every_range_is_of_a_field() -> None:
    assert set(RANGES) <= {field.name for field in dataclasses.fields(VehicleRecord)}


# What others make of it


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
def test_every_simulated_vehicle_has_a_record_of_its_own(vehicles: Path, profile) -> None:
    record = record_of_profile(profile)
    assert record.simulated and record.name.startswith("Simulated ")
    assert (record.redline_rpm, record.fuel) == (profile.redline_rpm, profile.fuel)
    assert (record.gear_ratios, record.boost_kpa) == (profile.gear_ratios, profile.boost_kpa)
    save_vehicle(vehicles, record)
    save_vehicle(vehicles, record)  # a second rehearsal
    assert list_vehicles(vehicles).records == (record,)
    slugs = {record_of_profile(p).slug for p in PROFILES.values()}
    assert len(slugs) == len(PROFILES)


def test_a_profile_with_any_title_has_a_record() -> None:
    profile = dataclasses.replace(PROFILES["m8-114"], title="\x00\n" + "long " * 100)
    assert record_of_profile(profile).name.startswith("Simulated long long")
    empty = dataclasses.replace(PROFILES["m8-114"], title="")
    assert record_of_profile(empty).name == "Simulated m8-114"


def test_the_injector_is_known_when_everything_about_it_is() -> None:
    injector = injector_of(KING)
    assert injector is not None
    assert injector.cylinder_l == pytest.approx(0.934)
    assert (injector.stoich, injector.dead_time_ms) == (14.7, KING.injector_dead_ms)
    for field in ("injector_g_per_s", "displacement_cc", "cylinders"):
        assert injector_of(dataclasses.replace(KING, **{field: None})) is None
    assert injector_of(dataclasses.replace(KING, injector_dead_ms=())) is None


def test_an_analysis_keeps_what_the_record_does_not_state() -> None:
    told = AnalysisSettings(redline_rpm=7000.0, injector=injector_of(KING))
    assert known_settings(VehicleRecord("Bare"), told) == told
    known = known_settings(KING, AnalysisSettings(redline_rpm=7000.0))
    assert (known.redline_rpm, known.injector) == (5800.0, injector_of(KING))


@given(boost=st.floats(0.0, 500.0), redline=st.floats(1000.0, 30000.0))
def test_the_live_map_holds_everything_the_engine_does(boost: float, redline: float) -> None:
    rpm, load = live_axes(VehicleRecord("Any", boost_kpa=boost, redline_rpm=redline))
    assert rpm.locate(redline * 1.05) is not None
    assert load.locate(min(boost, 499.0) + 100.0) is not None
    assert len(load) <= 40


def test_without_boost_the_live_map_is_the_usual_one() -> None:
    rpm, load = live_axes(KING)
    assert (len(rpm), len(load)) == (20, 10)


# Live settings


def test_targets_come_back_with_their_axes(tmp_path: Path) -> None:
    targets = preset_targets("boost", *live_axes(VehicleRecord("Turbo", boost_kpa=120.0)))
    save_targets(tmp_path, targets)
    kept, notes = load_targets(tmp_path)
    assert kept is not None and notes == ()
    assert (kept.rpm, kept.load) == (targets.rpm, targets.load)
    assert kept.values.tolist() == targets.values.tolist()


def test_only_changed_limits_are_kept(tmp_path: Path) -> None:
    settings = LiveSettings(
        gates=GateLimits(soak_iat_c=60.0), alerts=AlertLimits(redline_rpm=6100.0)
    )
    save_live(tmp_path, settings)
    document = json.loads((tmp_path / "live.json").read_text())
    assert document["gates"] == {"soak_iat_c": 60.0}
    assert document["alerts"] == {"redline_rpm": 6100.0}
    assert load_live(tmp_path) == (settings, ())


def test_a_vehicle_without_settings_has_the_defaults(tmp_path: Path) -> None:
    assert load_live(tmp_path) == (LiveSettings(), ())
    assert load_targets(tmp_path) == (None, ())


def _targets_document() -> dict:
    axis = {"channel": "rpm", "unit": "rpm", "nodes": [1000, 2000], "edges": [500, 1500, 2500]}
    load = {"channel": Channel.MAP.value, "unit": "kPa", "nodes": [40, 60], "edges": [30, 50, 70]}
    return {"schema_version": 1, "rpm": axis, "load": load, "lambda": [[1.0, 0.9], [1.0, 0.88]]}


BAD_TARGETS = [
    ("lambda", [[1.0, 0.9]]),
    ("lambda", [[1.0, 0.9], [1.0]]),
    ("lambda", [[1.0, 0.9], [1.0, 12.9]]),
    ("lambda", [[1.0, 0.9], [1.0, "x"]]),
    ("lambda", [[1.0, 0.9], [1.0, None]]),
    ("lambda", None),
    ("rpm", {"channel": "rpm"}),
    ("rpm", {**_targets_document()["rpm"], "nodes": [2000, 1000]}),
    ("load", _targets_document()["rpm"]),
    ("load", {**_targets_document()["load"], "channel": "nonsense"}),
]


def test_a_document_of_targets_is_read(tmp_path: Path) -> None:
    (tmp_path / "targets.json").write_text(json.dumps(_targets_document()))
    kept, _ = load_targets(tmp_path)
    rpm = Axis.from_nodes(Channel.RPM, Unit.RPM, [1000, 2000])
    load = Axis.from_nodes(Channel.MAP, Unit.KILOPASCAL, [40, 60])
    values = np.array([[1.0, 0.9], [1.0, 0.88]])
    assert kept is not None
    assert (kept.rpm, kept.load) == (rpm, load)
    assert kept.values.tolist() == values.tolist()


@pytest.mark.parametrize(("part", "value"), BAD_TARGETS)
def test_targets_that_cannot_be_meant_are_set_aside(tmp_path: Path, part: str, value) -> None:
    (tmp_path / "targets.json").write_text(json.dumps({**_targets_document(), part: value}))
    kept, notes = load_targets(tmp_path)
    assert kept is None and "targets.json.set-aside-1" in notes[0]


@pytest.mark.parametrize(
    "limits",
    [
        {"gates": {"soak_iat_c": "hot"}},
        {"gates": {"soak_iat_c": None}},
        {"alerts": {"ect_c": True}},
        {"alerts": {"ect_c": 1e300}},
        {"alerts": []},
    ],
)
def test_limits_that_cannot_be_meant_are_set_aside(tmp_path: Path, limits) -> None:
    (tmp_path / "live.json").write_text(json.dumps({"schema_version": 1, **limits}))
    settings, notes = load_live(tmp_path)
    assert settings == LiveSettings()
    assert "live.json.set-aside-1" in notes[0]


def test_a_limit_of_a_later_program_is_passed_over(tmp_path: Path) -> None:
    document = {"schema_version": 1, "gates": {"no_such": 1.0}, "alerts": {"iat_c": 60.0}}
    (tmp_path / "live.json").write_text(json.dumps(document))
    assert load_live(tmp_path) == (LiveSettings(alerts=AlertLimits(iat_c=60.0)), ())
