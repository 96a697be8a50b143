"""The code systems that a referral speaks in, and the few shapes made from them.

https://hl7.org/fhir/R4/task.html; `bser` is the status that HL7 BSeR and IHE 360X
have for the same moment.
"""

from typing import Any, NamedTuple

BASE = "https://fhir-hub.example/"
TASK_CODE = "http://hl7.org/fhir/CodeSystem/task-code"
SNOMED = "http://snomed.info/sct"
REFERRAL = "3457005"
DIRECTION = BASE + "CodeSystem/referral-direction"
BUSINESS = BASE + "CodeSystem/referral-business-status"
STEP = BASE + "CodeSystem/referral-step"
NUMBER = BASE + "identifier/referral"
CONSENT_CATEGORY = BASE + "CodeSystem/consent-category"
DATA_CATEGORY = BASE + "CodeSystem/data-category"
DIRECTIONS = {"up": "上转", "down": "下转", "lateral": "平级转诊"}


class Status(NamedTuple):
    """One businessStatus: its code, its words, and BSeR's number for it where there is one."""

    code: str
    display: str
    chinese: str
    bser: str = ""


BUSINESS_STATUSES = {
    status.code: status
    for status in (
        Status("awaiting-approval", "Awaiting approval", "待院方审批"),
        Status("awaiting-consent", "Awaiting consent", "待患者同意"),
        Status("created", "Request sent", "已发送", "2.0"),
        Status("under-review", "Under review", "审核中"),
        Status("accepted", "Accepted", "已接收", "3.0"),
        Status("declined", "Declined", "已拒绝", "4.0"),
        Status("referred-onward", "Referred onward", "建议转往他处", "4.0"),
        Status("waitlisted", "Waitlisted", "排队等候"),
        Status("awaiting-information", "Awaiting information", "待补充资料"),
        Status("information-supplied", "Information supplied", "资料已补充"),
        Status("started", "Started", "已开始", "5.1"),
        Status("scheduled", "Visit scheduled", "已预约", "5.1.1"),
        Status("unattended", "Visit unattended", "未到位", "5.1.2"),
        Status("appointment-cancelled", "Appointment cancelled", "预约已取消", "5.1.3"),
        Status("visit-complete", "Visit complete", "就诊完成", "5.1.4"),
        Status("arrived", "Arrived", "已到位", "5.1"),
        Status("cancellation-requested", "Cancellation requested", "请求取消", "5.2"),
        Status("cancelled", "Cancelled", "已取消", "6.0"),
        Status("expired", "Expired", "已过期", "6.0"),
        Status("unable", "Unable to perform", "无法完成"),
        Status("completed", "Completed", "已完成", "7.0"),
    )
}


def concept(system: str, code: str, display: str = "") -> dict[str, Any]:
    """Return a CodeableConcept of one coding."""
    coding = {"system": system, "code": code}
    return {"coding": [coding | {"display": display} if display else coding]}


def business_concept(code: str) -> dict[str, Any]:
    """Return the businessStatus of `code`. Raises KeyError for a code that is none of ours."""
    return concept(BUSINESS, code, BUSINESS_STATUSES[code].display)


def codes_of(value: Any, system: str) -> tuple[str, ...]:
    """Return the codes of `system` in a CodeableConcept, or in a list of them, in order."""
    concepts = value if isinstance(value, list) else [value or {}]
    return tuple(
        coding["code"]
        for each in concepts
        for coding in each.get("coding", ())
        if coding.get("system") == system and "code" in coding
    )


def reference_id(value: Any, type: str) -> str:
    """Return the id in a literal Reference to `type`, `''` if it is anything else.

    >>> reference_id({"reference": "Organization/clinic"}, "Organization")
    'clinic'
    """
    parts = ((value or {}).get("reference") or "").split("/")
    return parts[1] if parts[:1] == [type] and len(parts) in (2, 4) else ""
