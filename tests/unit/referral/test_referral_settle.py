"""The fields of the Task that are the hub's."""

from fhir_server.referral.codes import NUMBER, business_concept
from fhir_server.referral.settle import settle
from fhir_server.referral.states import TABLE

ROWS = {row.name: row for row in TABLE}


def test_times_and_number_of_a_new_task():
    task = settle(ROWS["create"], None, {"status": "draft", "lastModified": "1999-01-01"}, 0, "n1")

    assert task == {
        "status": "draft",
        "authoredOn": "1970-01-01T00:00:00.000Z",
        "lastModified": "1970-01-01T00:00:00.000Z",
        "identifier": [{"system": NUMBER, "value": "n1"}],
    }


def test_a_number_that_is_there_stays():
    numbered = {"status": "draft", "identifier": [{"system": NUMBER, "value": "a"}]}

    assert settle(ROWS["create"], None, numbered, 0, "n1")["identifier"] == numbered["identifier"]


def test_authored_on_is_that_of_the_beginning():
    before = {"status": "draft", "authoredOn": "2020-01-01"}

    assert (
        settle(ROWS["send"], before, {"status": "requested"}, 0, "")["authoredOn"] == "2020-01-01"
    )


def test_business_status_is_the_rows():
    task = settle(ROWS["accept"], {}, {"businessStatus": business_concept("created")}, 0, "")

    assert task["businessStatus"] == business_concept("accepted")


def test_a_note_keeps_the_business_status():
    before = {"businessStatus": business_concept("scheduled")}

    assert settle(ROWS["note"], before, {}, 0, "")["businessStatus"] == before["businessStatus"]


def test_an_old_reason_is_dropped():
    assert "statusReason" not in settle(
        ROWS["accept"], {}, {"statusReason": {"text": "full"}}, 0, ""
    )


def test_a_reason_of_the_step_stays():
    assert settle(ROWS["decline"], {}, {"statusReason": {"text": "full"}}, 0, "")["statusReason"]
