"""The rules by which the entries of a transaction meet. https://hl7.org/fhir/R4/http.html#trules"""

import asyncio
import itertools

import pytest

SYSTEM = "urn:s"


def patient(value="1", **more):
    return {"resourceType": "Patient", "identifier": [{"system": SYSTEM, "value": value}], **more}


def observation(subject, code="x"):
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": SYSTEM, "code": code}]},
        "subject": {"reference": subject},
    }


def entry(method, url, resource=None, fullurl="", **request):
    made = {"request": {"method": method, "url": url, **request}}
    if resource is not None:
        made["resource"] = resource
    if fullurl:
        made["fullUrl"] = fullurl
    return made


def create(resource, condition="", fullurl=""):
    more = {"ifNoneExist": condition} if condition else {}
    return entry("POST", resource["resourceType"], resource, fullurl, **more)


def transaction(*entries):
    return {"resourceType": "Bundle", "type": "transaction", "entry": list(entries)}


def statuses(answer):
    assert answer.status_code == 200, answer.text
    return [each["response"]["status"][:3] for each in answer.json()["entry"]]


OVERLAPPING = {
    "two spellings": [
        create(patient(), f"identifier={SYSTEM}|1"),
        create(patient(), f"identifier={SYSTEM}%7C1"),
    ],
    "two criteria that one resource satisfies": [
        create(patient(), f"identifier={SYSTEM}|1"),
        create(patient(), "identifier=1"),
    ],
    "a plain create of what matches": [
        create(patient()),
        create(patient(), f"identifier={SYSTEM}|1"),
    ],
    "an update that brings a match": [
        entry("PUT", "Patient/p9", patient(id="p9")),
        create(patient(), f"identifier={SYSTEM}|1"),
    ],
    "two conditional updates that create": [
        entry("PUT", f"Patient?identifier={SYSTEM}|1", patient()),
        entry("PUT", "Patient?identifier=1", patient()),
    ],
    "without identifiers": [
        create(patient(gender="male", birthDate="2000-01-01"), "birthdate=2000-01-01&gender=male"),
        create(patient("2", birthDate="2000-01-01"), "birthdate=2000-01-01"),
    ],
    "through a chain to another entry": [
        create(patient(), fullurl="urn:uuid:00000000-0000-4000-8000-000000000001"),
        create(
            observation("urn:uuid:00000000-0000-4000-8000-000000000001"),
            "subject.identifier=1&code=x",
        ),
        create(observation("urn:uuid:00000000-0000-4000-8000-000000000001"), "code=x"),
    ],
}


@pytest.mark.parametrize("entries", OVERLAPPING.values(), ids=OVERLAPPING)
def test_two_entries_do_not_create_under_one_condition(hub, entries):
    """ "If any resource identities … overlap in steps 1-3, then the transaction SHALL fail." """
    answer = hub.post("", transaction(*entries))

    assert answer.status_code == 412, answer.text
    assert answer.json()["issue"][0]["expression"][0].startswith("Bundle.entry[")
    assert hub.ids("Patient") == []


def test_conditions_that_differ_do_not_overlap(hub):
    entries = [create(patient(str(n)), f"identifier={SYSTEM}|{n}") for n in range(20)]

    assert statuses(hub.post("", transaction(*entries))) == ["201"] * 20


def test_a_chain_into_the_store_is_followed(hub):
    hub.put_in(patient("1", id="p1"), patient("2", id="p2"))

    answer = hub.post(
        "",
        transaction(
            create(observation("Patient/p1"), "subject.identifier=1"),
            create(observation("Patient/p2"), "subject.identifier=2"),
        ),
    )

    assert statuses(answer) == ["201", "201"]


def test_what_is_deleted_is_not_found_by_a_later_create(hub):
    """ "1. Process any DELETE … 2. Process any POST …" """
    hub.put_in(patient(id="p1"))

    answer = hub.post(
        "",
        transaction(
            create(patient(), f"identifier={SYSTEM}|1"),
            entry("DELETE", "Patient/p1"),
        ),
    )

    assert statuses(answer) == ["201", "204"]
    assert hub.ids("Patient") != ["Patient/p1"]


def test_a_conditional_delete_inside_takes_all(hub):
    hub.put_in(patient(id="p1"), patient(id="p2"), patient("2", id="p3"))

    answer = hub.post("", transaction(entry("DELETE", "Patient?identifier=1")))

    assert statuses(answer) == ["204"]
    assert hub.ids("Patient") == ["Patient/p3"]


def test_a_conditional_delete_and_a_put_of_one_record_overlap(hub):
    hub.put_in(patient(id="p1"))

    answer = hub.post(
        "",
        transaction(
            entry("DELETE", "Patient?identifier=1"),
            entry("PUT", "Patient/p1", patient(id="p1", active=True)),
        ),
    )

    assert answer.status_code == 400
    assert hub.get("Patient/p1").status_code == 200


def reference_of(hub, answer, place):
    kind, id = answer.json()["entry"][place]["response"]["location"].split("/")[:2]
    return hub.get(f"{kind}/{id}").json()["subject"]["reference"]


def test_a_conditional_reference_finds_what_another_entry_creates(hub):
    """ "5. Resolve any conditional references", after 2 and 3."""
    answer = hub.post(
        "",
        transaction(create(observation(f"Patient?identifier={SYSTEM}|1")), create(patient())),
    )

    assert statuses(answer) == ["201", "201"]
    id = answer.json()["entry"][1]["response"]["location"].split("/")[1]
    assert reference_of(hub, answer, 0) == f"Patient/{id}"


def test_a_conditional_reference_to_what_was_there_and_comes_again_matches_two(hub):
    hub.put_in(patient(id="p1"))

    answer = hub.post(
        "", transaction(create(observation("Patient?identifier=1")), create(patient()))
    )

    assert answer.status_code == 412


def test_a_conditional_reference_sees_updates_and_deletions(hub):
    hub.put_in(patient("1", id="p1"), patient("2", id="p2"), patient("3", id="p3"))

    answer = hub.post(
        "",
        transaction(
            create(observation("Patient?identifier=3")),
            entry("PUT", "Patient/p1", patient("3", id="p1")),
            entry("DELETE", "Patient/p3"),
        ),
    )

    assert statuses(answer) == ["201", "200", "204"]
    assert reference_of(hub, answer, 0) == "Patient/p1"


URN = "urn:uuid:00000000-0000-4000-8000-000000000001"
ADD_GENDER = {
    "resourceType": "Parameters",
    "parameter": [
        {
            "name": "operation",
            "part": [
                {"name": "type", "valueCode": "add"},
                {"name": "path", "valueString": "Patient"},
                {"name": "name", "valueString": "gender"},
                {"name": "value", "valueCode": "male"},
            ],
        }
    ],
}


def test_the_fullurl_of_a_conditional_update_that_creates_is_settled(hub):
    """ "any references to the resource are replaced" by the id that it gets."""
    answer = hub.post(
        "",
        transaction(
            create(observation(URN)),
            entry("PUT", f"Patient?identifier={SYSTEM}|1", patient(), URN),
        ),
    )

    assert statuses(answer) == ["201", "201"]
    id = answer.json()["entry"][1]["response"]["location"].split("/")[1]
    assert reference_of(hub, answer, 0) == f"Patient/{id}"


@pytest.mark.parametrize(
    ("method", "body"),
    [("PUT", patient(active=True)), ("PUT", patient()), ("PATCH", ADD_GENDER)],
)
def test_the_fullurl_of_a_conditional_write_of_what_is_there_is_settled(hub, method, body):
    hub.put_in(patient(id="p1"))

    answer = hub.post(
        "",
        transaction(
            create(observation(URN)), entry(method, f"Patient?identifier={SYSTEM}|1", body, URN)
        ),
    )

    assert statuses(answer) == ["201", "200"]
    assert reference_of(hub, answer, 0) == "Patient/p1"


def test_the_fullurl_of_a_conditional_update_that_names_its_id_is_settled(hub):
    answer = hub.post(
        "",
        transaction(
            create(observation(URN)),
            entry("PUT", "Patient?identifier=1", patient(id="mine"), URN),
        ),
    )

    assert statuses(answer) == ["201", "201"]
    assert reference_of(hub, answer, 0) == "Patient/mine"


@pytest.mark.parametrize("stored", [(), (patient(id="p1"),)])
def test_a_conditional_reference_finds_what_a_conditional_update_brings(hub, stored):
    hub.put_in(*stored)

    answer = hub.post(
        "",
        transaction(
            create(observation(f"Patient?identifier={SYSTEM}|1")),
            entry("PUT", f"Patient?identifier={SYSTEM}|1", patient(active=True)),
        ),
    )

    assert answer.status_code == 200, answer.text
    id = answer.json()["entry"][1]["response"]["location"].split("/")[1]
    assert reference_of(hub, answer, 0) == f"Patient/{id}"


def test_entries_that_refer_to_each_other_are_settled(hub):
    one, other = (f"urn:uuid:00000000-0000-4000-8000-00000000000{n}" for n in "12")

    def linked(to):
        return patient(link=[{"other": {"reference": to}, "type": "seealso"}])

    answer = hub.post(
        "", transaction(create(linked(other), "", one), create(linked(one), "", other))
    )

    assert statuses(answer) == ["201", "201"]
    ids = [each["response"]["location"].split("/")[1] for each in answer.json()["entry"]]
    for id, target in zip(ids, ids[::-1], strict=True):
        found = hub.get(f"Patient/{id}").json()["link"][0]["other"]["reference"]
        assert found == f"Patient/{target}"


def test_the_answer_has_a_link_to_itself(hub):
    answer = hub.post("", transaction(create(patient()))).json()

    assert answer["link"] == [{"relation": "self", "url": "http://hub.test/fhir"}]


def test_a_head_inside_is_answered_without_a_body(hub):
    hub.put_in(patient(id="p1"))

    [told] = hub.post("", transaction(entry("HEAD", "Patient/p1"))).json()["entry"]

    assert told["response"]["etag"] == 'W/"1"'
    assert "resource" not in told


def test_a_read_of_what_is_known_is_a_304(hub):
    hub.put_in(patient(id="p1"))

    [told] = hub.post("", transaction(entry("GET", "Patient/p1", ifNoneMatch='W/"1"'))).json()[
        "entry"
    ]

    assert told["response"]["status"].startswith("304")


KINDS_OF_CONDITION = {
    "one identifier": [f"identifier={SYSTEM}|1"],
    "two spellings": [f"identifier={SYSTEM}|1", f"identifier={SYSTEM}%7C1"],
    "system and without": [f"identifier={SYSTEM}|1", "identifier=1"],
    "without identifiers": ["birthdate=2000-01-01&gender=male", "gender=male&birthdate=2000-01-01"],
}


@pytest.mark.parametrize("conditions", KINDS_OF_CONDITION.values(), ids=KINDS_OF_CONDITION)
@pytest.mark.parametrize("how", ["create", "update", "transaction", "conditional update inside"])
def test_of_many_at_once_one_creates(hub, conditions, how):
    """64 at once: one record, and each is answered 200 or 201."""
    body = patient(gender="male", birthDate="2000-01-01")

    async def ask(number, condition):
        body_ = body | {"multipleBirthInteger": number % 3 + 1} if "update" in how else body
        match how:
            case "create":
                return await hub.ask("POST", "Patient", body_, headers={"If-None-Exist": condition})
            case "update":
                return await hub.ask("PUT", f"Patient?{condition}", body_)
            case "transaction":
                return await hub.ask("POST", "", transaction(create(body_, condition)))
            case _:
                inside = entry("PUT", f"Patient?{condition}", body_)
                return await hub.ask("POST", "", transaction(inside))

    async def all_at_once():
        return await asyncio.gather(
            *(ask(n, c) for n, c in zip(range(64), itertools.cycle(conditions), strict=False))
        )

    answers = hub.run(all_at_once())

    assert {answer.status_code for answer in answers} <= {200, 201}, answers
    assert len(hub.ids("Patient")) == 1


@pytest.mark.parametrize("kind", ["batch", "transaction"])
def test_format_and_pretty_are_no_business_of_an_entry(hub, kind):
    hub.put_in(patient(id="p1"))
    reading = entry("GET", "Patient?_id=p1&_format=json&_pretty=true")
    writing = entry("PUT", "Patient?identifier=1&_format=json", patient(active=True))

    answer = hub.post("", transaction(reading, writing) | {"type": kind})

    assert statuses(answer) == ["200", "200"]


def test_format_is_no_criterion(hub):
    hub.put_in(patient(id="p1"))

    assert hub.delete("Patient?identifier=1&_format=json").status_code == 204
    assert hub.ids("Patient") == []


@pytest.mark.parametrize(
    "resource",
    [
        {"resourceType": "Patient", "meta": {"tag": [{"code": {}}]}},
        {"resourceType": "Patient", "name": 1},
    ],
)
def test_what_breaks_the_rules_is_told_though_others_refer_to_it(hub, resource):
    answer = hub.post(
        "", transaction(create(observation("Patient?identifier=1")), create(resource))
    )

    assert answer.status_code in (412, 422)
