"""Navigation, utility, types, and the functions that FHIR adds.

https://hl7.org/fhirpath/N1/#tree-navigation, https://hl7.org/fhir/R4/fhirpath.html#functions
"""

from datetime import datetime
from typing import Any

from conformance.fhirpath.errors import FHIRPathError
from conformance.fhirpath.functions.table import ANY, Closure, Function, simple
from conformance.fhirpath.model import Model, source_of
from conformance.fhirpath.nodes import (
    KIND,
    Environment,
    Evaluator,
    Node,
    Nodes,
    boolean,
    text_of,
    truth,
)

BOOLEAN = "System.Boolean"


def children(model: Model, _: tuple[Evaluator, ...]) -> Closure:
    """`children()`."""
    return lambda env, this, nodes: [child for node in nodes for child in model.children(node)]


def descendants(model: Model, _: tuple[Evaluator, ...]) -> Closure:
    """`descendants()`: children, and theirs."""

    def run(env: Environment, this: Nodes, nodes: Nodes) -> Nodes:
        found: Nodes = []
        todo = nodes
        while todo:
            todo = [child for node in todo for child in model.children(node)]
            found += todo
        return found

    return run


def extension(model: Model, arguments: tuple[Evaluator, ...]) -> Closure:
    """`extension(url)`: the extensions with that URL, of complex values and primitives alike."""
    [url] = arguments

    def run(env: Environment, this: Nodes, nodes: Nodes) -> Nodes:
        wanted = text_of(url(env, this), "extension")
        sources = [source for node in nodes if (source := source_of(node))]
        return [
            ("Extension", each, None)
            for source in sources
            for each in source.get("extension") or ()
            if isinstance(each, dict) and each.get("url") == wanted
        ]

    return run


def has_extension(model: Model, arguments: tuple[Evaluator, ...]) -> Closure:
    """`hasExtension(url)`: not of R4, but one of its search parameters uses it."""
    find = extension(model, arguments)
    return lambda env, this, nodes: boolean(bool(find(env, this, nodes)))


def has_value(nodes: Nodes) -> Nodes:
    """`hasValue()`: one primitive, and it has a value."""
    return boolean(len(nodes) == 1 and is_primitive(nodes[0]))


def is_primitive(node: Node) -> bool:
    """Whether a node is a primitive with a value."""
    return node[1] is not None and not isinstance(node[1], dict)


def get_value(nodes: Nodes) -> Nodes:
    """`getValue()`: the System value of one primitive."""
    if len(nodes) != 1 or not is_primitive(nodes[0]):
        return []
    type_name, value, _ = nodes[0]
    return [(f"System.{KIND[type_name]}", value, None)]


def negation(nodes: Nodes) -> Nodes:
    """`not()`."""
    found = truth(nodes, "not")
    return [] if found is None else boolean(not found)


def resolve(model: Model, _: tuple[Evaluator, ...]) -> Closure:
    """`resolve()`: contained, handed in, or else what a literal reference says of its target."""

    def run(env: Environment, this: Nodes, nodes: Nodes) -> Nodes:
        resolved = (target(model, env, node) for node in nodes)
        return [node for node in resolved if node is not None]

    return run


def target(model: Model, env: Environment, node: Node) -> Node | None:
    """The node that a Reference, or a uri, points to; None where nothing is known of it."""
    value = node[1]
    is_reference = isinstance(value, dict)
    literal = value.get("reference") if is_reference else value
    if isinstance(literal, str):
        if literal.startswith("#"):
            return contained(model, env.resource, literal[1:])
        found = env.resolve(literal) if env.resolve else None
        if found is not None:
            return model.root(found)
        if is_reference and (stub := stub_of(model, literal)):
            return stub
    type_name = value.get("type") if is_reference else None
    if isinstance(type_name, str) and model.definitions.is_resource_type(type_name):
        return (type_name, {"resourceType": type_name}, None)
    return None


def contained(model: Model, resource: dict[str, Any], id_: str) -> Node | None:
    """The contained resource of that id; without an id, the container."""
    if not id_:
        return model.root(resource)
    among = resource.get("contained")
    for each in among if isinstance(among, list) else ():
        if isinstance(each, dict) and each.get("id") == id_:
            return model.root(each)
    return None


def stub_of(model: Model, literal: str) -> Node | None:
    """A node of the type and id that `Patient/1` or `http://…/Patient/1` names."""
    parts = literal.partition("/_history/")[0].split("/")
    if len(parts) < 2 or not model.definitions.is_resource_type(parts[-2]):
        return None
    return (parts[-2], {"resourceType": parts[-2], "id": parts[-1]}, None)


def type_of(model: Model, _: tuple[Evaluator, ...]) -> Closure:
    """`type()`: namespace and name."""
    return lambda env, this, nodes: [
        ("System.Type", reflected(model, node), None) for node in nodes
    ]


def reflected(model: Model, node: Node) -> dict[str, str]:
    """A type's namespace and name; an element defined in place is of its base's type."""
    space, _, name = node[0].rpartition(".")
    if space == "System":
        return {"namespace": "System", "name": name}
    declared = model.definitions.types.get(node[0])
    is_inline = declared is not None and declared.kind == "backbone"
    return {"namespace": "FHIR", "name": declared.base if declared and is_inline else node[0]}


def clock(name: str, type_name: str, form: str) -> Function:
    """`now()` and its kin, from the time that evaluation was handed."""

    def make(_: Model, __: tuple[Evaluator, ...]) -> Closure:
        def run(env: Environment, this: Nodes, nodes: Nodes) -> Nodes:
            if env.now is None:
                raise FHIRPathError(f"{name}() needs a time to be handed in")
            return [(type_name, moment(env.now, form), None)]

        return run

    return Function(make, (0, 0), type_name)


def moment(now: datetime, form: str) -> str:
    """The time as a FHIR date, dateTime or time."""
    text = now.isoformat(timespec="milliseconds")
    return {"date": text[:10], "time": text[11:23]}.get(form, text)


FUNCTIONS: dict[str, Function] = {
    "children": Function(children, (0, 0), ANY),
    "descendants": Function(descendants, (0, 0), ANY),
    "extension": Function(extension, (1, 1), "Extension"),
    "hasExtension": Function(has_extension, (1, 1), BOOLEAN),
    "hasValue": simple(has_value, BOOLEAN),
    "getValue": simple(get_value, ANY),
    "not": simple(negation, BOOLEAN),
    "resolve": Function(resolve, (0, 0), ANY),
    "type": Function(type_of, (0, 0), "System.Type"),
    "now": clock("now", "System.DateTime", "dateTime"),
    "today": clock("today", "System.Date", "date"),
    "timeOfDay": clock("timeOfDay", "System.Time", "time"),
}
