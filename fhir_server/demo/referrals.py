"""Referrals of the demo city, so that worklists are not empty: written as their parties would.

Each party acts as itself, by the same door as everybody: what it may not do, it cannot do here.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from fhir_server import fhirjson
from fhir_server.authz.caller import Caller
from fhir_server.authz.scopes import Scope
from fhir_server.demo.cast import USER
from fhir_server.identity.issue import Wish, issue
from fhir_server.interactions.interaction import Interaction
from fhir_server.interactions.perform import perform
from fhir_server.interactions.server import Server
from fhir_server.referral.compose import DownReferral, Fullurls, compose

DAYS = 90
DEADLINE_DAYS = 7
JSON = "application/fhir+json"
PHYSICIAN = "cardiologist"
FULLURLS = Fullurls(*(f"urn:uuid:{UUID(int=number)}" for number in (1, 2, 3)))


@dataclass(frozen=True, slots=True)
class Plan:
    """One referral: to which clinic, whose doctor takes which steps after it is sent."""

    clinic: str
    doctor: str
    sent: bool = True
    steps: tuple[str, ...] = ()
    reason: str = "血压平稳，转社区继续治疗"
    priority: str = "routine"


PLANS = (
    Plan("clinic-east", "east-gp"),
    Plan("clinic-east", "east-gp", steps=("accept", "start")),
    Plan("clinic-west", "west-gp", steps=("accept",)),
    Plan("clinic-east", "east-gp", sent=False),
    Plan("clinic-east", "east-gp", reason="出院后病情稳定，转家庭医生签约管理", priority="urgent"),
    Plan("clinic-east", "east-gp", steps=("receive",), reason="血压达标三个月，转社区规律随访"),
    Plan("clinic-west", "west-gp", reason="调整用药后血压达标，转社区继续随访"),
)
"""What happened to the first patients of the hospital who have hypertension, in their order."""


async def refer(server: Server) -> int:
    """Write the referrals of PLANS, as many as there are patients, and return how many."""
    physician = await party(server, PHYSICIAN)
    patients = await hypertensive(server, physician)
    for plan, (patient, condition) in zip(PLANS, patients, strict=False):
        decided = referral(plan, patient, condition, physician.now)
        task = await _draft(server, physician, decided)
        if plan.sent:
            await _step(server, physician, task, "send")
        for step in plan.steps:
            await _step(server, await party(server, plan.doctor), task, step)
    return min(len(PLANS), len(patients))


async def party(server: Server, login: str) -> Caller:
    """Return one of the cast as the hub knows it, by a token that ends at once."""
    now = server.clock()
    wish = Wish((Scope("user", "*", "cruds"),), minutes=1, account=login)
    text, write = await issue(server.store, wish, now, server.new_id().encode())
    await server.store.commit([write])
    return await server.callers.authenticate(text, now, server.new_id())


async def hypertensive(server: Server, physician: Caller) -> list[tuple[str, str]]:
    """Return patients of the hospital with hypertension, each with the Condition, by id."""
    ask = Interaction(
        "search-type",
        type="Condition",
        params=(("code", "I10"), ("clinical-status", "active"), ("_count", "1000")),
    )
    found = fhirjson.decode((await perform(server, physician, ask)).body).get("entry", [])
    named = {
        entry["resource"]["subject"]["reference"]: f"Condition/{entry['resource']['id']}"
        for entry in found
    }
    return sorted(named.items())


def referral(plan: Plan, patient: str, condition: str, now: int) -> DownReferral:
    """Return what the physician decides; `now` is in milliseconds."""
    written = datetime.fromtimestamp(now / 1000, UTC)
    return DownReferral(
        patient=patient,
        sender="Organization/hospital",
        receiver=f"Organization/{plan.clinic}",
        author=f"Practitioner/{USER[PHYSICIAN].practitioner_id}",
        written=written.isoformat(timespec="seconds"),
        until=(written.date() + timedelta(days=DAYS)).isoformat(),
        data=("hypertension",),
        reasons=(condition,),
        package=(condition,),
        reason=plan.reason,
        priority=plan.priority,
        deadline=(written.date() + timedelta(days=DEADLINE_DAYS)).isoformat(),
    )


async def _draft(server: Server, physician: Caller, decided: DownReferral) -> str:
    """Write a referral as a draft and return the Task's id."""
    body = fhirjson.encode(compose(decided, FULLURLS))
    ask = Interaction("transaction", body=body, content_type=JSON, returns="minimal")
    answer = fhirjson.decode((await perform(server, physician, ask)).body)
    made = [entry["response"]["location"].split("/") for entry in answer["entry"]]
    return next(str(parts[-3]) for parts in made if parts[-4] == "Task")


async def _step(server: Server, caller: Caller, task: str, name: str) -> None:
    body = b'{"resourceType":"Parameters"}'
    await perform(
        server,
        caller,
        Interaction(
            "operation", type="Task", id=task, operation=name, body=body, content_type=JSON
        ),
    )
