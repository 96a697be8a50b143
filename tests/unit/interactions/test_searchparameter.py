"""User-defined search parameters: what is refused, and what is found by one.

https://hl7.org/fhir/R4/searchparameter.html
"""

from typing import Any

import pytest

from fhir_server.interactions.reindex import reindex
from tests.conftest import Hub

HL7 = "http://hl7.org/fhir/SearchParameter"
NICKNAME = {
    "resourceType": "SearchParameter",
    "id": "nickname",
    "url": "http://example.org/SearchParameter/nickname",
    "name": "nickname",
    "status": "active",
    "description": "A name that is no official one.",
    "code": "nickname",
    "base": ["Patient"],
    "type": "string",
    "expression": "Patient.name.where(use = 'nickname').given",
    "xpath": "f:not/[xpath",
    "xpathUsage": "normal",
}
LI = {
    "resourceType": "Patient",
    "id": "li",
    "name": [{"use": "nickname", "given": ["Xiaoli"], "family": "Xu"}, {"family": "Li"}],
}


def again(hub: Hub) -> None:
    """Do what the background does."""
    assert hub.run(reindex(hub.server, hub.server.store, "test"))  # type: ignore[arg-type]


def test_a_parameter_finds_what_was_there_before(hub: Hub) -> None:
    hub.put_in(LI, NICKNAME)
    again(hub)

    assert hub.ids("Patient?nickname=xiao") == ["Patient/li"]


def test_a_parameter_finds_what_is_written_after(hub: Hub) -> None:
    hub.put_in(NICKNAME)
    again(hub)
    hub.put_in(LI)

    assert hub.ids("Patient?nickname=xiao") == ["Patient/li"]


@pytest.mark.parametrize(
    "path",
    [
        "Patient?nickname=xiao",
        "Patient?nickname:missing=true",
        "Patient?_sort=nickname",
        "Observation?subject:Patient.nickname=xiao",
        "Observation?subject.nickname=xiao",
    ],
)
def test_until_all_is_indexed_a_question_is_told_how_far_it_is(hub: Hub, path: str) -> None:
    hub.put_in(LI, NICKNAME)

    answer = hub.get(path)

    assert answer.status_code == 503
    told = answer.json()["issue"][0]["diagnostics"]
    assert "nickname" in told
    assert "has not begun" in told


def test_a_parameter_under_way_is_no_criterion(hub: Hub) -> None:
    hub.put_in(LI, NICKNAME)

    given = {"If-None-Exist": "nickname=xiao"}
    assert hub.post("Patient", {"resourceType": "Patient"}, headers=given).status_code == 503


def test_a_deleted_parameter_is_unknown_and_its_name_is_free(hub: Hub) -> None:
    hub.put_in(LI, NICKNAME)
    again(hub)
    hub.delete("SearchParameter/nickname")

    assert hub.get("Patient?nickname=xiao").status_code == 400
    hub.put_in(NICKNAME | {"id": "second", "expression": "Patient.name.family"})
    again(hub)
    assert hub.ids("Patient?nickname=li") == ["Patient/li"]
    assert hub.ids("Patient?nickname=xiao") == []


def test_a_parameter_that_went_before_it_was_done_is_unknown(hub: Hub) -> None:
    hub.put_in(LI, NICKNAME)
    hub.delete("SearchParameter/nickname")

    assert hub.get("Patient?nickname=xiao").status_code == 400


def test_a_changed_parameter_finds_by_its_new_text(hub: Hub) -> None:
    hub.put_in(LI, NICKNAME)
    again(hub)
    hub.put_in(NICKNAME | {"expression": "Patient.name.family"})

    assert hub.get("Patient?nickname=li").status_code == 503
    again(hub)
    assert hub.ids("Patient?nickname=li") == ["Patient/li"]


def test_a_retired_parameter_is_unknown(hub: Hub) -> None:
    hub.put_in(NICKNAME)
    again(hub)
    answer = hub.patch(
        "SearchParameter/nickname", [{"op": "replace", "path": "/status", "value": "retired"}]
    )

    assert answer.status_code == 200
    assert hub.get("Patient?nickname=xiao").status_code == 400


def test_indexing_again_makes_no_version(hub: Hub) -> None:
    hub.put_in(LI, NICKNAME)
    before = hub.get("Patient/li").json()["meta"]
    again(hub)

    assert hub.get("Patient/li").json()["meta"] == before
    assert hub.get("Patient/li/_history").json()["total"] == 1


def test_a_parameter_is_told_in_the_statement(hub: Hub) -> None:
    hub.put_in(NICKNAME)

    [rest] = hub.get("metadata").json()["rest"]
    [patient] = [each for each in rest["resource"] if each["type"] == "Patient"]
    [told] = [each for each in patient["searchParam"] if each["name"] == "nickname"]
    assert told == {"name": "nickname", "definition": NICKNAME["url"], "type": "string"}


def test_a_reference_is_followed_both_ways(hub: Hub) -> None:
    hub.put_in(
        LI,
        {
            "resourceType": "Basic",
            "id": "b",
            "code": {"text": "x"},
            "extension": [{"url": "http://x/about", "valueReference": {"reference": "Patient/li"}}],
        },
        NICKNAME
        | {
            "id": "about",
            "code": "about",
            "base": ["Basic"],
            "type": "reference",
            "target": ["Patient"],
            "expression": "Basic.extension('http://x/about').value",
        },
    )
    again(hub)

    assert hub.ids("Basic?about.family=li") == ["Basic/b"]
    assert hub.ids("Patient?_has:Basic:about:_id=b") == ["Patient/li"]
    assert hub.ids("Basic?_include=Basic:about") == ["Basic/b", "Patient/li"]
    assert hub.ids("Patient?_revinclude=Basic:about") == ["Patient/li", "Basic/b"]


def test_what_is_contained_is_found_too(hub: Hub) -> None:
    medicine = {"resourceType": "Medication", "id": "m", "form": {"text": "pills"}}
    order = {
        "resourceType": "MedicationRequest",
        "id": "order",
        "status": "active",
        "intent": "order",
        "subject": {"display": "x"},
        "contained": [medicine],
        "medicationReference": {"reference": "#m"},
    }
    parameter = NICKNAME | {
        "code": "packed",
        "base": ["Medication"],
        "expression": "Medication.form.text",
    }
    hub.put_in(order, parameter)

    assert hub.get("MedicationRequest?medication.packed=pills").status_code == 503
    assert hub.get("Medication?packed=pills&_contained=true").status_code == 503
    again(hub)
    assert hub.ids("MedicationRequest?medication.packed=pills") == ["MedicationRequest/order"]
    assert hub.ids("Medication?packed=pills&_contained=true") == ["MedicationRequest/order"]
    hub.delete("SearchParameter/nickname")
    again(hub)
    hub.put_in(parameter | {"expression": "Medication.id"})
    again(hub)
    assert hub.ids("Medication?packed=pills&_contained=true") == []


def test_a_composite_is_made_of_other_parameters(hub: Hub) -> None:
    parts = [
        {"definition": NICKNAME["url"], "expression": "given"},
        {"definition": f"{HL7}/individual-family", "expression": "family"},
    ]
    composite = NICKNAME | {
        "id": "both",
        "code": "both",
        "type": "composite",
        "url": "http://example.org/SearchParameter/both",
        "expression": "Patient.name",
        "component": parts,
    }
    hub.put_in(LI, NICKNAME, composite)
    again(hub)

    assert hub.ids("Patient?both=xiao$xu") == ["Patient/li"]
    assert hub.delete("SearchParameter/nickname").status_code == 409


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "a type that there is not": ({"base": ["Human"]}, "base[0]"),
    "a code of R4": ({"code": "family"}, "code"),
    "a code that authorization asks by": ({"code": "owner"}, "code"),
    "a code that is no name": ({"code": "a:b"}, "code"),
    "no FHIRPath": ({"expression": "Patient.name.("}, "expression"),
    "too many steps": ({"expression": "Patient.name" + ".first()" * 400}, "expression"),
    "no element": ({"expression": "Patient.nick"}, "expression"),
    "no expression": ({"expression": None}, "expression"),
    "a type that does not fit": ({"type": "date"}, "expression"),
    "a special one": ({"type": "special"}, "type"),
    "a target that there is not": ({"type": "reference", "target": ["Human"]}, "target[0]"),
    "a composite without parts": ({"type": "composite"}, "component"),
    "parts of something else": (
        {"component": [{"definition": "http://x", "expression": "x"}]},
        "component",
    ),
    "an unknown part": (
        {"type": "composite", "component": [{"definition": "http://x", "expression": "given"}]},
        "component[0].definition",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_searched_by_is_refused(make_hub: Any, what: str) -> None:
    changed, where = REFUSED[what]
    wrong = {name: value for name, value in (NICKNAME | changed).items() if value is not None}

    answer = make_hub().put("SearchParameter/nickname", wrong)

    assert answer.status_code == 422
    issues = answer.json()["issue"]
    assert any(where in str(each.get("expression")) for each in issues), issues


def test_a_draft_may_be_anything(make_hub: Any) -> None:
    hub = make_hub()
    hub.put_in(NICKNAME | {"status": "draft", "code": "family", "expression": "Human.x"})

    assert hub.get("Patient?family=x").status_code == 200


def test_a_second_of_the_same_code_is_refused(make_hub: Any) -> None:
    hub = make_hub()
    hub.put_in(NICKNAME)

    answer = hub.post("SearchParameter", NICKNAME)

    assert answer.status_code == 422
    assert NICKNAME["url"] in answer.text


def test_one_that_says_what_r4_says_is_kept(make_hub: Any) -> None:
    hub = make_hub()
    hub.put_in(NICKNAME | {"code": "family", "expression": "Patient.name.family"}, LI)

    assert hub.ids("Patient?family=li") == ["Patient/li"]


def test_what_cannot_be_evaluated_has_no_value(make_hub: Any) -> None:
    hub = make_hub()
    hub.put_in(NICKNAME | {"expression": "Patient.name.given + Patient.name.family"})
    again(hub)
    hub.put_in(LI | {"name": [{"family": "Li", "given": ["A", "B"]}]})

    assert hub.ids("Patient?nickname:missing=true") == ["Patient/li"]


def test_staff_define_nothing(make_hub: Any) -> None:
    assert make_hub().post("SearchParameter", NICKNAME, by="physician").status_code == 403
