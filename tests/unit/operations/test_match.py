"""https://hl7.org/fhir/R4/patient-operation-match.html"""

import pytest

from fhir_server.operations.match_grades import RULES, grade, traits
from fhir_server.operations.resident import SYSTEM

NUMBER = "99010119560308018X"
OTHER = "990101195603081000"
WOMAN = {
    "resourceType": "Patient",
    "id": "p1",
    "identifier": [
        {"system": SYSTEM, "value": NUMBER},
        {"system": "urn:mr", "value": "7"},
    ],
    "name": [{"family": "李", "given": ["桂芳"]}],
    "gender": "female",
    "birthDate": "1956-03-08",
    "telecom": [{"system": "phone", "value": "+86 129-0000-0001"}],
}
NAMESAKE = {
    "resourceType": "Patient",
    "id": "p2",
    "name": [{"text": "李桂芳"}],
    "gender": "female",
    "birthDate": "1956-03-08",
}


def described(**more):
    return {"resourceType": "Patient", **more}


def identified(value, system=SYSTEM, **more):
    return described(identifier=[{"system": system, "value": value}], **more)


@pytest.fixture
def ask(hub):
    hub.put_in(WOMAN, NAMESAKE)

    def run(patient, by="open", **others):
        parameters = [{"name": "resource", "resource": patient}]
        parameters += ({"name": name, **value} for name, value in others.items())
        body = {"resourceType": "Parameters", "parameter": parameters}
        return hub.post("Patient/$match", body, by=by)

    return run


def grades(answer):
    assert answer.status_code == 200, answer.text
    return [
        (e["resource"]["id"], e["search"]["extension"][0]["valueCode"])
        for e in answer.json().get("entry", ())
        if e["search"]["mode"] == "match"
    ]


def test_a_check_digit_of_the_numbers_here_holds():
    assert traits(identified(NUMBER))["resident"] == {NUMBER}
    assert traits(identified(NUMBER[:-1] + "1"))["resident"] == frozenset()


@pytest.mark.parametrize("written", [NUMBER, NUMBER.lower(), NUMBER[:6] + NUMBER[8:17]])
def test_a_resident_number_is_certain_however_it_is_written(ask, written):
    answer = ask(identified(written))

    assert grades(answer) == [("p1", "certain")]
    [entry] = answer.json()["entry"]
    assert entry["search"]["score"] == 1.0
    assert entry["search"]["extension"][0]["url"].endswith("/match-grade")


def test_a_resident_number_under_another_name_is_probable(ask):
    answer = ask(identified(NUMBER, name=[{"text": "王五"}]))

    assert grades(answer) == [("p1", "probable")]


def test_name_birth_date_and_gender_are_possible_and_a_phone_makes_them_probable(ask):
    known = described(name=[{"text": "李桂芳"}], gender="female", birthDate="1956-03-08")
    phone = [{"system": "phone", "value": "12900000001"}]

    assert sorted(grades(ask(known))) == [("p1", "possible"), ("p2", "possible")]
    assert grades(ask(known | {"telecom": phone})) == [("p1", "probable"), ("p2", "possible")]


def test_a_number_of_an_institution_with_the_name_is_certain(ask):
    patient = identified("7", "urn:mr", name=[{"family": "李", "given": ["桂芳"]}])

    assert grades(ask(patient)) == [("p1", "certain")]


def test_another_resident_number_is_another_person(ask):
    known = identified(OTHER, name=[{"text": "李桂芳"}], birthDate="1956-03-08")

    assert ("p1", "possible") not in grades(ask(known))


def test_the_number_tells_birth_date_and_gender(ask):
    assert grades(ask(identified(NUMBER, name=[{"text": "李桂芳"}]))) == [
        ("p1", "certain"),
        ("p2", "possible"),
    ]


def test_only_certain_matches(ask):
    certain = {"valueBoolean": True}
    known = described(name=[{"text": "李桂芳"}], birthDate="1956-03-08")

    assert grades(ask(identified(NUMBER), onlyCertainMatches=certain)) == [("p1", "certain")]
    answer = ask(known, onlyCertainMatches=certain)
    assert grades(answer) == []
    assert answer.json()["entry"][0]["search"]["mode"] == "outcome"
    assert answer.json()["total"] == 0


def test_two_who_are_certain_are_not_one(hub, ask):
    hub.put_in(WOMAN | {"id": "p3"})

    assert grades(ask(identified(NUMBER), onlyCertainMatches={"valueBoolean": True})) == []
    assert len(grades(ask(identified(NUMBER)))) == 2


def test_count(ask):
    known = described(name=[{"text": "李桂芳"}], birthDate="1956-03-08", gender="female")

    answer = ask(known, count={"valueInteger": 1})

    assert len(grades(answer)) == 1
    assert answer.json()["entry"][-1]["search"]["mode"] == "outcome"


def test_nobody_matches(ask):
    answer = ask(described(name=[{"text": "王五"}], birthDate="1956-03-08"))

    assert answer.json()["total"] == 0
    assert "entry" not in answer.json()


def test_a_patient_may_be_the_body_itself(hub, ask):
    answer = hub.post("Patient/$match?onlyCertainMatches=true", identified(NUMBER))

    assert grades(answer) == [("p1", "certain")]


@pytest.mark.parametrize(
    "body",
    [
        None,
        described(name=[{"text": "李桂芳"}]),
        described(birthDate="1956-03-08"),
        described(identifier=[{"value": NUMBER}]),
        described(identifier="x"),
        described(identifier=[{"system": f"urn:{n}", "value": "x"} for n in range(51)]),
        described(name=[{"text": "李"}], birthDate="yesterday"),
        {"resourceType": "Observation"},
        {"resourceType": "Parameters", "parameter": [{"name": "colour", "valueString": "red"}]},
        {"resourceType": "Parameters", "parameter": [{"name": "resource", "resource": 1}]},
    ],
)
def test_what_does_not_suffice_is_refused(hub, body):
    answer = hub.post("Patient/$match", body)

    assert answer.status_code == 400
    assert answer.json()["resourceType"] == "OperationOutcome"


def test_who_sees_nobody_matches_nobody(ask):
    assert grades(ask(identified(NUMBER), by="stranger")) == []
    assert grades(ask(identified(NUMBER), by="patient")) == [("p1", "certain")]
    assert ask(identified(NUMBER), by="admin").status_code == 403


def test_rules_stand_from_the_surest_to_the_least_sure():
    scores = [rule.grade.score for rule in RULES]

    assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize("place", range(len(RULES)))
def test_each_rule_decides_something(place):
    """Two Patients who agree and differ in just what a rule says get its grade."""
    rule = RULES[place]
    every = ("resident", "document", "number", "name", "birth", "gender", "phone")
    one = {trait: frozenset("1") for trait in every}
    free = rule.agree | rule.not_differ
    other = {
        trait: frozenset("1") if trait in rule.agree else frozenset(() if trait in free else "2")
        for trait in every
    }

    assert grade(one, other) == rule.grade
