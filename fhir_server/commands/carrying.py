"""What `backup`, `restore` and `copy` have in common."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fhir_server.app import milliseconds
from fhir_server.commands.check import checked
from fhir_server.commands.progress import apace
from fhir_server.interactions.index import read_indexing
from fhir_server.settings import Settings
from fhir_server.store import carry
from fhir_server.store.archive import Manifest
from fhir_server.store.open import open_store
from fhir_server.store.protocol import Store
from fhir_server.store.sealing import key


@asynccontextmanager
async def settled(source: Store) -> AsyncIterator[None]:
    """Raise ValueError where records are indexed again before or while a store is read.

    That leaves no line in the change feed, so what was read earlier would be found by too little.
    """
    _, before = await read_indexing(source)
    if before.work:
        raise ValueError("records are being indexed again; wait, or run `fhir-hub reindex`")
    yield
    _, after = await read_indexing(source)
    if after.edition != before.edition:
        raise ValueError("search parameters have changed meanwhile; run this again")


async def fill(source: carry.Source, url: str, label: str) -> int:
    """Fill the store at `url` from the beginning or where it stopped, compare, and check.

    Returns 1 where the source went on meanwhile, or what came of it is not sound.
    """
    target = open_store(url, milliseconds, fill=True)
    try:
        at = await carry.begun(source, target)
        if at:
            print(f"Going on behind {at:,} versions.", flush=True)
        await carry.fill(target, apace(source.export(at), label))
        compared = await carry.compare(source, target)
        print(
            f"{compared.sum.versions.total():,} versions of {compared.sum.records.total():,} "
            f"records are the same, sha256 {compared.sum.sha256}"
        )
        if not compared.is_same:
            print(
                f"Meanwhile {compared.lacking + compared.replaced:,} came. Stop the hubs of the "
                "source and run this again: it goes on from here."
            )
            return 1
        status = await checked(target)
        if not status:
            await target.filled()
        return status
    finally:
        await target.close()


def tell(manifest: Manifest) -> None:
    """Print what an archive holds."""
    for type, count in manifest.records.items():
        print(f"{type:28} {count:>9,} records {manifest.versions[type]:>9,} versions")
    print(f"sha256 {manifest.sha256}", flush=True)


def key_of(settings: Settings) -> bytes | None:
    """Return the key of archives. Raises ValueError for one that cannot be."""
    return key(settings.backup_key)
