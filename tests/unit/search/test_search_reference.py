"""Reference, uri and canonical parameters. https://hl7.org/fhir/R4/search.html#reference"""

import pytest

from fhir_server.errors import BadRequest


def about(reference: str, **more: object) -> dict:
    return {"resourceType": "Observation", "subject": {"reference": reference, **more}}


LOCAL = about("Patient/23")
OURS = about("https://hub.example/fhir/Patient/23")
OTHER = about("https://other.example/fhir/Patient/23")
VERSIONED = about("Patient/23/_history/4")
LOGICAL = {
    "resourceType": "Observation",
    "subject": {"identifier": {"system": "urn:mrn", "value": "77"}},
}


@pytest.mark.parametrize(
    ("resource", "query", "expected"),
    [
        (LOCAL, "subject=Patient/23", True),
        (LOCAL, "subject=23", True),
        (LOCAL, "subject=Patient/24", False),
        (LOCAL, "subject=Group/23", False),
        (LOCAL, "subject:Patient=23", True),
        (LOCAL, "subject:Patient=Patient/23", True),
        (LOCAL, "subject:Group=23", False),
        (LOCAL, "subject=https://hub.example/fhir/Patient/23", True),
        (LOCAL, "subject=https://other.example/fhir/Patient/23", False),
        (LOCAL, "patient=23", True),
        (LOCAL, "subject=Patient/1,Patient/23", True),
        (OURS, "subject=Patient/23", True),
        (OURS, "subject=https://hub.example/fhir/Patient/23", True),
        (OTHER, "subject=Patient/23", False),
        (OTHER, "subject=https://other.example/fhir/Patient/23", True),
        (VERSIONED, "subject=Patient/23", True),
        (VERSIONED, "subject=Patient/23/_history/4", True),
        (VERSIONED, "subject=Patient/23/_history/5", False),
        (LOCAL, "subject=Patient/23/_history/4", False),
        (about("urn:uuid:6f1f"), "subject=urn:uuid:6f1f", True),
        (about("Group/g"), "patient=g", False),
        (LOGICAL, "subject:identifier=urn:mrn|77", True),
        (LOGICAL, "subject:identifier=77", True),
        (LOGICAL, "subject:identifier=urn:mrn|78", False),
        (LOGICAL, "subject:missing=false", True),
        (LOGICAL, "subject=Patient/77", False),
        (LOCAL, "subject:missing=true", False),
        (LOCAL, "performer:missing=true", True),
    ],
)
def test_reference_is_found_in_each_of_its_forms(matches, resource, query, expected):
    assert matches(resource, query) is expected


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("subject=Patient/", "expected Type/id"),
        ("subject=Foo/1", "no type Foo"),
        ("subject:Patient=Group/1", "no type Group"),
        ("subject=a b", "expected Type/id"),
        ("subject:Medication=1", "never to Medication"),
    ],
)
def test_what_is_no_reference_is_refused(read, query, message):
    with pytest.raises(BadRequest, match=message):
        read(f"Observation?{query}")


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        (":below=http://acme.org/plan", ["1", "1.0", "1.1", "10", "2"]),
        (":below=http://acme.org/plan|1", ["1", "1.0", "1.1"]),
        (":above=http://acme.org/plan|1.1", ["1", "1.1"]),
        (":above=http://acme.org/plan|1.1.7", ["1", "1.1"]),
    ],
)
def test_canonicals_below_are_those_whose_version_begins_so(matches, asked, found):
    """https://hl7.org/fhir/R4/search.html#versions"""
    versions = ["1", "1.0", "1.1", "10", "2"]
    plans = {
        each: {
            "resourceType": "CarePlan",
            "instantiatesCanonical": [f"http://acme.org/plan|{each}"],
        }
        for each in versions
    }

    assert [v for v in versions if matches(plans[v], f"instantiates-canonical{asked}")] == found


def test_a_profile_below_a_version_is_one_of_its_parts(matches):
    patient = {"resourceType": "Patient", "meta": {"profile": ["http://acme.org/p|1.2"]}}

    assert matches(patient, "_profile:below=http://acme.org/p|1")
    assert not matches(patient, "_profile:below=http://acme.org/p|2")


def test_canonical_has_its_version_apart(matches):
    plan = {"resourceType": "CarePlan", "instantiatesCanonical": ["http://acme.org/plan|2"]}

    assert matches(plan, "instantiates-canonical=http://acme.org/plan")
    assert matches(plan, "instantiates-canonical=http://acme.org/plan|2")
    assert not matches(plan, "instantiates-canonical=http://acme.org/plan|1")


def test_resource_in_place_is_a_reference_to_it(matches):
    document = {
        "resourceType": "Bundle",
        "type": "document",
        "entry": [{"resource": {"resourceType": "Composition", "id": "c1"}}],
    }

    assert matches(document, "composition=Composition/c1")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("url=http://acme.org/fhir/ValueSet/123", True),
        ("url=http://acme.org/fhir/ValueSet/12", False),
        ("url=HTTP://acme.org/fhir/ValueSet/123", False),
        ("url:below=http://acme.org/fhir/", True),
        ("url:below=http://acme.org/fhir", True),
        ("url:below=http://acme.org/fh", False),
        ("url:below=http://acme.org/fhir/ValueSet/123", True),
        ("url:above=http://acme.org/fhir/ValueSet/123/_history/5", True),
        ("url:above=http://acme.org/fhir/ValueSet/1234", False),
        ("url:above=http://acme.org/fhir/ValueSet/123", True),
        ("url=http://acme.org/fhir/ValueSet/123|7", True),
        ("url=http://acme.org/fhir/ValueSet/123|8", False),
        ("url=urn:x,http://acme.org/fhir/ValueSet/123", True),
        ("url:missing=false", True),
        ("url:below=urn:oid:1", False),
        ("url:above=http://acme.org/fhir/ValueSet/123/", True),
    ],
)
def test_uri_is_matched_whole_or_by_path(matches, query, expected):
    codes = {"resourceType": "ValueSet", "url": "http://acme.org/fhir/ValueSet/123", "version": "7"}

    assert matches(codes, query) is expected


@pytest.mark.parametrize("query", ["ValueSet?url=|3", "Patient?_profile=|3"])
def test_version_without_a_url_is_refused(read, query):
    with pytest.raises(BadRequest, match="expected"):
        read(query)


def test_above_a_folder_is_the_folder_itself(matches):
    assert matches(
        {"resourceType": "ValueSet", "url": "http://a.org/x/"}, "url:above=http://a.org/x/y"
    )


def test_above_and_below_leave_urns_whole(matches):
    codes = {"resourceType": "ValueSet", "url": "urn:oid:1.2.3"}

    assert matches(codes, "url:below=urn:oid:1.2.3")
    assert not matches(codes, "url:below=urn:oid:1.2")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("_profile=http://acme.org/p", True),
        ("_profile=http://acme.org/p|2", True),
        ("_profile=http://acme.org/p|3", False),
        ("_tag=urn:t|a", True),
        ("_tag:not=a", False),
        ("_tag:text=first", True),
        ("_security=R", True),
        ("_security=urn:s|R", False),
        ("_source=http://his.example/7", True),
        ("_source:below=http://his.example/", True),
        ("_profile:missing=true", False),
    ],
)
def test_meta_is_searched(matches, query, expected):
    meta = {
        "profile": ["http://acme.org/p|2", None],
        "tag": [{"system": "urn:t", "code": "a", "display": "First"}],
        "security": [{"code": "R"}],
        "source": "http://his.example/7",
    }

    assert matches({"resourceType": "Basic", "meta": meta}, query) is expected
