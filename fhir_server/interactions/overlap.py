"""What the entries of one transaction mean to each other's criteria, before anything is written.

https://hl7.org/fhir/R4/http.html#trules

No store knows the records that a transaction is about to write, so they are compared in memory, by
the predicate that a search would be joined with. Chains lead to other entries or into the store.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from fhir_server import fhirjson
from fhir_server.errors import PreconditionFailed
from fhir_server.interactions.breath import Breath
from fhir_server.interactions.entries import at
from fhir_server.interactions.server import Server
from fhir_server.interactions.write import Draft
from fhir_server.model import Entry, Key, Query, Value, Write
from fhir_server.search import canonical
from fhir_server.search.evaluate import Plain, Plainly, evaluate
from fhir_server.search.tree import And, Chain, Has, Match, Node, Not, Or

_MOST_NAMED = 1000


def plain(write: Write) -> Plain:
    """Return the record that a write makes, as predicates see it."""
    return Plain(write.key, 0, write.entries, write.patients, write.text)


async def refuse_overlap(
    server: Server, drafts: Mapping[int, Sequence[Draft]], breath: Breath
) -> None:
    """Raise `PreconditionFailed` for an entry that creates under a condition which another matches.

    "If any resource identities (including resolved identities from conditional update/delete)
    overlap in steps 1-3, then the transaction SHALL fail."
    """
    made = [each.write for some in drafts.values() for each in some if each.after is not None]
    conditional = {
        place: each.write
        for place, some in drafts.items()
        for each in some
        if each.write.unless is not None
    }
    if not conditional:
        return
    candidates = Candidates(map(plain, made))
    for place, write in conditional.items():
        assert write.unless is not None  # it was chosen for that
        found = await candidates.matching(server, write.unless)
        if any(each.key != write.key for each in found):
            fault = PreconditionFailed("Another entry of the transaction matches this condition.")
            raise at(place, fault)
        await breath.take()


class Candidates:
    """The records that a transaction is about to write; looked up by value where one is named."""

    def __init__(self, records: Iterable[Plain]) -> None:
        """Take the records."""
        self._all: dict[str, list[Plain]] = defaultdict(list)
        self._by_key: dict[Key, Plain] = {}
        self._by_value: dict[tuple[str, str, Value], list[Plain]] = defaultdict(list)
        for record in records:
            self._all[record.key.type].append(record)
            self._by_key[record.key] = record
            for param, value in {(entry.param, entry.v) for entry in record.entries}:
                self._by_value[record.key.type, param, value].append(record)
        self._world = Plainly(self._by_key.values())

    async def matching(self, server: Server, query: Query) -> list[Plain]:
        """Return those that a query means."""
        records = self._likely(query)
        if not records:
            return []
        reached: dict[Key, Plain] = {}
        await self._reach(server, query.where, records, reached)
        world = self._world
        if reached:
            world = Plainly([*self._by_key.values(), *reached.values()])
        return [each for each in records if evaluate(query.where, each, world, query.now)]

    def _likely(self, query: Query) -> Collection[Plain]:
        for node in query.where.nodes if isinstance(query.where, And) else (query.where,):
            if isinstance(node, Match):
                for cond in node.all:
                    if cond.column == "v" and cond.op == "=" and isinstance(cond.value, Value):
                        return self._by_value.get((query.type, node.param, cond.value), ())
        return self._all.get(query.type, ())

    async def _reach(
        self, server: Server, where: Node, records: Iterable[Plain], reached: dict[Key, Plain]
    ) -> None:
        """Read what the chains of a predicate lead to."""
        for chain in _chains(where):
            entries = [e for record in records for e in record.entries if e.param == chain.param]
            if chain.canonical:
                targets = await self._named(server, chain, entries)
            else:
                refs = [str(e.v) for e in entries if str(e.v).startswith(f"{chain.type}/")]
                targets = [Key(chain.type, ref.partition("/")[2]) for ref in refs]
            for key in dict.fromkeys(targets):
                if key not in self._by_key and key not in reached:
                    found = await _read(server, key)
                    if found is not None:
                        reached[key] = found
            known = (self._by_key.get(key) or reached.get(key) for key in targets)
            await self._reach(server, chain.where, [each for each in known if each], reached)

    async def _named(self, server: Server, chain: Chain, entries: Iterable[Entry]) -> list[Key]:
        """Return the records that canonicals mean, of those brought and of those stored."""
        names = dict.fromkeys((str(entry.v), str(entry.w)) for entry in entries)
        where = canonical.named(names)
        brought = (each for each in self._all.get(chain.type, ()) if evaluate(where, each))
        stored = await server.store.search(Query(chain.type, where, limit=_MOST_NAMED))
        return [*(each.key for each in brought), *(each.key for each in stored.versions)]


async def _read(server: Server, key: Key) -> Plain | None:
    version = await server.store.read(key)
    if version is None or version.body is None:
        return None
    resource = fhirjson.resource(version)
    entries = (*server.extractor.entries(resource), *version.auth)
    text = server.extractor.text(resource)
    return Plain(key, version.updated, entries, version.patients, text)


def _chains(node: Node) -> Iterator[Chain]:
    match node:
        case Chain():
            yield node
        case And(nodes) | Or(nodes):
            for each in nodes:
                yield from _chains(each)
        case Not(inner) | Has(_, _, inner):
            yield from _chains(inner)
        case _:
            return
