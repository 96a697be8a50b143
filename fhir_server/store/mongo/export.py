"""Versions with what they are found by, in the order of the change feed.

As on SQLite each piece is read at a moment of its own, later than its lines of the feed: a version
that is a record's latest when the feed ends came with its entries.
"""

from collections.abc import AsyncIterator, Mapping, Sequence

from fhir_server.model import Change, Line
from fhir_server.store.mongo import documents, feed, text
from fhir_server.store.mongo.documents import Doc
from fhir_server.store.mongo.tables import Tables

_MOST = 200  # bodies of up to 256 KB are in the documents


async def lines(tables: Tables, after: int) -> AsyncIterator[Line]:
    """Yield all lines behind a number."""
    while changes := await feed.changes(tables, after, _MOST):
        latest, older = await _documents(tables, changes)
        for change in changes:
            ref = str(change.key)
            is_latest = latest[ref]["vid"] == change.vid
            doc = latest[ref] if is_latest else older[ref, change.vid]
            [body] = await tables.bodies.read([doc])  # one by one: each may be many megabytes
            version = documents.version(change.key, doc, body)
            if is_latest:
                yield Line(change.seq, version, documents.entries(doc), text.kept(doc))
            else:
                yield Line(change.seq, version)
        after = changes[-1].seq


async def _documents(
    tables: Tables, changes: Sequence[Change]
) -> tuple[Mapping[str, Doc], Mapping[tuple[str, int], Doc]]:
    """Return the latest versions of what changed, and the older ones, of one moment."""
    refs = list({str(change.key) for change in changes})
    names = [{"k": str(change.key), "v": change.vid} for change in changes]
    async with tables.client.start_session(snapshot=True) as session:
        records = tables.records.find({"_id": {"$in": refs}}, session=session)
        latest = {doc["_id"]: doc async for doc in records}
        versions = tables.versions.find({"_id": {"$in": names}}, session=session)
        older = {(doc["_id"]["k"], doc["_id"]["v"]): doc async for doc in versions}
    return latest, older
