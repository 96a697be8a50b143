"""Search over HTTP: pages, totals, inclusion, links. https://hl7.org/fhir/R4/http.html#search"""

import pytest


def observation(id, patient, text="x", **more):
    return {
        "resourceType": "Observation",
        "id": id,
        "status": "final",
        "code": {"text": text},
        "subject": {"reference": f"Patient/{patient}"},
        **more,
    }


@pytest.fixture(autouse=True)
def written(hub):
    hub.put_in(
        {"resourceType": "Patient", "id": "a", "name": [{"family": "Li"}]},
        {"resourceType": "Patient", "id": "b", "name": [{"family": "Wang"}]},
        observation("o1", "a", effectiveDateTime="2026-01-01"),
        observation("o2", "a", effectiveDateTime="2026-01-02"),
        observation("o3", "b", effectiveDateTime="2026-01-03"),
    )


def links(answer):
    return {link["relation"]: link["url"] for link in answer.json()["link"]}


def test_a_search_answers_with_a_searchset(hub):
    found = hub.get("Patient?family=li").json()

    assert (found["resourceType"], found["type"], found["total"]) == ("Bundle", "searchset", 1)
    assert found["entry"][0]["fullUrl"] == "http://hub.test/fhir/Patient/a"
    assert found["entry"][0]["search"] == {"mode": "match"}


def test_an_outcome_among_entries_is_named_by_a_urn(hub):
    """ "fullUrl: The Absolute URL for the resource", or a URN where it has none."""
    [outcome] = hub.get("Patient?family=nobody&x=y", headers={"Prefer": "handling=lenient"}).json()[
        "entry"
    ]

    assert outcome["search"] == {"mode": "outcome"}
    assert outcome["fullUrl"].startswith("urn:uuid:")


@pytest.mark.parametrize("path", ["Patient/_search?family=li", "_search?_type=Patient&_id=a"])
def test_a_search_by_get_may_name_itself(hub, path):
    assert hub.ids(path) == ["Patient/a"]


@pytest.mark.parametrize("text", ["ge2020-01-01T00:00:00.000+08:00", "ge2020-01-01T00:00+08:00"])
def test_a_plus_that_nobody_encoded_is_a_time_zone(hub, text):
    assert hub.ids(f"Patient?_lastUpdated={text}&family=li") == ["Patient/a"]
    assert hub.ids(f"Observation?date={text}&_id=o1") == ["Observation/o1"]


def test_elements_may_name_the_type_of_the_resource(hub):
    for path in ("Patient?_elements=resourceType,name,id", "Patient/a?_elements=resourceType,id"):
        assert hub.get(path).status_code == 200


@pytest.mark.parametrize("method", ["count", "accurate", "estimate"])
def test_the_total_is_also_asked_for_by_its_other_name(hub, method):
    found = hub.get(f"Patient?_count=1&_totalMethod={method}").json()

    assert found["total"] == 2


def test_nothing_found_has_no_entries(hub):
    found = hub.get("Patient?family=nobody").json()

    assert (found["total"], "entry" in found) == (0, False)


def test_more_than_five_thousand_values_are_a_bad_request(hub):
    names = ",".join(f"n{number}" for number in range(5001))

    answer = hub.get(f"Patient?name={names}")

    assert answer.status_code == 400
    assert "5000 values" in answer.json()["issue"][0]["diagnostics"]


def test_a_long_list_of_ids_is_not_too_many(hub):
    names = ",".join(f"n{number}" for number in range(3000))

    assert hub.ids(f"Patient?_id={names},a") == ["Patient/a"]


def test_an_unknown_parameter_is_named(hub):
    answer = hub.get("Patient?colour=red")

    assert answer.status_code == 400
    assert "colour" in answer.json()["issue"][0]["diagnostics"]


def test_lenience_leaves_it_out_and_tells(hub):
    answer = hub.get("Patient?colour=red&family=li", headers={"Prefer": "handling=lenient"})

    entries = answer.json()["entry"]
    assert [e["search"]["mode"] for e in entries] == ["match", "outcome"]
    assert links(answer)["self"] == "http://hub.test/fhir/Patient?family=li"


def test_the_self_link_says_what_was_searched(hub):
    answer = hub.get("Patient?family=li&_format=json")

    assert links(answer)["self"] == "http://hub.test/fhir/Patient?family=li"


def test_the_self_link_says_how_many_a_page_really_has(hub):
    answer = hub.get("Patient?_count=99999")

    assert links(answer)["self"] == "http://hub.test/fhir/Patient?_count=1000"


def test_a_form_searches_as_a_query_does(hub):
    answer = hub.post(
        "Patient/_search?active:missing=true",
        b"family=li",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )

    assert [e["resource"]["id"] for e in answer.json()["entry"]] == ["a"]


def test_a_search_by_post_takes_no_resource(hub):
    assert hub.post("Patient/_search", {"resourceType": "Patient"}).status_code == 415


def test_pages_follow_each_other_until_all_is_seen(hub):
    answer = hub.get("Observation?_sort=-date&_count=2")
    seen = [e["resource"]["id"] for e in answer.json()["entry"]]

    answer = hub.get(links(answer)["next"])
    seen += [e["resource"]["id"] for e in answer.json()["entry"]]

    assert seen == ["o3", "o2", "o1"]
    assert "next" not in links(answer)


def test_a_page_of_another_is_refused(hub):
    following = links(hub.get("Observation?_count=2"))["next"]

    assert hub.get(following, by="operator").status_code == 400


def test_a_page_of_another_query_is_refused(hub):
    following = links(hub.get("Observation?_count=2"))["next"]

    assert hub.get(f"{following}&status=final").status_code == 400


@pytest.mark.parametrize("parameter", ["_count=0", "_summary=count"])
def test_a_count_has_the_total_alone(hub, parameter):
    found = hub.get(f"Observation?{parameter}").json()

    assert (found["total"], "entry" in found) == (3, False)


@pytest.mark.parametrize(
    ("query", "total"),
    [
        ("_count=2", None),
        ("_count=2&_total=accurate", 3),
        ("_count=2&_total=none", None),
        ("_total=none", None),
        ("", 3),
    ],
)
def test_the_total_is_told_when_asked_for_or_known(hub, query, total):
    assert hub.get(f"Observation?{query}").json().get("total") == total


def test_includes_follow_the_matches(hub):
    assert hub.ids("Observation?_id=o1&_include=Observation:subject") == [
        "Observation/o1",
        "Patient/a",
    ]


def test_what_is_included_is_marked(hub):
    found = hub.get("Observation?_id=o1&_include=Observation:subject").json()

    assert found["entry"][1]["search"] == {"mode": "include"}
    assert found["total"] == 1


def test_what_two_matches_include_comes_once(hub):
    ids = hub.ids("Observation?subject=Patient/a&_include=Observation:subject")

    assert ids.count("Patient/a") == 1


def test_reverse_includes_follow_too(hub):
    ids = hub.ids("Patient?_id=a&_revinclude=Observation:subject")

    assert sorted(ids) == ["Observation/o1", "Observation/o2", "Patient/a"]


def test_more_included_than_the_limit_is_told(make_hub):
    hub = make_hub(settings={"include_limit": 1})
    hub.put_in(
        {"resourceType": "Patient", "id": "a"}, observation("o1", "a"), observation("o2", "a")
    )

    found = hub.get("Patient?_revinclude=Observation:subject").json()

    assert [e["search"]["mode"] for e in found["entry"]] == ["match", "include", "outcome"]
    assert "related" in found["entry"][2]["resource"]["issue"][0]["diagnostics"]


def test_a_chain_goes_through_references(hub):
    assert hub.ids("Observation?subject:Patient.family=wang") == ["Observation/o3"]


def test_has_goes_the_other_way(hub):
    assert hub.ids("Patient?_has:Observation:subject:date=2026-01-03") == ["Patient/b"]


def test_a_compartment_holds_what_is_about_the_patient(hub):
    assert sorted(hub.ids("Patient/a/Observation")) == ["Observation/o1", "Observation/o2"]


def test_a_compartment_is_searched_with_criteria(hub):
    assert hub.ids("Patient/a/Observation?date=2026-01-02") == ["Observation/o2"]


def test_a_type_outside_the_compartment_is_a_bad_request(hub):
    assert hub.get("Patient/a/Practitioner").status_code == 400


@pytest.mark.parametrize("form", ["name=王", "name=%E7%8E%8B"])
def test_a_form_is_utf8(hub, form):
    """A form's words may be percent-encoded or stand as they are, in UTF-8."""
    hub.put_in({"resourceType": "Patient", "id": "wang", "name": [{"text": "王建国"}]})
    headers = {"Content-Type": "application/x-www-form-urlencoded"}

    answer = hub.post("Patient/_search", form.encode(), headers=headers)

    assert [entry["resource"]["id"] for entry in answer.json()["entry"]] == ["wang"]


def test_a_form_in_another_character_set_is_refused(hub):
    """Bytes that are not UTF-8 are a 400 that says where."""
    headers = {"Content-Type": "application/x-www-form-urlencoded"}

    answer = hub.post("Patient/_search", "name=王".encode("gb18030"), headers=headers)

    assert (answer.status_code, "Byte 5" in answer.text) == (400, True)
