"""What the write rule of Consent opens, closes and refuses."""

from dataclasses import replace

import pytest
from referral_city import DOWN, FULLURLS, City

from fhir_server.errors import Forbidden, HubError
from fhir_server.referral.compose import compose

pytestmark = pytest.mark.anyio


def consent(**changes) -> dict:
    """A Consent that opens by itself: of no referral."""
    made = compose(DOWN, FULLURLS)["entry"][0]["resource"]
    category = {"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}
    return made | {"category": [category]} | changes


def provision(**changes) -> dict:
    return consent()["provision"] | changes


def refusing(type: str) -> dict:
    """A Consent by which the patient refuses the clinic a resource type."""
    actor = provision()["actor"]
    classes = [{"system": "http://hl7.org/fhir/resource-types", "code": type}]
    return consent(
        policyRule={"coding": [{"code": "OPTOUT"}]},
        provision={"type": "deny", "actor": actor, "class": classes},
    )


async def refusal(work) -> HubError:
    with pytest.raises(HubError) as refused:
        await work
    return refused.value


async def test_a_consent_opens_on_the_next_request(city: City):
    await city.post("hospital", consent())

    assert await city.found("clinic", "Observation") == ["older", "pressure"]


async def test_a_patient_may_give_one(city: City):
    await city.post("patient", consent())

    assert await city.found("clinic", "Observation") == ["older", "pressure"]


async def test_withdrawing_closes_on_the_next_request(city: City):
    made = await city.post("hospital", consent())
    await city.put("patient", made | {"status": "inactive"})

    assert await city.found("clinic", "Observation") == []


async def test_deleting_closes_too(city: City):
    made = await city.post("hospital", consent())
    await city.ask("hospital", "delete", "Consent", made["id"])

    assert await city.found("clinic", "Observation") == []


async def test_a_referrals_consent_opens_nothing_by_itself(city: City):
    await city.post("hospital", compose(DOWN, FULLURLS)["entry"][0]["resource"])

    assert await city.seen("clinic") == set()


@pytest.mark.parametrize("who", ["clinic", "other"])
async def test_only_the_keeper_of_the_record_writes_one(city: City, who):
    await city.post("hospital", consent())  # the clinic can now see the patient

    assert (await refusal(city.post(who, consent()))).status in (403, 422)


async def test_the_keeper_does_not_open_it_to_itself(city: City):
    actors = [provision()["actor"][0] | {"reference": {"reference": "Organization/hospital"}}]

    with pytest.raises(Forbidden):
        await city.post("hospital", consent(provision=provision(actor=actors)))


@pytest.mark.parametrize(
    "changes",
    [{"status": "active", "dateTime": "2020-01-01"}, {"status": "rejected"}],
)
async def test_a_patient_withdraws_and_changes_nothing_else(city: City, changes):
    made = await city.post("hospital", consent())

    with pytest.raises(Forbidden):
        await city.put("patient", made | changes)


async def test_what_was_agreed_is_not_edited(city: City):
    made = await city.post("hospital", consent())
    longer = provision(period={"end": "2030-01-01"})

    refused = await refusal(city.put("hospital", made | {"provision": longer}))

    assert refused.status == 422
    assert [each.expression for each in refused.issues] == ["Consent.provision"]


async def test_a_draft_may_be_edited(city: City):
    made = await city.post("hospital", consent(status="draft"))
    await city.put("hospital", made | {"provision": provision(code=[_code("medication")])})
    opened = await city.found("clinic", "Observation")

    assert opened == []


@pytest.mark.parametrize("status", ["active", "draft", "proposed"])
async def test_what_was_withdrawn_does_not_come_back(city: City, status):
    """Not by way of a draft either."""
    made = await city.post("hospital", consent())
    await city.put("patient", made | {"status": "inactive"})

    refused = await refusal(city.put("hospital", made | {"status": status}))

    assert refused.status == 422
    assert [each.expression for each in refused.issues] == ["Consent.status"]


async def test_what_was_agreed_does_not_become_a_draft_again(city: City):
    """A draft may be edited; what was agreed is not."""
    made = await city.post("hospital", consent())

    refused = await refusal(city.put("hospital", made | {"status": "draft"}))

    assert refused.status == 422
    assert [each.expression for each in refused.issues] == ["Consent.status"]


async def test_what_cannot_be_computed_is_refused(city: City):
    odd = provision(dataPeriod={"start": "2020-01-01"})

    refused = await refusal(city.post("hospital", consent(provision=odd)))

    assert refused.status == 422
    assert [each.expression for each in refused.issues] == ["Consent.provision.dataPeriod"]


async def test_a_refusal_narrows_what_an_earlier_consent_opened(city: City):
    await city.post("hospital", consent())
    await city.post("patient", refusing("Observation"))

    assert await city.found("clinic", "Observation") == []
    assert await city.found("clinic", "Condition") == ["hypertension"]


async def test_a_refusal_narrows_a_referral_that_is_accepted_later(city: City):
    papers = await city.sent()
    await city.post("patient", refusing("Observation"))
    await city.do("clinic", "accept", papers.task)

    assert await city.found("clinic", "Observation") == ["pressure"]  # of the package


async def test_another_consent_does_not_open_a_pull_before_acceptance(city: City):
    """The package of a sent referral follows from its Consent too: it must not become more."""
    await city.sent()
    await city.post("hospital", consent(provision=provision(code=[_code("allergies")])))

    assert await city.found("clinic", "Observation") == ["pressure"]


async def test_another_consent_does_not_lengthen_a_referral(city: City):
    papers = await city.accepted(replace(DOWN, deadline="2026-06-01"))
    await city.post("patient", refusing("Immunization"))
    city.now += 10 * 86_400_000

    assert await city.found("clinic", "Observation") == []
    assert await city.found("clinic", "Task") == [papers.task]


def _code(name: str) -> dict:
    system = "https://fhir-hub.example/CodeSystem/data-category"
    return {"coding": [{"system": system, "code": name}]}


async def test_two_consents_in_one_transaction_know_of_each_other(city: City):
    entries = [
        {"resource": each, "request": {"method": "POST", "url": "Consent"}}
        for each in (consent(), refusing("Observation"))
    ]
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    await city.transaction("hospital", bundle)

    assert await city.found("clinic", "Condition") == ["hypertension"]
    assert await city.found("clinic", "Observation") == []


async def test_withdrawing_a_refusal_opens_again_what_stands(city: City):
    await city.post("hospital", consent())
    refused = await city.post("patient", refusing("Observation"))
    await city.put("patient", refused | {"status": "inactive"})

    assert await city.found("clinic", "Observation") == ["older", "pressure"]
