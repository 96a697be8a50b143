"""A document of GraphQL, checked against the types and made into a plan.

https://hl7.org/fhir/R4/graphql.html, https://spec.graphql.org/October2021/#sec-Validation

1. All that is wrong with the document is found before anything is read.
2. Fragments and variables are put in, `@include` and `@skip` are followed; what is left is a tree
   of fields, each with the types whose objects have it.
3. The number of fields and their depth are bounded, after fragments are put in.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from graphql.language import (
    DirectiveNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    Node,
    NonNullTypeNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    ValueNode,
)

from conformance.fhirpath import Expression, FHIRPathError
from fhir_server.operations.graphql import meta
from fhir_server.operations.graphql.arguments import faults
from fhir_server.operations.graphql.document import document, fragments, operation, place, value
from fhir_server.operations.graphql.errors import Invalid, Problem
from fhir_server.operations.graphql.paths import filter_path
from fhir_server.operations.graphql.schema import QUERY, RESOURCE, Found, Schema, named
from fhir_server.operations.graphql.selection import Chosen, Field, Selection, Values

MOST_FIELDS = 2000
MOST_LEVELS = 20


def plan(schema: Schema, text: str, name: str, variables: Values, type: str) -> Selection:
    """Return what an operation of a document asks for of an object of a type. Raises `Invalid`."""
    made = document(text)
    chosen = operation(made, name)
    planner = _Planner(schema, fragments(made))
    planner.take_variables(chosen, variables)
    found = planner.selection(chosen.selection_set, _Spot((type,)))
    if meta.asked(found):
        for each in meta.strange(found):
            words = f"{each.name} does not go with a question about the types."
            planner.problems.append(Problem(words, each.place))
    if planner.problems:
        raise Invalid(*dict.fromkeys(planner.problems))
    return found


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
            place=place(node),
            where=self._path(node, arguments.get("fhirpath"), types),
            **shape,
        )

    def _count(self, node: FieldNode, spot: _Spot) -> None:
        self.fields += 1
        if self.fields > MOST_FIELDS:
            raise Invalid(Problem(f"The query has more than {MOST_FIELDS} fields.", place(node)))
        if spot.level > MOST_LEVELS:
            words = f"The query has more than {MOST_LEVELS} levels."
            raise Invalid(Problem(words, place(node)))

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
            return filter_path(str(text), self.schema.definitions, types)
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
        try:
            return value(node, self.variables)
        except KeyError as name:
            self._fault(node, f"The variable ${name.args[0]} is not declared.")
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
        self.problems.append(Problem(words, place(node)))


_DIRECTIVES = frozenset(("include", "skip", "flatten", "first", "singleton", "slice"))
_TYPENAME = Found("type")


def _types(found: Found) -> tuple[str, ...]:
    """Return the types that a field's objects may be of."""
    match found.kind:
        case "element" | "meta":
            return tuple(kind for _, kind in found.properties)
        case "type":
            return ("string",)
        case "target":
            return (RESOURCE,)
        case "connection":
            return (f"{found.resource}Connection",)
    return (found.resource,)
