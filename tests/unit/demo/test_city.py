"""The city is the same from the same seed, whole in itself, and as large as asked."""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import date
from itertools import islice

import msgspec
import pytest

from fhir_server.demo.cast import PLACES
from fhir_server.demo.city import build
from fhir_server.demo.shapes import Json

PATIENTS = 60  # as in conftest.py
_encoder = msgspec.json.Encoder(decimal_format="number")


def _bytes(city) -> bytes:
    return b"\n".join(_encoder.encode((made.owner, made.resource)) for made in city)


def _references(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("reference"), str):
            yield value["reference"]
        for part in value.values():
            yield from _references(part)
    elif isinstance(value, list):
        for part in value:
            yield from _references(part)


def test_same_seed_gives_same_bytes(made):
    again = _bytes(build(PATIENTS))

    assert _bytes(made) == again


def test_other_seed_gives_another_city(made):
    other = _bytes(build(PATIENTS, seed=1))

    assert _bytes(made) != other


def test_patient_does_not_depend_on_the_size_of_the_city(made):
    few = _bytes(build(3))

    assert _bytes(made).startswith(few)


def test_city_streams():
    first = [entry.resource["id"] for entry in islice(build(10**9), 60)]

    assert "patient-0001" in first


def test_every_reference_was_made_before(resources):
    known: set[str] = set()
    for resource in resources:
        missing = set(_references(resource)) - known

        assert missing == set()
        known.add(f"{resource['resourceType']}/{resource['id']}")


def test_ids_are_valid_and_unique(resources):
    """Ids: [A-Za-z0-9\\-\\.]{1,64}. https://hl7.org/fhir/R4/datatypes.html#id"""
    keys = Counter((resource["resourceType"], resource["id"]) for resource in resources)

    assert max(keys.values()) == 1
    assert all(re.fullmatch(r"[A-Za-z0-9\-.]{1,64}", id_) for _, id_ in keys)


def test_owner_is_an_organization_that_stands_alone(made):
    alone = {place.id for place in PLACES if place.part_of is None}

    assert {entry.owner for entry in made} == alone


def test_encounter_is_owned_by_its_provider(made, by_reference):
    for entry in made:
        if entry.resource["resourceType"] == "Encounter":
            provider = by_reference[entry.resource["serviceProvider"]["reference"]]
            above = provider.get("partOf", {}).get("reference", f"Organization/{provider['id']}")

            assert above == f"Organization/{entry.owner}"


def test_record_has_the_size_of_some_years(resources):
    clinical = [entry for entry in resources if entry["id"].startswith("patient-")]
    sizes = Counter(entry["id"][:12] for entry in clinical)

    assert len(sizes) == PATIENTS
    assert min(sizes.values()) > 20
    assert 60 <= len(clinical) / PATIENTS <= 130


def test_hypertension_and_diabetes_are_prominent(of):
    codes = Counter(entry["code"]["coding"][0]["code"] for entry in of["Condition"])

    assert codes["I10"] >= 0.45 * PATIENTS
    assert codes["E11.9"] >= 0.2 * PATIENTS


def test_city_has_every_kind_of_record(of):
    expected = {
        "Organization", "Location", "HealthcareService", "Practitioner", "PractitionerRole",
        "Patient", "Encounter", "Condition", "Observation", "DiagnosticReport", "ServiceRequest",
        "MedicationRequest", "MedicationStatement", "AllergyIntolerance", "Immunization",
        "Procedure", "CarePlan", "Goal", "CareTeam", "EpisodeOfCare", "Appointment",
    }  # fmt: skip

    assert set(of) == expected


def test_named_patients_keep_their_names_under_any_seed():
    names = {
        entry.resource["id"]: entry.resource["name"][0]["text"]
        for entry in build(2, seed=99)
        if entry.resource["resourceType"] == "Patient"
    }

    assert names == {"patient-0001": "王建国", "patient-0002": "李秀兰"}


def test_today_before_the_city_is_refused():
    with pytest.raises(ValueError, match="too early"):
        list(build(1, today=date(2025, 12, 31)))


def test_another_day_tells_of_the_same_people(of):
    later: list[Json] = [
        entry.resource
        for entry in build(5, today=date(2029, 2, 1))
        if entry.resource["resourceType"] == "Patient"
    ]

    assert later == of["Patient"][:5]
