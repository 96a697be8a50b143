"""Observations, the orders before them and the reports that group them.

https://hl7.org/fhir/R4/observation.html
"""

from collections.abc import Mapping
from decimal import Decimal

from fhir_server.demo.chart import Visit
from fhir_server.demo.measures import MEASURES, PANELS, Measure, Panel, Range
from fhir_server.demo.shapes import Json, coding, concept, quantity, reference
from fhir_server.demo.systems import INTERPRETATION, LOINC, OBSERVATION_CATEGORY, SECTION, numbers

Values = Mapping[str, Decimal]

_CATEGORY = {"vital-signs": "生命体征", "laboratory": "检验", "exam": "体格检查"}
_FLAG = {"N": "正常", "H": "偏高", "L": "偏低"}


def flag_of(value: Decimal, interval: Range) -> str:
    """Returns N, H or L of `value` in a reference interval, bounds included."""
    low, high = interval
    if low is not None and value < Decimal(low):
        return "L"
    return "H" if high is not None and value > Decimal(high) else "N"


def interval_of(measure: Measure, male: bool) -> Range:
    """Returns the reference interval for the sex."""
    return measure.male if male else measure.female


def blood_pressure(visit: Visit, systolic: Decimal, diastolic: Decimal, minutes: int = 10) -> str:
    """Writes the blood pressure panel, as the vital signs profile wants it."""
    resource = _observation(visit, "vital-signs", minutes)
    resource["code"] = concept("血压", coding(LOINC, "85354-9", "Blood pressure panel"))
    resource["component"] = [
        _value_of(MEASURES["systolic"], systolic),
        _value_of(MEASURES["diastolic"], diastolic),
    ]
    return visit.add(resource)


def vital_signs(visit: Visit, values: Values, minutes: int = 10) -> list[str]:
    """Writes one Observation a value, in the order given."""
    return [
        visit.add(_observation(visit, "vital-signs", minutes) | _value_of(MEASURES[key], value))
        for key, value in values.items()
    ]


def finding(visit: Visit, key: str, value: Decimal) -> str:
    """Writes one Observation of category exam."""
    return visit.add(_observation(visit, "exam", 15) | _value_of(MEASURES[key], value))


def finger_prick(visit: Visit, value: Decimal) -> str:
    """Writes a fasting glucose measured at the desk, without an order to the laboratory."""
    resource = _observation(visit, "laboratory", 12) | _value_of(MEASURES["capillary"], value)
    return visit.add(resource | _judgement(MEASURES["capillary"], value, visit.chart.person.male))


def order(visit: Visit, code: Json, category: Json, performer: Json, reason: str | None) -> str:
    """Writes a completed order of the visit's physician, five minutes into the visit."""
    number = {"system": numbers(visit.owner, "order"), "value": visit.chart.number("order")}
    resource: Json = {
        "resourceType": "ServiceRequest",
        "identifier": [number],
        "status": "completed",
        "intent": "order",
        "category": [category],
        "priority": "routine",
        "code": code,
        "subject": visit.chart.subject,
        "encounter": visit.encounter,
        "authoredOn": visit.at(5),
        "requester": reference(visit.staff.role, visit.staff.name.text),
        "performer": [performer],
    }
    if reason is not None:
        resource["reasonReference"] = [reference(reason)]
    return visit.add(resource)


def laboratory(visit: Visit, panel_key: str, values: Values, reason: str | None = None) -> None:
    """Writes the order, one Observation a value, and the report that groups them."""
    panel = PANELS[panel_key]
    code = concept(panel.chinese, coding(panel.system, panel.code))
    category = concept("检验", coding(SECTION, "LAB"))
    asked = order(visit, code, category, _laboratory(visit), reason)
    results = [_result(visit, key, values[key], asked) for key in panel.measures]
    visit.add(_report(visit, code, category, asked, results) | _summary(visit, panel, values))


def exam_report(visit: Visit, code: Json, asked: str, results: list[str], words: str) -> None:
    """Writes the report of a health examination with its conclusion in words."""
    category = concept("健康体检", coding(SECTION, "OTH"))
    report = _report(visit, code, category, asked, results)
    visit.add(report | {"conclusion": words})


def _observation(visit: Visit, category: str, minutes: int) -> Json:
    return {
        "resourceType": "Observation",
        "status": "final",
        "category": [concept(_CATEGORY[category], coding(OBSERVATION_CATEGORY, category))],
        "code": {},  # replaced by the caller; stands here so that it is written in FHIR's order
        "subject": visit.chart.subject,
        "encounter": visit.encounter,
        "effectiveDateTime": visit.at(minutes),
        "performer": [reference(visit.staff.role, visit.staff.name.text)],
    }


def _value_of(measure: Measure, value: Decimal) -> Json:
    return {
        "code": concept(measure.chinese, coding(LOINC, measure.code, measure.english)),
        "valueQuantity": quantity(value, measure.unit, measure.ucum),
    }


def _result(visit: Visit, key: str, value: Decimal, asked: str) -> str:
    measure = MEASURES[key]
    resource = _observation(visit, "laboratory", 15) | _value_of(measure, value)
    resource["basedOn"] = [reference(asked)]
    resource["issued"] = visit.at(130)
    resource["performer"] = [_laboratory(visit)]
    return visit.add(resource | _judgement(measure, value, visit.chart.person.male))


def _judgement(measure: Measure, value: Decimal, male: bool) -> Json:
    interval = interval_of(measure, male)
    flag = flag_of(value, interval)
    return {
        "interpretation": [concept(_FLAG[flag], coding(INTERPRETATION, flag))],
        "referenceRange": [_reference_range(measure, interval)],
    }


def _reference_range(measure: Measure, interval: Range) -> Json:
    return {
        side: quantity(Decimal(bound), measure.unit, measure.ucum)
        for side, bound in zip(("low", "high"), interval, strict=True)
        if bound is not None
    }


def _laboratory(visit: Visit) -> Json:
    if visit.owner == "hospital":
        return reference("Organization/dept-laboratory", "检验科")
    return reference(visit.place.reference, visit.place.name)


def _report(visit: Visit, code: Json, category: Json, asked: str, results: list[str]) -> Json:
    number = {"system": numbers(visit.owner, "report"), "value": visit.chart.number("report")}
    return {
        "resourceType": "DiagnosticReport",
        "identifier": [number],
        "basedOn": [reference(asked)],
        "status": "final",
        "category": [category],
        "code": code,
        "subject": visit.chart.subject,
        "encounter": visit.encounter,
        "effectiveDateTime": visit.at(15),
        "issued": visit.at(140),
        "performer": [_laboratory(visit)],
        "result": [reference(result) for result in results],
    }


def _summary(visit: Visit, panel: Panel, values: Values) -> Json:
    male = visit.chart.person.male
    unusual = [
        f"{MEASURES[key].chinese}{_FLAG[flag]}"
        for key in panel.measures
        if (flag := flag_of(values[key], interval_of(MEASURES[key], male))) != "N"
    ]
    return {"conclusion": "、".join(unusual) or "所检项目未见异常"}
