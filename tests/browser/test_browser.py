"""The story's pages in a real browser: everything is the hub's own, and works without scripts."""

from collections.abc import Callable

import pytest

from fhir_server.demo.stage import exchange, hero, messages
from tests.browser.conftest import Visitor

pytestmark = pytest.mark.browser

Open = Callable[..., Visitor]


def write_referral(physician: Visitor) -> str:
    """Refer the patient of the demo who is the hospital's own; return the referral's path."""
    physician.open("/patient/patient-0002/refer")
    page = physician.page
    page.select_option("#receiver", "clinic-east")
    page.fill("#reason", "血压平稳，转社区继续随访")
    page.check("[name=agreed]")
    page.click("button[value=send]")
    return "/referral/" + page.url.rpartition("/")[2].partition("?")[0]


def test_a_login_that_fails_says_so(visitor: Open) -> None:
    guest = visitor()
    guest.open("/")
    guest.page.fill("#login", "cardiologist")
    guest.page.fill("#password", "wrong")

    guest.page.click("button.first")

    assert "用户名或密码不对" in guest.text
    assert all("401" in fault for fault in guest.faults)
    guest.faults.clear()


def test_the_pages_need_no_script(visitor: Open) -> None:
    physician = visitor("cardiologist", java_script_enabled=False)

    physician.open("/patient/patient-0002")

    assert "血压趋势" in physician.text
    assert physician.page.locator("svg.chart circle").count() > 4


def test_a_page_is_as_wide_as_a_phone(visitor: Open) -> None:
    physician = visitor("cardiologist", viewport={"width": 390, "height": 844})

    for path in ("/worklist", "/patient", "/patient/patient-0002", "/patient/patient-0002/refer"):
        physician.open(path)
        width = physician.page.evaluate("document.documentElement.scrollWidth")

        assert width <= 390, path


def test_english_is_one_click_away(visitor: Open) -> None:
    physician = visitor("cardiologist")

    physician.page.click("text=English")

    assert physician.page.get_attribute("html", "lang") == "en"
    assert "Referrals" in physician.text


def test_a_referral_is_accepted_and_withdrawn_from(visitor: Open) -> None:
    path = write_referral(visitor("cardiologist"))
    clinic = visitor("east-gp")
    assert "李秀兰" in clinic.text

    clinic.open(path)
    clinic.page.click("button.first:has-text('接收')")
    assert "已接收" in clinic.text
    clinic.open("/patient/patient-0002")
    assert "血压趋势" in clinic.text

    patient = visitor("patient-li")
    assert "东堤社区卫生服务中心 可以查看" in patient.text
    assert "欧阳晓岚" in patient.text
    while patient.page.locator("a.grave").count():  # the demo city's own referral is another
        patient.page.click("a.grave")
        patient.page.click("button.danger")
        assert "授权已撤回" in patient.text

    clinic.open(path)
    assert "资料未开放" in clinic.text


def test_a_broken_message_is_corrected_and_replayed(visitor: Open, hub: object) -> None:
    story = messages(hero(424242), "B424242")
    exchange(hub.mllp, story["message:broken"])  # type: ignore[attr-defined]
    engineer = visitor("integrator")
    engineer.open("/messages?state=failed")
    engineer.page.click("table a:has-text('B424242')")
    assert engineer.page.locator("dd.fault").count() == 1

    engineer.page.fill("#text", story["corrected"].replace("\r", "\n"))
    engineer.page.click("button:has-text('重放')")

    assert "重放成功" in engineer.text
    assert "Patient/" in engineer.text


def test_the_auditor_sees_who_looked(visitor: Open) -> None:
    visitor("cardiologist").open("/patient/patient-0002")

    auditor = visitor("auditor")
    auditor.page.fill("#patient", "patient-0002")
    auditor.page.click("button.first")

    assert "何静仪" in auditor.text
