"""One resource as one line of a timeline or a package. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from fhir_server.web.directory import Language
from fhir_server.web.pages.show import (
    Json,
    Result,
    code,
    display,
    flag,
    items,
    local,
    person,
    reference,
    result,
    text,
    value_of,
)
from fhir_server.web.pages.words import word_or

Others = Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Line:
    """A line: `kind` names its badge, `when` sorts it, `results` are a table below it.

    `state` is a word for a badge, `tone` its colour (good, warn, bad, calm). `link` leads on.
    """

    kind: str
    when: str
    title: str
    detail: str = ""
    place: str = ""
    state: str = ""
    tone: str = "calm"
    reference: str = ""
    results: tuple[Result, ...] = ()
    link: str = ""

    @property
    def day(self) -> str:
        """Return the day, in the hub's zone."""
        return self.when[:10]

    @property
    def time(self) -> str:
        """Return the time of day, empty where none is known."""
        return self.when[11:]

    @property
    def abnormal(self) -> int:
        """Return how many results are out of range."""
        return sum(1 for each in self.results if each.flag)


Reader = Callable[[Json, Others, Language], Line]


def line(resource: Json, others: Others, language: Language) -> Line:
    """Return the line of a resource; `others` are those that it may refer to, by reference."""
    reader = READERS.get(resource["resourceType"], _other)
    return reader(resource, others, language)


def _name(resource: Json) -> str:
    return f"{resource['resourceType']}/{resource['id']}"


def _visit(resource: Json, others: Others, language: Language) -> Line:
    period = resource.get("period") or {}
    kinds = [text(each) for each in items(resource.get("type"))]
    act = str((resource.get("class") or {}).get("code", ""))
    reasons = [text(each) for each in items(resource.get("reasonCode"))]
    staff = [display(each.get("individual")) for each in items(resource.get("participant"))]
    status = str(resource.get("status", ""))
    return Line(
        "visit",
        local(str(period.get("start", ""))),
        next((each for each in kinds if each), word_or(language, f"encounter.{act}", act)),
        " · ".join(part for part in [*reasons, *staff] if part),
        display(resource.get("serviceProvider")),
        word_or(language, f"encounter.{status}", ""),
        reference=_name(resource),
    )


def _diagnosis(resource: Json, others: Others, language: Language) -> Line:
    status = code(resource.get("clinicalStatus"))
    when = resource.get("recordedDate") or resource.get("onsetDateTime") or ""
    return Line(
        "diagnosis",
        local(str(when)),
        text(resource.get("code")),
        code(resource.get("code")),
        state=word_or(language, f"condition.{status}", status),
        tone="warn" if status in ("active", "recurrence", "relapse") else "calm",
        reference=_name(resource),
    )


def _report(resource: Json, others: Others, language: Language) -> Line:
    seen = [others.get(reference(each)) for each in items(resource.get("result"))]
    performers = [display(each) for each in items(resource.get("performer"))]
    return Line(
        "report",
        local(_effective(resource)),
        text(resource.get("code")),
        str(resource.get("conclusion", "")),
        next((each for each in performers if each), ""),
        reference=_name(resource),
        results=tuple(result(each) for each in seen if each is not None),
    )


def _observation(resource: Json, others: Others, language: Language) -> Line:
    is_off = flag(resource)
    return Line(
        "observation",
        local(_effective(resource)),
        text(resource.get("code")),
        value_of(resource),
        tone="bad" if is_off else "calm",
        reference=_name(resource),
        results=(result(resource),),
    )


def _effective(resource: Json) -> str:
    period = resource.get("effectivePeriod") or {}
    when = resource.get("effectiveDateTime") or resource.get("effectiveInstant")
    return str(when or period.get("start") or resource.get("issued") or "")


def _medication(resource: Json, others: Others, language: Language) -> Line:
    doses = [
        *items(resource.get("dosageInstruction")),
        *items(resource.get("dosage")),
    ]
    period = resource.get("effectivePeriod") or {}
    when = resource.get("authoredOn") or period.get("start") or resource.get("dateAsserted") or ""
    title = text(resource.get("medicationCodeableConcept"))
    title = title or display(resource.get("medicationReference"))
    return Line(
        "medication",
        local(str(when)),
        title,
        "；".join(str(each.get("text", "")).removeprefix(title).strip() for each in doses),
        display(resource.get("requester")),
        reference=_name(resource),
    )


def _plan(resource: Json, others: Others, language: Language) -> Line:
    activities = [each.get("detail") or {} for each in items(resource.get("activity"))]
    told = [str(each.get("description") or text(each.get("code"))) for each in activities]
    period = resource.get("period") or {}
    return Line(
        "plan",
        local(str(period.get("start") or resource.get("created") or "")),
        str(resource.get("title") or "") or text((items(resource.get("category")) or [{}])[0]),
        " · ".join(each for each in told if each),
        display(resource.get("author")),
        reference=_name(resource),
    )


def _referral(resource: Json, others: Others, language: Language) -> Line:
    reasons = [text(each) for each in items(resource.get("reasonCode"))]
    task = next(
        (
            each
            for each in others.values()
            if each["resourceType"] == "Task" and reference(each.get("focus")) == _name(resource)
        ),
        None,
    )
    status = str(task.get("status", "")) if task else ""
    performers = [display(each) for each in items(resource.get("performer"))]
    return Line(
        "referral",
        local(str(resource.get("authoredOn", ""))),
        "；".join(each for each in reasons if each) or text(resource.get("code")),
        place=next((each for each in performers if each), ""),
        state=word_or(language, f"task.{status}", ""),
        reference=_name(resource),
        link=f"/referral/{task['id']}" if task else "",
    )


def _procedure(resource: Json, others: Others, language: Language) -> Line:
    period = resource.get("performedPeriod") or {}
    when = str(resource.get("performedDateTime") or period.get("start") or "")
    return Line("procedure", local(when), text(resource.get("code")), reference=_name(resource))


def _immunization(resource: Json, others: Others, language: Language) -> Line:
    when = local(str(resource.get("occurrenceDateTime", "")))
    doses = [each.get("doseNumberPositiveInt") for each in items(resource.get("protocolApplied"))]
    detail = " · ".join(f"#{each}" for each in doses if each)
    return Line(
        "immunization", when, text(resource.get("vaccineCode")), detail, reference=_name(resource)
    )


def _allergy(resource: Json, others: Others, language: Language) -> Line:
    reactions = [
        text(sign)
        for each in items(resource.get("reaction"))
        for sign in items(each.get("manifestation"))
    ]
    when = local(str(resource.get("recordedDate") or resource.get("onsetDateTime") or ""))
    return Line(
        "allergy", when, text(resource.get("code")), "，".join(reactions), tone="bad",
        reference=_name(resource),
    )  # fmt: skip


def _other(resource: Json, others: Others, language: Language) -> Line:
    title = text(resource.get("code")) or text(resource.get("type")) or resource["resourceType"]
    title = person(resource, language) if resource["resourceType"] == "Patient" else title
    return Line("other", local(str(resource.get("date", ""))), title, reference=_name(resource))


READERS: dict[str, Reader] = {
    "AllergyIntolerance": _allergy,
    "CarePlan": _plan,
    "Condition": _diagnosis,
    "DiagnosticReport": _report,
    "Encounter": _visit,
    "Immunization": _immunization,
    "MedicationRequest": _medication,
    "MedicationStatement": _medication,
    "Observation": _observation,
    "Procedure": _procedure,
    "ServiceRequest": _referral,
}
