"""What the hub itself writes into the Task of a referral when a step is taken.

https://hl7.org/fhir/R4/task.html
"""

from typing import Any

from fhir_server.fhirjson import instant
from fhir_server.referral.codes import NUMBER, business_concept
from fhir_server.referral.states import Resource, Row


def settle(
    row: Row, before: Resource | None, after: Resource, now: int, number: str
) -> dict[str, Any]:
    """Return `after` with the hub's own fields: businessStatus, times, identifier.

    `number` becomes the referral number (转诊单号) of a new Task that has none.
    """
    task = dict(after)
    task["lastModified"] = instant(now)
    task["authoredOn"] = (before or {}).get("authoredOn") or instant(now)
    if before is None and not _numbered(after):
        task["identifier"] = [*after.get("identifier", ()), {"system": NUMBER, "value": number}]
    return _without_old_reason(row, _with_business(row, before, task))


def _numbered(task: Resource) -> bool:
    return any(each.get("system") == NUMBER for each in task.get("identifier", ()))


def _with_business(row: Row, before: Resource | None, task: dict[str, Any]) -> dict[str, Any]:
    if "businessStatus" in row.writes:
        return task
    kept = (before or {}).get("businessStatus")
    status = business_concept(row.business) if row.business else kept
    rest = {name: value for name, value in task.items() if name != "businessStatus"}
    return rest | {"businessStatus": status} if status else rest


def _without_old_reason(row: Row, task: dict[str, Any]) -> dict[str, Any]:
    if not row.business or "statusReason" in row.writes:
        return task
    return {name: value for name, value in task.items() if name != "statusReason"}
