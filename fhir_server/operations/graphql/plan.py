"""A document of GraphQL, checked against the types and made into a plan.

https://hl7.org/fhir/R4/graphql.html, https://spec.graphql.org/October2021/#sec-Validation

1. All that is wrong with the document is found before anything is read.
2. Fragments and variables are put in, `@include` and `@skip` are followed; what is left is a tree
   of fields, each with the types whose objects have it.
3. The number of fields and their depth are bounded, after fragments are put in.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple

from graphql.error import GraphQLSyntaxError
from graphql.language import (
    BooleanValueNode,
    DirectiveNode,
    DocumentNode,
    EnumValueNode,
    FieldNode,
    FloatValueNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    Node,
    NonNullTypeNode,
    ObjectValueNode,
    OperationDefinitionNode,
    OperationType,
    SelectionNode,
    SelectionSetNode,
    StringValueNode,
    ValueNode,
    VariableNode,
    parse,
)
from graphql.language import get_location as location_in

from conformance.fhirpath import Expression, FHIRPathError, compile
from fhir_server.operations.graphql.arguments import faults
from fhir_server.operations.graphql.errors import Invalid, Place, Problem
from fhir_server.operations.graphql.schema import QUERY, RESOURCE, Found, Schema, named

MOST_FIELDS = 2000
MOST_LEVELS = 20
_MOST_TOKENS = 10_000

Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """One field that is asked for. `where` is its argument `fhirpath`, `slice` the path of the
    directive, None for `$index`."""

    key: str
    name: str
    arguments: Values
    chosen: "Selection"
    place: Place | None
    flatten: bool = False
    first: bool = False
    singleton: bool = False
    sliced: bool = False
    slice: Expression | None = None
    where: Expression | None = None


class Chosen(NamedTuple):
    """A field, and the conditions of the fragments around it: objects that fit all have it."""

    on: tuple[str, ...]
    field: Field


Selection = tuple[Chosen, ...]


@lru_cache(maxsize=256)
def document(text: str) -> DocumentNode:
    """Return a document, parsed. Raises `Invalid`."""
    try:
        return parse(text, max_tokens=_MOST_TOKENS, allow_empty_selection_sets=False)
    except GraphQLSyntaxError as fault:
        places = [(each.line, each.column) for each in fault.locations or ()]
        raise Invalid(Problem(fault.message, places[0] if places else None)) from None
    except RecursionError:
        raise Invalid(Problem("The document is nested too deeply.")) from None


def plan(schema: Schema, text: str, operation: str, variables: Values, type: str) -> Selection:
    """Return what a document asks for of an object of a type. Raises `Invalid`."""
    made = document(text)
    chosen = _operation(made, operation)
    fragments = {
        each.name.value: each
        for each in made.definitions
        if isinstance(each, FragmentDefinitionNode)
    }
    planner = _Planner(schema, fragments)
    planner.take_variables(chosen, variables)
    found = planner.selection(chosen.selection_set, _Spot((type,)))
    if planner.problems:
        raise Invalid(*dict.fromkeys(planner.problems))
    return found


def _operation(made: DocumentNode, name: str) -> OperationDefinitionNode:
    every = [each for each in made.definitions if isinstance(each, OperationDefinitionNode)]
    fitting = [each for each in every if not name or (each.name and each.name.value == name)]
    if len(fitting) != 1:
        words = f"There is no operation {name[:64]!r}." if name else "operationName must say which."
        raise Invalid(Problem(words))
    if fitting[0].operation is not OperationType.QUERY:
        words = f"There are no {fitting[0].operation.value}s here: write by REST."
        raise Invalid(Problem(words, _place(fitting[0])))
    return fitting[0]


def _place(node: Node) -> Place | None:
    if node.loc is None:
        return None
    found = location_in(node.loc.source, node.loc.start)
    return found.line, found.column


class _Spot(NamedTuple):
    """Where a selection stands: on objects of which types, under which conditions of fragments, how
    deep, and inside which named fragments."""

    types: tuple[str, ...]
    on: tuple[str, ...] = ()
    level: int = 1
    inside: tuple[str, ...] = ()


@dataclass(slots=True)
class _Planner:
    """Walks one operation; what is wrong is collected."""

    schema: Schema
    fragments: Mapping[str, FragmentDefinitionNode]
    problems: list[Problem] = field(default_factory=list)
    variables: dict[str, Any] = field(default_factory=dict)
    fields: int = 0

    def take_variables(self, operation: OperationDefinitionNode, given: Values) -> None:
        """Settle the values of the operation's variables."""
        for each in operation.variable_definitions or ():
            name = each.variable.name.value
            if name in given:
                self.variables[name] = given[name]
            elif each.default_value is not None:
                self.variables[name] = self._value(each.default_value)
            elif not isinstance(each.type, NonNullTypeNode):
                self.variables[name] = None
            if isinstance(each.type, NonNullTypeNode) and self.variables.get(name) is None:
                self._fault(each, f"The variable ${name} needs a value.")
                self.variables[name] = None

    def selection(self, chosen: SelectionSetNode, spot: _Spot) -> Selection:
        """Return the fields of a selection."""
        found = tuple(self._chosen(chosen, spot))
        self._check_alike(found)
        return found

    def _chosen(self, chosen: SelectionSetNode, spot: _Spot) -> Iterator[Chosen]:
        for each in chosen.selections:
            if not self._is_included(each):
                continue
            match each:
                case FieldNode():
                    made = self._field(each, spot)
                    if made is not None:
                        yield Chosen(spot.on, made)
                case InlineFragmentNode():
                    yield from self._fragment(each, spot)
                case FragmentSpreadNode():
                    yield from self._spread(each, spot)

    def _spread(self, node: FragmentSpreadNode, spot: _Spot) -> Iterator[Chosen]:
        name = node.name.value
        if name not in self.fragments:
            self._fault(node, f"There is no fragment {name}.")
        elif name in spot.inside:
            self._fault(node, f"The fragment {name} is a part of itself.")
        else:
            inside = (*spot.inside, name)
            yield from self._fragment(self.fragments[name], spot._replace(inside=inside))

    def _fragment(
        self, node: InlineFragmentNode | FragmentDefinitionNode, spot: _Spot
    ) -> Iterator[Chosen]:
        if node.type_condition is not None:
            name = node.type_condition.name.value
            type = self.schema.type_named(name)
            if type is None:
                self._fault(node, f"There is no type {name}.")
                return
            spot = spot._replace(types=(type,), on=(*spot.on, type))
        yield from self._chosen(node.selection_set, spot)

    def _field(self, node: FieldNode, spot: _Spot) -> Field | None:
        self._count(node, spot)
        name = node.name.value
        found = _TYPENAME if name == "__typename" else self._found(node, spot)
        if found is None:
            return None
        arguments = self._arguments(node)
        inside = spot.types[0] != QUERY
        for words in faults(self.schema, found, arguments, inside):
            self._fault(node, f"{name}: {words}.")
        types = _types(found)
        shape = self._shape(node, types)
        return Field(
            key=node.alias.value if node.alias else name,
            name=name,
            arguments=arguments,
            chosen=self._below(node, spot, types),
            place=_place(node),
            where=self._path(node, arguments.get("fhirpath"), types),
            **shape,
        )

    def _count(self, node: FieldNode, spot: _Spot) -> None:
        self.fields += 1
        if self.fields > MOST_FIELDS:
            raise Invalid(Problem(f"The query has more than {MOST_FIELDS} fields.", _place(node)))
        if spot.level > MOST_LEVELS:
            words = f"The query has more than {MOST_LEVELS} levels."
            raise Invalid(Problem(words, _place(node)))

    def _found(self, node: FieldNode, spot: _Spot) -> Found | None:
        name = node.name.value
        found = self.schema.field(spot.types[0], name) if len(spot.types) == 1 else None
        if found is None:
            types = ", ".join(map(named, spot.types))
            hint = "; write … on TYPE around it" if self._is_open(spot) else ""
            self._fault(node, f"{types} has no field {name}{hint}.")
        return found

    def _is_open(self, spot: _Spot) -> bool:
        return len(spot.types) > 1 or spot.types[0] == RESOURCE

    def _below(self, node: FieldNode, spot: _Spot, types: tuple[str, ...]) -> Selection:
        scalars = [self.schema.is_scalar(type) for type in types]
        name = node.name.value
        if node.selection_set is None:
            if not all(scalars):
                self._fault(node, f"{name} is an object: write which fields of it.")
            return ()
        if all(scalars):
            self._fault(node, f"{name} is a value and has no fields.")
            return ()
        return self.selection(node.selection_set, _Spot(types, level=spot.level + 1))

    def _arguments(self, node: FieldNode) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for each in node.arguments or ():
            name, value = each.name.value, self._value(each.value)
            if name in made:
                self._fault(each, f"The argument {name} is given twice.")
            if value is not None:
                made[name] = value
        return made

    def _shape(self, node: FieldNode, types: tuple[str, ...]) -> dict[str, Any]:
        """Return what the directives of a field say, but for whether it is there at all."""
        given = {each.name.value: each for each in node.directives or ()}
        for name, each in given.items():
            if name not in _DIRECTIVES:
                self._fault(each, f"There is no directive @{name}.")
        shape: dict[str, Any] = {name: name in given for name in ("flatten", "first", "singleton")}
        if "slice" in given:
            path = self._argument(given["slice"], ("path", "fhirpath"))
            shape |= {"sliced": True}
            if path != "$index":
                shape["slice"] = self._path(node, path, types)
            if shape["first"]:
                self._fault(node, "@slice and @first do not go together.")
        return shape

    def _path(self, node: Node, text: Any, types: tuple[str, ...]) -> Expression | None:
        if text is None:
            return None
        try:
            return compile(str(text), self.schema.definitions, *types)
        except FHIRPathError as fault:
            self._fault(node, f"fhirpath: {fault}")
            return None

    def _is_included(self, node: SelectionNode) -> bool:
        """Follow @include and @skip."""
        for each in node.directives or ():
            name = each.name.value
            if name in ("include", "skip"):
                wanted = self._argument(each, ("if",))
                if not isinstance(wanted, bool):
                    self._fault(each, f"@{name} needs `if`, true or false.")
                elif wanted is not (name == "include"):
                    return False
            elif not isinstance(node, FieldNode):
                self._fault(each, f"@{name} is not for fragments.")
        return True

    def _argument(self, node: DirectiveNode, names: tuple[str, ...]) -> Any:
        given = {each.name.value: self._value(each.value) for each in node.arguments or ()}
        if len(given) == 1 and given.keys() <= set(names):
            return next(iter(given.values()))
        self._fault(node, f"@{node.name.value} needs the argument {' or '.join(names)}.")
        return None

    def _value(self, node: ValueNode) -> Any:
        match node:
            case VariableNode():
                if node.name.value not in self.variables:
                    self._fault(node, f"The variable ${node.name.value} is not declared.")
                return self.variables.get(node.name.value)
            case ListValueNode():
                return [self._value(each) for each in node.values]
            case ObjectValueNode():
                return {each.name.value: self._value(each.value) for each in node.fields}
            case IntValueNode():
                return int(node.value)
            case FloatValueNode():
                return Decimal(node.value)
            case BooleanValueNode() | StringValueNode() | EnumValueNode():
                return node.value
        return None

    def _check_alike(self, chosen: Iterable[Chosen]) -> None:
        """Fields of one key, on objects that may be the same, ask for the same.

        https://spec.graphql.org/October2021/#sec-Field-Selection-Merging
        """
        first: dict[tuple[str, tuple[str, ...]], Field] = {}
        for on, each in chosen:
            same = first.setdefault((each.key, on), each)
            open = first.get((each.key, ()), same)
            for other in (same, open):
                if (other.name, other.arguments) != (each.name, each.arguments):
                    words = f"{each.key} stands for two different fields: name one of them anew."
                    self.problems.append(Problem(words, each.place))

    def _fault(self, node: Node, words: str) -> None:
        self.problems.append(Problem(words, _place(node)))


_DIRECTIVES = frozenset(("include", "skip", "flatten", "first", "singleton", "slice"))
_TYPENAME = Found("type")


def _types(found: Found) -> tuple[str, ...]:
    """Return the types that a field's objects may be of."""
    match found.kind:
        case "element":
            return tuple(kind for _, kind in found.properties)
        case "type":
            return ("string",)
        case "target":
            return (RESOURCE,)
        case "connection":
            return (f"{found.resource}Connection",)
    return (found.resource,)
