"""Lists of thousands of values in one parameter. https://hl7.org/fhir/R4/search.html#combining"""

from urllib.parse import urlencode

import pytest

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
LOINC = "http://loinc.org"
PRESSURE = f"{LOINC}|85354-9"


@pytest.fixture(autouse=True)
def written(hub):
    hub.put_in(
        {"resourceType": "Patient", "id": "a", "birthDate": "1950", "name": [{"family": "Li"}]},
        {"resourceType": "Patient", "id": "b"},
        {
            "resourceType": "Observation",
            "id": "o1",
            "status": "final",
            "code": {"coding": [{"system": LOINC, "code": "85354-9"}]},
            "subject": {"reference": "Patient/a"},
            "effectiveDateTime": "2026-01-01",
            "valueQuantity": {"value": 5, "unit": "mg"},
        },
        {
            "resourceType": "Observation",
            "id": "o2",
            "status": "final",
            "code": {"text": "x"},
            "subject": {"reference": "Patient/b"},
        },
    )


LISTS = {
    "codes": ("Observation", "code", "c{}", "85354-9"),
    "systems and codes": ("Observation", "code", LOINC + "|c{}", PRESSURE),
    "systems": ("Observation", "code", "http://s{}|", f"{LOINC}|"),
    "ids": ("Observation", "_id", "p{}", "o1"),
    "references": ("Observation", "subject", "Patient/p{}", "Patient/a"),
    "bare ids": ("Observation", "subject", "p{}", "a"),
    "days": ("Observation", "date", "{}", "2026-01-01"),
    "quantities": ("Observation", "value-quantity", "{}|http://u|mg", "5||mg"),
    "pairs": ("Observation", "code-value-quantity", "c{}$5||mg", f"{PRESSURE}$5||mg"),
    "words": ("Patient", "name", "n{}", "li"),
    "chained": ("Observation", "subject:Patient.name", "n{}", "li"),
    "reversed": ("Patient", "_has:Observation:subject:code", "c{}", PRESSURE),
}


@pytest.mark.parametrize("name", LISTS)
def test_a_list_of_five_thousand_values_is_searched(hub, name):
    type, param, form, last = LISTS[name]
    values = [*(form.format(2100 + number) for number in range(4999)), last]

    body = urlencode({param: ",".join(values)}).encode()

    answer = hub.post(f"{type}/_search", body, headers=FORM)

    found = [entry["resource"]["id"] for entry in answer.json().get("entry", ())]
    assert found == ["o1" if type == "Observation" else "a"]
