"""Conditional interactions at the same moment: how many resources are made, and what is answered.

"If-None-Exist … allows a client to create a new resource only if some equivalent resource does not
already exist on the server": https://hl7.org/fhir/R4/http.html#ccreate

Each race is run a few times, from connections that are open before it begins. One resource a key
is right; so is every answer 200 or 201.
"""

import itertools
import json
import secrets
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from urllib.parse import quote

from fhir_server import fhirjson
from fhir_server.bench import load, records
from fhir_server.bench.ask import Ask
from fhir_server.bench.figure import Figure
from fhir_server.bench.load import Call, call
from fhir_server.bench.target import Target

CLIENTS = 64
_ROUNDS = 5
_SYSTEM = quote(records.SYSTEM, safe="")

Runner = Callable[[Target, str, int], Call]
"""Makes the request of one client, by the key of the round and the client's number."""


def race(target: Target, ask: Ask) -> Iterator[Figure]:
    """Run every race; `ask` says nothing here."""
    for case, (runner, keys) in RACES.items():
        statuses: Counter[int] = Counter()
        most = 0
        for _ in range(_ROUNDS):
            key = secrets.token_hex(8)
            calls = [runner(target, key, number) for number in range(CLIENTS)]
            statuses += load.run(target, calls, CLIENTS).statuses
            most = max(most, *(count(target, f"{key}{suffix}") for suffix in keys))
        yield Figure(case, "resources of one key, at most", most)
        for status, answers in sorted(statuses.items()):
            yield Figure(case, f"answers {status or 'lost'}", answers)


def count(target: Target, value: str) -> int:
    """Return how many Patients have an identifier. Raises ValueError if the server does not say."""
    path = f"/Patient?identifier={_SYSTEM}%7C{value}&_summary=count"
    answer = load.ask(target, call(target, "GET", path, Cache_Control="no-cache"))
    if not answer.succeeded:
        raise ValueError(f"{target.base} does not count Patients: {answer.status}")
    return int(json.loads(answer.body)["total"])


def _create(target: Target, key: str, criteria: str) -> Call:
    body = fhirjson.encode(records.patient(key))
    return call(target, "POST", "/Patient", body, If_None_Exist=criteria)


def _equal(target: Target, key: str, _: int) -> Call:
    return _create(target, key, f"identifier={_SYSTEM}%7C{key}")


def _spelled(target: Target, key: str, number: int) -> Call:
    one, other = f"identifier={_SYSTEM}%7C{key}", "active=true"
    if number % 2:
        return _create(target, key, f"{other}&identifier={records.SYSTEM}|{key}")
    return _create(target, key, f"{one}&{other}")


def _beside(target: Target, key: str, number: int) -> Call:
    return _create(
        target, key, f"identifier={key}" if number % 2 else f"identifier={_SYSTEM}|{key}"
    )


def _unidentified(target: Target, key: str, _: int) -> Call:
    patient = records.patient(key) | {"name": [{"family": key}]}
    body = fhirjson.encode(patient)
    return call(target, "POST", "/Patient", body, If_None_Exist=f"family={key}&gender=female")


def _update(target: Target, key: str, number: int) -> Call:
    patient = records.patient(key) | {"birthDate": f"1960-03-{number % 28 + 1:02d}"}
    path = f"/Patient?identifier={_SYSTEM}%7C{key}"
    return call(target, "PUT", path, fhirjson.encode(patient))


def _transaction(target: Target, key: str, number: int) -> Call:
    """Create two of three under conditions, in turns of order: the keys of any two overlap."""
    pairs = list(itertools.permutations("abc", 2))
    entries = [
        {
            "resource": records.patient(f"{key}{suffix}"),
            "request": {
                "method": "POST",
                "url": "Patient",
                "ifNoneExist": f"identifier={records.SYSTEM}|{key}{suffix}",
            },
        }
        for suffix in pairs[number % len(pairs)]
    ]
    body = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    return call(target, "POST", "", fhirjson.encode(body))


RACES: Mapping[str, tuple[Runner, tuple[str, ...]]] = {
    "64 creates, one condition": (_equal, ("",)),
    "64 creates, two spellings": (_spelled, ("",)),
    "64 creates, s|v beside v": (_beside, ("",)),
    "64 creates, no identifier": (_unidentified, ("",)),
    "64 updates, one condition": (_update, ("",)),
    "64 transactions, shared keys": (_transaction, ("a", "b", "c")),
}
"""Who runs, and what the keys of a round end with."""
