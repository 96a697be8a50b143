"""Valid resources that tests change."""

from decimal import Decimal
from typing import Any

Json = dict[str, Any]

DIV = '<div xmlns="http://www.w3.org/1999/xhtml">A</div>'

PATIENT: Json = {
    "resourceType": "Patient",
    "id": "p1",
    "meta": {
        "profile": ["http://hl7.org/fhir/StructureDefinition/Patient"],
        "tag": [{"system": "http://x", "code": "t"}],
    },
    "language": "zh-CN",
    "text": {"status": "generated", "div": DIV},
    "contained": [{"resourceType": "Organization", "id": "o", "name": "Clinic"}],
    "extension": [
        {"url": "http://x/e", "valueString": "v"},
        {"url": "http://x/n", "extension": [{"url": "inner", "valueDecimal": Decimal("1.50")}]},
    ],
    "identifier": [{"use": "official", "system": "urn:oid:1.2.3", "value": "110101199003074514"}],
    "active": True,
    "name": [
        {
            "family": "王",
            "given": ["小", None],
            "_given": [
                None,
                {
                    "extension": [
                        {
                            "url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason",
                            "valueCode": "masked",
                        }
                    ]
                },
            ],
        },
    ],
    "gender": "female",
    "_gender": {"id": "g"},
    "birthDate": "1990-03-07",
    "deceasedBoolean": False,
    "maritalStatus": {"text": "married"},
    "contact": [{"name": {"text": "A"}, "gender": "female"}],
    "generalPractitioner": [{"reference": "Practitioner/1"}, {"reference": "#o"}],
    "managingOrganization": {"reference": "http://x/fhir/Organization/1", "type": "Organization"},
    "link": [{"other": {"reference": "Patient/2"}, "type": "seealso"}],
}

OBSERVATION: Json = {
    "resourceType": "Observation",
    "status": "final",
    "code": {"coding": [{"system": "http://loinc.org", "code": "17856-6"}]},
    "subject": {"reference": "Patient/p1"},
    "effectiveDateTime": "2020-02-29T10:00:00+08:00",
    "component": [
        {"code": {"text": "a"}, "valueQuantity": {"value": Decimal("107.0"), "unit": "mmHg"}},
        {"code": {"text": "b"}, "valueString": "x"},
    ],
}

BUNDLE: Json = {
    "resourceType": "Bundle",
    "type": "transaction",
    "entry": [
        {
            "fullUrl": "urn:uuid:c757873d-ec9a-4326-a141-556f43239520",
            "resource": PATIENT,
            "request": {"method": "POST", "url": "Patient"},
        },
        {
            "resource": OBSERVATION
            | {"subject": {"reference": "urn:uuid:c757873d-ec9a-4326-a141-556f43239520"}},
            "request": {"method": "POST", "url": "Observation"},
        },
    ],
}
