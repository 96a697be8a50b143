"""What each page shows to whom."""

import re

import pytest

from fhir_server.referral.codes import DATA_CATEGORY
from fhir_server.web.pages.app import HEADERS, PAGES
from tests.unit.pages.conftest import Browser, Site


def referral(site: Site, do: str = "send") -> tuple[Browser, str]:
    """Write a referral as the hospital's physician; return the browser and the Task's id."""
    browser = site.browser("he")
    browser.get("/patient/p1/refer")
    answer = browser.send(
        "/patient/p1/refer",
        receiver="clinic",
        reason="血压平稳",
        data=["hypertension"],
        package=["Condition/c1"],
        until="2027-06-01",
        agreed="yes",
        do=do,
    )
    assert answer.status_code == 303, answer.text
    place = answer.headers["location"]
    return browser, re.sub(r".*/referral/([^?]+).*", r"\1", place)


def step(browser: Browser, task: str, name: str, **more: str) -> int:
    """Take a step from the referral's page."""
    browser.get(f"/referral/{task}")
    version = re.search(r'name="version" value="(\d+)"', browser.page)
    assert version
    return browser.send(f"/referral/{task}", step=name, version=version[1], **more).status_code


def test_every_page_forbids_what_comes_from_elsewhere(site: Site) -> None:
    answer = site.browser("he").get("/worklist")

    assert answer.headers["content-security-policy"] == HEADERS["Content-Security-Policy"]
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"


def test_no_page_has_a_script_or_a_style_in_it(site: Site) -> None:
    pages = [site.browser("he").get(path).text for path in ("/worklist", "/patient/p1")]

    assert not [page for page in pages if "<script" in page or "style=" in page or "<style" in page]


def test_an_asset_is_kept_for_ever_under_its_own_address(site: Site) -> None:
    browser = site.browser()
    address = re.search(r"/static/hub\.css\?[0-9a-f]+", browser.page)
    assert address

    answer = browser.get(address[0])

    assert answer.status_code == 200
    assert "immutable" in answer.headers["cache-control"]


@pytest.mark.parametrize("page", [p for p in PAGES if p.kinds], ids=lambda p: p.method + p.path)
def test_no_page_of_a_caller_is_shown_without_one(site: Site, page: object) -> None:
    path = page.path.replace("{id}", "p1")  # type: ignore[attr-defined]
    browser = site.browser()

    answer = browser.get(path) if page.method == "GET" else browser.send(path)  # type: ignore[attr-defined]

    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/?told=over")


def test_hidden_and_absent_are_the_same_page(site: Site) -> None:
    browser = site.browser("ouyang")

    hidden, absent = browser.get("/patient/p1"), browser.get("/patient/p0")

    assert hidden.status_code == absent.status_code == 404
    assert hidden.text.replace("/patient/p1", "") == absent.text.replace("/patient/p0", "")


def test_the_record_shows_its_timeline_and_chart(site: Site) -> None:
    page = site.browser("he").get("/patient/p1").text

    assert "原发性高血压" in page
    assert "132/80 mmHg" in page
    assert page.count("<circle") == 4
    assert 'role="img"' in page


def test_a_text_of_the_record_is_escaped(site: Site) -> None:
    made = {
        "resourceType": "Condition",
        "subject": {"reference": "Patient/p1"},
        "code": {"text": "<b onclick=x>"},
        "recordedDate": "2026-02-01",
    }
    site.hub.made(made, by="physician")

    page = site.browser("he").get("/patient/p1").text

    assert "<b onclick" not in page
    assert "&lt;b onclick" in page


def test_patients_are_found_by_name(site: Site) -> None:
    browser = site.browser("he")

    assert "李秀兰" in browser.get("/patient?q=李").text
    assert "没有找到" in browser.get("/patient?q=赵").text


def test_a_sent_referral_is_on_the_clinics_worklist_with_its_package(site: Site) -> None:
    _, task = referral(site)
    clinic = site.browser("ouyang")

    listed = clinic.get("/worklist").text
    shown = clinic.get(f"/referral/{task}").text

    assert "李秀兰" in listed
    assert "血压平稳" in listed
    assert "原发性高血压" in shown
    assert "高血压相关资料" in shown


def test_a_draft_is_on_nobodys_worklist_but_the_senders(site: Site) -> None:
    sender, _ = referral(site, do="draft")

    assert "李秀兰" in sender.get("/worklist?list=drafts").text
    assert "李秀兰" not in site.browser("ouyang").get("/worklist").text


def test_a_referral_without_the_patients_agreement_is_not_written(site: Site) -> None:
    browser = site.browser("he")
    browser.get("/patient/p1/refer")

    answer = browser.send(
        "/patient/p1/refer", receiver="clinic", reason="x", data="hypertension", until="2027-06-01"
    )

    assert answer.status_code == 422
    assert "须先取得患者同意" in answer.text
    assert site.hub.ids("Task") == []


@pytest.mark.parametrize(("direction", "code"), [("up", "up"), ("", "down"), ("sideways", "down")])
def test_a_referral_has_the_direction_that_was_chosen(
    site: Site, direction: str, code: str
) -> None:
    browser = site.browser("he")
    browser.get("/patient/p1/refer")
    browser.send(
        "/patient/p1/refer", receiver="clinic", reason="x", data="hypertension",
        until="2027-06-01", agreed="yes", do="draft", direction=direction,
    )  # fmt: skip

    found = site.hub.get("ServiceRequest", by="operator").json()["entry"][0]["resource"]

    codes = [coding["code"] for each in found["category"] for coding in each["coding"]]
    assert codes == ["3457005", code]


def test_accepting_opens_the_record(site: Site) -> None:
    _, task = referral(site)
    clinic = site.browser("ouyang")
    before = clinic.get("/patient/p1").text

    assert step(clinic, task, "accept") == 303

    assert "/patient/p1/refer" not in before  # the hospital alone keeps the record
    assert "132/80" not in before
    assert "132/80" in clinic.get("/patient/p1").text


def test_a_step_that_lost_its_race_shows_what_is_possible(site: Site) -> None:
    _, task = referral(site)
    clinic = site.browser("ouyang")
    clinic.get(f"/referral/{task}")
    old = clinic.page
    step(clinic, task, "accept")
    clinic.page = old

    answer = clinic.send(f"/referral/{task}", step="accept", version="2")

    assert answer.status_code == 409
    assert "状态已经变化" in answer.text
    assert 'value="start"' in answer.text


def test_a_step_that_needs_a_reason_is_refused_without_one(site: Site) -> None:
    _, task = referral(site)
    clinic = site.browser("ouyang")

    assert step(clinic, task, "decline") == 422
    assert step(clinic, task, "decline", reason="床位已满") == 303
    assert "床位已满" in clinic.get(f"/referral/{task}").text


def test_the_patient_withdraws_and_the_clinic_sees_nothing(site: Site) -> None:
    _, task = referral(site)
    clinic, patient = site.browser("ouyang"), site.browser("li")
    step(clinic, task, "accept")
    page = patient.get("/me").text
    consent = re.search(r"/me/consents/[^\"]+", page)
    assert consent
    assert "东堤社区卫生服务中心 可以查看" in page

    assert "立即生效" in patient.get(consent[0]).text
    answer = patient.send(consent[0])

    assert answer.headers["location"] == "/me?told=withdrawn"
    assert clinic.get("/patient/p1").status_code == 404
    assert clinic.get(f"/referral/{task}").status_code == 200
    assert "已撤回" in patient.get("/me").text


def test_the_patient_reads_who_looked(site: Site) -> None:
    site.browser("he").get("/patient/p1")

    page = site.browser("li").get("/me/looked").text

    assert "何静仪" in page
    assert "市第一人民医院" in page


def test_a_failed_message_shows_where_it_failed(site: Site) -> None:
    page = site.browser("admin").get("/messages/m1").text

    assert "is no time" in page
    assert re.search(r'<dt class="fault">PID-7</dt><dd class="fault">19609999</dd>', page)


def test_messages_are_listed_by_state_and_control_id(site: Site) -> None:
    browser = site.browser("admin")

    assert ("M1" in browser.get("/messages?state=failed").text) is True
    assert ("/messages/m2" in browser.page) is False
    assert "/messages/m2" in browser.get("/messages?control=M2").text
    assert "/messages/m1" not in browser.page


def test_a_correction_is_replayed_by_name(site: Site) -> None:
    browser = site.browser("admin")
    browser.get("/messages/m1")

    answer = browser.send("/messages/m1", text="MSH|^~\\&|HIS\nPID|1||7")

    assert answer.headers["location"] == "/messages/m1?told=applied"
    assert site.inbox.replayed == [("m1", "MSH|^~\\&|HIS\rPID|1||7\r", "admin")]
    assert "重放成功" in browser.get("/messages/m1?told=applied").text


def test_the_auditor_reads_the_trail_of_a_patient(site: Site) -> None:
    site.browser("he").get("/patient/p1")
    browser = site.browser("audit")

    assert "何静仪" in browser.get("/audit?patient=p1").text
    assert "没有这样的记录" in browser.get("/audit?patient=p9").text


@pytest.mark.parametrize(
    ("login", "path"),
    [
        ("he", "/audit"), ("he", "/messages"), ("li", "/worklist"), ("li", "/messages/m1"),
        ("admin", "/patient/p1"), ("audit", "/patient/p1"), ("admin", "/audit"),
    ],
)  # fmt: skip
def test_a_page_of_others_is_refused(site: Site, login: str, path: str) -> None:
    assert site.browser(login).get(path).status_code == 403


def test_metrics_are_the_administrators(site: Site) -> None:
    assert site.api("GET", "/metrics").status_code == 401
    assert site.api("GET", "/metrics", site.token("he")).status_code == 403
    assert "fhir_requests" in site.api("GET", "/metrics", site.token("admin")).text


def test_a_consent_of_an_unknown_category_does_not_keep_the_patient_out(site: Site) -> None:
    """Whoever may write a draft could otherwise close the page on which consents are withdrawn."""
    draft = {
        "resourceType": "Consent",
        "id": "odd",
        "status": "draft",
        "scope": {"text": "privacy"},
        "category": [{"text": "consent"}],
        "patient": {"reference": "Patient/p1"},
        "policyRule": {"text": "opt in"},
        "provision": {"code": [{"coding": [{"system": DATA_CATEGORY, "code": "odd-code"}]}]},
    }
    site.hub.put_in(draft, by="hospital")

    answer = site.browser("li").get("/me")

    assert answer.status_code == 200
    assert "odd-code" in answer.text
