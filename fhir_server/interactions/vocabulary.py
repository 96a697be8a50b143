"""Value sets and code systems as a caller sees them: those stored here, then those of R4 itself.

https://hl7.org/fhir/R4/references.html#canonical

1. A canonical without a version means the newest one: of what is active before what is not, the
   highest version, the one last written.
2. What the caller may not read is not there.
3. Everything that an expansion needs is fetched first, then it is computed without I/O.
"""

import re
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from conformance.valuesets import matcher
from fhir_server import fhirjson
from fhir_server.authz.caller import Caller
from fhir_server.authz.restrict import visible
from fhir_server.interactions.server import Server
from fhir_server.model import Query, Version
from fhir_server.search.alternatives import cond
from fhir_server.search.tree import Ids, Match, Node, both
from terminology.concepts import ConceptTree
from terminology.errors import Missing, TooCostly
from terminology.expansion import Expansion, needed
from terminology.extent import WHOLE, Extent

MOST_CODES = 100_000
MOST_DEFINITIONS = 200
_MOST_VERSIONS = 50

_LOCAL = re.compile(r"ValueSet/([A-Za-z0-9\-.]{1,64})", re.ASCII)
_SNOMED = "http://snomed.info/sct"

Json = dict[str, Any]


class Definition(NamedTuple):
    """A value set or code system and which version of it this is; None: there is none."""

    resource: Json | None
    version: tuple[str, int]


ABSENT = Definition(None, ("", 0))


@dataclass(frozen=True, slots=True)
class _Fetched:
    """What an expansion draws on, by type and canonical URL."""

    server: Server
    found: dict[tuple[str, str], Definition] = field(default_factory=dict)

    def value_set(self, canonical: str, /) -> Json | None:
        """Return the value set."""
        return self.found.get(("ValueSet", canonical), ABSENT).resource

    def code_system(self, canonical: str, /) -> Json | None:
        """Return the code system."""
        return self.found.get(("CodeSystem", canonical), ABSENT).resource

    def tree(self, canonical: str, system: Json, /) -> ConceptTree:
        """Return the concepts of a code system."""
        version = self.found["CodeSystem", canonical].version
        return self.server.kept.get(("tree", canonical, version), lambda: ConceptTree(system))


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The terminology of one caller."""

    server: Server
    caller: Caller

    async def members(self, value_set: str, /) -> Extent:
        """Return the codes of a value set, given by canonical URL or literal reference."""
        if value_set == f"{_SNOMED}?fhir_vs":
            return {_SNOMED: WHOLE}
        fetched = await self._gathered(value_set)
        made_of = frozenset((*key, found.version) for key, found in fetched.found.items())
        expansion = Expansion(fetched, matcher, MOST_CODES)
        key = ("members", value_set, made_of)
        return self.server.kept.get(key, lambda: expansion.of(value_set))

    async def related(
        self, system: str, code: str, direction: Literal["above", "below"], /
    ) -> frozenset[str]:
        """Return a code and all that stand above or below it in its system."""
        found = await self._found("CodeSystem", system)
        if found.resource is None or found.resource.get("content") != "complete":
            raise Missing(f"The content of the code system {system} is not there")
        fetched = _Fetched(self.server, {("CodeSystem", system): found})
        tree = fetched.tree(system, found.resource)
        if code not in tree.parents:
            raise Missing(f"The code system {system} has no code {code!r}")
        return frozenset((code, *(tree.below(code) if direction == "below" else tree.above(code))))

    async def _gathered(self, value_set: str) -> _Fetched:
        fetched = _Fetched(self.server)
        todo = [("ValueSet", value_set)]
        while todo:
            type, canonical = key = todo.pop()
            if key in fetched.found:
                continue
            if len(fetched.found) == MOST_DEFINITIONS:
                raise TooCostly(f"{value_set} draws on more than {MOST_DEFINITIONS} definitions")
            found = fetched.found[key] = await self._found(type, canonical)
            if type == "ValueSet" and found.resource is not None:
                todo += needed(found.resource)
        return fetched

    async def _found(self, type: str, canonical: str) -> Definition:
        named = _LOCAL.fullmatch(canonical.removeprefix(f"{self.server.extractor.base}/"))
        if named is not None and type == "ValueSet":
            stored = await self._stored(type, Ids(frozenset((named[1],))))
            return ABSENT if stored is None else self._read(stored)
        url, _, version = canonical.partition("|")
        where: Node = Match("url", cond("v", "=", url))
        if version:
            where = both(where, Match("version", cond("v", "=", version)))
        stored = await self._stored(type, where)
        return self._shipped(type, canonical) if stored is None else self._read(stored)

    async def _stored(self, type: str, where: Node) -> Version | None:
        where = both(visible(self.caller, type), where)
        query = Query(type, where, limit=_MOST_VERSIONS, now=self.caller.now)
        page = await self.server.store.search(query)
        return max(page.versions, key=self._rank, default=None)

    def _rank(self, version: Version) -> tuple[bool, list[tuple[int, str]], int]:
        resource = self._read(version).resource or {}
        named = str(resource.get("version", ""))
        return resource.get("status") == "active", _comparable(named), version.updated

    def _read(self, version: Version) -> Definition:
        mark = (str(version.key), version.vid)
        read = self.server.kept.get(("resource", mark), lambda: fhirjson.resource(version))
        return Definition(read, mark)

    def _shipped(self, type: str, canonical: str) -> Definition:
        library = self.server.definitions.library
        known = library.value_sets if type == "ValueSet" else library.code_systems
        # Some systems of HL7 v2 have URLs that themselves end in a version.
        url, _, version = (canonical, "", "") if canonical in known else canonical.partition("|")
        if url not in known:
            return ABSENT
        resource = self.server.kept.get(("shipped", type, url), lambda: known[url])
        is_asked = version in ("", resource.get("version"))
        return Definition(resource, (url, 0)) if is_asked else ABSENT


def _comparable(version: str) -> list[tuple[int, str]]:
    """Return a business version in the order of its numbers: 10.0 comes after 9.1."""
    return [
        (int(each), "") if each.isdigit() else (-1, each) for each in re.split(r"[.\-]", version)
    ]
