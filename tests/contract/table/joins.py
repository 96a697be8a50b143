"""Composites, chains, reverse chains, and what shapes an answer."""

from tests.contract.table.row import Json, Section, about, observation

LOINC = "http://loinc.org"


def _component(code: str, value: object) -> Json:
    return {
        "code": {"coding": [{"system": LOINC, "code": code}]},
        "valueQuantity": {"value": value},
    }


COMPOSITES = Section(
    "composites",
    [
        observation("a", component=[_component("8480-6", 120), _component("8462-4", 80)]),
        observation("b", component=[_component("8480-6", 80), _component("8462-4", 120)]),
        {
            "resourceType": "DocumentReference",
            "id": "d",
            "status": "current",
            "content": [{"attachment": {"title": "x"}}],
            "relatesTo": [
                {"code": "replaces", "target": {"reference": "DocumentReference/e"}},
                {"code": "signs", "target": {"reference": "DocumentReference/f"}},
            ],
        },
    ],
    about(
        "composite",
        (
            "both parts in one place",
            f"Observation?component-code-value-quantity={LOINC}|8480-6$120",
            "a",
        ),
        ("prefixes inside", "Observation?component-code-value-quantity=8462-4$gt100", "b"),
        (
            "OR list",
            "Observation?component-code-value-quantity=8480-6$120,8462-4$120",
            "a b",
        ),
        (
            "a reference and a code",
            "DocumentReference?relationship=DocumentReference/e$replaces",
            "d",
        ),
        (
            "a reference and a code",
            "DocumentReference?relationship=DocumentReference/e$signs",
            "",
        ),
        ("a part is missing", "Observation?component-code-value-quantity=8480-6", "400"),
        ("a modifier that it has not", "Observation?code-value-quantity:missing=true", "400"),
    ),
)

JOINS = Section(
    "joins",
    [
        {"resourceType": "Organization", "id": "north", "name": "North"},
        {"resourceType": "Organization", "id": "south", "name": "South"},
        {
            "resourceType": "Patient",
            "id": "li",
            "name": [{"family": "Li"}],
            "managingOrganization": {"reference": "Organization/north"},
            "birthDate": "1980-01-01",
        },
        {
            "resourceType": "Patient",
            "id": "wang",
            "name": [{"family": "Wang"}],
            "managingOrganization": {"reference": "Organization/south"},
            "birthDate": "1970-01-01",
        },
        {"resourceType": "Patient", "id": "zhao", "name": [{"family": "Zhao"}]},
        {
            "resourceType": "Encounter",
            "id": "e",
            "status": "finished",
            "class": {"code": "AMB"},
            "subject": {"reference": "Patient/li"},
        },
        observation(
            "o1",
            subject={"reference": "Patient/li"},
            encounter={"reference": "Encounter/e"},
            code={"coding": [{"code": "x"}]},
        ),
        observation("o2", subject={"reference": "Patient/wang"}, code={"coding": [{"code": "y"}]}),
        {"resourceType": "Practitioner", "id": "v", "name": [{"family": "van den Berg"}]},
        {"resourceType": "Practitioner", "id": "m", "name": [{"family": "Mol-Zwart"}]},
    ],
    about(
        "chain",
        ("typed", "Observation?subject:Patient.family=li", "o1"),
        ("untyped", "Observation?subject.family=li", "o1"),
        ("two hops", "Observation?subject:Patient.organization.name=south", "o2"),
        ("with a prefix", "Observation?patient.birthdate=lt1975", "o2"),
        ("with a modifier", "Observation?patient.family:exact=Li", "o1"),
        ("OR list", "Observation?patient.family=li,wang", "o1 o2"),
        ("_id behind it", "Observation?encounter._id=e", "o1"),
        ("an unknown parameter", "Observation?patient.nothing=1", "400"),
    )
    + about(
        "_has",
        ("one", "Patient?_has:Observation:patient:code=x", "li"),
        ("nested", "Patient?_has:Encounter:patient:_has:Observation:encounter:code=x", "li"),
        ("with a chain inside", "Observation?patient._has:Encounter:patient:class=AMB", "o1"),
        ("behind a chain", "Organization?_has:Patient:organization:family=wang", "south"),
    )
    + about(
        "order",
        ("_sort", "Patient?_sort=family", "li,wang,zhao"),
        ("_sort descending", "Patient?_sort=-family", "zhao,wang,li"),
        ("_sort, missing last", "Patient?_sort=birthdate", "wang,li,zhao"),
        ("_sort, missing last", "Patient?_sort=-birthdate", "li,wang,zhao"),
        ("_sort by _id", "Patient?_sort=_id", "li,wang,zhao"),
        ("_sort, the words of a name together", "Practitioner?_sort=family", "m,v"),
        ("_sort, the words of a name together", "Practitioner?_sort=-family", "v,m"),
        ("_sort, the words of a name together", "Practitioner?_sort=family,_id", "m,v"),
    )
    + about(
        "compartment",
        ("a Patient's", "Patient/li/Observation", "o1"),
        ("a Patient's", "Patient/zhao/Observation", ""),
    )
    + about(
        "include",
        ("_include", "Observation?code=x&_include=Observation:subject", "o1 li"),
        ("_include of a type", "Observation?code=x&_include=Observation:subject:Group", "o1"),
        (
            "_include:iterate",
            "Observation?code=x&_include=Observation:subject&_include:iterate=Patient:organization",
            "o1 li north",
        ),
        ("_include=*", "Observation?code=x&_include=*", "o1 li e"),
        ("_revinclude", "Patient?family=li&_revinclude=Observation:subject", "li o1"),
        ("_revinclude=Type:*", "Patient?family=li&_revinclude=Encounter:*", "li e"),
    ),
)
