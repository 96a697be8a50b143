"""What the tests of search share: the definitions, and a way to ask a resource a query."""

import os
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from conformance.definitions import Definitions, load
from fhir_server import fhirjson
from fhir_server.model import Key
from fhir_server.search.evaluate import Plain, Plainly, evaluate
from fhir_server.search.extract import Extractor
from fhir_server.search.parse import parse
from fhir_server.search.search import Search
from fhir_server.search.terms import Terms

BASE = "https://hub.example/fhir"
NOW = 1_750_000_000_000  # 2025-06-15T15:06:40Z


@pytest.fixture(scope="session")
def definitions() -> Definitions:
    return load()


@pytest.fixture(scope="session")
def extractor(definitions) -> Extractor:
    return Extractor(definitions, BASE)


@pytest.fixture(scope="session")
def terms() -> Terms:
    return Terms(base=BASE, now=NOW)


@pytest.fixture(scope="session")
def read(definitions, terms) -> Callable[..., Search]:
    """Parse `Type?name=text&name=text`, not percent-encoded."""

    def ask(query: str, terms: Terms = terms) -> Search:
        type_name, _, rest = query.partition("?")
        params = [
            (name, text)
            for name, _, text in (each.partition("=") for each in rest.split("&") if each)
        ]
        return parse(definitions, type_name, params, terms)

    return ask


@pytest.fixture(scope="session")
def indexed(extractor) -> Callable[[dict], Plain]:
    """Make the record of a resource."""

    def record(resource: dict) -> Plain:
        exact = fhirjson.decode(fhirjson.encode(resource))
        key = Key(resource["resourceType"], resource.get("id", "x"))
        entries, text = extractor.entries(exact), extractor.text(exact)
        return Plain(key, NOW, entries, extractor.patients(key, entries), text)

    return record


@pytest.fixture(scope="session")
def matches(read, indexed) -> Callable[..., bool]:
    """Tell whether a resource is found by a query on its type, with others about."""

    def ask(resource: dict, query: str, *others: dict) -> bool:
        record = indexed(resource)
        where = read(f"{resource['resourceType']}?{query}").where
        return evaluate(where, record, Plainly([record, *map(indexed, others)]), NOW)

    return ask


def _examples(definitions: Definitions) -> Iterator[dict]:
    folder = Path(os.environ["FHIR_CASES"]) / "examples"
    with tarfile.open(folder / "r4-examples.tar.xz") as archive:
        for member in archive:
            file = archive.extractfile(member)
            if file is not None and member.name.endswith(".json"):
                resource = fhirjson.decode(file.read())
                if definitions.is_resource_type(resource.get("resourceType", "")):
                    yield resource


@pytest.fixture(scope="session")
def examples(definitions) -> list[dict]:
    if "FHIR_CASES" not in os.environ:
        pytest.skip("FHIR_CASES names no folder with the official examples")
    return list(_examples(definitions))
