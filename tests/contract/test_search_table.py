"""Every row of the search table on every store, over HTTP; and docs/search-table.md is what passed.

The open hub is asked in a world of its own. A member of a hospital's staff is asked in a world
where each record has two doubles of another institution, one beside the same patients, one beside
doubles of them: nobody may see from an answer that they are there.
"""

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from fhir_server import fhirjson
from fhir_server.authz.tables import DEFINITION, DIRECTORY
from fhir_server.interactions.write import derived
from fhir_server.model import Key, Write
from tests.conftest import Hub
from tests.contract.table import SECTIONS
from tests.contract.table.draw import drawn
from tests.contract.table.row import Json, Row, Section

PAGE = Path(__file__).parents[2] / "docs" / "search-table.md"
STORES = ("memory", "sqlite", "mongodb")
CALLERS = ("open", "physician")

Told = dict[tuple[str, str], str]
"""(section and row, caller) -> what was wrong; empty where nothing was."""

_TOLD: dict[str, Told] = {}


@pytest.fixture(scope="module")
def told(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return what asks all rows of one store, once, and tells what was wrong."""

    def ask(store: str, make_hub: Callable[..., Hub]) -> Told:
        if store not in _TOLD:
            _TOLD[store] = {}
            for number, section in enumerate(SECTIONS):
                for caller in CALLERS:
                    match store:
                        case "memory":
                            url = "memory://"
                        case "sqlite":
                            url = f"sqlite:///{tmp_path_factory.mktemp('table')}/hub.db"
                        case _:
                            mongo = request.getfixturevalue("mongo")
                            url = mongo.url(f"table{number}{caller}")
                    hub = make_hub(url)
                    _fill(hub, section, doubled=caller != "open")
                    for place, row in enumerate(section.rows):
                        name = f"{section.name} {place}"
                        _TOLD[store][name, caller] = _problem(hub, row, caller)
                    hub.close()
        return _TOLD[store]

    return ask


def _fill(hub: Hub, section: Section, *, doubled: bool) -> None:
    writes = [_write(hub, each, "hospital") for each in section.resources]
    for each in section.resources if doubled else ():
        if each["resourceType"] not in DIRECTORY | DEFINITION:
            writes.append(_write(hub, {**each, "id": f"x-{each['id']}"}, "elsewhere"))
            writes.append(_write(hub, _moved(each, section), "elsewhere"))
    hub.run(hub.server.store.commit(writes))


def _write(hub: Hub, resource: Json, owner: str) -> Write:
    body = fhirjson.decode(json.dumps(resource).encode())
    return derived(hub.server, Key(body["resourceType"], body["id"]), body, None, owner)


def _moved(resource: Json, section: Section) -> Json:
    """Return a double that stands beside doubles of what it refers to."""
    names = {f"{each['resourceType']}/{each['id']}" for each in section.resources}

    def double(found: re.Match[str]) -> str:
        name = f"{found[1]}/{found[2]}"
        return f"{found[1]}/y-{found[2]}" if name in names else name

    text = re.sub(r"([A-Z]\w+)/([\w.-]+)", double, json.dumps(resource, ensure_ascii=False))
    moved: Json = json.loads(text)
    return {**moved, "id": f"y-{resource['id']}"}


def _problem(hub: Hub, row: Row, caller: str) -> str:
    answer = hub.get(quote(row.text, safe="/?&=:|$%,@.~*'()"), by=caller)
    if answer.status_code != row.status:
        return f"{row.text}: {answer.status_code} instead of {row.status}: {answer.text[:300]}"
    if row.status != 200:
        return ""
    found = [
        entry["resource"]["id"]
        for entry in answer.json().get("entry", [])
        if entry["search"]["mode"] != "outcome"
    ]
    same = found == row.ids if "," in row.found else sorted(found) == sorted(row.ids)
    return "" if same else f"{row.text}: {found} instead of {row.ids}"


@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize("section", SECTIONS, ids=lambda each: each.name)
@pytest.mark.parametrize("caller", CALLERS)
def test_rows(
    told: Any, make_hub: Callable[..., Hub], store: str, section: Section, caller: str
) -> None:
    outcomes = told(store, make_hub)

    names = [f"{section.name} {place}" for place in range(len(section.rows))]
    assert [outcomes[name, caller] for name in names if outcomes[name, caller]] == []


def test_the_page_says_what_passed(told: Any, make_hub: Callable[..., Hub]) -> None:
    """`SEARCH_TABLE=write pytest tests/contract/test_search_table.py` draws it anew."""
    passed = {
        (name, store, caller): not problem
        for store in STORES
        for (name, caller), problem in told(store, make_hub).items()
    }
    page = drawn(SECTIONS, STORES, CALLERS, passed)
    if os.environ.get("SEARCH_TABLE") == "write":
        PAGE.write_text(page)

    assert PAGE.read_text() == page
