"""The shapes of searches that are measured: thirty and some more, each asked for many values.

The first thirty are those that servers are compared by; see docs/figures.md. A shape that is not
*selective* has to count or to walk through a constant share of all records, and is expected to grow
with them.
"""

from dataclasses import dataclass
from urllib.parse import quote

from fhir_server.bench.population import (
    COMMON,
    DISEASES,
    LOCATIONS,
    LOINC,
    MEDIUM,
    PRACTITIONERS,
    RARE,
    SNOMED,
    family,
    spread,
)
from fhir_server.bench.records import SYSTEM


@dataclass(frozen=True, slots=True)
class Shape:
    """A search: `url` with places for a patient's number `p` and their family name `family`,
    for a number `n` within what there is few of, and for one code of several, `code`."""

    name: str
    url: str
    selective: bool = True
    codes: tuple[str, ...] = ("",)

    def path(self, turn: int, patients: int) -> str:
        """Return the path for one turn among a population of so many patients."""
        number = spread(turn, patients)
        found = self.url.format(
            p=number,
            family=family(number // 10 * 10),
            doctor=turn % PRACTITIONERS,
            ward=turn % LOCATIONS,
            code=self.codes[turn % len(self.codes)],
        )
        return "/" + quote(found, safe="/?&=,:$|-._~")


_TWENTY = ",".join(f"{LOINC}|{code}" for code in (COMMON, MEDIUM, RARE, *map(str, range(100, 117))))

SHAPES: tuple[Shape, ...] = (
    Shape("page", "Observation?_count=10"),
    Shape("page, total", "Observation?_count=10&_total=accurate", False),
    Shape("common code", f"Observation?code={COMMON}"),
    Shape("code of a component", "Observation?combo-code=8480-6"),
    Shape("gender, total", "Patient?gender=male&_total=accurate", False),
    Shape("family begins", "Patient?family=S"),
    Shape("given begins", "Patient?given=A"),
    Shape("gender and family", "Patient?gender=female&family=B"),
    Shape("common code, total", f"Observation?code={LOINC}|{COMMON}&_total=accurate", False),
    Shape("medium code, total", f"Observation?code={LOINC}|{MEDIUM}&_total=accurate", False),
    Shape("rare code, total", f"Observation?code={LOINC}|{RARE}&_total=accurate"),
    Shape("since 2020", "Observation?date=ge2020-01-01"),
    Shape("metadata", "metadata"),
    Shape("read", "Patient/patient-{p}"),
    Shape("family", "Patient?family={family}"),
    Shape("patient's observations", "Observation?patient=patient-{p}"),
    Shape("patient's conditions", "Condition?patient=patient-{p}"),
    Shape("patient's encounters", "Encounter?patient=patient-{p}"),
    Shape("patient's prescriptions", "MedicationRequest?patient=patient-{p}"),
    Shape("disease", f"Condition?code={SNOMED}|{{code}}", codes=DISEASES),
    Shape("procedure", f"Procedure?code={SNOMED}|880003"),
    Shape("doctor's encounters", "Encounter?practitioner=doctor-{doctor}"),
    Shape("ward's encounters", "Encounter?location=ward-{ward}"),
    Shape("words: common", "Observation?_content=pressure"),
    Shape("words: rare", "Observation?_content=creatinine"),
    Shape("words: a name", "Patient?_content={family}"),
    Shape("text of a name", "Patient?name:contains={family}", False),
    Shape("text of a code", "Observation?code:text=heart"),
    Shape("narrative", "Patient?_text={family}"),
    Shape("address", "Patient?address-city=海州&family={family}"),
    Shape("patient and code", f"Observation?patient=patient-{{p}}&code={LOINC}|{COMMON}&_count=20"),
    Shape("patient, newest first", "Observation?patient=patient-{p}&_sort=-date"),
    Shape("patient, total", "Observation?patient=patient-{p}&_total=accurate"),
    Shape("one of twenty codes", f"Observation?code={_TWENTY}"),
    Shape("all, newest first", "Observation?_sort=-date"),
    Shape("chain to an identifier", f"Observation?subject:Patient.identifier={SYSTEM}|mrn-{{p}}"),
    Shape("code and chain to gender", f"Observation?code={COMMON}&subject:Patient.gender=male"),
    Shape("who has a rare code", f"Patient?_has:Observation:patient:code={LOINC}|{RARE}"),
    Shape("composite", f"Observation?code-value-quantity={LOINC}|{MEDIUM}$gt160"),
    Shape("with the patient", f"Observation?code={COMMON}&_include=Observation:subject"),
    Shape("identifier", f"Patient?identifier={SYSTEM}|mrn-{{p}}"),
)
