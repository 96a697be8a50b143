"""`_explain`: how a search is answered, told to whom it may be. docs/search.md"""

import json

import pytest

from fhir_server.interactions.bundle import ESTIMATED, bundle
from fhir_server.store.explanation import Total

QUERY = "Observation?code=x&subject:Patient.family=li&_explain=true"


@pytest.fixture(autouse=True)
def written(hub):
    hub.put_in({"resourceType": "Patient", "id": "a", "name": [{"family": "Li"}]})
    hub.put_in(
        *(
            {
                "resourceType": "Observation",
                "id": f"o{number}",
                "status": "final",
                "code": {"coding": [{"code": "x"}]},
                "subject": {"reference": "Patient/a"},
            }
            for number in range(3)
        )
    )


def told(answer):
    outcomes = [e["resource"] for e in answer.json()["entry"] if e["search"]["mode"] == "outcome"]
    return [issue["diagnostics"] for outcome in outcomes for issue in outcome["issue"]]


def test_it_tells_how_many_were_found_in_which_time(hub):
    words = told(hub.get(QUERY))

    assert "共匹配 3 条" in words[-1]
    assert "3 match in all" in words[-1]


def test_it_tells_the_decisions_of_the_store(hub):
    words = told(hub.get(QUERY))

    assert len(words) > 1
    assert any("Observation" in each for each in words[:-1])


def test_the_answer_is_the_same_besides(hub):
    plain = hub.get(QUERY.removesuffix("&_explain=true")).json()
    entries = [e for e in hub.get(QUERY).json()["entry"] if e["search"]["mode"] != "outcome"]

    assert entries == plain["entry"]


def test_no_value_of_the_query_is_told(hub):
    words = told(hub.get("Patient?family=secret,li&_explain=true"))

    assert not any("secret" in each for each in words)


@pytest.mark.parametrize("by", ["doctor", "patient", "feed", "auditor"])
def test_nobody_else_is_told(hub, by):
    known = next(name for name, caller in hub.callers.items() if caller.kind == KINDS[by])

    answer = hub.get("Patient?family=li&_explain=true", by=known)

    assert answer.status_code == 403


KINDS = {"doctor": "staff", "patient": "patient", "feed": "feed", "auditor": "auditor"}


def test_it_is_true_or_false(hub):
    assert hub.get("Patient?_explain=perhaps").status_code == 400


def test_a_count_is_explained_too(hub):
    words = told(hub.get("Observation?code=x&_count=0&_explain=true"))

    assert "3 match in all" in words[-1]


def test_an_estimate_that_is_exact_is_not_marked(hub):
    found = hub.get("Observation?code=x&_count=1&_total=estimate").json()

    assert (found["total"], "_total" in found) == (3, False)


def test_an_estimate_is_marked():
    found = json.loads(bundle("searchset", (), total=Total(1234, is_exact=False)))

    assert found["total"] == 1234
    assert found["_total"]["extension"] == [{"url": ESTIMATED, "valueBoolean": True}]
