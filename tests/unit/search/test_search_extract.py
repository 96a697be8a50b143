"""Index entries of resources. https://hl7.org/fhir/R4/searchparameter.html"""

import re
from collections.abc import Iterator

import pytest

from fhir_server import fhirjson
from fhir_server.model import Entry, Key
from fhir_server.search.escape import escape
from fhir_server.search.evaluate import Plain, evaluate
from fhir_server.search.extract import Extractor
from fhir_server.search.words import words


def test_entries_of_an_observation(extractor):
    observation = {
        "resourceType": "Observation",
        "meta": {"versionId": "3", "lastUpdated": "2024-01-01T00:00:00Z", "source": "urn:his"},
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4", "display": "Pulse"}]},
        "subject": {"reference": "Patient/li"},
        "effectiveDateTime": "1970-01-01T00:00:00Z",
        "valueQuantity": {"value": 72, "unit": "/min"},
    }

    loinc = ("8867-4", "http://loinc.org")
    bounds = (72.0, 72.0, "\x1f\x1f/min\x1f")
    assert extractor.entries(observation) == (
        Entry("_source", "urn:his"),
        Entry("code-value-quantity.0", *loinc, group=1),
        Entry("code-value-quantity.1", *bounds, group=1),
        Entry("status", "final"),
        Entry("subject", "Patient/li"),
        Entry("value-quantity", *bounds),
        Entry("value-quantity:canonical", *bounds),
        Entry("code", *loinc),
        Entry("code:text", " pulse ", "Pulse"),
        Entry("date", 0, 1000),
        Entry("patient", "Patient/li"),
    )


def test_same_entry_stands_once(extractor):
    patient = {"resourceType": "Patient", "name": [{"family": "Li"}, {"family": "Li"}]}

    entries = extractor.entries(patient)

    assert len(entries) == len(set(entries)) == 3  # deceased, name, family


def test_extension_counts_by_its_value(extractor):
    gene = {
        "url": "http://hl7.org/fhir/StructureDefinition/observation-geneticsGene",
        "valueCodeableConcept": {"coding": [{"code": "BRCA"}]},
    }

    entries = extractor.entries({"resourceType": "Observation", "extension": [gene]})

    assert entries == (Entry("gene-identifier", "BRCA"),)


def test_contained_resources_are_indexed_apart(extractor):
    drug = {"resourceType": "Medication", "id": "m", "code": {"coding": [{"code": "x"}]}}
    order = {
        "resourceType": "MedicationRequest",
        "contained": [drug],
        "medicationReference": {"reference": "#m"},
    }

    assert extractor.entries(order) == (
        Entry("medication", "#m"),
        Entry("Medication:_id", "m", path="#m"),
        Entry("Medication:code", "x", path="#m"),
    )


def test_what_is_contained_is_in_no_compartment_by_itself(extractor):
    told = {"resourceType": "Observation", "id": "o", "subject": {"reference": "Patient/1"}}
    group = {"resourceType": "Basic", "contained": [told]}

    assert extractor.patients(Key("Basic", "b"), extractor.entries(group)) == ()


@pytest.mark.parametrize(
    "inner", [{}, {"resourceType": "Patient"}, {"resourceType": "Nothing", "id": "x"}]
)
def test_what_is_no_contained_resource_is_passed_over(extractor, inner):
    assert extractor.entries({"resourceType": "Basic", "contained": [inner]}) == ()


def test_references_alone(extractor):
    observation = {
        "resourceType": "Observation",
        "status": "final",
        "subject": {"reference": "Patient/li"},
        "encounter": {"reference": "Encounter/e"},
    }

    assert extractor.references(observation, ["subject", "status"]) == (
        Entry("subject", "Patient/li"),
    )
    assert {entry.param for entry in extractor.references(observation)} == {
        "subject", "patient", "encounter",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("resource", "patients"),
    [
        ({"resourceType": "Patient", "id": "li"}, ("li",)),
        (
            {
                "resourceType": "Patient",
                "id": "li",
                "link": [{"other": {"reference": "Patient/an"}, "type": "seealso"}],
            },
            ("an", "li"),
        ),
        ({"resourceType": "Observation", "subject": {"reference": "Patient/li"}}, ("li",)),
        ({"resourceType": "Observation", "performer": [{"reference": "Patient/li"}]}, ("li",)),
        ({"resourceType": "Observation", "focus": [{"reference": "Patient/li"}]}, ()),
        ({"resourceType": "Observation", "subject": {"reference": "Group/g"}}, ()),
        ({"resourceType": "Observation", "subject": {"reference": "https://x.y/Patient/li"}}, ()),
        ({"resourceType": "Medication"}, ()),
        (
            {
                "resourceType": "Appointment",
                "participant": [
                    {"actor": {"reference": "Patient/li"}},
                    {"actor": {"reference": "Patient/an"}},
                    {"actor": {"reference": "Practitioner/p"}},
                ],
            },
            ("an", "li"),
        ),
    ],
)
def test_patients_are_those_that_the_compartment_definition_names(extractor, resource, patients):
    key = Key(resource["resourceType"], resource.get("id", "x"))

    assert extractor.patients(key, extractor.entries(resource)) == patients


def test_every_official_parameter_compiles(definitions, extractor):
    for type_name in definitions.resource_types:
        assert extractor.entries({"resourceType": type_name}) in ((), (Entry("deceased", "false"),))


def test_another_extractor_finds_the_same_in_the_same_order(definitions, extractor, examples):
    other = Extractor(definitions, "https://hub.example/fhir/")

    for example in examples[:100]:
        assert other.entries(example) == extractor.entries(example)


_YEAR_1000 = -30_610_224_000_000


def _queries(definitions, type_name: str, entry: Entry) -> Iterator[str]:
    """Yield queries that an entry answers, in the words of a client."""
    kind = definitions.search_parameters(type_name)[entry.param].type
    v, w = entry.v, entry.w
    match kind:
        case "token":
            yield f"{escape(str(w))}|{escape(str(v))}" if w else f"|{escape(str(v))}"
        case "string":
            yield escape(str(v))
        case "date":
            yield f"ge{fhirjson.instant(max(int(v), _YEAR_1000))}"
            yield f"le{fhirjson.instant(min(int(w), 253_402_300_799_999))}"
        case "number" | "quantity":
            yield f"ge{v!r}"
            yield f"le{w!r}"
        case "uri":
            yield escape(str(v))
        case "reference" if re.search(r"^[A-Z]\w+/|:", str(v)):
            yield escape(str(v))


def test_every_example_is_found_by_each_of_its_values(definitions, extractor, examples, read):
    """Whatever a resource says for a parameter, a search for it finds the resource."""
    tried = set()
    for example in examples:
        type_name = example["resourceType"]
        entries = extractor.entries(example)
        record = Plain(Key(type_name, "x"), 0, entries, ())
        for entry in entries:
            known = definitions.search_parameters(type_name)
            if entry.param not in known or (entry.v == "" and entry.w):
                continue
            for text in _queries(definitions, type_name, entry):
                query = f"{type_name}?{entry.param}={text}"
                assert evaluate(read(query).where, record), query
                tried.add((type_name, entry.param))
    assert len(tried) > 850


def test_every_example_is_found_by_the_words_beside_its_codes(examples, indexed, read):
    """Full text and the entries of `:text` agree: what one leads to, the other confirms."""
    tried = 0
    for example in examples:
        record = indexed(example)
        for entry in record.entries:
            if (
                not entry.path
                and entry.param.endswith(":text")
                and 0 < len(words(str(entry.w))) <= 100
            ):
                said = escape(str(entry.w)).replace("&", " ")
                query = f"{example['resourceType']}?{entry.param}={said}"
                assert evaluate(read(query).where, record), query
                tried += 1
    assert tried > 700


def test_no_example_is_missing_what_it_says(examples, extractor, read):
    for example in examples:
        entries = extractor.entries(example)
        record = Plain(Key(example["resourceType"], "x"), 0, entries, ())
        for param in {e.param for e in entries if ":" not in e.param and "." not in e.param}:
            where = read(f"{example['resourceType']}?{param}:missing=true").where
            assert not evaluate(where, record)
