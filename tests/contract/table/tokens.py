"""Tokens. https://hl7.org/fhir/R4/search.html#token"""

from tests.contract.table.row import Json, Section, about, observation

LOINC = "http://loinc.org"
ADMIN = "http://hl7.org/fhir/administrative-gender"
SPECIAL = "http://terminology.hl7.org/CodeSystem/special-values"


def _coded(id: str, *codings: Json, **more: object) -> Json:
    return observation(id, code={"coding": list(codings), **more})


CODES = Section(
    "codes",
    [
        _coded("loinc", {"system": LOINC, "code": "8867-4", "display": "Heart rate"}),
        _coded("local", {"code": "8867-4"}),
        _coded("other", {"system": "http://local", "code": "8867-4"}),
        _coded("two", {"system": LOINC, "code": "1-8"}, {"system": LOINC, "code": "2-9"}),
        _coded("case", {"system": "http://local", "code": "AbC"}),
        _coded("text", text="Headache, severe"),
        _coded("bar", {"system": "http://local", "code": "a|b,c"}),
    ],
    about(
        "token",
        ("code", "Observation?code=8867-4", "loinc local other"),
        ("system|code", f"Observation?code={LOINC}|8867-4", "loinc"),
        ("|code", "Observation?code=|8867-4", "local"),
        ("system|", f"Observation?code={LOINC}|", "loinc two"),
        ("case counts", "Observation?code=abc", ""),
        ("OR list", f"Observation?code={LOINC}|8867-4,AbC", "loinc case"),
        ("and", "Observation?code=1-8&code=2-9", "two"),
        ("escapes", "Observation?code=a\\|b\\,c", "bar"),
        (":not", f"Observation?code:not={LOINC}|", "local other case text bar"),
        (":not", "Observation?code:not=8867-4,AbC", "two text bar"),
        (":text", "Observation?code:text=heart", "loinc"),
        (":text", "Observation?code:text=headache severe", "text"),
        (":missing", "Observation?code:missing=true", ""),
        ("unreadable", "Observation?code=|", "400"),
        ("a modifier that it has not", "Observation?code:contains=x", "400"),
    ),
)

FORMS = Section(
    "all types",
    [
        {
            "resourceType": "Patient",
            "id": "p",
            "active": True,
            "gender": "female",
            "identifier": [
                {
                    "system": "http://ids",
                    "value": "12|3",
                    "type": {
                        "coding": [
                            {
                                "system": "http://terminology.hl7.org/CodeSystem/v2-0203",
                                "code": "MR",
                            }
                        ],
                        "text": "Medical record",
                    },
                },
                {"value": "bare"},
            ],
            "telecom": [
                {"system": "phone", "value": "010-555"},
                {"system": "email", "value": "a@b.cn"},
            ],
            "communication": [{"language": {"coding": [{"code": "zh"}]}}],
        },
        {"resourceType": "Patient", "id": "q", "active": False, "deceasedDateTime": "2020"},
        {
            "resourceType": "ValueSet",
            "id": "v",
            "url": "http://x/v",
            "version": "1.0-Beta",
            "status": "draft",
            "expansion": {"timestamp": "2020", "identifier": "urn:oid:1.2"},
        },
    ],
    about(
        "token",
        ("boolean", "Patient?active=true", "p"),
        ("boolean", f"Patient?active={SPECIAL}|false", "q"),
        ("boolean", "Patient?deceased=true", "q"),
        ("code", "Patient?gender=female", "p"),
        ("code with the system of its value set", f"Patient?gender={ADMIN}|female", "p"),
        ("code with the system of its value set", f"Patient?gender={ADMIN}|", "p"),
        ("code with the system of its value set", "Patient?gender=http://else|female", ""),
        ("Identifier", "Patient?identifier=http://ids|12\\|3", "p"),
        ("Identifier", "Patient?identifier=12\\|3", "p"),
        ("Identifier", "Patient?identifier=http://ids|", "p"),
        ("Identifier", "Patient?identifier=|bare", "p"),
        (
            ":of-type",
            "Patient?identifier:of-type=http://terminology.hl7.org/CodeSystem/v2-0203|MR|12\\|3",
            "p",
        ),
        (":of-type", "Patient?identifier:of-type=MR|12", "400"),
        (":text", "Patient?identifier:text=medical", "p"),
        ("ContactPoint", "Patient?phone=010-555", "p"),
        ("ContactPoint", "Patient?email=a@b.cn", "p"),
        ("ContactPoint", "Patient?phone=a@b.cn", ""),
        ("ContactPoint", "Patient?telecom=a@b.cn", "p"),
        ("string, without case", "ValueSet?version=1.0-beta", "v"),
        ("uri", "ValueSet?expansion=urn:oid:1.2", "v"),
        ("id", "Patient?_id=p,q", "p q"),
    ),
)

TOKENS = [CODES, FORMS]
