"""Mapping documents: they find their channels again, and a hostile file changes nothing."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dynoai_desktop.core.channels import CHANNELS, Channel
from dynoai_desktop.core.trust.mapping import Choice, Transform, resolve
from dynoai_desktop.core.trust.mapping_file import (
    EXPORT_TYPE,
    TEMPLATE_TYPE,
    MappingDocument,
    MappingFileError,
    document_of,
    fitting,
    hints,
    load_mappings,
    parse_mapping,
    save_mapping,
    template_file_name,
    to_json,
)
from dynoai_desktop.core.trust.templates import TEMPLATES
from dynoai_desktop.core.units import Unit
from tests.trust_world import cell, infos, named, sources

C = Channel
NOW = "2026-03-01T10:00:00+00:00"


def exported(document: MappingDocument, kind: str = EXPORT_TYPE, **changes) -> bytes:
    return json.dumps({**to_json(document, kind, NOW), **changes}).encode()


def entry(channel: str = "map_kpa", **facts) -> bytes:
    """Return an export with one channel, its facts replaced; None removes a fact."""
    row = {"source_name": "MAP kPa", "transform": "identity", "enabled": True, **facts}
    row = {k: v for k, v in row.items() if v is not None}
    return exported(MappingDocument({}), channels={channel: row})


def test_an_export_comes_back_as_it_was() -> None:
    document = document_of(resolve(cell()), name="Cell 1", description="λ both", created_at=NOW)
    again = parse_mapping(exported(document))
    assert again == document
    result = resolve(cell(), choices=again.choices)
    assert sources(result) == sources(resolve(cell()))
    assert all(b.chosen for b in result.bindings.values())


def test_an_export_survives_moved_ids_and_a_renamed_provider() -> None:
    choices = parse_mapping(exported(document_of(resolve(cell())))).choices
    moved = [replace(c, id=500 - c.id) for c in cell()]
    for channels in (moved, [replace(c, provider=c.provider + " 2") for c in cell()]):
        result = resolve(channels, choices=choices)
        plain = resolve(cell())
        kept = {c for c, b in result.bindings.items() if b.chosen}
        # Names that two providers share need the provider; there the score decides as before.
        assert kept >= set(plain.bindings) - {C.BARO, C.HUMIDITY}
        assert sources(result) == sources(plain)


def test_a_template_says_nothing_of_one_provider() -> None:
    document = document_of(resolve(cell()), name="My twin")
    json_text = to_json(document, TEMPLATE_TYPE, NOW)
    assert "providers" not in json_text and "provider_signature" not in json_text
    assert all(set(row) <= {"source_name", "source_unit", "enabled", "transform"}
               for row in json_text["channels"].values())  # fmt: skip
    assert parse_mapping(json.dumps(json_text).encode()).template


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("My twin", "template_my-twin.json"),
        ("../../etc/passwd", "template_etc-passwd.json"),
        ("C:\\x\\CON\x00", "template_c-x-con.json"),
        ("…", "template_unnamed.json"),
        ("a" * 500, f"template_{'a' * 40}.json"),
    ],
)
def test_a_name_never_becomes_a_path(name: str, file: str) -> None:
    assert template_file_name(MappingDocument({}, name=name)) == file


def test_a_linear_transform_comes_back() -> None:
    choice = Choice("User Analog 1", Unit.VOLT, transform=Transform("linear", 3.008, 7.35))
    document = MappingDocument({C.AFR_FRONT: choice})
    assert parse_mapping(exported(document)).choices[C.AFR_FRONT].transform == choice.transform


# --- documents of the earlier program ----------------------------------------------------------


def foreign(channel: str, transform: str) -> bytes:
    return json.dumps(
        {
            "type": EXPORT_TYPE,
            "version": "1.0",
            "provider_signature": "67_10.0.0.2_ab",
            "provider_id": 67,
            "provider_name": "Power Core",
            "host": "10.0.0.2",
            "channels": {
                channel: {
                    "source_id": 15,
                    "source_name": "Torque Drum 1",
                    "transform": transform,
                    "enabled": True,
                }
            },
        }
    ).encode()


def test_a_foreign_transform_says_what_unit_the_source_is_in() -> None:
    (choice,) = parse_mapping(foreign("torque", "nm_to_ftlb")).choices.values()
    assert choice.transform == Transform()  # N·m is what we compute in
    (choice,) = parse_mapping(foreign("torque", "ftlb_to_nm")).choices.values()
    assert choice.transform is not None and choice.transform.gain == pytest.approx(1.3558, abs=1e-4)
    (choice,) = parse_mapping(foreign("torque", "identity")).choices.values()
    assert choice.transform is None  # the announced unit decides


def test_a_lambda_source_of_an_afr_channel_is_a_lambda_channel_here() -> None:
    assert list(parse_mapping(foreign("afr_front", "lambda_to_afr")).choices) == [C.LAMBDA_FRONT]
    assert list(parse_mapping(foreign("lambda_rear", "afr_to_lambda")).choices) == [C.AFR_REAR]


# --- what is refused, naming the field ---------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\x00" * 10_000_000, "larger than 1000 kB"),
        (b"\xff\xd8\xff", "is not text"),
        (b"{", "is not valid JSON"),
        (b"[]", "does not hold a JSON object"),
        (b"[" * 900_000, "nested too deeply"),
        (exported(MappingDocument({}), type="something"), "type: only"),
        (exported(MappingDocument({}), type=["x"]), "type: only"),
        (exported(MappingDocument({}), version="2.0"), "version: 2.0 is not 1.0"),
        (exported(MappingDocument({}), version=None), "version: None is not"),
        (exported(MappingDocument({}), channels=[]), "channels: an object"),
        (exported(MappingDocument({}), name=5), "name: text is expected, not 5"),
        (exported(MappingDocument({}), name="n" * 300), "name: longer than 200"),
        (exported(MappingDocument({}), providers="Power Core"), "providers: a list"),
        (exported(MappingDocument({}), providers=[1]), "providers[0]: text"),
        (entry("boost"), "channels.boost: there is no canonical channel"),
        (entry("../../x\x07"), "channels.../../x\ufffd: there is no canonical channel"),
        (entry(source_name=None), "channels.map_kpa.source_name is missing"),
        (entry(source_name=["MAP"]), "channels.map_kpa.source_name: text"),
        (entry(source_id="26"), "channels.map_kpa.source_id: a channel id"),
        (entry(source_id=-1), "channels.map_kpa.source_id: a channel id"),
        (entry(source_id=True), "channels.map_kpa.source_id: a channel id"),
        (entry(enabled="yes"), "channels.map_kpa.enabled: true or false"),
        (entry(source_unit="bar"), "channels.map_kpa.source_unit: bar is no unit"),
        (entry(transform="kpa_to_foo"), "channels.map_kpa.transform: kpa_to_foo is no transform"),
        (entry(transform="hp_to_kw"), "channels.map_kpa.transform: hp_to_kw does not lead to kPa"),
        (entry(transform=7), "channels.map_kpa.transform: 7 is no transform"),
        (entry(transform={"gain": 0, "offset": 1}), "transform.gain: 0 would"),
        (entry(transform={"gain": "3", "offset": 1}), "transform.gain: a number"),
        (entry(transform={"gain": 1e99, "offset": 1}), "transform.gain: 1e+99 is out of reason"),
        (entry(transform={"gain": 1}), "transform.offset: a number"),
    ],
)  # fmt: skip
def test_a_bad_file_is_refused_in_one_sentence_that_names_the_field(data, words) -> None:
    with pytest.raises(MappingFileError) as refusal:
        parse_mapping(data)
    message = str(refusal.value)
    assert words in message and message.endswith(".")
    assert len(message) < 300 and "\n" not in message


def test_one_source_cannot_be_two_channels() -> None:
    row = {"source_name": "MAP kPa", "enabled": True}
    data = exported(MappingDocument({}), channels={"map_kpa": row, "baro": row})
    with pytest.raises(MappingFileError, match=r"channels\.baro\.source_name.*already.*map_kpa"):
        parse_mapping(data)


def test_infinity_and_nan_are_refused() -> None:
    data = entry(transform={"gain": 1, "offset": 1}).replace(b'"gain": 1', b'"gain": Infinity')
    with pytest.raises(MappingFileError, match="Infinity"):
        parse_mapping(data)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300))
def test_junk_is_refused_and_never_crashes(data: bytes) -> None:
    with pytest.raises(MappingFileError):
        parse_mapping(data)


_facts = st.dictionaries(
    st.sampled_from(["source_name", "source_id", "source_unit", "transform", "enabled"]),
    st.one_of(st.none(), st.text(), st.integers(), st.booleans(), st.just({"gain": 2, "offset": 0}),
              st.sampled_from(["kPa", "identity", "psi_to_kpa"]), st.floats(allow_nan=False)),
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.sampled_from([c.value for c in CHANNELS]), _facts, max_size=4))
def test_a_file_is_taken_whole_or_not_at_all(channels) -> None:
    data = exported(MappingDocument({}), channels=channels)
    try:
        document = parse_mapping(data)
    except MappingFileError as refusal:
        assert str(refusal).endswith(".")
    else:
        resolve(cell(), choices=document.choices)


# --- saved with a vehicle ------------------------------------------------------------------------


def test_a_saved_mapping_is_found_by_its_channels(tmp_path: Path) -> None:
    document = document_of(resolve(cell()), name="Cell 1")
    path = save_mapping(tmp_path, document, NOW)
    assert path.parent == tmp_path and path.name == f"{document.signature}.json"
    documents, notes = load_mappings(tmp_path)
    assert notes == ()
    assert fitting(documents, cell()) == replace(document, created_at=NOW)
    # The operator switched two channels off: another signature, still this mapping.
    fewer = named(cell(), "IAT", "Spark Advance Front")
    assert fitting(documents, fewer) == replace(document, created_at=NOW)
    assert fitting(documents, infos("Other", [("RPM", 8), ("AFR", 11)])) is None


def test_a_signature_from_a_file_cannot_leave_the_folder(tmp_path: Path) -> None:
    document = MappingDocument({}, signature="../../evil")
    assert save_mapping(tmp_path, document, NOW).parent == tmp_path


def test_an_unreadable_saved_mapping_is_set_aside_and_the_others_load(tmp_path: Path) -> None:
    save_mapping(tmp_path, document_of(resolve(cell())), NOW)
    (tmp_path / "broken.json").write_text("{")
    (tmp_path / "odd.json").write_text('{"schema_version": 1, "version": "1.0", "channels": 5}')
    documents, notes = load_mappings(tmp_path)
    assert len(documents) == 1 and len(notes) == 2
    assert "broken.json" in notes[0] and "set-aside" in notes[0]
    assert "odd.json is not used: channels" in notes[1]
    assert (tmp_path / "odd.json").exists()


# --- built-in templates --------------------------------------------------------------------------


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_built_in_template_is_a_good_document(name: str) -> None:
    data = json.dumps(to_json(TEMPLATES[name], TEMPLATE_TYPE, NOW)).encode()
    assert parse_mapping(data).choices == TEMPLATES[name].choices


def test_a_template_is_a_hint_and_no_more() -> None:
    template = TEMPLATES["dynojet_rt150"]
    usable = hints(template, cell())
    assert set(usable) < set(template.choices)
    result = resolve(cell(), choices=usable)
    assert result.bindings[C.RPM].source.name == "Digital RPM 1"
    assert result.bindings[C.AFR_FRONT].source.name == "LC1 Volts Petrol AFR"
    assert result.notices == ()
