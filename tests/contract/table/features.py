"""Terminology, hierarchies, full text, positions, lists, compartments and several types."""

from tests.conftest import BASE
from tests.contract.table.row import Json, Section, about, observation

ANIMALS = "http://example.org/animals"


def _animal(id: str, code: str, system: str = ANIMALS) -> Json:
    return observation(id, code={"coding": [{"system": system, "code": code}]})


TERMINOLOGY = Section(
    "terminology",
    [
        {
            "resourceType": "CodeSystem",
            "id": "animals",
            "url": ANIMALS,
            "status": "active",
            "content": "complete",
            "hierarchyMeaning": "is-a",
            "concept": [
                {
                    "code": "animal",
                    "concept": [
                        {"code": "dog", "concept": [{"code": "poodle"}]},
                        {"code": "cat"},
                    ],
                }
            ],
        },
        {
            "resourceType": "ValueSet",
            "id": "dogs",
            "url": "http://example.org/dogs",
            "status": "active",
            "compose": {
                "include": [
                    {
                        "system": ANIMALS,
                        "filter": [{"property": "concept", "op": "is-a", "value": "dog"}],
                    }
                ]
            },
        },
        _animal("animal", "animal"),
        _animal("dog", "dog"),
        _animal("poodle", "poodle"),
        _animal("cat", "cat"),
        _animal("else", "dog", "http://example.org/others"),
        observation("none"),
    ],
    about(
        "token",
        (":in", "Observation?code:in=http://example.org/dogs", "dog poodle"),
        (":in", "Observation?code:in=ValueSet/dogs", "dog poodle"),
        (":in", "Observation?code:in=http://example.org/nothing", "400"),
        (":not-in", "Observation?code:not-in=http://example.org/dogs", "animal cat else none"),
        (":below", f"Observation?code:below={ANIMALS}|dog", "dog poodle"),
        (":above", f"Observation?code:above={ANIMALS}|poodle", "animal dog poodle"),
    ),
)


def _place(id: str, *, part_of: str = "", at: tuple[float, float] | None = None) -> Json:
    made: Json = {"resourceType": "Location", "id": id, "name": id}
    if part_of:
        made["partOf"] = {"reference": f"Location/{part_of}"}
    if at is not None:
        made["position"] = {"latitude": at[0], "longitude": at[1]}
    return made


def _stay(id: str, place: str) -> Json:
    return {
        "resourceType": "Encounter",
        "id": id,
        "status": "finished",
        "class": {"code": "IMP"},
        "location": [{"location": {"reference": f"Location/{place}"}}],
    }


PLACES = Section(
    "places",
    [
        _place("house", at=(31.23, 121.5)),
        _place("ward", part_of="house", at=(31.24, 121.5)),
        _place("room", part_of="ward"),
        _place("far", at=(39.9, 116.4)),
        _stay("in-room", "room"),
        _stay("in-ward", "ward"),
        _stay("away", "far"),
    ],
    about(
        "reference",
        (":below, parts of a place", "Encounter?location:below=house", "in-room in-ward"),
        (":below, parts of a place", "Encounter?location:below=Location/room", "in-room"),
        (":above, what a place is a part of", "Encounter?location:above=room", "in-room in-ward"),
    )
    + about(
        "special",
        ("near", "Location?near=31.23|121.5|5|km", "house ward"),
        ("near in another unit", "Location?near=31.23|121.5|900|m", "house"),
        ("near, the nearest first", "Location?near=31.25|121.5|5|km&_sort=near", "ward,house"),
        ("near behind a chain", "Encounter?location.near=39.9|116.4|1|km", "away"),
        ("unreadable", "Location?near=131|121", "400"),
    ),
)


def _told(id: str, narrative: str, note: str = "") -> Json:
    div = f'<div xmlns="http://www.w3.org/1999/xhtml">{narrative}</div>'
    more = {"note": [{"text": note}]} if note else {}
    return observation(id, text={"status": "generated", "div": div}, **more)


TEXTS = Section(
    "full text",
    [
        _told("heart", "Heart failure, severe"),
        _told("liver", "Liver failure", "no metastases of bone"),
        _told("chinese", "高血压三级"),
        observation("none"),
    ],
    about(
        "full text",
        ("_text", "Observation?_text=failure", "heart liver"),
        ("_text", "Observation?_text=metastases", ""),
        ("_content", "Observation?_content=metastases", "liver"),
        ("a phrase", 'Observation?_content="heart failure"', "heart"),
        ("or", "Observation?_content=heart or liver", "heart liver"),
        ("and not", "Observation?_content=failure and not heart", "liver"),
        ("a beginning", "Observation?_content=metasta*", "liver"),
        ("Chinese", "Observation?_content=血压", "chinese"),
        (":missing", "Observation?_text:missing=true", "none"),
    ),
)

MANY = Section(
    "several types",
    [
        {"resourceType": "Patient", "id": "li", "name": [{"family": "Li"}], "gender": "female"},
        {"resourceType": "Patient", "id": "wu", "name": [{"family": "Wu"}], "gender": "male"},
        {
            "resourceType": "Encounter",
            "id": "e",
            "status": "finished",
            "class": {"code": "AMB"},
            "subject": {"reference": "Patient/li"},
        },
        {
            "resourceType": "Device",
            "id": "d",
            "patient": {"reference": "Patient/li"},
        },
        observation(
            "o",
            subject={"reference": "Patient/li"},
            encounter={"reference": "Encounter/e"},
            device={"reference": "Device/d"},
            meta={"tag": [{"system": "http://tags", "code": "t"}], "source": "http://feed"},
        ),
        observation("other", subject={"reference": "Patient/wu"}),
        {
            "resourceType": "List",
            "id": "round",
            "status": "current",
            "mode": "working",
            "entry": [{"item": {"reference": "Patient/wu"}}, {"item": {"reference": "Patient/li"}}],
        },
        {
            "resourceType": "List",
            "id": "short",
            "status": "current",
            "mode": "working",
            "entry": [{"item": {"reference": "Patient/wu"}}],
        },
    ],
    about(
        "several types",
        ("_type", f"{BASE}?_type=Patient,Encounter", "li wu e"),
        ("_type and a criterion", f"{BASE}?_type=Patient,Observation&_id=li,o", "li o"),
        ("_type with a chain", f"{BASE}?_type=Observation,Encounter&patient.gender=female", "o e"),
        ("_type and an order", f"{BASE}?_type=Patient,Device&_sort=_id", "d,li,wu"),
        ("_type and a parameter that one lacks", f"{BASE}?_type=Patient,Device&family=li", "400"),
    )
    + about(
        "compartment",
        ("an Encounter's", "Encounter/e/Observation", "o"),
        ("a Device's", "Device/d/Observation", "o"),
        ("of all types", "Patient/li/*?_type=Encounter,Observation", "e o"),
        ("of a type outside", "Patient/li/Location", "400"),
        ("of nobody", "Patient/nobody/Observation", "404"),
    )
    + about(
        "parameters of every type",
        ("_list", "Patient?_list=round", "li wu"),
        ("_list", "Patient?_list=short", "wu"),
        ("_tag", "Observation?_tag=http://tags|t", "o"),
        ("_source", "Observation?_source=http://feed", "o"),
        ("_lastUpdated", "Patient?_lastUpdated=gt2000", "li wu"),
        ("_lastUpdated", "Patient?_lastUpdated=lt2000", ""),
    )
    + about(
        "include",
        ("_revinclude=*", "Patient?_id=wu&_revinclude=*", "wu other round short"),
    ),
)


def _medicine(id: str, code: str) -> Json:
    return {"resourceType": "Medication", "id": id, "code": {"coding": [{"code": code}]}}


def _order(id: str, medicine: str, *contained: Json) -> Json:
    return {
        "resourceType": "MedicationRequest",
        "id": id,
        "status": "active",
        "intent": "order",
        "subject": {"display": "x"},
        "medicationReference": {"reference": medicine},
        **({"contained": list(contained)} if contained else {}),
    }


CONTAINED = Section(
    "contained",
    [
        _medicine("alone", "a"),
        _order("outside", "Medication/alone"),
        _order("inside", "#m", _medicine("m", "a")),
        _order("other", "#m", _medicine("m", "b")),
    ],
    about(
        "contained",
        ("not asked for", "Medication?code=a", "alone"),
        ("_contained=false", "Medication?code=a&_contained=false", "alone"),
        ("_contained=true", "Medication?code=a&_contained=true", "inside"),
        ("_contained=both", "Medication?code=a&_contained=both", "alone inside"),
        (
            "_containedType=contained",
            "Medication?code=a&_contained=true&_containedType=contained",
            "m",
        ),
    )
    + about(
        "chain",
        ("into what is contained", "MedicationRequest?medication.code=a", "outside inside"),
        ("into what is contained", "MedicationRequest?medication.code=b", "other"),
    ),
)

FEATURES = [TERMINOLOGY, PLACES, TEXTS, MANY, CONTAINED]
