"""`fhir-hub reindex` as a person uses it."""

import asyncio

from fhir_server import fhirjson
from fhir_server.app import assemble
from fhir_server.interactions.interaction import Interaction
from fhir_server.interactions.perform import perform
from fhir_server.settings import Settings
from tests.crash.indexing import OPEN
from tests.crash.test_indexing import NICKNAME
from tests.unit.commands.conftest import Run


def _asked(url: str, *asks: Interaction) -> list[bytes]:
    async def run() -> list[bytes]:
        parts = await assemble(Settings(store=url))
        try:
            return [(await perform(parts.server, OPEN, ask)).body for ask in asks]
        finally:
            await parts.store.close()

    return asyncio.run(run())


def test_what_there_is_to_do_is_told_and_done(city: str, run: Run) -> None:
    definition = fhirjson.encode(NICKNAME | {"expression": "Patient.name.text"})
    _asked(city, Interaction("create", "SearchParameter", body=definition))

    told = run("reindex", "--store", city, "--dry-run")
    assert told.status == 0
    assert "Patient" in told.out
    assert "nickname" in told.out
    assert run("reindex", "--store", city).out.endswith("Done.\n")
    again = run("reindex", "--store", city, "--dry-run")
    assert again.out == "All records are indexed by the parameters that there are.\n"
    search = Interaction(
        "search-type", "Patient", params=(("nickname:missing", "false"), ("_count", "0"))
    )
    [found] = _asked(city, search)
    assert fhirjson.decode(found)["total"] > 0


def test_a_type_is_done_again_on_demand(city: str, run: Run) -> None:
    told = run("reindex", "--store", city, "--type", "Patient")

    assert told.status == 0
    assert told.out.startswith("Patient ")
    assert told.out.endswith("records\nDone.\n")


def test_an_unknown_type_is_told(city: str, run: Run) -> None:
    told = run("reindex", "--store", city, "--type", "Human")

    assert told.status == 1
    assert "'Human' is no type of resource" in told.err


def test_a_store_is_not_backed_up_while_it_is_indexed(
    city: str, run: Run, tmp_path: object
) -> None:
    _asked(city, Interaction("create", "SearchParameter", body=fhirjson.encode(NICKNAME)))

    told = run("backup", f"{tmp_path}/archive", "--store", city)

    assert told.status == 1
    assert "being indexed" in told.err
