"""Rules that no table states: Bundles, identifiers, codes, attachments, canonicals, responses."""

import copy
from typing import Any

import pytest
from conformance_samples import DIV, Json

from conformance.definitions import Definitions
from conformance.validator import Validator


@pytest.fixture(scope="module")
def validator(definitions: Definitions) -> Validator:
    return Validator(definitions, warnings=False)


@pytest.fixture(scope="module")
def telling(definitions: Definitions) -> Validator:
    return Validator(definitions)


def found(validator: Validator, resource: Json) -> list[tuple[str, str]]:
    return [(each.code, each.expression) for each in validator.validate(resource)]


BASIC: Json = {"resourceType": "Basic", "id": "b", "code": {"text": "x"}}
PATIENT: Json = {"resourceType": "Patient", "id": "p", "gender": "male"}


def entry(resource: Json, **more: Any) -> Json:
    name = f"{resource['resourceType']}/{resource['id']}"
    return {"fullUrl": f"http://x/fhir/{name}", "resource": resource, **more}


def bundle(kind: str, *entries: Json, **more: Any) -> Json:
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries), **more}


def link(relation: str, url: str = "http://x/fhir/Patient?name=a") -> Json:
    return {"relation": relation, "url": url}


SELF = [link("self")]
PUT = {"request": {"method": "PUT", "url": "Basic/b"}}


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        (bundle("collection", entry(BASIC)), []),
        (bundle("collection", {"resource": BASIC}), [("required", "Bundle.entry[0]")]),
        (
            bundle("collection", entry(BASIC) | {"fullUrl": "Basic/b"}),
            [("value", "Bundle.entry[0]")],
        ),
        (
            bundle("collection", entry(BASIC) | {"fullUrl": "http://x/fhir/Basic/other"}),
            [("value", "Bundle.entry[0]")],
        ),
        (bundle("collection", entry(BASIC) | {"fullUrl": "http://x/any"}), []),
        (
            bundle(
                "collection",
                entry(BASIC) | {"fullUrl": "urn:uuid:c757873d-ec9a-4326-a141-556f43239520"},
            ),
            [],
        ),
        (bundle("transaction", {"resource": BASIC, **PUT}), []),
        (
            bundle("transaction", {"resource": BASIC, **PUT}, {"resource": BASIC, **PUT}),
            [("duplicate", "Bundle.entry[1].request")],
        ),
        (bundle("searchset", entry(PATIENT), link=[*SELF, link("next")]), []),
        (
            bundle("searchset", entry(PATIENT), link=[*SELF, *SELF]),
            [("value", "Bundle.link[1]")],
        ),
        (
            bundle("collection", entry(PATIENT), link=[link("next")]),
            [("value", "Bundle.link[0].relation")],
        ),
        (
            bundle("searchset", entry(BASIC, search={"mode": "match"}), link=SELF),
            [("value", "Bundle.entry[0].resource")],
        ),
        (bundle("searchset", entry(BASIC, search={"mode": "include"}), link=SELF), []),
        (
            bundle(
                "searchset",
                entry(BASIC, search={"mode": "match"}),
                link=[link("self", "http://x/FHIR?_type=Basic")],
            ),
            [],
        ),
        (
            bundle(
                "searchset",
                {
                    "fullUrl": "http://x/fhir/Patient/p",
                    "resource": {"resourceType": "Patient", "gender": "male"},
                },
            ),
            [("required", "Bundle.entry[0].resource")],
        ),
    ],
)
def test_bundles(validator: Validator, resource: Json, expected: list[Any]) -> None:
    assert found(validator, resource) == expected


COMPOSITION: Json = {
    "resourceType": "Composition",
    "id": "c",
    "status": "final",
    "type": {"text": "x"},
    "subject": {"reference": "Patient/p"},
    "date": "2020",
    "author": [{"display": "x"}],
    "title": "x",
    "section": [{"title": "x", "entry": [{"reference": "Basic/b"}]}],
}
DOCUMENT = bundle(
    "document",
    entry(COMPOSITION),
    entry(PATIENT),
    entry(BASIC),
    identifier={"system": "http://x/i", "value": "1"},
    timestamp="2020-01-01T10:00:00Z",
)


def test_document_holds_what_its_composition_refers_to(validator: Validator) -> None:
    lacking = DOCUMENT | {"entry": DOCUMENT["entry"][:2]}

    assert found(validator, DOCUMENT) == []
    assert found(validator, lacking) == [
        ("not-found", "Bundle.entry[0].resource.section[0].entry[0]")
    ]


def test_document_holds_nothing_else(validator: Validator) -> None:
    more = DOCUMENT | {"entry": [*DOCUMENT["entry"], entry({**BASIC, "id": "lonely"})]}

    assert found(validator, more) == [("not-found", "Bundle.entry[3]")]


def test_reference_to_a_version_finds_that_version(validator: Validator) -> None:
    versioned = copy.deepcopy(DOCUMENT)
    versioned["entry"][2]["resource"]["meta"] = {"versionId": "2"}
    section = versioned["entry"][0]["resource"]["section"][0]
    section["entry"] = [{"reference": "Basic/b/_history/2"}]
    other = copy.deepcopy(versioned)
    other["entry"][0]["resource"]["section"][0]["entry"] = [{"reference": "Basic/b/_history/3"}]

    assert found(validator, versioned) == []
    assert ("not-found", "Bundle.entry[0].resource.section[0].entry[0]") in found(validator, other)


def test_message_holds_its_focus(validator: Validator) -> None:
    header = {
        "resourceType": "MessageHeader",
        "id": "h",
        "eventUri": "http://x/e",
        "source": {"endpoint": "http://x/u"},
        "focus": [{"reference": "Patient/p"}],
    }

    assert found(validator, bundle("message", entry(header), entry(PATIENT))) == []
    assert found(validator, bundle("message", entry(header))) == [
        ("not-found", "Bundle.entry[0].resource.focus[0]")
    ]


def test_urn_is_an_entry_of_a_transaction(validator: Validator) -> None:
    urn = "urn:uuid:c757873d-ec9a-4326-a141-556f43239520"
    referring = {**BASIC, "subject": {"reference": urn}}
    request = {"request": {"method": "POST", "url": "Basic"}}
    target = {"fullUrl": urn, "resource": {"resourceType": "Patient"}, **request}
    target["resource"] = {"resourceType": "Patient", "gender": "male"}

    good = bundle("transaction", {"resource": referring, **request}, target)
    bad = bundle("transaction", {"resource": referring, **request})

    assert found(validator, good) == []
    assert found(validator, bad) == [("not-found", "Bundle.entry[0].resource.subject")]


def test_urn_is_found_in_extensions_and_contained_resources(validator: Validator) -> None:
    urn = "urn:uuid:c757873d-ec9a-4326-a141-556f43239520"
    inner = {**BASIC, "id": "c", "subject": {"reference": "#"}, "author": {"reference": urn}}
    extension = {"url": "http://x/e", "valueReference": {"reference": urn}}
    referring = {**BASIC, "extension": [extension], "contained": [inner]}

    places = [place for _, place in found(validator, bundle("message", entry(referring)))]

    assert "Bundle.entry[0].resource.extension[0].value.ofType(Reference)" in places
    assert "Bundle.entry[0].resource.contained[0].author" in places


def extended(**value: Any) -> Json:
    return BASIC | {"extension": [{"url": "http://x/e", **value}]}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"valueIdentifier": {"system": "http://x", "value": "1"}}, None),
        ({"valueIdentifier": {"system": "mrn", "value": "1"}}, ("value", "")),
        ({"valueIdentifier": {"system": "urn:ietf:rfc:3986", "value": "1"}}, ("value", "")),
        ({"valueCoding": {"system": "http://x", "code": "1"}}, None),
        ({"valueCoding": {"system": "LOINC", "code": "1"}}, ("value", ".system")),
        (
            {"valueCoding": {"system": "http://hl7.org/fhir/administrative-gender", "code": "m"}},
            ("code-invalid", ".code"),
        ),
        (
            {"valueCoding": {"system": "http://loinc.org", "code": "glucose"}},
            ("code-invalid", ".code"),
        ),
        ({"valueCoding": {"system": "http://loinc.org", "code": "85354-9"}}, None),
        (
            {"valueCoding": {"system": "http://snomed.info/sct", "code": "73211009x"}},
            ("code-invalid", ".code"),
        ),
        (
            {"valueCoding": {"system": "urn:ietf:bcp:47", "code": "not a language"}},
            ("code-invalid", ".code"),
        ),
        ({"valueMoney": {"value": 1, "currency": "CNY"}}, None),
        ({"valueMoney": {"value": 1, "currency": "RMB"}}, ("code-invalid", ".currency")),
        ({"valueAttachment": {"contentType": "text/plain", "data": "YWJj", "size": 3}}, None),
        (
            {"valueAttachment": {"contentType": "text/plain", "data": "YWJj", "size": 4}},
            ("value", ""),
        ),
        (
            {
                "valueAttachment": {
                    "contentType": "text/plain",
                    "data": "YWJj",
                    "hash": "qZk+NkcGgWq6PiVxeFDCbJzQ2J0=",
                }
            },
            None,
        ),
        (
            {"valueAttachment": {"contentType": "text/plain", "data": "YWJj", "hash": "YWJj"}},
            ("value", ""),
        ),
        (
            {"valueAttachment": {"contentType": "TEXT/PLAIN", "url": "http://x"}},
            ("code-invalid", ".contentType"),
        ),
        ({"valueUri": "urn:uuid:C757873D-ec9a-4326-a141-556f43239520"}, ("value", "")),
        ({"valueUri": "urn:oid:1.02.3"}, ("value", "")),
        ({"valueUri": "urn:oid:1.2.3"}, None),
        ({"valueCanonical": "Questionnaire/1"}, ("value", "")),
        ({"valueCanonical": "#none"}, ("not-found", "")),
    ],
)
def test_values(validator: Validator, value: Json, expected: Any) -> None:
    [key] = value
    name = key[5].lower() + key[6:] if key in PRIMITIVE else key[5:]
    place = f"Basic.extension[0].value.ofType({name})"

    wanted = [(expected[0], place + expected[1])] if expected else []

    assert found(validator, extended(**value)) == wanted


PRIMITIVE = ("valueUri", "valueCanonical")


@pytest.mark.parametrize(
    ("system", "code"),
    [
        ("http://unitsofmeasure.org", "(score)"),
        ("http://loinc.org", "85354-8"),
        ("http://snomed.info/sct", "73211008"),
    ],
)
def test_what_only_looks_wrong_is_a_warning(telling: Validator, system: str, code: str) -> None:
    value = {"valueCoding": {"system": system, "code": code}}

    assert [each.severity for each in telling.validate(extended(**value))] == ["warning"]


@pytest.mark.parametrize("language", ["zh", "zh-Hans-CN", "de-CH", "sr-Latn", "x-own"])
def test_languages(validator: Validator, language: str) -> None:
    assert found(validator, BASIC | {"language": language}) == []


@pytest.mark.parametrize("language", ["not a language", "chinese-language-x", "z"])
def test_what_is_no_language(validator: Validator, language: str) -> None:
    assert [place for _, place in found(validator, BASIC | {"language": language})] == [
        "Basic.language"
    ]


CORE = "http://hl7.org/fhir/StructureDefinition/"


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        (
            PATIENT
            | {"extension": [{"url": CORE + "patient-birthPlace", "valueAddress": {"city": "x"}}]},
            [],
        ),
        (
            PATIENT | {"extension": [{"url": CORE + "patient-birthPlace", "valueString": "x"}]},
            [("structure", "Patient.extension[0]")],
        ),
        (
            BASIC
            | {"extension": [{"url": CORE + "patient-birthPlace", "valueAddress": {"city": "x"}}]},
            [("extension", "Basic")],
        ),
        (
            PATIENT
            | {
                "birthDate": "1990-01-01",
                "_birthDate": {
                    "extension": [
                        {
                            "url": CORE + "patient-birthTime",
                            "valueDateTime": "1990-01-01T10:00:00Z",
                        }
                    ]
                },
            },
            [],
        ),
        (
            PATIENT
            | {
                "name": [
                    {
                        "family": "x",
                        "_family": {
                            "extension": [
                                {"url": CORE + "humanname-own-prefix", "valueString": "x"}
                            ]
                        },
                    }
                ]
            },
            [],
        ),
        (
            PATIENT
            | {
                "name": [{"text": "x"}],
                "contained": [
                    {
                        **BASIC,
                        "subject": {"reference": "#"},
                        "extension": [{"url": CORE + "humanname-own-prefix", "valueString": "x"}],
                    }
                ],
            },
            [("extension", "Patient.contained[0]")],
        ),
        (
            PATIENT
            | {
                "modifierExtension": [
                    {"url": CORE + "patient-birthPlace", "valueAddress": {"city": "x"}}
                ]
            },
            [("extension", "Patient.modifierExtension[0]")],
        ),
    ],
)
def test_known_extensions(validator: Validator, resource: Json, expected: list[Any]) -> None:
    assert found(validator, resource) == expected


def asked(extension: Json, **item: Any) -> Json:
    """A questionnaire whose one question has an extension."""
    question = {"linkId": "1", "type": "choice", "text": "x", "extension": [extension], **item}
    outer = {"linkId": "0", "type": "group", "item": [question]}
    return {"resourceType": "Questionnaire", "status": "draft", "item": [outer]}


AXIS = {"url": CORE + "questionnaire-choiceOrientation", "valueCode": "vertical"}
LEAST = CORE + "questionnaire-minOccurs"


@pytest.mark.parametrize(
    ("resource", "is_right"),
    [
        (asked(AXIS), True),
        (asked(AXIS, type="string"), False),
        (asked({"url": LEAST, "valueInteger": 2}, required=True), True),
        (asked({"url": LEAST, "valueInteger": 0}), True),
        (asked({"url": LEAST, "valueInteger": 2}), False),
    ],
)
def test_extension_asks_something_of_its_element(
    validator: Validator, resource: Json, *, is_right: bool
) -> None:
    """StructureDefinition.contextInvariant: "A set of rules as FHIRPath Invariants about when the
    extension can be used"."""
    expected = [] if is_right else [("invariant", "Questionnaire.item[0].item[0]")]

    assert found(validator, resource) == expected


def test_unknown_modifier_extension_is_a_warning(telling: Validator) -> None:
    resource = BASIC | {"modifierExtension": [{"url": "http://x/e", "valueString": "x"}]}

    assert [each.severity for each in telling.validate(resource)] == ["warning"]


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        (
            {"resourceType": "ValueSet", "status": "draft", "url": "ValueSet/x"},
            [("value", "ValueSet.url")],
        ),
        (
            {
                "resourceType": "ValueSet",
                "status": "draft",
                "compose": {"include": [{"system": "LOINC"}]},
            },
            [("value", "ValueSet.compose.include[0]")],
        ),
        (
            {
                "resourceType": "ValueSet",
                "status": "draft",
                "compose": {
                    "include": [
                        {
                            "system": "http://snomed.info/sct",
                            "filter": [
                                {"property": "constraint", "op": "=", "value": "1 << 2"},
                                {"property": "constraint", "op": "=", "value": "<< 73211009"},
                            ],
                        }
                    ]
                },
            },
            [("value", "ValueSet.compose.include[0].filter[0]")],
        ),
        (
            {
                "resourceType": "QuestionnaireResponse",
                "status": "in-progress",
                "questionnaire": "http://hl7.org/fhir/ValueSet/administrative-gender",
            },
            [("value", "QuestionnaireResponse.questionnaire")],
        ),
        (
            {
                "resourceType": "Questionnaire",
                "status": "draft",
                "item": [
                    {
                        "linkId": "1",
                        "type": "string",
                        "enableWhen": [
                            {"question": "9", "operator": "exists", "answerBoolean": True}
                        ],
                    }
                ],
            },
            [("not-found", "Questionnaire.item[0].enableWhen[0]")],
        ),
        (
            {
                "resourceType": "SearchParameter",
                "url": "http://x/sp",
                "name": "X",
                "status": "draft",
                "description": "x",
                "code": "x",
                "base": ["Patient"],
                "type": "token",
                "expression": "Patient.name.where(",
            },
            [("value", "SearchParameter.expression")],
        ),
        (
            {
                "resourceType": "StructureDefinition",
                "url": "http://x/sd",
                "name": "X",
                "status": "draft",
                "kind": "resource",
                "abstract": False,
                "type": "Patient",
                "baseDefinition": CORE + "Patient",
                "derivation": "constraint",
                "differential": {
                    "element": [
                        {"id": "Patient", "path": "Patient"},
                        {"id": "Patient.colour", "path": "Patient.colour"},
                    ]
                },
            },
            [("structure", "StructureDefinition")],
        ),
    ],
)
def test_definitions(validator: Validator, resource: Json, expected: list[Any]) -> None:
    assert found(validator, resource) == expected


QUESTIONNAIRE: Json = {
    "resourceType": "Questionnaire",
    "id": "q",
    "status": "active",
    "item": [
        {
            "linkId": "1",
            "type": "group",
            "item": [
                {"linkId": "1.1", "type": "integer", "required": True},
                {
                    "linkId": "1.2",
                    "type": "choice",
                    "answerOption": [{"valueString": "a"}, {"valueString": "b"}],
                },
            ],
        }
    ],
}


def response(*items: Json, status: str = "completed") -> Json:
    return {
        "resourceType": "QuestionnaireResponse",
        "contained": [QUESTIONNAIRE],
        "questionnaire": "#q",
        "status": status,
        "item": [{"linkId": "1", "item": list(items)}],
    }


def answered(link_id: str, *answers: Json) -> Json:
    return {"linkId": link_id, "answer": list(answers)}


AGE = answered("1.1", {"valueInteger": 4})


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        (response(AGE, answered("1.2", {"valueString": "a"})), []),
        (response(answered("1.2", {"valueString": "a"}), status="in-progress"), []),
        (
            response(answered("1.2", {"valueString": "a"})),
            [("required", "QuestionnaireResponse.item[0]")],
        ),
        (
            response(answered("1.1", {"valueString": "4"})),
            [("structure", "QuestionnaireResponse.item[0].item[0].answer[0]")],
        ),
        (
            response(AGE, answered("1.2", {"valueString": "c"})),
            [("code-invalid", "QuestionnaireResponse.item[0].item[1].answer[0]")],
        ),
        (
            response(AGE, answered("2", {"valueString": "c"})),
            [("structure", "QuestionnaireResponse.item[0].item[1]")],
        ),
        (
            response(answered("1.1", {"valueInteger": 1}, {"valueInteger": 2})),
            [("structure", "QuestionnaireResponse.item[0].item[0].answer[1]")],
        ),
        (
            response(AGE, AGE),
            [("structure", "QuestionnaireResponse.item[0].item[1]")],
        ),
    ],
)
def test_responses(validator: Validator, resource: Json, expected: list[Any]) -> None:
    assert found(validator, resource) == expected


def test_levels(definitions: Definitions) -> None:
    broken = PATIENT | {"contact": [{"gender": "male"}], "colour": 1}
    validator = Validator(definitions, "structure")

    assert [each.code for each in validator.validate(broken)] == ["structure"]
    assert {each.code for each in validator.validate(broken, "full")} == {"structure", "invariant"}
    assert validator.validate(broken, "off") == []


def test_issues_are_capped(definitions: Definitions) -> None:
    broken = PATIENT | {"name": [{"colour": "red"}] * 50}

    told = Validator(definitions, most_issues=10).validate(broken)

    assert len(told) == 11
    assert told[-1].severity == "information"


def test_best_practice_is_told_where_asked_for(definitions: Definitions) -> None:
    """dom-6: A resource should have narrative for robust management."""
    advising = Validator(definitions, best_practice=True)
    narrated = PATIENT | {"text": {"status": "generated", "div": DIV}}

    assert [each.severity for each in advising.validate(PATIENT)] == ["warning"]
    assert advising.validate(narrated) == []
    assert Validator(definitions).validate(PATIENT) == []
