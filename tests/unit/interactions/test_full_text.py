"""Full text over HTTP, on each store. https://hl7.org/fhir/R4/search.html#content"""

import pytest

from fhir_server.search.extract import Extractor
from fhir_server.search.fulltext import FullText

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
DIV = '<div xmlns="http://www.w3.org/1999/xhtml">{}</div>'


def condition(id, words, narrative="", **more):
    told = {"text": {"status": "generated", "div": DIV.format(narrative)}} if narrative else {}
    subject = {"reference": f"Patient/{more.pop('patient', 'a')}"}
    made = {"resourceType": "Condition", "id": id, "subject": subject, "code": {"text": words}}
    return told | made | more


@pytest.fixture
def written(hub):
    hub.put_in(
        {"resourceType": "Patient", "id": "a", "name": [{"text": "林秀英"}]},
        {"resourceType": "Patient", "id": "b", "name": [{"text": "Bone, James"}]},
        condition("c1", "原发性高血压"),
        condition("c2", "Bone metastases", "liver and bone", patient="b"),
        condition("c3", "bone " + "and other things " * 60, patient="b"),
        condition("c4", "bone bone-bone of bone"),
    )
    return hub


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("Condition?_content=高血压", ["c1"]),
        ("Condition?_content=压", ["c1"]),
        ("Condition?_content=bone", ["c2", "c3", "c4"]),
        ("Condition?_content=bone -metastases", ["c3", "c4"]),
        ("Condition?_text=(bone OR liver) and not metastases", ["c2"]),
        ("Condition?_text=metastases", []),
        ("Condition?_text:missing=true", ["c1", "c3", "c4"]),
        ("Condition?_content:missing=true", []),
        ("Condition?_content=bone&_content=metastases", ["c2"]),
        ("Condition?_content=bone,高血压", ["c1", "c2", "c3", "c4"]),
        ("Condition?subject:Patient._content=秀英", ["c1", "c4"]),
        ("Condition?subject.name=bone&_content=bone", ["c2", "c3"]),
        ("Patient?_has:Condition:subject:_content=metastases", ["b"]),
        ("Patient?_content=秀英", ["a"]),
        ("Patient?_content=hospital", []),
        ("Patient/a/Condition?_content=bone", ["c4"]),
    ],
)
def test_words_are_found(written, query, expected):
    type = "Patient" if query.startswith("Patient?") else "Condition"

    assert sorted(written.ids(query)) == [f"{type}/{id}" for id in expected]


def test_words_change_and_go_with_the_record(written):
    written.put_in(condition("c1", "asthma"))
    written.delete("Condition/c4")

    assert written.ids("Condition?_content=高血压") == []
    assert written.ids("Condition?_content=asthma") == ["Condition/c1"]
    assert written.ids("Condition?_content=bone&subject=Patient/a") == []
    written.put_in(condition("c4", "bone again"))
    assert written.ids("Condition?_content=bone&subject=Patient/a") == ["Condition/c4"]
    assert written.run(written.server.store.check()) == []


def test_the_best_come_first_with_their_scores(written):
    entries = written.get("Condition?_content=bone&_sort=-_score").json()["entry"]

    found = [(entry["resource"]["id"], entry["search"]["score"]) for entry in entries]
    assert found == [("c4", 0.75), ("c2", 0.667), ("c3", 0.25)]


@pytest.mark.parametrize("down", ["", "-"])
def test_pages_of_scores_hold_each_match_once(written, down):
    url, found = f"Condition?_content=bone&_sort={down}_score,_id&_count=1", []
    while url:
        page = written.get(url).json()
        found += [entry["resource"]["id"] for entry in page["entry"]]
        url = next((link["url"] for link in page["link"] if link["relation"] == "next"), None)

    assert found == (["c4", "c2", "c3"] if down else ["c3", "c2", "c4"])


def test_a_score_is_told_without_an_order_too(written):
    [entry] = written.get("Condition?_text=liver").json()["entry"]

    assert entry["search"] == {"mode": "match", "score": 0.5}


@pytest.mark.parametrize("query", ["_content=-bone", "code:text=bone", "_content:missing=false"])
def test_what_asks_for_no_word_has_no_score(written, query):
    entries = written.get(f"Condition?{query}").json()["entry"]

    assert all("score" not in entry["search"] for entry in entries)


def test_a_score_needs_words_to_be_measured_by(hub):
    answer = hub.get("Condition?_sort=_score&code=x")

    assert (answer.status_code, "_content" in answer.text) == (400, True)


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("_content=", 400),
        ("_content=(bone", 400),
        ("_content:exact=bone", 400),
        ("_text:missing=perhaps", 400),
    ],
)
def test_what_cannot_be_read_is_refused(hub, query, status):
    assert hub.get(f"Condition?{query}").status_code == status


@pytest.mark.parametrize("number", [10, 300, 2000])
def test_long_alternatives_are_answered(written, number):
    words = " or ".join(f"w{each}" for each in range(number))

    found = written.post(
        "Condition/_search", f"_content=asthma or {words} or 高血压".encode(), headers=FORM
    )
    assert [entry["resource"]["id"] for entry in found.json()["entry"]] == ["c1"]


def test_a_type_whose_words_are_not_kept_says_so(make_hub, definitions):
    words = Extractor(definitions, full_text=FullText(frozenset(("Condition",))))
    hub = make_hub(extractor=words)
    hub.put_in({"resourceType": "Patient", "id": "a"}, condition("c1", "asthma"))

    assert hub.ids("Condition?_content=asthma") == ["Condition/c1"]
    answer = hub.get("Patient?_content=asthma")
    assert (answer.status_code, "full_text" in answer.text) == (501, True)
    assert hub.get("Condition?subject:Patient._content=x").status_code == 501
    assert hub.get("Condition?subject._content=x").status_code == 501


def test_a_join_leaves_no_type_out_in_silence(make_hub, definitions):
    hub = make_hub(extractor=Extractor(definitions, full_text=FullText(frozenset(("Patient",)))))
    hub.put_in(
        {"resourceType": "Patient", "id": "a", "name": [{"text": "Li"}]}, condition("c", "x")
    )

    assert hub.ids("Condition?subject:Patient._content=li") == ["Condition/c"]
    assert hub.get("Condition?subject._content=li").status_code == 501
