"""The patient's own pages: what I share, with whom, until when; who looked; withdraw."""

from dataclasses import dataclass

from starlette.responses import Response

from fhir_server.authz.consent import is_referral_consent
from fhir_server.errors import Conflict
from fhir_server.model import Key
from fhir_server.referral.codes import DATA_CATEGORY, codes_of
from fhir_server.web.directory import name_of
from fhir_server.web.looked import who_looked
from fhir_server.web.pages.ask import Json, patch, read, search
from fhir_server.web.pages.record import pressure, summary
from fhir_server.web.pages.show import items, local, person, reference, today
from fhir_server.web.pages.visit import Visit, redirect, render
from fhir_server.web.pages.words import word_or

_LATEST = 5


@dataclass(frozen=True, slots=True)
class Shared:
    """A consent in words: who may see what until when; `state` is active, inactive or expired."""

    id: str
    who: str
    what: tuple[str, ...]
    until: str
    is_referral: bool
    state: str


async def show_me(visit: Visit) -> Response:
    """Show the patient's start: what is shared, who looked, how things stand."""
    me = visit.by.patient
    patient = await read(visit, "Patient", me)
    page = await search(visit, "Consent", ("patient", me), ("_count", "100"))
    consents = [await shared(visit, each) for each in page.matches]
    lines = await who_looked(visit.server, visit.by, me, visit.language)
    return render(
        visit, "me.html", title=visit.word("me.title"), told=visit.asked("told"),
        name=person(patient, visit.language),
        active=[each for each in consents if each.state == "active"],
        over=[each for each in consents if each.state != "active"],
        lines=lines[:_LATEST], has_more=len(lines) > _LATEST,
        summary=await summary(visit, me), chart=await pressure(visit, me),
    )  # fmt: skip


async def show_looked(visit: Visit) -> Response:
    """Show who looked, by day."""
    lines = await who_looked(visit.server, visit.by, visit.by.patient, visit.language)
    days = {line.day: [each for each in lines if each.day == line.day] for line in lines}
    return render(visit, "looked.html", title=visit.word("me.looked"), days=days)


async def show_withdrawal(visit: Visit) -> Response:
    """Ask once more, and say what a withdrawal does. Raises `NotFound`, `Conflict`."""
    consent = await shared(visit, await read(visit, "Consent", visit.request.path_params["id"]))
    if consent.state == "inactive":
        raise Conflict("This consent is withdrawn already.")
    title = visit.word("me.withdraw.title")
    return render(visit, "withdraw.html", title=title, consent=consent)


async def withdraw(visit: Visit) -> Response:
    """Withdraw a consent: its grants end in the same commit."""
    key = Key("Consent", visit.request.path_params["id"])
    await patch(visit, key, [{"op": "replace", "path": "/status", "value": "inactive"}])
    return redirect("/me", told="withdrawn")


async def shared(visit: Visit, consent: Json) -> Shared:
    """Return a Consent in words."""
    provision = consent.get("provision") or {}
    actors = [reference(each.get("reference")) for each in items(provision.get("actor"))]
    ids = [name.removeprefix("Organization/") for name in actors if name]
    names = [await name_of(visit.server, id, visit.language) for id in ids]
    codes = codes_of(provision.get("code"), DATA_CATEGORY)
    until = local(str((provision.get("period") or {}).get("end", "")))[:10]
    state = str(consent.get("status", ""))
    if state == "active" and until and until < today(visit.by.now).isoformat():
        state = "expired"
    return Shared(
        consent["id"],
        "、".join(names),
        tuple(word_or(visit.language, f"data.{each}", each) for each in codes)
        or (visit.word("me.consent.all"),),
        until,
        is_referral_consent(consent),
        state,
    )
