"""The cases of the benchmarks know nothing of the server that they measure."""

import json

import pytest

from fhir_server.bench import crud, race, records
from fhir_server.bench.ask import Ask
from fhir_server.bench.cases import chosen
from fhir_server.bench.footprint import footprint
from fhir_server.bench.ingest import ingest

QUICK = Ask(seconds=0.05)


@pytest.fixture(scope="module")
def record():
    return next(iter(records.city()))


def test_a_group_stands_for_its_cases():
    assert [case.name for case in chosen(["crud"])] == [
        "read", "create", "update", "delete", "commits",
    ]  # fmt: skip


@pytest.mark.parametrize("case", chosen(["crud", "ingest"]), ids=lambda case: case.name)
def test_another_server_is_measured(case, stranger):
    figures = {figure.measure: figure.value for figure in case.measure(stranger.target, QUICK)}

    assert (figures["failed"], figures["requests"] > 0) == (0, True)


def test_nothing_is_said_of_an_unknown_process(stranger):
    assert list(footprint(stranger.target, QUICK)) == []


def test_reads_ask_for_what_was_made(stranger):
    list(crud.read(stranger.target, QUICK))

    made = {f"/r4/Patient/{number + 1}" for number in range(50)}
    assert {path for verb, path, _ in stranger.asked if verb == "GET"} <= made


def test_a_refused_create_is_told(stranger):
    stranger.status = 422

    with pytest.raises(ValueError, match="refuses a create: 422"):
        crud.patients(stranger.target)


def test_races_tell_how_many_resources_were_made(stranger):
    figures = list(race.race(stranger.target, QUICK))

    found = {f.value for f in figures if f.measure.startswith("resources")}
    assert found == {1}


def test_races_count_every_answer(stranger):
    figures = list(race.race(stranger.target, QUICK))

    answers = [f.value for f in figures if f.measure == "answers 201"]
    assert answers == [race.CLIENTS * 5] * len(race.RACES)


def test_references_inside_a_record_become_urn_uuid(record):
    entries = json.loads(record[0])["entry"]

    subjects = {
        entry["resource"]["subject"]["reference"]
        for entry in entries
        if "subject" in entry["resource"]
    }
    assert subjects == {entries[0]["fullUrl"]}


def test_references_out_of_a_record_keep_only_words(record):
    assert b'"reference":"Practitioner/' not in record[0]


def test_a_folder_is_sent_once_each(stranger, tmp_path, record):
    (tmp_path / "a.json").write_bytes(record[0])
    (tmp_path / "b.json").write_bytes(record[0])

    figures = {f.measure: f.value for f in ingest(stranger.target, Ask(5, tmp_path))}

    assert figures["requests"] == 2


def test_what_belongs_to_no_patient_goes_first(stranger, tmp_path, record):
    place = {"resource": {"resourceType": "Organization"}, "request": {"method": "POST"}}
    (tmp_path / "a.json").write_bytes(record[0])
    (tmp_path / "z.json").write_text(json.dumps({"resourceType": "Bundle", "entry": [place]}))

    list(ingest(stranger.target, Ask(5, tmp_path)))

    assert b"Organization" in stranger.asked[0][2]


def test_an_empty_folder_is_refused(stranger, tmp_path):
    with pytest.raises(ValueError, match="holds no transaction Bundle"):
        list(ingest(stranger.target, Ask(5, tmp_path)))
