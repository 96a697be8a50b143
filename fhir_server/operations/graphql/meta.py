"""The types of introspection: what a query may ask of the types themselves, and how it is answered.

https://spec.graphql.org/October2021/#sec-Schema-Introspection

Nodes are dicts that hold one another, in circles too; a selection says how far they are followed.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from fhir_server.errors import TooCostly
from fhir_server.operations.graphql.selection import Chosen, Field, Selection

Node = dict[str, Any]

ROOTS = frozenset(("__schema", "__type"))
MOST_NODES = 300_000
"""All that is told of all types is half of that."""


def _fields(text: str) -> Mapping[str, tuple[str, bool]]:
    """Read `name:Type` (and `*` for a list) of all fields of a type."""
    pairs = (each.split(":") for each in text.split())
    return {name: (type.removesuffix("*"), type.endswith("*")) for name, type in pairs}


META: Mapping[str, Mapping[str, tuple[str, bool]]] = {
    "Query": _fields("__schema:__Schema __type:__Type"),
    "__Schema": _fields("""
        description:string types:__Type* queryType:__Type mutationType:__Type
        subscriptionType:__Type directives:__Directive*
    """),
    "__Type": _fields("""
        kind:code name:string description:string specifiedByURL:string fields:__Field*
        interfaces:__Type* possibleTypes:__Type* enumValues:__EnumValue* inputFields:__InputValue*
        ofType:__Type isOneOf:boolean
    """),
    "__Field": _fields("""
        name:string description:string args:__InputValue* type:__Type isDeprecated:boolean
        deprecationReason:string
    """),
    "__InputValue": _fields("""
        name:string description:string type:__Type defaultValue:string isDeprecated:boolean
        deprecationReason:string
    """),
    "__EnumValue": _fields("""
        name:string description:string isDeprecated:boolean deprecationReason:string
    """),
    "__Directive": _fields("""
        name:string description:string locations:code* args:__InputValue* isRepeatable:boolean
    """),
}
"""Type -> its fields: what each is, and whether that is a list."""

_OLD = frozenset(("fields", "enumValues", "inputFields", "args"))


def faults(name: str, given: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong with the arguments of a field of introspection."""
    known = {"name"} if name == "__type" else {"includeDeprecated"} if name in _OLD else set()
    for each in given.keys() - known:
        yield f"there is no argument {each}; expected {', '.join(known) or 'none'}"
    if name == "__type" and not isinstance(given.get("name"), str):
        yield "the argument name is needed, a text"


def asked(selection: Selection) -> bool:
    """Tell whether a query asks of the types."""
    return any(each.field.name in ROOTS for each in selection)


def strange(selection: Selection) -> Iterator[Field]:
    """Yield the fields that do not go with a question about the types."""
    for each in selection:
        if each.field.name not in ROOTS | {"__typename"}:
            yield each.field


def told(schema: Node, types: Mapping[str, Node], selection: Selection) -> Node:
    """Return what a query selects of the types. Raises `TooCostly`."""
    walk = _Walk()
    made: Node = {}
    for field, below in walk.merged(selection, "Query"):
        match field.name:
            case "__schema":
                made[field.key] = walk.object("__Schema", schema, below)
            case "__type":
                found = types.get(field.arguments["name"])
                made[field.key] = found and walk.object("__Type", found, below)
            case _:
                made[field.key] = "Query"
    return made


class _Walk:
    """Follows a selection over nodes, so many at most."""

    def __init__(self) -> None:
        self._nodes = 0
        self._merged: dict[tuple[int, str], list[tuple[Field, Selection]]] = {}

    def object(self, type: str, node: Node, selection: Selection) -> Node:
        self._nodes += 1
        if self._nodes > MOST_NODES:
            raise TooCostly(f"The answer has more than {MOST_NODES} objects; ask for less.")
        made: Node = {}
        for field, below in self.merged(selection, type):
            if field.name == "__typename":
                made[field.key] = type
                continue
            value = node.get(field.name)
            if below and value is not None:
                kind = META[type][field.name][0]
                if isinstance(value, list):
                    value = [self.object(kind, each, below) for each in value]
                else:
                    value = self.object(kind, value, below)
            made[field.key] = value
        return made

    def merged(self, selection: Selection, type: str) -> list[tuple[Field, Selection]]:
        """Return the fields of objects of a type, each key once, with all selected below it."""
        key = (id(selection), type)
        if key not in self._merged:
            found: dict[str, tuple[Field, Selection]] = {}
            for on, field in selection:
                if all(condition == type for condition in on):
                    first, below = found.get(field.key, (field, ()))
                    found[field.key] = (first, _joined(below, field.chosen))
            self._merged[key] = list(found.values())
        return self._merged[key]


def _joined(one: tuple[Chosen, ...], other: tuple[Chosen, ...]) -> Selection:
    return one + other if one and other else one or other
