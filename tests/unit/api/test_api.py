"""The JSON API: login, accounts, messages, who looked."""

from collections.abc import AsyncIterator

import pytest

from fhir_server.audit import row
from fhir_server.model import Query
from fhir_server.search.tree import EVERYTHING
from fhir_server.web.api.limit import LIMIT
from tests.unit.pages.conftest import Site, site

__all__ = ["site"]

JSON = {"Content-Type": "application/json"}


def test_a_login_gives_a_token_that_works(site: Site) -> None:
    words = {"login": "he", "password": "secret-word"}

    answer = site.api("POST", "/api/login", json=words)

    assert answer.status_code == 200
    told = answer.json()
    assert (told["name"], told["kind"], told["roles"]) == ("何静仪", "staff", ["role-he"])
    assert site.api("POST", "/api/logout", told["token"]).status_code == 204
    assert site.api("POST", "/api/logout", told["token"]).status_code == 401


def test_a_wrong_password_is_a_401_that_tells_no_more(site: Site) -> None:
    wrong = site.api("POST", "/api/login", json={"login": "he", "password": "x"})
    unknown = site.api("POST", "/api/login", json={"login": "nobody", "password": "x"})

    assert wrong.status_code == unknown.status_code == 401
    assert wrong.json() == unknown.json()
    assert wrong.headers["content-type"] == "application/problem+json"


def test_a_login_in_vain_leaves_a_row(site: Site) -> None:
    site.api("POST", "/api/login", json={"login": "he", "password": "x"})

    page = site.hub.run(site.hub.server.store.search(Query("audit", EVERYTHING, limit=100)))
    rows = [row.read(version) for version in page.versions]
    told = [(each.account, each.status) for each in rows if each.interaction == "operation$login"]
    assert told == [("he", 401)]


@pytest.mark.parametrize("place", ["login", "password"])
def test_half_a_character_is_a_400(site: Site, place: str) -> None:
    words = '{"login": "he", "password": "x", "PLACE": "\\ud800"}'.replace("PLACE", place)

    answer = site.api("POST", "/api/login", content=words.encode(), headers=JSON)

    assert answer.status_code == 400


def test_who_asks_about_another_patient_has_not_looked(site: Site) -> None:
    """It is refused, and the other patient's list of who looked stays as it was."""
    li = site.token("li")

    answer = site.api("GET", "/api/who-looked?patient=p2", li)

    assert answer.status_code == 403
    told = site.api("GET", "/api/who-looked?patient=p2", site.token("audit")).json()
    assert told["lines"] == []


def test_several_roles_and_none_chosen_is_a_409_that_lists_them(site: Site) -> None:
    words = {"login": "two", "password": "secret-word"}

    answer = site.api("POST", "/api/login", json=words)

    assert answer.status_code == 409
    assert [each["id"] for each in answer.json()["roles"]] == ["role-he", "role-he-2"]
    assert site.api("POST", "/api/login", json=words | {"role": "role-he"}).status_code == 200


def test_a_body_of_another_form_is_a_400_that_names_the_place(site: Site) -> None:
    answer = site.api("POST", "/api/login", json={"login": "he", "passwort": "x"})

    assert answer.status_code == 400
    places = {each["expression"] for each in answer.json()["issues"]}
    assert places == {"body.password", "body.passwort"}


def test_an_address_that_there_is_not_is_a_404_problem(site: Site) -> None:
    answer = site.api("GET", "/api/nothing")

    assert answer.status_code == 404
    assert answer.json()["issues"]


def test_an_administrator_adds_an_account_that_can_log_in(site: Site) -> None:
    asked = {
        "login": "wang", "password": "long-enough", "kind": "patient", "name": "王建国",
        "person": "Patient/p1",
    }  # fmt: skip
    admin = site.token("admin")

    answer = site.api("POST", "/api/accounts", admin, json=asked)

    assert answer.status_code == 201
    assert "password" not in answer.json()
    words = {"login": "wang", "password": "long-enough"}
    assert site.api("POST", "/api/login", json=words).status_code == 200
    listed = site.api("GET", "/api/accounts", admin).json()["accounts"]
    assert "wang" in [each["login"] for each in listed]
    assert site.api("POST", "/api/accounts", admin, json=asked).status_code == 409


@pytest.mark.parametrize("kind", ["operator", "open", "feed"])
def test_an_administrator_makes_nobody_who_may_do_more(site: Site, kind: str) -> None:
    asked = {"login": "x", "password": "long-enough", "kind": kind}

    answer = site.api("POST", "/api/accounts", site.token("admin"), json=asked)

    assert answer.status_code in (400, 403)


@pytest.mark.parametrize(
    "change", [{"password": "short"}, {"person": ""}, {"person": "Practitioner/he"}, {"kind": "x"}]
)
def test_what_is_no_account_is_refused(site: Site, change: dict[str, str]) -> None:
    asked = {"login": "x", "password": "long-enough", "kind": "patient", "person": "Patient/p1"}

    answer = site.api("POST", "/api/accounts", site.token("admin"), json=asked | change)

    assert answer.status_code == 400


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/accounts"), ("POST", "/api/accounts"), ("GET", "/api/messages"),
        ("GET", "/api/messages/m1"), ("POST", "/api/messages/m1/replay"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("login", ["he", "li", "audit", ""])
def test_accounts_and_messages_are_the_administrators(
    site: Site, method: str, path: str, login: str
) -> None:
    asked = {"login": "x", "password": "long-enough", "kind": "auditor"}
    token = site.token(login) if login else ""

    answer = site.api(method, path, token, json=asked if path.endswith("accounts") else None)

    assert answer.status_code == (403 if login else 401)


def test_messages_are_listed_by_state(site: Site) -> None:
    found = site.api("GET", "/api/messages?state=failed", site.token("admin")).json()

    assert [each["id"] for each in found["messages"]] == ["m1"]
    assert found["messages"][0]["reason"]["location"] == "PID^1^7"
    assert found["next"] is None


def test_a_message_is_told_with_its_text_and_answer(site: Site) -> None:
    told = site.api("GET", "/api/messages/m2", site.token("admin")).json()

    assert told["text"].startswith("MSH|")
    assert "MSA|AE|M1" in told["acknowledgement"]
    assert told["resources"] == ["Patient/p1"]


def test_a_replay_tells_what_became_of_the_message(site: Site) -> None:
    token = site.token("admin")

    done = site.api("POST", "/api/messages/m1/replay", token, json={"text": "MSH|^~\\&|HIS\r"})

    assert done.json()["state"] == "applied"
    assert site.inbox.replayed == [("m1", "MSH|^~\\&|HIS\r", "admin")]


def test_a_message_that_there_is_not_is_a_404(site: Site) -> None:
    assert site.api("GET", "/api/messages/m9", site.token("admin")).status_code == 404


def test_the_patient_reads_who_looked_and_the_physician_does_not(site: Site) -> None:
    site.browser("he").get("/patient/p1")

    lines = site.api("GET", "/api/who-looked?lang=en", site.token("li")).json()["lines"]

    assert (
        lines[0]["person"],
        lines[0]["organization"],
    ) == ("何静仪 (physician)", "First People's Hospital")
    assert site.api("GET", "/api/who-looked?patient=p1", site.token("he")).status_code == 403
    assert site.api("GET", "/api/who-looked?patient=p1", site.token("audit")).json()["lines"]


def test_an_admin_request_is_audited(site: Site) -> None:
    site.api("GET", "/api/messages/m1", site.token("admin"))

    trail = site.hub.get("AuditEvent?patient=p1&_count=100", by="auditor").json()["entry"]

    objects = [
        entity["what"].get("reference")
        for each in trail
        for entity in each["resource"]["entity"]
        if "what" in entity
    ]
    assert "message/m1" in objects


def test_a_body_that_is_too_large_is_a_413(site: Site) -> None:
    answer = site.api("POST", "/api/login", content=b" " * (LIMIT + 1))

    assert answer.status_code == 413


def test_a_body_that_grows_beyond_what_it_said_is_not_taken(site: Site) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(LIMIT // 65536 + 2):
            yield b" " * 65536

    answer = site.api("POST", "/api/login", content=endless())

    assert answer.status_code == 400
