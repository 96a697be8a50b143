"""Parts of AuditEvents. https://hl7.org/fhir/R4/search.html#summary"""

from fhir_server.interactions.subset import TAG

ALWAYS = {"resourceType", "id", "meta", "type", "recorded", "agent", "source"}


def test_elements_are_cut_from_what_is_found(hub):
    hub.get("Patient/x")
    answer = hub.get("AuditEvent?_elements=action&_count=1").json()

    [entry] = answer["entry"]
    assert set(entry["resource"]) == ALWAYS | {"action"}
    assert entry["resource"]["meta"]["tag"] == [TAG]
    assert all("_elements=action" in link["url"] for link in answer["link"])


def test_a_read_shows_parts_too(hub):
    hub.get("Patient/x")
    id = hub.get("AuditEvent?_count=1").json()["entry"][0]["resource"]["id"]

    assert set(hub.get(f"AuditEvent/{id}?_elements=action").json()) == ALWAYS | {"action"}
    summary = hub.get(f"AuditEvent/{id}?_summary=true").json()
    assert "altId" not in summary["agent"][0]


def test_the_number_alone_is_told(hub):
    hub.put_in({"resourceType": "Patient", "id": "p1"}, {"resourceType": "Patient", "id": "p2"})
    for id in ("p1", "p2", "p1"):
        hub.get(f"Patient/{id}")

    counted = hub.get("AuditEvent?subtype=read&_summary=count").json()
    assert (counted["total"], "entry" in counted) == (3, False)
    assert hub.get("AuditEvent?subtype=read&_summary=count", by="patient").json()["total"] == 2


def test_what_is_no_part_is_refused(hub):
    assert hub.get("AuditEvent?_elements=nonsense").status_code == 400
    assert hub.get("AuditEvent?_summary=nonsense").status_code == 400


def test_pages_of_the_trail_lead_to_the_first(hub):
    hub.get("Patient/x")
    hub.get("Patient/y")
    first = {k["relation"]: k["url"] for k in hub.get("AuditEvent?_count=1").json()["link"]}
    second = {k["relation"]: k["url"] for k in hub.get(first["next"]).json()["link"]}

    assert first["self"] == first["first"] == second["first"]
    assert second["self"] == first["next"]
