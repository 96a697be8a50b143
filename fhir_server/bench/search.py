"""Searches. https://hl7.org/fhir/R4/search.html"""

import itertools
from collections.abc import Iterator

from fhir_server import fhirjson
from fhir_server.bench import crud, records
from fhir_server.bench.ask import Ask
from fhir_server.bench.figure import Figure
from fhir_server.bench.load import call
from fhir_server.bench.target import Target

_EACH = 30


def search(target: Target, ask: Ask) -> Iterator[Figure]:
    """Search a patient's blood pressures, 20 on a page of 30."""
    patients = crud.patients(target)
    bodies = (fhirjson.encode(records.observation(patient)) for patient in patients * _EACH)
    crud.made(target, (call(target, "POST", "/Observation", body) for body in bodies))
    calls = (
        call(
            target, "GET", f"/Observation?patient={patient}&code=http://loinc.org|85354-9&_count=20"
        )
        for patient in itertools.cycle(patients)
    )
    yield from crud.measured("search", "searches", target, ask, calls)
