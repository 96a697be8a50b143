"""The cast: everybody who logs in is somebody of the city."""

from pathlib import Path

from fhir_server.demo.cast import STAFF, USER, USERS


def test_staff_users_have_one_role_in_the_city(by_reference):
    for user in USERS:
        if user.role_id is not None:
            role = by_reference[f"PractitionerRole/{user.role_id}"]

            assert role["practitioner"]["reference"] == f"Practitioner/{user.practitioner_id}"
            assert role["code"][0]["coding"][0]["code"] == user.role


def test_patient_users_are_patients(by_reference):
    names = {
        user.login: by_reference[f"Patient/{user.patient_id}"]["name"][0]["text"]
        for user in USERS
        if user.patient_id is not None
    }

    assert names == {"patient-wang": "王建国", "patient-li": "李秀兰"}


def test_everybody_has_a_login_of_their_own():
    assert len(USER) == len(USERS) == len(STAFF) + 2


def test_organization_of_a_user_stands_alone(by_reference):
    for user in USERS:
        if user.organization is not None:
            assert "partOf" not in by_reference[f"Organization/{user.organization}"]


def test_departments_are_part_of_the_hospital(of):
    parts = {x["id"] for x in of["Organization"] if x.get("partOf")}

    assert parts == {
        "dept-cardiology",
        "dept-endocrinology",
        "dept-health",
        "dept-laboratory",
        "dept-emergency",
    }


def test_page_lists_every_login():
    page = (Path(__file__).parents[3] / "docs" / "demo-city.md").read_text(encoding="utf-8")
    missing = [
        user.login
        for user in USERS
        if f"| `{user.login}` | {user.name} | {user.role} | `{user.role_id or user.patient_id}`"
        not in page
    ]

    assert missing == []
