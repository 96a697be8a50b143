"""The demo city has referrals in it, each written and moved on by its own parties."""

import asyncio
from collections import Counter
from datetime import date

import pytest

from fhir_server import fhirjson
from fhir_server.commands.store import opened
from fhir_server.demo.referrals import PLANS, party
from fhir_server.demo.seed import seed
from fhir_server.interactions.interaction import Interaction
from fhir_server.interactions.perform import perform

TODAY = date(2026, 6, 30)


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    """What each doctor finds: (status, receiver) of every Task, counted."""

    async def look():
        async with opened(f"sqlite:///{tmp_path_factory.mktemp('city')}/hub.db", fresh=True) as hub:
            await seed(hub.server, 70, TODAY)
            return {login: await tasks(hub.server, login) for login in ("cardiologist", "east-gp")}

    async def tasks(server, login):
        ask = Interaction("search-type", type="Task")
        found = await perform(server, await party(server, login), ask)
        resources = [entry["resource"] for entry in fhirjson.decode(found.body).get("entry", [])]
        return Counter((r["status"], r["owner"]["reference"].split("/")[1]) for r in resources)

    return asyncio.run(look())


def test_the_hospital_sees_each_referral_where_its_plan_left_it(seen):
    """Each plan ends in its own state."""
    assert seen["cardiologist"] == {
        ("requested", "clinic-east"): 2,
        ("received", "clinic-east"): 1,
        ("in-progress", "clinic-east"): 1,
        ("accepted", "clinic-west"): 1,
        ("requested", "clinic-west"): 1,
        ("draft", "clinic-east"): 1,
    }
    assert seen["cardiologist"].total() == len(PLANS)


def test_a_clinic_sees_what_was_sent_to_it(seen):
    """A draft, and what was sent to another clinic, are not there."""
    assert seen["east-gp"] == {
        ("requested", "clinic-east"): 2,
        ("received", "clinic-east"): 1,
        ("in-progress", "clinic-east"): 1,
    }
