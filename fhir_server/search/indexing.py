"""What a store is indexed by, and which types are still to be indexed again; kept in the store.

1. A parameter that comes, changes or goes is work on each type that it belongs to: all living
   records of the type are indexed again. Records that are written meanwhile are right from the
   start.
2. Until that is done, what came or changed cannot be asked for. What went has no name any more.
3. R4's own parameters are known by what their entries are made of, so that another version of the
   hub finds out what it would index otherwise.
"""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Mapping

import msgspec

from conformance.definitions import Definitions, SearchParameter
from fhir_server.search.defined import Defined, types_of
from fhir_server.search.extract import EDITIONS
from fhir_server.search.fulltext import SCOPES
from fhir_server.search.unions import unions


class Work(msgspec.Struct, frozen=True, array_like=True):
    """A type whose records are to be indexed again, under the `edition` in which that came up.

    `codes` are the parameters that cannot be asked for until it is done.
    """

    edition: int
    codes: tuple[str, ...] = ()


class Indexing(msgspec.Struct, frozen=True):
    """All of it. `edition` grows with each change, `official` stands for `fingerprints`.

    `words` are the types that full text has the words of.
    """

    edition: int = 0
    official: str = ""
    words: tuple[str, ...] = ()
    parameters: tuple[Defined, ...] = ()
    work: dict[str, Work] = {}

    def definitions(self, official: Definitions) -> Definitions:
        """Return R4's parameters and the active ones of users."""
        if not self.parameters:
            return official
        return official.extended(each.parameter for each in self.parameters)

    def by_id(self, id: str) -> Defined | None:
        """Return what a SearchParameter defines."""
        return next((each for each in self.parameters if each.id == id), None)

    def without(self, id: str) -> "Indexing":
        """Return the same without what a SearchParameter defines."""
        left = tuple(each for each in self.parameters if each.id != id)
        return msgspec.structs.replace(self, parameters=left)

    def exchanged(self, id: str, wanted: Defined | None, official: Definitions) -> "Indexing":
        """Return what holds once a SearchParameter defines something else, or nothing."""
        before = self.by_id(id)
        left = self.without(id).parameters
        made = sorted([*left, *([wanted] if wanted else [])], key=lambda each: each.id)
        changed: dict[str, tuple[str, ...]] = {}
        if before is not None:
            changed |= dict.fromkeys(types_of(official, before.parameter.base), ())
        if wanted is not None:
            codes = (wanted.parameter.code,)
            changed |= dict.fromkeys(types_of(official, wanted.parameter.base), codes)
        return msgspec.structs.replace(self, parameters=tuple(made)).with_work(changed)

    def with_work(self, types: Mapping[str, Collection[str]]) -> "Indexing":
        """Return the same with more to do: type -> parameters that cannot be asked for till then.

        What was begun on one of these types begins anew.
        """
        edition = self.edition + 1
        more = {
            name: Work(edition, tuple(sorted({*self._blocked(name), *codes})))
            for name, codes in types.items()
        }
        return msgspec.structs.replace(self, edition=edition, work={**self.work, **more})

    def with_words(self, kept: Collection[str], filled: Collection[str]) -> "Indexing":
        """Return the same where words of other types are kept; `filled` are types with records."""
        fresh = set(kept).difference(self.words).intersection(filled)
        made = self.with_work(dict.fromkeys(fresh, tuple(SCOPES))) if fresh else self
        return msgspec.structs.replace(made, words=tuple(sorted(kept)))

    def done(self, type_name: str, edition: int) -> "Indexing":
        """Return the same once a type is indexed under an edition; unless more came up since."""
        if type_name not in self.work or self.work[type_name].edition != edition:
            return self
        left = {name: each for name, each in self.work.items() if name != type_name}
        return msgspec.structs.replace(self, work=left)

    def _blocked(self, type_name: str) -> tuple[str, ...]:
        return self.work[type_name].codes if type_name in self.work else ()


def fingerprints(official: Definitions) -> dict[str, str]:
    """Return what the entries of each of R4's parameters are made of, shortened, by its URL; and
    what `words` are."""
    found: dict[str, SearchParameter] = {}
    kinds: dict[str, set[str]] = defaultdict(set)
    instead: dict[str, set[str]] = defaultdict(set)
    for type_name in sorted(official.resource_types):
        there = official.search_parameters(type_name)
        for each in there.values():
            found[each.url] = each
            parts = {there[code].type for code, _ in each.components if code in there}
            kinds[each.url].update(parts, (each.type,))
            instead[each.url].update(unions(official, type_name).get(each.code, ()))
    return {"words": str(EDITIONS["words"])} | {
        url: _shortened([each, _editions(kinds[url]), *sorted(instead[url])])
        for url, each in found.items()
    }


def _editions(kinds: Collection[str]) -> list[tuple[str, int]]:
    return [(kind, EDITIONS.get(kind, 0)) for kind in sorted(kinds)]


def fingerprint(prints: Mapping[str, str]) -> str:
    """Return one text for all of them."""
    return _shortened(sorted(prints.items()))


def _shortened(value: object) -> str:
    return hashlib.blake2b(msgspec.json.encode(value), digest_size=8).hexdigest()


def differing(
    official: Definitions, before: Mapping[str, str], now: Mapping[str, str]
) -> dict[str, list[str]]:
    """Return the parameters that two versions of the hub make otherwise, by type."""
    changed: dict[str, list[str]] = {}
    for type_name in sorted(official.resource_types):
        there = official.search_parameters(type_name).values()
        codes = [each.code for each in there if before.get(each.url) != now[each.url]]
        codes += SCOPES if before.get("words") != now["words"] else ()
        if codes:
            changed[type_name] = codes
    return changed
