"""Parameters that have no entries of their own, since others of their type find all that they find.

https://hl7.org/fhir/R4/searchparameter.html

1. `combo-code` finds what `code` and `component-code` find: whoever asks for it asks for one of
   these. It is told from the definitions: each branch of its expression is one of theirs.
2. Of parameters that find the same (`name` and `phonetic`) the one with the shortest name has the
   entries.
3. A reference always has its own: joins, inclusions and compartments go by them.
4. So has what users define, and it stands for nothing else: it may go again.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

from conformance.definitions import Definitions, SearchParameter
from fhir_server.search.elements import branches
from fhir_server.search.tree import (
    And,
    InValueSet,
    Match,
    Node,
    Not,
    Or,
    Subsumed,
    Together,
    either,
)


class _Finds(NamedTuple):
    """What entries are made of, and how."""

    how: tuple[object, ...]
    branches: frozenset[str]


@lru_cache(maxsize=1024)
def unions(definitions: Definitions, type_name: str) -> Mapping[str, tuple[str, ...]]:
    """Return the parameters of a type that have no entries -> those that have them instead.

    >>> from conformance.definitions import load
    >>> unions(load(), "Observation")["combo-code"]
    ('code', 'component-code')
    """
    known = definitions.official_parameters(type_name)
    all = {
        code: _finds(definitions, type_name, each)
        for code, each in known.items()
        if each.type not in ("reference", "special")
    }
    kept = dict(all)
    for code in sorted(all, key=lambda code: (-len(code), code)):
        mine = kept.pop(code)
        if mine.branches != _united(kept, mine):
            kept[code] = mine
    return {
        code: tuple(sorted(_within(kept, mine))) for code, mine in all.items() if code not in kept
    }


def _finds(definitions: Definitions, type_name: str, parameter: SearchParameter) -> _Finds:
    known = definitions.search_parameters(type_name)
    parts = tuple((known[code].type, path) for code, path in parameter.components)
    is_family = (parameter.type, parameter.code) == ("string", "family")
    found = frozenset(branches(definitions, type_name, parameter.expression))
    return _Finds((parameter.type, is_family, parts), found)


def _within(kept: Mapping[str, _Finds], mine: _Finds) -> Iterable[str]:
    for code, each in kept.items():
        if each.how == mine.how and each.branches <= mine.branches:
            yield code


def _united(kept: Mapping[str, _Finds], mine: _Finds) -> frozenset[str]:
    return frozenset().union(*(kept[code].branches for code in _within(kept, mine)))


def parts(definitions: Definitions, type_name: str, param: str) -> tuple[str, ...]:
    """Return the names under which entries of a parameter stand; itself, as a rule.

    >>> from conformance.definitions import load
    >>> parts(load(), "Observation", "combo-code:text")
    ('code:text', 'component-code:text')
    """
    code, colon, kind = param.partition(":")
    instead = unions(definitions, type_name).get(code)
    return (param,) if instead is None else tuple(each + colon + kind for each in instead)


def stored(definitions: Definitions, type_name: str, node: Node) -> Node:
    """Return a predicate on records of a type, without joins, asked of what has entries."""
    match node:
        case Match(param) | Together(param) | InValueSet(param) | Subsumed(param):
            names = parts(definitions, type_name, param)
            return node if names == (param,) else either(*(replace(node, param=n) for n in names))
        case And(nodes):
            return And(tuple(stored(definitions, type_name, each) for each in nodes))
        case Or(nodes):
            return either(*(stored(definitions, type_name, each) for each in nodes))
        case Not(inner):
            return Not(stored(definitions, type_name, inner))
        case _:
            return node
