"""The city's directory: Organization, Location, HealthcareService, Practitioner, PractitionerRole.

https://hl7.org/fhir/R4/administration-module.html
"""

from collections.abc import Iterator
from decimal import Decimal

from fhir_server.demo.cast import CITY, PLACE, PLACES, STAFF, Place, Staff
from fhir_server.demo.names import human_names
from fhir_server.demo.shapes import Json, Made, coding, concept, reference
from fhir_server.demo.systems import (
    ORGANIZATION_TYPE,
    PHYSICAL_TYPE,
    PRACTITIONER_ROLE,
    STAFF_ROLE,
    numbers,
)

_KIND = {"prov": "医疗机构", "dept": "科室", "govt": "卫生行政机构"}
_POSITION = {
    "hospital": (Decimal("30.9000"), Decimal("120.5000")),
    "clinic-east": (Decimal("30.9052"), Decimal("120.5610")),
    "clinic-west": (Decimal("30.8931"), Decimal("120.4405")),
}
"""Latitude and longitude of the houses; a department is where its hospital is."""

_JOB = {
    "physician": "doctor",
    "gp": "doctor",
    "hm-physician": "doctor",
    "nurse": "nurse",
    "integrator": "ict",
    "operator": "ict",
}
_ROLE_TEXT = {
    "physician": "专科医师",
    "gp": "全科医师",
    "hm-physician": "健康管理医师",
    "lab": "检验技师",
    "nurse": "护士",
    "integrator": "集成工程师",
    "operator": "平台管理员",
    "auditor": "审计员",
}


def directory() -> Iterator[Made]:
    """Yields what the city's records refer to, each after what it refers to itself."""
    for place in PLACES:
        yield Made(place.owner, _organization(place))
        yield Made(place.owner, _location(place))
        if place.service is not None:
            yield Made(place.owner, _service(place, place.service))
    for staff in STAFF:
        owner = PLACE[staff.place].owner
        yield Made(owner, _practitioner(staff, owner))
        yield Made(owner, _role(staff))


def _organization(place: Place) -> Json:
    found: Json = {
        "resourceType": "Organization",
        "id": place.id,
        "identifier": [
            {"use": "official", "system": numbers(place.owner, "organization"), "value": place.id}
        ],
        "active": True,
        "type": [concept(_KIND[place.kind], coding(ORGANIZATION_TYPE, place.kind))],
        "name": place.name,
        "alias": [place.alias],
    }
    if place.part_of is not None:
        found["partOf"] = reference(f"Organization/{place.part_of}", PLACE[place.part_of].name)
    else:
        found["address"] = [{"use": "work", "text": CITY, "city": CITY, "country": "CN"}]
    return found


def _location(place: Place) -> Json:
    code, text = ("ro", "科室") if place.part_of else ("bu", "院区")
    found: Json = {
        "resourceType": "Location",
        "id": place.room.removeprefix("Location/"),
        "status": "active",
        "name": place.name,
        "mode": "instance",
        "physicalType": concept(text, coding(PHYSICAL_TYPE, code)),
        "managingOrganization": reference(place.reference, place.name),
    }
    if place.part_of:
        found["partOf"] = reference(PLACE[place.part_of].room)
    position = _POSITION.get(place.part_of or place.id)
    if position:
        found["position"] = dict(zip(("latitude", "longitude"), position, strict=True))
    return found


def _service(place: Place, service: str) -> Json:
    return {
        "resourceType": "HealthcareService",
        "id": f"service-{place.id}",
        "active": True,
        "providedBy": reference(place.reference, place.name),
        "type": [concept(service)],
        "location": [reference(place.room, place.name)],
        "name": f"{place.name}·{service}",
    }


def _practitioner(staff: Staff, owner: str) -> Json:
    return {
        "resourceType": "Practitioner",
        "id": staff.id,
        "identifier": [
            {"use": "official", "system": numbers(owner, "staff"), "value": staff.id.upper()}
        ],
        "active": True,
        "name": human_names(staff.name),
        "gender": "male" if staff.male else "female",
        "qualification": [{"code": concept(staff.title)}],
    }


def _role(staff: Staff) -> Json:
    place = PLACE[staff.place]
    codes = [coding(STAFF_ROLE, staff.role_code)]
    if staff.role_code in _JOB:
        codes.append(coding(PRACTITIONER_ROLE, _JOB[staff.role_code]))
    found: Json = {
        "resourceType": "PractitionerRole",
        "id": staff.role_id,
        "active": True,
        "practitioner": reference(f"Practitioner/{staff.id}", staff.name.text),
        "organization": reference(place.reference, place.name),
        "code": [concept(_ROLE_TEXT[staff.role_code], *codes)],
        "location": [reference(place.room, place.name)],
    }
    if place.service is not None:
        found["healthcareService"] = [reference(f"HealthcareService/service-{place.id}")]
    return found
