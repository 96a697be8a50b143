"""Value sets, hierarchies of codes and hierarchies of records, put into a predicate's place.

https://hl7.org/fhir/R4/search.html#token, https://hl7.org/fhir/R4/search.html#recursive

The parser names what is asked and the stores know only what is in a record; between them these
nodes become plain comparisons. What the caller may not see takes no part in it.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import pairwise

from conformance.issues import Issue
from fhir_server.authz.caller import Caller
from fhir_server.errors import BadRequest
from fhir_server.interactions.climb import climbed
from fhir_server.interactions.server import Server
from fhir_server.interactions.vocabulary import Vocabulary
from fhir_server.search.tree import (
    Along,
    And,
    Chain,
    Cond,
    Has,
    InValueSet,
    Match,
    Node,
    Not,
    Or,
    Subsumed,
    either,
)
from terminology.errors import Missing, TerminologyError, TooCostly
from terminology.extent import Extent, Part, named
from terminology.protocol import Terminology

Asked = InValueSet | Subsumed | Along
MOST_LEFT_OUT = 100

_CODES = {Missing: "not-found", TooCostly: "too-costly"}


async def resolved(server: Server, caller: Caller, node: Node) -> Node:
    """Return the predicate in words that every store understands.

    Raises `BadRequest` where a value set or code system is not there for the caller, is too large,
    or cannot be told.
    """
    asked = dict.fromkeys(_asked(node))
    if not asked:
        return node
    vocabulary = Vocabulary(server, caller)
    meant: dict[Node, Node] = {}
    for each in asked:
        try:
            meant[each] = await _meant(server, caller, vocabulary, each)
        except TerminologyError as fault:
            code = _CODES.get(type(fault), "invalid")
            raise BadRequest(Issue(code, f"{each.param}: {fault}.")) from None
        except (AttributeError, LookupError, TypeError):
            # Where validation is off, anything may be stored as a definition.
            raise BadRequest(f"{each.param}: a definition that this needs is broken.") from None
    return _put(node, meant)


def _asked(node: Node) -> Iterator[Asked]:
    match node:
        case InValueSet() | Subsumed() | Along():
            yield node
        case And(nodes) | Or(nodes):
            for inner in nodes:
                yield from _asked(inner)
        case Not(inner):
            yield from _asked(inner)
        case Chain() | Has():
            yield from _asked(node.where)


def _put(node: Node, meant: Mapping[Node, Node]) -> Node:
    match node:
        case InValueSet() | Subsumed() | Along():
            return meant[node]
        case And(nodes):
            return And(tuple(_put(each, meant) for each in nodes))
        case Or(nodes):
            return Or(tuple(_put(each, meant) for each in nodes))
        case Not(inner):
            return Not(_put(inner, meant))
        case Chain() | Has():
            return replace(node, where=_put(node.where, meant))
        case _:
            return node


async def _meant(server: Server, caller: Caller, terms: Terminology, asked: Asked) -> Node:
    match asked:
        case InValueSet(param, value_set, bare):
            return _among(param, await terms.members(value_set), bare)
        case Subsumed(param, direction, system, code, bare):
            found = await terms.related(system, code, direction)
            url = system.partition("|")[0]
            return _among(param, named(url, sorted(found)), bare)
        case Along():
            return await climbed(server, caller, asked)


def _among(param: str, extent: Extent, bare: Iterable[tuple[str, str]]) -> Node:
    """Return that an entry is one of the codes; `bare` pairs are meant by a code alone."""
    nodes = [node for system, part in extent.items() for node in _of(param, system, part)]
    alone = [code for system, code in sorted(bare) if system in extent and code in extent[system]]
    if alone:
        nodes.append(Match(param, (_one_of(alone), Cond("w", "=", ""))))
    return either(*nodes)


def _of(param: str, system: str, part: Part) -> Iterator[Match]:
    here = Cond("w", "=", system)
    if not part.all_but:
        yield Match(param, (_one_of(list(part.codes)), here))
    elif len(part.codes) > MOST_LEFT_OUT:
        raise TooCostly(f"More than {MOST_LEFT_OUT} codes are left out of {system}")
    else:
        # Everything but some codes: what lies between them, in the order of the index.
        for low, high in pairwise((None, *sorted(part.codes), None)):
            after = (Cond("v", ">", low),) if low is not None else ()
            before = (Cond("v", "<", high),) if high is not None else ()
            yield Match(param, (*after, *before, here))


def _one_of(codes: list[str]) -> Cond:
    return Cond("v", "=", codes[0]) if len(codes) == 1 else Cond("v", "in", tuple(codes))
