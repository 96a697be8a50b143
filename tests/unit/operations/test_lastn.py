"""https://hl7.org/fhir/R4/observation-operation-lastn.html"""

from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fhir_server.operations import lastn

VITAL = {
    "coding": [
        {
            "system": "http://terminology.hl7.org/CodeSystem/observation-category",
            "code": "vital-signs",
        }
    ]
}


def observation(id, codes, day=1, patient="p1", **more):
    """Codes are of one letter each; two words are text alone."""
    code = (
        {"text": codes}
        if " " in codes
        else {"coding": [{"system": "urn:c", "code": each} for each in codes]}
    )
    made = {
        "resourceType": "Observation",
        "id": id,
        "status": "final",
        "category": [VITAL],
        "code": code,
        "subject": {"reference": f"Patient/{patient}"},
    }
    if day:
        made["effectiveDateTime"] = f"2026-01-{day:02}T08:00:00Z"
    return made | more


PATIENTS = ({"resourceType": "Patient", "id": id} for id in ("p1", "p2"))


@pytest.fixture
def latest(hub):
    """Return what writes observations and asks for the latest, as ids."""
    hub.put_in(*({"resourceType": "Patient", "id": id} for id in ("p1", "p2")))

    def run(*observations, query="patient=p1&category=vital-signs", by="open"):
        hub.put_in(*observations)
        answer = hub.get(f"Observation/$lastn?{query}", by=by)
        assert answer.status_code == 200, answer.text
        found = [each["resource"]["id"] for each in answer.json().get("entry", ())]
        assert answer.json()["total"] == len(found)
        return found

    return run


def test_the_latest_of_each_code_latest_first(latest):
    found = latest(
        observation("a1", "a", 1),
        observation("a2", "a", 5),
        observation("b1", "b", 3),
        observation("b2", "b", 2),
        observation("other", "a", 9, patient="p2"),
    )

    assert found == ["a2", "b1"]


def test_max_of_each(latest):
    made = [observation(f"{code}{day}", code, day) for code in "ab" for day in (1, 2, 3)]

    assert latest(*made, query="patient=p1&category=vital-signs&max=2") in (
        ["a3", "b3", "a2", "b2"],
        ["b3", "a3", "b2", "a2"],
    )


@pytest.mark.parametrize(
    ("codes", "groups"),
    [
        (("a", "b", "c"), 3),
        (("a", "b", "ac"), 2),
        (("a", "b", "ab"), 1),
        (("textM m", "Text m", "t e x t"), 3),
        (("ab", "bc", "cd"), 1),
    ],
)
def test_groups_follow_the_transitive_property(latest, codes, groups):
    """The specification's own table."""
    made = [observation(f"o{9 - day}", each, 9 - day) for day, each in enumerate(codes)]

    assert len(latest(*made)) == groups


def test_one_code_in_two_systems_is_two(latest):
    other = {"coding": [{"system": "urn:d", "code": "a"}]}

    assert len(latest(observation("o1", "a"), observation("o2", "a", 2) | {"code": other})) == 2


def test_a_tie_is_not_decided(latest):
    """ "… 4 Observations instead of 3 if the 3rd and 4th … had the same effective time." """
    made = [observation(f"o{n}", "a", day) for n, day in enumerate((1, 2, 2, 3))]

    found = latest(*made, query="patient=p1&code=a&max=2")

    assert found[0] == "o3"
    assert sorted(found) == ["o1", "o2", "o3"]


def test_without_a_time_comes_last(latest):
    assert latest(observation("o1", "a", 0), observation("o2", "a", 1)) == ["o2"]


def test_other_parameters_choose_what_is_grouped(latest):
    made = [
        observation("o1", "a", 1),
        observation("o2", "a", 2, status="entered-in-error"),
        observation("o3", "b", 3),
    ]

    assert latest(*made, query="patient=p1&code=urn:c|a&status=final") == ["o1"]
    assert latest(query="subject=Patient/p1&code=a&_elements=status") == ["o2"]
    assert latest(query="patient=p1&code=nothing") == []


def test_includes(hub, latest):
    latest(observation("o1", "a"))

    entries = hub.get("Observation/$lastn?patient=p1&code=a&_include=Observation:subject").json()

    assert [e["search"]["mode"] for e in entries["entry"]] == ["match", "include"]


def test_a_body_of_parameters(hub, latest):
    latest(observation("o1", "a", 1), observation("o2", "a", 2), observation("o3", "a", 3))
    body = {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "max", "valuePositiveInt": 2},
            {"name": "patient", "valueString": "p1"},
            {"name": "code", "valueString": "a"},
        ],
    }

    answer = hub.post("Observation/$lastn", body)

    assert [each["resource"]["id"] for each in answer.json()["entry"]] == ["o3", "o2"]


@pytest.mark.parametrize(
    "query",
    [
        "category=vital-signs",
        "patient=p1",
        "patient=p1&code=a&max=0",
        "patient=p1&code=a&_sort=date",
        "patient=p1&code=a&_count=3",
        "patient=p1&code=a&colour=red",
    ],
)
def test_what_cannot_be_understood_is_refused(hub, query):
    answer = hub.get(f"Observation/$lastn?{query}")

    assert answer.status_code == 400
    assert answer.json()["resourceType"] == "OperationOutcome"


def test_who_is_bound_to_a_patient_need_not_name_one(latest):
    assert latest(observation("o1", "a"), query="category=vital-signs", by="patient") == ["o1"]
    assert latest(query="patient=p1&category=vital-signs", by="stranger") == []


OBSERVATIONS = st.lists(
    st.tuples(
        st.sampled_from(("a", "b", "c", "d", "ab", "bc", "cd", "x y", "X y")),
        st.integers(0, 9),
        st.sampled_from(("p1", "p2")),
    ),
    max_size=14,
)


def naively(made, most):
    """Return the ids that may, and those that must be told, by comparing all with all."""
    groups = []
    for id, codes, day, patient in made:
        labels = {(patient, codes)} if " " in codes else {(patient, each) for each in codes}
        joined = [each for each in groups if each[0] & labels]
        groups = [each for each in groups if not each[0] & labels]
        items = [(day, id), *(item for each in joined for item in each[1])]
        groups.append((labels.union(*(each[0] for each in joined)), items))
    dated, undated = [], []
    for _, items in groups:
        ordered = sorted((item for item in items if item[0]), reverse=True)
        last = ordered[most - 1][0] if len(ordered) >= most else 0
        dated += [id for day, id in ordered if day >= last]
        undated.append(max(0, min(most - len(ordered), len(items) - len(ordered))))
    return sorted(dated), sum(undated)


@settings(
    max_examples=80,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    drawn=OBSERVATIONS,
    most=st.integers(1, 3),
    at_once=st.integers(1, 4),
    many=st.sampled_from((0, 5)),
)
def test_reading_some_at_a_time_finds_what_reading_all_finds(
    make_hub, monkeypatch, drawn, most, at_once, many
):
    monkeypatch.setattr(lastn, "_FIRST", at_once)
    monkeypatch.setattr(lastn, "_MORE", at_once)
    monkeypatch.setattr(lastn, "_MANY", many)
    hub, numbers = make_hub(), count()
    made = [(f"o{next(numbers)}", *each) for each in drawn]
    hub.put_in(*({"resourceType": "Patient", "id": id} for id in ("p1", "p2")))
    hub.put_in(*(observation(*each) for each in made))

    answer = hub.get(f"Observation/$lastn?patient=p1,p2&category=vital-signs&max={most}").json()
    hub.close()

    days = {id: day for id, _, day, _ in made}
    found = [each["resource"]["id"] for each in answer.get("entry", ())]
    assert naively(made, most) == (
        sorted(id for id in found if days[id]),
        sum(1 for id in found if not days[id]),
    )
    assert [days[id] for id in found] == sorted((days[id] for id in found), reverse=True)
