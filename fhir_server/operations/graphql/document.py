"""The text of a query, parsed: documents, operations, places and values.

https://spec.graphql.org/October2021/#sec-Document
"""

from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any

from graphql.error import GraphQLSyntaxError
from graphql.language import (
    BooleanValueNode,
    DocumentNode,
    EnumValueNode,
    FloatValueNode,
    FragmentDefinitionNode,
    IntValueNode,
    ListValueNode,
    Node,
    ObjectValueNode,
    OperationDefinitionNode,
    OperationType,
    StringValueNode,
    ValueNode,
    VariableNode,
    parse,
)

from fhir_server.operations.graphql.errors import Invalid, Place, Problem

_MOST_TOKENS = 10_000
_SHORT = 2048
"""Documents of so many characters are kept, for a client that asks again."""


def document(text: str) -> DocumentNode:
    """Return a document, parsed. Raises `Invalid`."""
    return _kept(text) if len(text) <= _SHORT else _parsed(text)


def _parsed(text: str) -> DocumentNode:
    try:
        return parse(text, max_tokens=_MOST_TOKENS, allow_empty_selection_sets=False)
    except GraphQLSyntaxError as fault:
        places = [(each.line, each.column) for each in fault.locations or ()]
        raise Invalid(Problem(fault.message, places[0] if places else None)) from None
    except RecursionError:
        raise Invalid(Problem("The document is nested too deeply.")) from None


_kept = lru_cache(maxsize=64)(_parsed)


def operation(made: DocumentNode, name: str) -> OperationDefinitionNode:
    """Return the operation of that name, or the only one. Raises `Invalid`."""
    every = [each for each in made.definitions if isinstance(each, OperationDefinitionNode)]
    fitting = [each for each in every if not name or (each.name and each.name.value == name)]
    if len(fitting) != 1:
        words = f"There is no operation {name[:64]!r}." if name else "operationName must say which."
        raise Invalid(Problem(words))
    if fitting[0].operation is not OperationType.QUERY:
        words = f"There are no {fitting[0].operation.value}s here: write by REST."
        raise Invalid(Problem(words, place(fitting[0])))
    return fitting[0]


def fragments(made: DocumentNode) -> dict[str, FragmentDefinitionNode]:
    """Return the fragments of a document by name."""
    every = [each for each in made.definitions if isinstance(each, FragmentDefinitionNode)]
    return {each.name.value: each for each in every}


def place(node: Node) -> Place | None:
    """Return where in the document a node begins."""
    return (node.loc.start_token.line, node.loc.start_token.column) if node.loc else None


def value(node: ValueNode, variables: Mapping[str, Any]) -> Any:
    """Return a value, with variables put in. KeyError for one that is not declared."""
    match node:
        case VariableNode():
            return variables[node.name.value]
        case ListValueNode():
            return [value(each, variables) for each in node.values]
        case ObjectValueNode():
            return {each.name.value: value(each.value, variables) for each in node.fields}
        case IntValueNode():
            return int(node.value)
        case FloatValueNode():
            return Decimal(node.value)
        case BooleanValueNode() | StringValueNode() | EnumValueNode():
            return node.value
    return None
