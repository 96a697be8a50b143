"""Examples made from the definitions: of each type the least that is valid, and an element more."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from conformance.definitions import Definitions, Element

Json = dict[str, Any]

DIV = '<div xmlns="http://www.w3.org/1999/xhtml">A</div>'
UCUM = "http://unitsofmeasure.org"

VALUES: Json = {
    "boolean": True,
    "integer": 1,
    "string": "x",
    "decimal": Decimal("1.5"),
    "uri": "http://x/u",
    "url": "http://x/u",
    "canonical": "http://x/c",
    "base64Binary": "YWJj",
    "instant": "2020-01-01T10:00:00Z",
    "date": "2020-01-01",
    "dateTime": "2020-01-01T10:00:00Z",
    "time": "10:00:00",
    "code": "x",
    "oid": "urn:oid:1.2.3",
    "id": "i1",
    "markdown": "x",
    "unsignedInt": 1,
    "positiveInt": 1,
    "uuid": "urn:uuid:c757873d-ec9a-4326-a141-556f43239520",
    "xhtml": DIV,
    "CodeableConcept": {"text": "x"},
    "Coding": {"system": "http://x/c", "code": "x"},
    "Quantity": {"value": 1},
    "Age": {"value": 1, "system": UCUM, "code": "a"},
    "Duration": {"value": 1, "system": UCUM, "code": "d"},
    "Count": {"value": 1, "system": UCUM, "code": "1"},
    "Distance": {"value": 1, "system": UCUM, "code": "m"},
    "Money": {"value": 1, "currency": "CNY"},
    "Range": {"low": {"value": 1}},
    "Ratio": {"numerator": {"value": 1}, "denominator": {"value": 2}},
    "Period": {"start": "2020-01-01"},
    "Attachment": {"contentType": "text/plain", "url": "http://x/u"},
    "Identifier": {"system": "http://x/i", "value": "1"},
    "ContactPoint": {"system": "phone", "value": "1"},
    "Timing": {"event": ["2020-01-01"]},
    "Expression": {"language": "text/cql", "expression": "x"},
    "TriggerDefinition": {"type": "named-event", "name": "x"},
    "Narrative": {"status": "generated", "div": DIV},
    "Extension": {"url": "http://x/e", "valueString": "x"},
    "Resource": {
        "resourceType": "Basic",
        "id": "b",
        "code": {"text": "x"},
        "subject": {"reference": "#"},
    },
    "Meta": {"versionId": "1"},
    "ElementDefinition": {"id": "Patient.a", "path": "Patient.a"},
    "Reference": {"display": "x"},
}

CORE = "http://hl7.org/fhir/StructureDefinition/"

# What a type's or backbone element's invariants need beyond its required elements.
NEEDED: dict[str, Json] = {
    "AllergyIntolerance": {
        "clinicalStatus": {
            "coding": [
                {
                    "system": "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical",
                    "code": "active",
                }
            ]
        }
    },
    "Appointment": {"status": "proposed"},
    "Appointment.participant": {"actor": {"display": "x"}},
    "AppointmentResponse": {"actor": {"display": "x"}},
    "Bundle": {"type": "collection"},
    "Bundle.entry": {
        "fullUrl": "http://x/Basic/b",
        "resource": {"resourceType": "Basic", "id": "b", "code": {"text": "x"}},
    },
    "CapabilityStatement": {
        "kind": "requirements",
        "description": "x",
        "rest": [{"mode": "client"}],
    },
    "Composition.section": {"text": VALUES["Narrative"]},
    "Consent": {"policyRule": {"text": "x"}},
    "CoverageEligibilityResponse.insurance.item": {"category": {"text": "x"}},
    "ElementDefinition.slicing": {"description": "x"},
    "Goal.target": {"measure": {"text": "x"}},
    "Group": {"actual": True},
    "ImmunizationRecommendation.recommendation": {"targetDisease": {"text": "x"}},
    "InsurancePlan": {"name": "x"},
    "Linkage": {"item": [{"type": "source", "resource": {"display": each}} for each in ("a", "b")]},
    "MedicationAdministration.dosage": {"dose": {"value": 1}},
    "MolecularSequence.referenceSeq": {"referenceSeqString": "x"},
    "Observation.referenceRange": {"text": "x"},
    "OperationDefinition.parameter": {"type": "string"},
    "Organization": {"name": "x"},
    "Parameters.parameter": {"valueString": "x"},
    "Patient.contact": {"name": {"text": "x"}},
    "Questionnaire.item": {"type": "string"},
    "RequestGroup.action": {"resource": {"display": "x"}},
    "StructureDefinition": {
        "kind": "resource",
        "abstract": False,
        "type": "Patient",
        "baseDefinition": CORE + "DomainResource",
        "derivation": "specialization",
        "differential": {"element": [{"id": "Patient", "path": "Patient"}]},
    },
    "StructureDefinition.differential": {"element": [{"id": "Patient", "path": "Patient"}]},
    "StructureDefinition.mapping": {"uri": "http://x/u"},
    "StructureMap.group.rule.target": {"context": "x", "contextType": "variable"},
    "TerminologyCapabilities": {"kind": "requirements", "description": "x"},
    "TestReport.setup.action": {"operation": {"result": "pass"}},
    "TestReport.test.action": {"operation": {"result": "pass"}},
    "TestScript.setup.action": {"operation": {"encodeRequestUrl": True, "url": "x"}},
    "TestScript.setup.action.operation": {"url": "x"},
    "TestScript.test.action": {"operation": {"encodeRequestUrl": True, "url": "x"}},
    "TestScript.teardown.action": {"operation": {"encodeRequestUrl": True, "url": "x"}},
    "ValueSet.expansion.contains": {"system": "http://x/c", "code": "x"},
}


# Where a type stands that no extension can hold.
PARENTS = {"ElementDefinition": "StructureDefinition.differential.element"}


class Maker:
    """Makes values of types."""

    def __init__(self, definitions: Definitions) -> None:
        self.definitions = definitions

    def least(self, type_name: str) -> Json:
        """The least object of a type that is valid."""
        elements = self.definitions.elements(type_name)
        is_resource = self.definitions.is_resource_type(type_name)
        found: Json = {"resourceType": type_name} if is_resource else {}
        for element in elements.values():
            if element.min:
                found |= self.member(element)
        found |= VALUES.get(type_name, {}) | NEEDED.get(type_name, {})
        if not found:
            others = (each for each in elements.values() if each.name not in ("id", "extension"))
            found = self.member(next(each for each in others if each.name != "modifierExtension"))
        return found

    def member(self, element: Element, at: int = 0) -> Json:
        """An element as the property that holds it, with its `at`th type."""
        key, type_name = element.properties()[at]
        value = self.value(element, type_name)
        return {key: [value] * max(element.min, 1) if element.many else value}

    def value(self, element: Element, type_name: str) -> Any:
        """A value of an element, as one of its types."""
        if element.value_set:
            return self._coded(element, type_name)
        if type_name == "Reference" and (targets := element.targets.get("Reference")):
            return {"reference": f"{targets[0]}/1"}
        if element.name == "contentType" or "mimetypes" in str(element.binding):
            return "text/plain"
        if type_name == "code" and "currencies" in str(element.binding):
            return "CNY"
        if type_name == "code" and "languages" in str(element.binding):
            return "zh"
        return VALUES.get(type_name) or self.least(type_name)

    def _coded(self, element: Element, type_name: str) -> Any:
        codes = self.definitions.value_set(element.value_set)
        system = next(iter(codes))
        coding = {"system": system, "code": min(codes[system])}
        if type_name == "CodeableConcept":
            return {"coding": [coding]}
        return coding if type_name == "Coding" else coding["code"]


def hosted(maker: Maker, type_name: str, value: Json) -> tuple[Json, str] | None:
    """A resource that has a value of a type, and where; None where nothing can hold it."""
    if maker.definitions.is_resource_type(type_name):
        return value, type_name
    parent, _, name = PARENTS.get(type_name, type_name).rpartition(".")
    if not parent:
        key = f"value{type_name[0].upper()}{type_name[1:]}"
        holder = {"url": "http://x/e", key: value}
        extension = maker.definitions.elements("Extension")["value"]
        basic = maker.least("Basic") | {"extension": [holder]}
        place = f"Basic.extension[0].value.ofType({type_name})"
        return (basic, place) if type_name in extension.types else None
    element = maker.definitions.elements(parent)[name]
    held = [value] if element.many else value
    found = hosted(maker, parent, maker.least(parent) | {name: held})
    return found and (found[0], f"{found[1]}.{name}{'[0]' if element.many else ''}")


def members(maker: Maker, type_name: str) -> Iterator[tuple[Element, str, Json]]:
    """Each element of a type, in each of its types: (element, type, the least with it)."""
    for element in maker.definitions.elements(type_name).values():
        if element.max == 0:
            continue
        for at, (_, kind) in enumerate(element.properties()):
            least = maker.least(type_name)
            for key, _ in element.properties():
                least.pop(key, None)
            yield element, kind, least | maker.member(element, at)
