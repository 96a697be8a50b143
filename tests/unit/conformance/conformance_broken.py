"""For each invariant of R4, an object that breaks it, and no other.

`(keys, type, change)`: the change is put over the least valid object of the type; None takes a
property away. Where one change breaks several invariants that say the same, all are named.
"""

from decimal import Decimal
from typing import Any

from conformance_examples import CORE, UCUM, VALUES

Json = dict[str, Any]

X = {"text": "x"}
A = {"display": "x"}
CODING = {"system": "http://x/c", "code": "x"}
EXPRESSION = VALUES["Expression"]
EXTENSION = VALUES["Extension"]
ERROR = {
    "coding": [
        {
            "system": "http://terminology.hl7.org/CodeSystem/condition-ver-status",
            "code": "entered-in-error",
        }
    ]
}
ALLERGY_ERROR = {
    "coding": [
        {
            "system": "http://terminology.hl7.org/CodeSystem/allergyintolerance-verification",
            "code": "entered-in-error",
        }
    ]
}
ACTIVE = {
    "coding": [
        {
            "system": "http://terminology.hl7.org/CodeSystem/condition-clinical",
            "code": "active",
        }
    ]
}
BASIC = {"resourceType": "Basic", "id": "b", "code": X}
ENTRY = {"fullUrl": "http://x/Basic/b", "resource": BASIC}
COMPOSITION = {
    "fullUrl": "http://x/Composition/c",
    "resource": {
        "resourceType": "Composition",
        "id": "c",
        "status": "final",
        "type": X,
        "date": "2020",
        "author": [A],
        "title": "x",
    },
}
NUMBERED = {"identifier": VALUES["Identifier"]}
TIMED = {"timestamp": "2020-01-01T10:00:00Z"}
SOFTWARE = {"software": {"name": "x"}}
ITEM = {"linkId": "1", "type": "string"}
WHEN = {"question": "1", "operator": "=", "answerString": "x"}
STRING = {"valueString": "x"}
CONSTRAINT = {"key": "x-1", "severity": "error", "human": "x", "expression": "true"}
TWO = ("Patient", "Patient.a")
RESULT = {"result": "pass"}
OPERATION = {"encodeRequestUrl": True, "url": "x"}
ASSERT = {"warningOnly": True}


def element(path: str, **rest: Any) -> Json:
    """An element of a snapshot."""
    full = {"definition": "x", "min": 0, "max": "*", "base": {"path": path, "min": 0, "max": "*"}}
    return {"id": path, "path": path, **full, **rest}


def snapshot(*elements: Json) -> Json:
    return {"snapshot": {"element": list(elements)}}


def differential(**root: Any) -> Json:
    return {"differential": {"element": [{"id": "Patient", "path": "Patient", **root}]}}


def switched(*conditions: Json) -> Json:
    """A question that another one switches on."""
    return {"item": [ITEM, {"linkId": "2", "type": "string", "enableWhen": list(conditions)}]}


def typed(*codes: str) -> list[Json]:
    return [{"code": code} for code in codes]


BROKEN: list[tuple[str, str, Json]] = [
    ("age-1", "Age", {"code": None}),
    ("ait-1", "AllergyIntolerance", {"clinicalStatus": None}),
    ("ait-2", "AllergyIntolerance", {"verificationStatus": ALLERGY_ERROR}),
    ("app-1", "Appointment.participant", {"actor": None}),
    ("app-2", "Appointment", {"start": "2020-01-01T10:00:00Z"}),
    ("app-3", "Appointment", {"status": "booked"}),
    ("app-4", "Appointment", {"cancelationReason": X}),
    ("apr-1", "AppointmentResponse", {"actor": None}),
    ("att-1", "Attachment", {"contentType": None, "data": "YWJj"}),
    ("bdl-1", "Bundle", {"total": 1}),
    ("bdl-2", "Bundle", {"entry": [ENTRY | {"search": {"mode": "match"}}]}),
    ("bdl-3", "Bundle", {"entry": [ENTRY | {"request": {"method": "GET", "url": "x"}}]}),
    ("bdl-4", "Bundle", {"entry": [ENTRY | {"response": {"status": "200"}}]}),
    ("bdl-5", "Bundle.entry", {"resource": None}),
    ("bdl-7", "Bundle", {"entry": [ENTRY, ENTRY]}),
    ("bdl-8", "Bundle.entry", {"fullUrl": "http://x/Basic/b/_history/1"}),
    ("bdl-9", "Bundle", {"type": "document", "entry": [COMPOSITION], **TIMED}),
    ("bdl-10", "Bundle", {"type": "document", "entry": [COMPOSITION], **NUMBERED}),
    ("bdl-11", "Bundle", {"type": "document", "entry": [ENTRY], **NUMBERED, **TIMED}),
    ("bdl-12", "Bundle", {"type": "message", "entry": [ENTRY]}),
    ("ces-1", "CoverageEligibilityResponse.insurance.item", {"category": None, "name": "x"}),
    ("cmd-1", "ConceptMap.group.element.target", {"equivalence": "narrower"}),
    ("cmd-2", "ConceptMap.group.unmapped", {"mode": "fixed"}),
    ("cmd-3", "ConceptMap.group.unmapped", {"mode": "other-map"}),
    ("cmp-1", "Composition.section", {"text": None, "title": "x"}),
    ("cmp-2", "Composition.section", {"emptyReason": X, "entry": [A]}),
    ("cnt-3", "Count", {"value": Decimal("1.5")}),
    ("con-1", "Condition.stage", {"summary": None, "type": X}),
    ("con-2", "Condition.evidence", {"code": None, "extension": [EXTENSION]}),
    ("con-4", "Condition", {"abatementString": "x"}),
    ("con-5", "Condition", {"verificationStatus": ERROR, "clinicalStatus": ACTIVE}),
    ("cpb-1", "CapabilityStatement", {"rest": None}),
    ("cpb-2", "CapabilityStatement", {"description": None}),
    (
        "cpb-3",
        "CapabilityStatement",
        {"messaging": [{"endpoint": [{"protocol": CODING, "address": "http://x/u"}]}]},
    ),
    (
        "cpb-7",
        "CapabilityStatement",
        {"document": [{"mode": "producer", "profile": "http://x/c"}] * 2},
    ),
    ("cpb-9", "CapabilityStatement.rest", {"resource": [{"type": "Patient"}] * 2}),
    (
        "cpb-12",
        "CapabilityStatement.rest.resource",
        {"searchParam": [{"name": "a", "type": "token"}] * 2},
    ),
    ("cpb-14", "CapabilityStatement", {"kind": "instance"}),
    ("cpb-15", "CapabilityStatement", {"kind": "capability"}),
    ("cpb-16", "CapabilityStatement", SOFTWARE),
    (
        "cpl-3",
        "CarePlan.activity",
        {"detail": {"status": "scheduled"}, "reference": A, "outcomeCodeableConcept": None},
    ),
    ("cpt-2", "ContactPoint", {"system": None}),
    ("csd-1", "CodeSystem", {"concept": [{"code": "a"}, {"code": "a"}]}),
    (
        "ctm-1",
        "CareTeam.participant",
        {"onBehalfOf": A, "member": {"reference": "Patient/1"}},
    ),
    ("dis-1", "Distance", {"code": None}),
    ("drq-1", "DataRequirement.codeFilter", {"path": "a", "searchParam": "b"}),
    ("drq-2", "DataRequirement.dateFilter", {"path": "a", "searchParam": "b"}),
    ("drt-1", "Duration", {"value": None}),
    ("eld-1", "ElementDefinition.slicing", {"description": None}),
    ("eld-2", "ElementDefinition", {"min": 3, "max": "2"}),
    ("eld-3", "ElementDefinition", {"max": "x"}),
    ("eld-4", "ElementDefinition.type", {"code": "string", "aggregation": ["contained"]}),
    ("eld-5", "ElementDefinition", {"contentReference": "#x", "type": typed("string")}),
    ("eld-6", "ElementDefinition", {"fixedString": "x", "type": typed("string", "uri")}),
    ("eld-7", "ElementDefinition", {"patternString": "x", "type": typed("string", "uri")}),
    ("eld-8", "ElementDefinition", {"fixedString": "x", "patternString": "x"}),
    ("eld-12", "ElementDefinition.binding", {"valueSet": "ftp://x/c"}),
    ("eld-13", "ElementDefinition", {"type": typed("string", "string")}),
    ("eld-14", "ElementDefinition", {"constraint": [CONSTRAINT, CONSTRAINT]}),
    ("eld-15", "ElementDefinition", {"defaultValueString": "x", "meaningWhenMissing": "x"}),
    ("eld-16", "ElementDefinition", {"sliceName": "a b"}),
    (
        "eld-17",
        "ElementDefinition.type",
        {"code": "string", "targetProfile": ["http://x/c"]},
    ),
    ("eld-18", "ElementDefinition", {"isModifier": True}),
    ("eld-19 sdf-8a", "ElementDefinition", {"path": "a b"}),
    ("eld-22", "ElementDefinition", {"sliceIsConstraining": True}),
    ("exp-1", "Expression", {"expression": None}),
    ("fhs-1", "FamilyMemberHistory", {"ageString": "1", "bornString": "1990"}),
    ("fhs-2", "FamilyMemberHistory", {"estimatedAge": True}),
    ("gol-1", "Goal.target", {"measure": None, "detailString": "x"}),
    ("grp-1", "Group", {"actual": False, "member": [{"entity": A}]}),
    (
        "ig-1",
        "ImplementationGuide.definition",
        {"resource": [{"reference": A, "groupingId": "g"}]},
    ),
    (
        "ig-2",
        "ImplementationGuide",
        {
            "fhirVersion": ["4.0.0"],
            "definition": {"resource": [{"reference": A, "fhirVersion": ["4.0.1"]}]},
        },
    ),
    ("imm-1", "Immunization.education", {"documentType": None, "publicationDate": "2020"}),
    ("imr-1", "ImmunizationRecommendation.recommendation", {"targetDisease": None}),
    ("inv-1", "Parameters.parameter", {"valueString": None}),
    ("inv-1", "Task", {"authoredOn": "2020-01-02", "lastModified": "2020-01-01"}),
    ("inv-1", "TestReport.setup.action", {"assert": RESULT}),
    ("inv-2", "TestReport.test.action", {"assert": RESULT}),
    ("ipn-1", "InsurancePlan", {"name": None}),
    ("lnk-1", "Linkage", {"item": [{"type": "source", "resource": A}]}),
    ("lst-1", "List", {"emptyReason": X, "entry": [{"item": A}]}),
    ("lst-2", "List", {"mode": "working", "entry": [{"deleted": True, "item": A}]}),
    ("lst-3", "List", {"mode": "snapshot", "entry": [{"date": "2020", "item": A}]}),
    ("mad-1", "MedicationAdministration.dosage", {"dose": None, "text": "x"}),
    ("md-1", "MessageDefinition.focus", {"max": "0"}),
    (
        "mdd-1",
        "MedicationDispense",
        {"whenPrepared": "2020-01-02", "whenHandedOver": "2020-01-01"},
    ),
    (
        "mea-1",
        "Measure",
        {"group": [{"stratifier": [{"code": X, "component": [{"criteria": EXPRESSION}]}]}]},
    ),
    ("mrp-1", "MeasureReport", {"type": "data-collection", "group": [{"code": X}]}),
    (
        "mrp-2",
        "MeasureReport",
        {
            "type": "summary",
            "group": [
                {
                    "stratifier": [
                        {"stratum": [{"value": X, "component": [{"code": X, "value": X}]}]}
                    ]
                }
            ],
        },
    ),
    ("msq-3", "MolecularSequence", {"coordinateSystem": 2}),
    (
        "msq-5",
        "MolecularSequence.referenceSeq",
        {"genomeBuild": "x", "referenceSeqString": None},
    ),
    ("msq-6", "MolecularSequence.referenceSeq", {"referenceSeqId": X}),
    ("nsd-1", "NamingSystem", {"kind": "root", "uniqueId": [{"type": "uuid", "value": "x"}]}),
    (
        "nsd-2",
        "NamingSystem",
        {"uniqueId": [{"type": "uri", "value": each, "preferred": True} for each in "ab"]},
    ),
    ("obs-3", "Observation.referenceRange", {"text": None, "age": VALUES["Range"]}),
    ("obs-6", "Observation", {"valueString": "x", "dataAbsentReason": X}),
    (
        "obs-7",
        "Observation",
        {
            "code": {"coding": [CODING]},
            "valueString": "x",
            "component": [{"code": {"coding": [CODING]}, "valueString": "x"}],
        },
    ),
    ("opd-1", "OperationDefinition.parameter", {"type": None}),
    ("opd-2", "OperationDefinition.parameter", {"type": "integer", "searchType": "token"}),
    ("opd-3", "OperationDefinition.parameter", {"targetProfile": ["http://x/c"]}),
    ("org-1", "Organization", {"name": None}),
    ("org-2", "Organization", {"address": [{"use": "home", "text": "x"}]}),
    ("org-3", "Organization", {"telecom": [{"use": "home", "system": "phone", "value": "1"}]}),
    ("pat-1", "Patient.contact", {"name": None, "gender": "male"}),
    ("per-1", "Period", {"start": "2020", "end": "2019"}),
    ("ppc-1", "Consent", {"policyRule": None}),
    ("prr-1", "ServiceRequest", {"orderDetail": [X]}),
    ("qrs-1", "QuestionnaireResponse.item", {"answer": [STRING], "item": [{"linkId": "2"}]}),
    ("que-1", "Questionnaire.item", {"type": "group"}),
    ("que-2", "Questionnaire", {"item": [ITEM, ITEM]}),
    ("que-3", "Questionnaire.item", {"type": "display", "code": [CODING]}),
    (
        "que-4",
        "Questionnaire.item",
        {"type": "choice", "answerOption": [STRING], "answerValueSet": "http://x/c"},
    ),
    ("que-5", "Questionnaire.item", {"type": "boolean", "answerValueSet": "http://x/c"}),
    ("que-6", "Questionnaire.item", {"type": "display", "required": True}),
    ("que-7", "Questionnaire", switched(WHEN | {"operator": "exists"})),
    ("que-8", "Questionnaire.item", {"type": "display", "initial": [STRING]}),
    ("que-9", "Questionnaire.item", {"type": "display", "readOnly": True}),
    ("que-10", "Questionnaire.item", {"type": "date", "maxLength": 1}),
    (
        "que-11",
        "Questionnaire.item",
        {"type": "choice", "answerOption": [STRING], "initial": [STRING]},
    ),
    ("que-12", "Questionnaire", switched(WHEN, WHEN)),
    ("que-13", "Questionnaire.item", {"initial": [STRING, STRING]}),
    ("qty-3", "Quantity", {"code": "x"}),
    ("ras-1", "RiskAssessment.prediction", {"probabilityRange": {"low": {"value": 1}}}),
    ("ras-2", "RiskAssessment.prediction", {"probabilityDecimal": 101}),
    ("rat-1", "Ratio", {"denominator": None}),
    ("rng-2", "Range", {"low": {"value": 2}, "high": {"value": 1}}),
    ("rqg-1", "RequestGroup.action", {"resource": None, "title": "x"}),
    (
        "sdf-1",
        "StructureDefinition",
        snapshot(element("Patient"), element("Patient.a"), element("Patient.a", id="Patient.b")),
    ),
    ("sdf-2", "StructureDefinition.mapping", {"uri": None}),
    ("sdf-3", "StructureDefinition", snapshot(element("Patient", definition=None))),
    ("sdf-4", "StructureDefinition", {"baseDefinition": None}),
    (
        "sdf-5",
        "StructureDefinition",
        {
            "type": "Extension",
            "derivation": "constraint",
            "differential": {"element": [{"id": "Extension", "path": "Extension"}]},
        },
    ),
    ("sdf-6", "StructureDefinition", {"differential": None}),
    ("sdf-8", "StructureDefinition", snapshot(element("Patient"), element("Foo.a"))),
    ("sdf-8 sdf-11", "StructureDefinition", snapshot(element("Foo"))),
    ("sdf-8a", "StructureDefinition", differential(path="Foo")),
    ("sdf-8b", "StructureDefinition", snapshot(element("Patient", base=None))),
    ("sdf-9", "StructureDefinition", differential(label="x")),
    (
        "sdf-10",
        "StructureDefinition",
        snapshot(element("Patient", binding={"strength": "example"})),
    ),
    ("sdf-14 sdf-17", "StructureDefinition", differential(id=None)),
    ("sdf-15", "StructureDefinition", snapshot(element("Patient", type=typed("string")))),
    ("sdf-15a", "StructureDefinition", differential(type=typed("string"))),
    (
        "sdf-16",
        "StructureDefinition",
        snapshot(element("Patient"), element("Patient.a", id="Patient")),
    ),
    (
        "sdf-17",
        "StructureDefinition",
        {"differential": {"element": [{"id": "a", "path": each} for each in TWO]}},
    ),
    ("sdf-18", "StructureDefinition", {"contextInvariant": ["true"]}),
    (
        "sdf-19",
        "StructureDefinition",
        {"url": CORE + "x"}
        | {"differential": {"element": [{"id": "a", "path": "Patient.a", "type": typed("a-b")}]}},
    ),
    (
        "sdf-20",
        "StructureDefinition",
        differential(slicing={"rules": "open", "description": "x"}),
    ),
    (
        "sdf-21",
        "StructureDefinition",
        {"derivation": "constraint"} | differential(defaultValueString="x"),
    ),
    ("sdf-22", "StructureDefinition", {"url": CORE + "x"} | differential(defaultValueString="x")),
    ("sdf-23", "StructureDefinition", differential(sliceName="x")),
    ("sev-1", "AuditEvent.entity", {"name": "x", "query": "YWJj"}),
    (
        "smp-1",
        "StructureMap.group.rule.target",
        {"context": None, "contextType": None, "element": "x"},
    ),
    ("smp-2", "StructureMap.group.rule.target", {"contextType": None}),
    ("spd-1", "SearchParameter", {"xpath": "x"}),
    ("spd-2", "SearchParameter", {"chain": ["x"]}),
    (
        "tcp-1",
        "TerminologyCapabilities.codeSystem",
        {"version": [{"code": "a"}, {"isDefault": True}]},
    ),
    ("tcp-2", "TerminologyCapabilities", {"description": None}),
    ("tcp-3", "TerminologyCapabilities", {"kind": "instance"}),
    ("tcp-4", "TerminologyCapabilities", {"kind": "capability"}),
    ("tcp-5", "TerminologyCapabilities", SOFTWARE),
    ("tim-1", "Timing.repeat", {"duration": 1}),
    ("tim-2", "Timing.repeat", {"period": 1}),
    ("tim-4", "Timing.repeat", {"duration": -1, "durationUnit": "h"}),
    ("tim-5", "Timing.repeat", {"period": -1, "periodUnit": "h"}),
    ("tim-6", "Timing.repeat", {"periodMax": 1}),
    ("tim-7", "Timing.repeat", {"durationMax": 1}),
    ("tim-8", "Timing.repeat", {"countMax": 2}),
    ("tim-9", "Timing.repeat", {"offset": 1}),
    ("tim-9", "Timing.repeat", {"offset": 1, "when": ["MORN", "CM"]}),
    ("tim-10", "Timing.repeat", {"timeOfDay": ["10:00:00"], "when": ["MORN"]}),
    (
        "trd-1",
        "TriggerDefinition",
        {"type": "data-added", "data": [{"type": "Patient"}], "timingDate": "2020-01-01"},
    ),
    ("trd-2", "TriggerDefinition", {"condition": EXPRESSION}),
    ("trd-3", "TriggerDefinition", {"type": "periodic"}),
    ("tst-1", "TestScript.setup.action", {"assert": ASSERT}),
    ("tst-2", "TestScript.test.action", {"assert": ASSERT}),
    ("tst-3", "TestScript.variable", {"expression": "x", "headerField": "x", "path": "x"}),
    (
        "tst-5",
        "TestScript.setup.action",
        {"operation": None, "assert": ASSERT | {"path": "x", "minimumId": "x"}},
    ),
    (
        "tst-5 tst-6",
        "TestScript.test.action",
        {"operation": None, "assert": ASSERT | {"path": "x", "minimumId": "x"}},
    ),
    ("tst-7", "TestScript.setup.action.operation", {"url": None}),
    (
        "tst-7 tst-8",
        "TestScript.test.action",
        {"operation": {"encodeRequestUrl": True}},
    ),
    (
        "tst-7 tst-9",
        "TestScript.teardown.action",
        {"operation": {"encodeRequestUrl": True}},
    ),
    (
        "tst-10",
        "TestScript.setup.action",
        {"operation": None, "assert": ASSERT | {"compareToSourceId": "x"}},
    ),
    (
        "tst-10 tst-11",
        "TestScript.test.action",
        {"operation": None, "assert": ASSERT | {"compareToSourceId": "x"}},
    ),
    (
        "tst-12",
        "TestScript.setup.action",
        {"operation": None, "assert": ASSERT | {"direction": "request", "responseCode": "200"}},
    ),
    (
        "tst-12 tst-13",
        "TestScript.test.action",
        {
            "operation": None,
            "assert": ASSERT | {"direction": "request", "responseCode": "200"},
        },
    ),
    ("vsd-1", "ValueSet.compose.include", {"system": None, "version": "1"}),
    (
        "vsd-2",
        "ValueSet.compose.include",
        {"system": None, "valueSet": ["http://x/c"], "concept": [{"code": "x"}]},
    ),
    (
        "vsd-3",
        "ValueSet.compose.include",
        {"concept": [{"code": "x"}], "filter": [{"property": "x", "op": "=", "value": "x"}]},
    ),
    (
        "vsd-6",
        "ValueSet.expansion.contains",
        {"code": None, "abstract": True},
    ),
    ("vsd-9", "ValueSet.expansion.contains", {"code": None, "display": "x"}),
    ("vsd-10", "ValueSet.expansion.contains", {"system": None}),
    ("con-3", "Condition", {"category": [{"coding": [CODING | {"code": "problem-list-item"}]}]}),
    ("nor-1", "NutritionOrder", {}),
    ("eld-20 sdf-8a", "ElementDefinition", {"path": "1a"}),
    ("eld-21", "ElementDefinition.constraint", {}),
    ("csd-0", "CodeSystem", {"name": "not a name"}),
]

# Where the place is not the object itself.
AT = {
    "eld-3": ".max",
    "org-2": ".address[0]",
    "org-3": ".telecom[0]",
    "que-7": ".item[1].enableWhen[0]",
    "que-12": ".item[1]",
    "ras-1": ".probability.ofType(Range)",
    "sdf-3": ".snapshot",
    "sdf-8": ".snapshot",
    "sdf-8a": ".differential",
    "sdf-8b": ".snapshot",
    "sdf-10": ".snapshot.element[0]",
    "sdf-20": ".differential",
    "tst-5": ".assert",
    "tst-10": ".assert",
    "tst-12": ".assert",
    "tst-5 tst-6": ".assert",
    "tst-10 tst-11": ".assert",
    "tst-12 tst-13": ".assert",
    "tst-7 tst-8": ".operation",
    "tst-7 tst-9": ".operation",
}

# Invariants that nothing can break alone, with the reason.
UNBREAKABLE = {
    "ppc-2": "names the code system 'something', which is not absolute",
    "ppc-3": "likewise",
    "ppc-4": "likewise",
    "ppc-5": "likewise",
    "eld-11": "is true whatever the types are, by its published expression",
    "tst-4": "asks for an element that is required anyway",
    "cid-0": "is about an element that its type does not have",
}

__all__ = ["AT", "BROKEN", "UCUM", "UNBREAKABLE"]
