"""Extraction: what all search parameters of a type find in a resource.

https://hl7.org/fhir/R4/searchparameter.html
"""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from conformance.definitions import Definitions, SearchParameter
from conformance.fhirpath import tree
from conformance.fhirpath.compiler import Compiler
from conformance.fhirpath.expression import Value, compile_with, values
from conformance.fhirpath.model import Model
from conformance.fhirpath.nodes import Environment, Evaluator, Node, Nodes
from conformance.fhirpath.parser import parse
from conformance.fhirpath.tree import Tree, union_parts


class Found(NamedTuple):
    """What one parameter finds.

    `values` are (FHIR type, JSON value). A composite has none; it has `groups`, one for each place,
    each with the values of every component; a group whose components do not all have a value is
    left out. A value that several alternatives of an expression find may stand twice.
    """

    parameter: SearchParameter
    values: list[Value]
    groups: list[tuple[list[Value], ...]]


Extractor = Callable[[dict[str, Any]], list[Found]]


class _Part(NamedTuple):
    """One alternative of an expression; without any of its `roots` a resource gives it nothing."""

    roots: frozenset[str]
    run: Evaluator


class _Plan(NamedTuple):
    parameter: SearchParameter
    parts: tuple[_Part, ...]
    components: tuple[Evaluator, ...]


def extractor(
    definitions: Definitions,
    type_name: str,
    parameters: Iterable[SearchParameter] | None = None,
    model: Model | None = None,
) -> Extractor:
    """Compile the parameters of a type, by default all official ones, to one function.

    It takes a resource of that type and lists the parameters that find something. Raises
    FHIRPathError here for an expression that is not understood, there for one that cannot be
    evaluated. Hand in one `model` to extractors of several types: they share what it has made.
    """
    model = model or Model(definitions)
    if parameters is None:
        parameters = definitions.search_parameters(type_name).values()
    plans = [_plan(model, type_name, parameter) for parameter in parameters]

    def extract(resource: dict[str, Any]) -> list[Found]:
        env = Environment(resource)
        root: Nodes = [(type_name, resource, None)]
        found = []
        for parameter, parts, components in plans:
            nodes: Nodes = []
            for roots, run in parts:
                if not roots.isdisjoint(resource):
                    nodes += run(env, root)
            if not nodes:
                continue
            if components:
                if groups := _groups(env, nodes, components):
                    found.append(Found(parameter, [], groups))
            elif given := values(nodes):
                found.append(Found(parameter, given, []))
        return found

    return extract


def _groups(
    env: Environment, nodes: Nodes, components: tuple[Evaluator, ...]
) -> list[tuple[list[Value], ...]]:
    groups = (_group(env, node, components) for node in nodes)
    return [group for group in groups if group]


def _group(
    env: Environment, node: Node, components: tuple[Evaluator, ...]
) -> tuple[list[Value], ...]:
    """The values of each component, or nothing where one of them has none."""
    group = []
    for run in reversed(components):  # the last is the one more often absent: value, not code
        found = values(run(env, [node]))
        if not found:
            return ()
        group.append(found)
    return tuple(reversed(group))


def _plan(model: Model, type_name: str, parameter: SearchParameter) -> _Plan:
    compiler = Compiler(model)
    parts = []
    types: set[str] = set()
    for part in union_parts(parse(parameter.expression)):
        compiled = compiler.compile(part, frozenset({type_name}), at_root=True)
        types |= compiled.types or set()
        if compiled.types != frozenset():
            parts.append(_Part(root_properties(model, type_name, part), compiled.run))
    components = (compile_with(model, text, types).run for _, text in parameter.components)
    return _Plan(parameter, tuple(parts), tuple(components))


def root_properties(model: Model, type_name: str, part: Tree) -> frozenset[str]:
    """The properties of a resource without all of which an expression finds nothing."""
    path = _path_of(part)
    if path and path[0] in model.definitions.types:
        path = path[1:]
    element = model.definitions.elements(type_name).get(path[0]) if path else None
    if element is None:
        return frozenset({"resourceType"})
    return frozenset(each for name, _ in element.properties() for each in (name, "_" + name))


# Functions that give nothing where their input is empty.
_EMPTY_OF_EMPTY = {"where", "resolve", "select", "first", "last"}


def _path_of(part: Tree) -> list[str]:
    """The names that an expression begins with; none where it is more than a path with filters.

    With no base but the type, a first `extension` call counts as the element.
    """
    match part:
        case tree.Member(base=None, name=name):
            return [name]
        case tree.Member(base=base, name=name) if base is not None:
            path = _path_of(base)
            return [*path, name] if path else []
        case tree.TypeTest(operator="as" | "ofType", operand=operand) if operand is not None:
            return _path_of(operand)
        case tree.Index(base=base):
            return _path_of(base)
        case tree.Call(base=base, name="extension") if base is not None:
            return [*_path_of(base), "extension"]
        case tree.Call(base=base, name=name) if base is not None and name in _EMPTY_OF_EMPTY:
            return _path_of(base)
        case _:
            return []
