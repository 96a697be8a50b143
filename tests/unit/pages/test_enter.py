"""Sessions: log in, forms that hold, roles, log out."""

import pytest

from tests.unit.pages.conftest import Site


def test_a_login_leads_to_the_home_of_its_kind(site: Site) -> None:
    homes = {"he": "/worklist", "li": "/me", "admin": "/messages", "audit": "/audit"}

    found = {
        login: site.browser().send("/", login=login, password="secret-word").headers["location"]
        for login in homes
    }

    assert homes == found


def test_a_wrong_password_is_told_in_words(site: Site) -> None:
    answer = site.browser().send("/", login="he", password="wrong")

    assert answer.status_code == 401
    assert "用户名或密码不对" in answer.text


def test_an_unknown_login_is_told_as_a_wrong_password(site: Site) -> None:
    unknown = site.browser().send("/", login="nobody", password="secret-word")
    wrong = site.browser().send("/", login="he", password="wrong")

    assert wrong.status_code == unknown.status_code
    assert "用户名或密码不对" in unknown.text


def test_the_cookie_is_kept_from_scripts_and_other_sites(site: Site) -> None:
    answer = site.browser().send("/", login="he", password="secret-word")

    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "samesite=lax" in cookie.lower()


def test_a_form_without_the_word_of_its_page_changes_nothing(site: Site) -> None:
    browser = site.browser("li")

    answer = browser.send("/logout", csrf="guessed")

    assert answer.status_code == 400
    assert browser.get("/me").status_code == 200


def test_the_word_of_another_session_does_not_hold(site: Site) -> None:
    one, other = site.browser("he"), site.browser("li")
    one.get("/worklist")

    other.page = one.page

    assert other.send("/logout").status_code == 400


def test_logging_out_ends_the_session_for_every_copy_of_the_cookie(site: Site) -> None:
    browser = site.browser("li")
    browser.get("/me")
    copy = dict(browser.client.cookies)

    browser.send("/logout")

    browser.client.cookies.update(copy)
    answer = browser.get("/me")
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/?told=over")


def test_a_page_leads_to_the_login_and_back(site: Site) -> None:
    browser = site.browser()

    answer = browser.get("/patient/p1?kind=visit")
    browser.get(answer.headers["location"])
    back = browser.send("/", login="he", password="secret-word", next="/patient/p1?kind=visit")

    assert back.headers["location"] == "/patient/p1?kind=visit"


@pytest.mark.parametrize("place", ["//elsewhere.example", "https://elsewhere.example", "/\\x"])
def test_a_login_leads_to_no_other_site(site: Site, place: str) -> None:
    answer = site.browser().send("/", login="he", password="secret-word", next=place)

    assert answer.headers["location"] == "/worklist"


def test_who_has_several_roles_chooses_one(site: Site) -> None:
    browser = site.browser()
    first = browser.send("/", login="two", password="secret-word")
    assert first.headers["location"] == "/role"
    browser.get("/role")
    assert "市第一人民医院" in browser.page
    assert "东堤社区卫生服务中心" in browser.page

    browser.send("/role", role="role-he-2")

    assert browser.get("/patient/p1").status_code == 404  # the clinic's role sees no such patient


def test_a_role_of_somebody_else_cannot_be_chosen(site: Site) -> None:
    browser = site.browser("two")
    browser.get("/role")

    answer = browser.send("/role", role="role-ouyang")

    assert answer.headers["location"].startswith("/?told=over")


def test_english_is_chosen_once_and_kept(site: Site) -> None:
    browser = site.browser("he", language="en")

    assert 'lang="en"' in browser.get("/worklist").text
    assert "Referrals" in browser.page


def test_behind_tls_the_cookie_is_bound_to_the_host(site: Site) -> None:
    browser = site.browser()
    browser.client.base_url = "https://hub.test"
    browser.get("/")

    answer = browser.send("/", login="he", password="secret-word")

    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-hub=")
    assert "Secure" in cookie
    assert "Domain" not in cookie
