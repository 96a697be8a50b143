"""Every official search parameter of every type finds exactly what it should, on every store.

The resources are the official examples and, for each parameter, some that are made from its
expression. What should be found is decided here, from the entries, by the words of
https://hl7.org/fhir/R4/search.html, and not by the reader of search texts.
"""

import asyncio
import tarfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from conformance.definitions import Definitions, SearchParameter
from fhir_server import fhirjson
from fhir_server.model import Entry, Key, Query, Write
from fhir_server.search.elements import targets
from fhir_server.search.escape import escape
from fhir_server.search.extract import Extractor
from fhir_server.search.fold import fold
from fhir_server.search.parse import parse
from fhir_server.search.terms import Terms
from fhir_server.store.open import Kept, open_store
from tests.conftest import BASE
from tests.contract.generated import made

OWN = frozenset(("_id", "_lastUpdated", "_profile", "_tag", "_security", "_source"))
TERMS = Terms(base=BASE)
MANY = 100_000

Holds = Callable[[Entry], bool]
Question = tuple[str, str, Holds]
"""Modifier with its colon, text, and what an entry has to be for the resource to be found."""


@dataclass(frozen=True)
class World:
    """All resources by type and id, as their entries by parameter."""

    definitions: Definitions
    writes: Sequence[Write]
    entries: Mapping[str, Mapping[str, Mapping[str, Sequence[Entry]]]]


@pytest.fixture(scope="module")
def world(definitions: Definitions, extractor: Extractor, cases: Path) -> World:
    resources = [*_examples(definitions, cases), *_made(definitions)]
    writes = list(_written(extractor, resources))
    entries: dict[str, dict[str, dict[str, list[Entry]]]] = defaultdict(dict)
    for write in _written(_whole(definitions), resources):
        mine = entries[write.key.type][write.key.id] = defaultdict(list)
        for entry in write.entries:
            mine[entry.param].append(entry)
    return World(definitions, writes, entries)


def _whole(definitions: Definitions) -> Extractor:
    """Return one by which unions have entries too: users' own parameters always have."""
    none: dict[str, dict[str, SearchParameter]] = {name: {} for name in definitions.resource_types}
    return Extractor(replace(definitions, _official=none), BASE)


def _examples(definitions: Definitions, cases: Path) -> Iterator[dict[str, Any]]:
    with tarfile.open(cases / "examples" / "r4-examples.tar.xz") as archive:
        for member in archive:
            file = archive.extractfile(member)
            resource = fhirjson.decode(file.read()) if file else {}
            if definitions.is_resource_type(resource.get("resourceType", "")):
                yield resource


def _made(definitions: Definitions) -> Iterator[dict[str, Any]]:
    for type_name in sorted(definitions.resource_types):
        for code, parameter in definitions.search_parameters(type_name).items():
            if code not in OWN and parameter.type != "special":
                yield from made(definitions, type_name, parameter)


def _written(extractor: Extractor, resources: Sequence[dict[str, Any]]) -> Iterator[Write]:
    for number, resource in enumerate(resources):
        key = Key(resource["resourceType"], f"r{number}")
        entries = extractor.entries(resource)
        yield Write(key, b"{}", entries, patients=extractor.patients(key, entries))


def _asked(parameter: SearchParameter, entry: Entry) -> Iterator[Question]:
    """Yield questions whose answers this entry is among."""
    yield from _QUESTIONS[parameter.type](entry)


def _string(entry: Entry) -> Iterator[Question]:
    text = str(entry.w)
    if not text:
        return
    folded = fold(text)
    yield "", escape(text), lambda e: str(e.v).startswith(folded)
    yield ":exact", escape(text), lambda e: e.w == text
    yield ":contains", escape(folded[1:] or folded), lambda e: (folded[1:] or folded) in str(e.v)


def _token(entry: Entry) -> Iterator[Question]:
    code, system = str(entry.v), str(entry.w)
    if code:
        yield "", escape(code), lambda e: e.v == code
    if code and system:
        yield "", f"{escape(system)}|{escape(code)}", lambda e: (e.v, e.w) == (code, system)
    if system:
        yield "", f"{escape(system)}|", lambda e: e.w == system
    if code and not system:
        yield "", f"|{escape(code)}", lambda e: (e.v, e.w) == (code, "")


def _reference(entry: Entry) -> Iterator[Question]:
    target, version = str(entry.v), str(entry.w)
    if target.startswith("#"):
        return
    if ":" not in target and target.count("/") != 1:
        return  # neither a reference to this hub nor an absolute one: nobody can ask for it
    yield "", escape(target), lambda e: e.v == target
    if version and ":" in target:
        yield "", escape(f"{target}|{version}"), lambda e: (e.v, e.w) == (target, version)
    if ":" not in target:
        yield "", f"{BASE}/{target}", lambda e: e.v == target
        type_name, _, id = target.partition("/")
        yield f":{type_name}", id, lambda e: e.v == target


def _uri(entry: Entry) -> Iterator[Question]:
    text = str(entry.v)
    yield "", escape(text), lambda e: e.v == text
    yield (
        ":above",
        escape(text),
        lambda e: text == e.v or text.startswith(f"{str(e.v).rstrip('/')}/"),
    )
    yield (
        ":below",
        escape(text),
        lambda e: e.v == text or str(e.v).startswith(f"{text.rstrip('/')}/"),
    )


def _date(entry: Entry) -> Iterator[Question]:
    low = int(entry.v)
    if not 0 < low < 4_000_000_000_000:
        low = int(entry.w) - 1000  # an open start
    low -= low % 1000
    high = low + 1000
    text = datetime.fromtimestamp(low / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    yield "eq", text, lambda e: low <= int(e.v) and int(e.w) <= high
    yield "ne", text, lambda e: not (low <= int(e.v) and int(e.w) <= high)
    yield "gt", text, lambda e: int(e.w) > high
    yield "lt", text, lambda e: int(e.v) < low
    yield "ge", text, lambda e: int(e.w) > high or low <= int(e.v)
    yield "le", text, lambda e: int(e.v) < low or int(e.w) <= high
    yield "sa", text, lambda e: int(e.v) >= high
    yield "eb", text, lambda e: int(e.w) <= low


def _number(entry: Entry) -> Iterator[Question]:
    pivot = Decimal(repr(float(entry.v)))
    if abs(pivot) > Decimal("1e100"):
        pivot = Decimal(repr(float(entry.w)))
    pivot = Decimal(int(pivot)) if pivot == int(pivot) else pivot
    half = Decimal((0, (5,), int(pivot.as_tuple().exponent) - 1))
    low, high, exact = float(pivot - half), float(pivot + half), float(pivot)
    text = str(pivot)
    yield "", text, lambda e: low <= float(e.v) and float(e.w) < high
    yield "ne", text, lambda e: not (low <= float(e.v) and float(e.w) < high)
    yield "gt", text, lambda e: float(e.w) > exact
    yield "lt", text, lambda e: float(e.v) < exact
    yield "ge", text, lambda e: float(e.w) >= exact
    yield "le", text, lambda e: float(e.v) <= exact
    yield "sa", text, lambda e: float(e.v) > exact
    yield "eb", text, lambda e: float(e.w) < exact


_QUESTIONS: dict[str, Callable[[Entry], Iterator[Question]]] = {
    "string": _string,
    "token": _token,
    "reference": _reference,
    "uri": _uri,
    "date": _date,
    "number": _number,
    "quantity": _number,
}


def _composite(
    definitions: Definitions, type_name: str, parameter: SearchParameter, mine: Mapping[str, Any]
) -> tuple[str, Callable[[Mapping[str, Sequence[Entry]]], bool]] | None:
    """Return a text for the first group that a resource has, and whether another one has it too."""
    known = definitions.search_parameters(type_name)
    parts: list[Question] = []
    for place, (code, _) in enumerate(parameter.components):
        entries = [e for e in mine.get(f"{parameter.code}.{place}", ()) if e.group == 1]
        asked = next(
            (q for e in entries for q in _asked(known[code], e) if q[0] in ("", "ge")), None
        )
        if asked is None:
            return None
        parts.append(asked)

    def holds(other: Mapping[str, Sequence[Entry]]) -> bool:
        groups = [
            {e.group for e in other.get(f"{parameter.code}.{place}", ()) if test(e)}
            for place, (_, _, test) in enumerate(parts)
        ]
        return bool(set.intersection(*groups))

    return "$".join(prefix + text for prefix, text, _ in parts), holds


def _questions(world: World, type_name: str, parameter: SearchParameter) -> Iterator[Any]:
    """Yield (name, text, ids) of a parameter: from the first and the last resource that has it."""
    code, all = parameter.code, world.entries[type_name]
    if parameter.type == "composite":
        found = [_composite(world.definitions, type_name, parameter, mine) for mine in all.values()]
        texts = [each for each in found if each is not None]
        for text, holds in texts[:1] + texts[-1:]:
            yield code, text, {id for id, mine in all.items() if holds(mine)}
        return
    ends = targets(world.definitions, type_name, parameter)
    having = [entry for mine in all.values() for entry in mine.get(code, ())]
    for entry in having[:1] + having[-1:]:
        for modifier, text, holds in _asked(parameter, entry):
            if parameter.type == "reference" and modifier and modifier[1:] not in ends:
                continue  # Bundle.composition finds what is first in a Bundle, whatever that is
            is_prefix = modifier and not modifier.startswith(":")
            name, asked = (code, modifier + text) if is_prefix else (code + modifier, text)
            ids = {id for id, mine in all.items() if any(map(holds, mine.get(code, ())))}
            yield name, asked, ids
            if parameter.type == "token" and not modifier:
                yield f"{code}:not", asked, all.keys() - ids
    more = {"token": f"{code}:text", "reference": f"{code}:identifier"}.get(parameter.type, code)
    ids = {id for id, mine in all.items() if mine.get(code) or mine.get(more)}
    yield f"{code}:missing", "false", ids
    yield f"{code}:missing", "true", all.keys() - ids


@pytest.fixture(scope="module", params=["memory", "sqlite", "mongodb"])
def filled(
    request: pytest.FixtureRequest, world: World, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Kept, asyncio.Runner]]:
    """Each store, with the whole world in it."""
    match request.param:
        case "memory":
            url = "memory://"
        case "sqlite":
            url = f"sqlite:///{tmp_path_factory.mktemp('official')}/hub.db"
        case _:
            url = request.getfixturevalue("mongo").url("official")
    store = open_store(url, count(1).__next__)
    with asyncio.Runner() as runner:
        for start in range(0, len(world.writes), 200):
            runner.run(store.commit(world.writes[start : start + 200]))
        yield store, runner
        runner.run(store.close())


def test_every_official_parameter_finds_what_it_should(
    world: World, filled: tuple[Kept, asyncio.Runner]
) -> None:
    store, runner = filled
    wrong: list[str] = []
    asked = 0

    async def ask() -> None:
        nonlocal asked
        for type_name in sorted(world.definitions.resource_types):
            for code, parameter in world.definitions.search_parameters(type_name).items():
                if code in OWN or parameter.type == "special":
                    continue
                questions = list(_questions(world, type_name, parameter))
                if not questions:
                    wrong.append(f"{type_name}.{code} has no value anywhere")
                for name, text, ids in questions:
                    where = parse(world.definitions, type_name, [(name, text)], TERMS).where
                    page = await store.search(Query(type_name, where, limit=MANY))
                    asked += 1
                    if {version.key.id for version in page.versions} != ids:
                        wrong.append(f"{type_name}?{name}={text}")

    runner.run(ask())

    assert wrong == []
    assert asked > 15_000
