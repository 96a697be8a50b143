"""https://hl7.org/fhir/R4/resource-operation-meta.html and its kin"""

import pytest

A = {"system": "urn:t", "code": "a"}
B = {"system": "urn:t", "code": "b", "display": "B"}
PATIENT = {"resourceType": "Patient", "id": "p1", "meta": {"tag": [A], "profile": ["urn:p"]}}


def given(**meta):
    return {"resourceType": "Parameters", "parameter": [{"name": "meta", "valueMeta": meta}]}


def returned(answer):
    assert answer.status_code == 200, answer.text
    [parameter] = answer.json()["parameter"]
    assert parameter["name"] == "return"
    return parameter["valueMeta"]


def pairs(codings):
    return {(each["system"], each["code"]) for each in codings}


@pytest.fixture(autouse=True)
def written(hub):
    hub.put_in(PATIENT)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_meta_of_a_record(hub, method):
    assert returned(hub(method, "Patient/p1/$meta")) == {"tag": [A], "profile": ["urn:p"]}


def test_meta_of_a_type_and_of_the_hub_is_the_union(hub):
    hub.put_in(
        {"resourceType": "Patient", "id": "p2", "meta": {"tag": [B, A]}},
        {"resourceType": "Patient", "id": "p3"},
        {"resourceType": "Organization", "id": "o", "name": "O", "meta": {"security": [B]}},
    )

    of_type, of_all = returned(hub.get("Patient/$meta")), returned(hub.get("$meta"))

    assert pairs(of_type["tag"]) == {("urn:t", "a"), ("urn:t", "b")}
    assert "security" not in of_type
    assert pairs(of_all["security"]) == {("urn:t", "b")}


def test_meta_tells_only_of_what_is_seen(hub):
    hub.put_in({"resourceType": "Patient", "id": "p2", "meta": {"tag": [B]}})

    for path in ("$meta", "Patient/$meta"):
        assert pairs(returned(hub.get(path, by="patient"))["tag"]) == {("urn:t", "a")}
    assert hub.get("Patient/p2/$meta", by="patient").status_code == 404
    assert hub.get("Patient/$meta", by="auditor").status_code == 403


def test_add(hub):
    """ "… adds the profiles, tags, and security labels found in it to the nominated resource. …
    sets, so they are not duplicated." """
    answer = hub.post("Patient/p1/$meta-add", given(tag=[A, B], profile=["urn:q"]))

    assert returned(answer) == {"tag": [A, B], "profile": ["urn:p", "urn:q"]}
    stored = hub.get("Patient/p1").json()["meta"]
    assert stored["tag"] == [A, B]
    assert stored["versionId"] == "2"


def test_delete(hub):
    hub.post("Patient/p1/$meta-add", given(tag=[B]))

    answer = hub.post("Patient/p1/$meta-delete", given(tag=[A], profile=["urn:p", "urn:x"]))

    assert returned(answer) == {"tag": [B]}
    assert hub.ids("Patient?_tag=urn:t|a") == []
    assert hub.ids("Patient?_tag=urn:t|b") == ["Patient/p1"]


@pytest.mark.parametrize(("name", "tag"), [("$meta-add", A), ("$meta-delete", B)])
def test_what_changes_nothing_makes_no_version(hub, name, tag):
    hub.post(f"Patient/p1/{name}", given(tag=[tag]))

    assert hub.get("Patient/p1").json()["meta"]["versionId"] == "1"


def test_content_stays_byte_for_byte(hub):
    hub.put(
        "Observation/o",
        b'{"resourceType":"Observation","id":"o","status":"final",'
        b'"code":{"text":"x"},"valueQuantity":{"value":1.500}}',
    )

    hub.post("Observation/o/$meta-add", given(tag=[A]))

    assert b"1.500" in hub.get("Observation/o").content


def test_if_match_is_heeded(hub):
    headers = {"If-Match": 'W/"7"'}

    assert hub.post("Patient/p1/$meta-add", given(tag=[B]), headers=headers).status_code == 412


def test_who_may_not_change_may_not_label(hub):
    assert hub.post("Patient/p1/$meta-add", given(tag=[B]), by="patient").status_code == 403
    assert hub.post("Patient/p1/$meta-add", given(tag=[B]), by="stranger").status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"resourceType": "Parameters"},
        {"resourceType": "Parameters", "parameter": 1},
        {"resourceType": "Parameters", "parameter": [1]},
        {"resourceType": "Parameters", "parameter": [{"name": "meta"}]},
        given(tag=1),
        given(tag=["a"]),
        given(profile=[{}]),
    ],
)
def test_another_body_is_a_bad_request(hub, body):
    assert hub.post("Patient/p1/$meta-add", body).status_code == 400


def test_a_label_must_be_one(hub):
    assert hub.post("Patient/p1/$meta-add", given(tag=[{"code": 1}])).status_code == 422


def test_get_changes_nothing(hub):
    assert hub.get("Patient/p1/$meta-add").status_code == 405


def inside(kind, *entries):
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries)}


def adding(tag):
    request = {"method": "POST", "url": "Patient/p1/$meta-add"}
    return {"resource": given(tag=[tag]), "request": request}


@pytest.mark.parametrize("kind", ["batch", "transaction"])
def test_operations_work_inside_a_bundle(hub, kind):
    reading = {"request": {"method": "GET", "url": "Patient/p1/$meta"}}

    answer = hub.post("", inside(kind, adding(B), reading))

    told = answer.json()["entry"]
    assert [each["response"]["status"] for each in told] == ["200 OK", "200 OK"]
    for each in told:
        assert each["resource"]["parameter"][0]["valueMeta"]["tag"] == [A, B]
    assert hub.get("Patient/p1").json()["meta"]["tag"] == [A, B]


def test_an_operation_inside_a_transaction_sees_what_it_writes(hub):
    put = {
        "resource": PATIENT | {"active": True},
        "request": {"method": "PUT", "url": "Patient/p1"},
    }

    answer = hub.post("", inside("transaction", adding(B), put))

    assert answer.status_code == 200, answer.text
    found = hub.get("Patient/p1").json()
    assert (found["active"], found["meta"]["tag"]) == (True, [A, B])
    assert found["meta"]["versionId"] == "2"


def test_an_operation_inside_that_fails_undoes_all(hub):
    post = {
        "resource": {"resourceType": "Basic", "code": {"text": "x"}},
        "request": {"method": "POST", "url": "Basic"},
    }

    answer = hub.post("", inside("transaction", post, adding({"code": 1})))

    assert answer.status_code == 422
    assert hub.ids("Basic") == []
