"""A token is read again on every request, and so is everything that it stands for."""

from dataclasses import replace
from typing import Any

import pytest

from fhir_server.authz.grant import Clause, Rule
from fhir_server.errors import Unauthenticated
from fhir_server.identity import accounts, clients, tokens
from fhir_server.identity.clients import Client
from fhir_server.model import Key, Write
from tests.unit.identity.conftest import LIU, NOW, SCOPES, City, organization, role

pytestmark = pytest.mark.anyio


async def test_a_staff_token_tells_role_duty_and_institution(city: City) -> None:
    text = await city.token(account="liu", role="r1")

    caller = await city.callers.authenticate(text, NOW, "q")

    assert (caller.kind, caller.person, caller.duty) == ("staff", "Practitioner/liu", "physician")
    assert caller.organization == "hospital"
    assert caller.organizations == {"hospital", "ward"}
    assert (caller.scopes, caller.now, caller.request) == (SCOPES, NOW, "q")


async def test_the_text_of_a_token_is_nowhere_in_the_store_or_the_caller(city: City) -> None:
    text = await city.token(account="liu", role="r1")
    caller = await city.callers.authenticate(text, NOW, "q")
    versions = [await city.store.read(change.key) for change in await city.store.changes(0, 100)]

    assert text not in repr(versions)
    assert caller.token == tokens.key(text).id


@pytest.mark.parametrize("text", ["", "hub_", "hub_unknown", "liu"])
async def test_an_unknown_token_is_refused(city: City, text: str) -> None:
    with pytest.raises(Unauthenticated):
        await city.callers.authenticate(text, NOW, "q")


async def refused(city: City, **token: Any) -> None:
    text = await city.token(**({"account": "liu", "role": "r1"} | token))
    with pytest.raises(Unauthenticated):
        await city.callers.authenticate(text, NOW, "q")


async def test_a_token_ends(city: City) -> None:
    await refused(city, expires=NOW)


async def test_a_revoked_token_is_refused_on_the_next_request(city: City) -> None:
    text = await city.token(account="liu", role="r1")
    await city.callers.authenticate(text, NOW, "q")
    await city.put(tokens.revoke(text))

    with pytest.raises(Unauthenticated):
        await city.callers.authenticate(text, NOW, "q")


@pytest.mark.parametrize(
    "change",
    [
        {"active": False},
        {"period": {"end": "2020-01-01"}},
        {"period": {"start": "2099-01-01"}},
        {"practitioner": {"reference": "Practitioner/other"}},
        {"organization": {"reference": "Organization/nowhere"}},
        {"organization": {}},
    ],
)
async def test_a_role_that_does_not_hold_is_refused(city: City, change: dict[str, Any]) -> None:
    await city.put(role(**change))

    await refused(city)


async def test_a_deleted_role_is_refused(city: City) -> None:
    await city.put(Write(Key("PractitionerRole", "r1"), None))

    await refused(city)


@pytest.mark.parametrize(
    "account", [replace(LIU, active=False), replace(LIU, roles=("r2",)), replace(LIU, person="")]
)
async def test_an_account_that_may_not_act_so_is_refused(
    city: City, account: accounts.Account
) -> None:
    await city.put(accounts.write(account))

    await refused(city)


async def test_a_closed_institution_closes_its_departments(city: City) -> None:
    await city.put(organization("hospital", active=False))

    await refused(city)


async def test_institutions_in_a_circle_are_none(city: City) -> None:
    await city.put(organization("hospital", "ward"))

    await refused(city)


async def test_moving_a_role_moves_its_bearer_on_the_next_request(city: City) -> None:
    text = await city.token(account="liu", role="r1")
    await city.put(role(organization={"reference": "Organization/clinic"}))

    assert (await city.callers.authenticate(text, NOW, "q")).organization == "clinic"


async def test_a_duty_that_nobody_knows_is_none(city: City) -> None:
    await city.put(role(code=[{"coding": [{"code": "janitor"}]}]))
    text = await city.token(account="liu", role="r1")

    assert (await city.callers.authenticate(text, NOW, "q")).duty == ""


async def test_rules_are_those_of_the_organizations_and_all_of_them(city: City) -> None:
    ours = [Rule("ward", "TREAT", (Clause(types=(f"T{number}",)),)) for number in range(250)] + [
        Rule("hospital", "TREAT", (Clause(),))
    ]
    other = Rule("clinic", "TREAT", (Clause(),))
    await keep(city, *ours, other)
    text = await city.token(account="liu", role="r1")

    caller = await city.callers.authenticate(text, NOW, "q")

    assert set(caller.rules) == set(ours)


async def keep(city: City, *rules: Rule) -> None:
    await city.put(*{write.key: write for rule in rules for write in rule.writes()}.values())


async def test_a_new_rule_is_known_on_the_next_request(city: City) -> None:
    text = await city.token(account="liu", role="r1")
    rules = [Rule("ward", "TREAT", (Clause(types=(type,)),)) for type in ("A", "B")]

    assert (await city.callers.authenticate(text, NOW, "q")).rules == ()
    for number, rule in enumerate(rules, 1):
        await keep(city, rule)
        assert set((await city.callers.authenticate(text, NOW, "q")).rules) == set(rules[:number])


async def test_a_patients_token_is_bound_to_that_patient_whatever_it_says(city: City) -> None:
    text = await city.token(account="wang", patient="p2")

    assert (await city.callers.authenticate(text, NOW, "q")).patient == "p1"


async def test_an_auditor_has_no_institution(city: City) -> None:
    text = await city.token(account="zhao")
    caller = await city.callers.authenticate(text, NOW, "q")

    assert (caller.kind, caller.organizations, caller.rules) == ("auditor", frozenset(), ())


async def test_a_feed_acts_for_its_institution(city: City) -> None:
    await city.put(clients.write(Client("lis", "检验系统", "hospital")))

    by_socket = await city.callers.feed("lis", NOW, "q")
    by_token = await city.callers.authenticate(await city.token(client="lis"), NOW, "q")

    assert (by_socket.kind, by_socket.organization) == ("feed", "hospital")
    assert by_token.scopes == SCOPES


@pytest.mark.parametrize("change", [{"active": False}, {"organization": "nowhere"}])
async def test_a_feed_that_is_closed_is_refused(city: City, change: dict[str, Any]) -> None:
    await city.put(clients.write(replace(Client("lis", "检验系统", "hospital"), **change)))

    with pytest.raises(Unauthenticated):
        await city.callers.feed("lis", NOW, "q")
