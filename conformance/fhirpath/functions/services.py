"""What FHIR asks of others: terminology, profiles, narrative, the log.

https://hl7.org/fhir/R4/fhirpath.html#functions

Each asks the service that evaluation was handed. Without one, the shipped definitions answer where
they can, and where they cannot it is an error: nothing is guessed.
"""

from collections.abc import Iterator
from typing import Any

from conformance.definitions import Definitions
from conformance.fhirpath.errors import FHIRPathError
from conformance.fhirpath.functions.table import SAME, Closure, Function
from conformance.fhirpath.model import Model, source_of
from conformance.fhirpath.nodes import (
    FHIR_NAME,
    Environment,
    Evaluator,
    Node,
    Nodes,
    boolean,
    kind,
    single,
    text_of,
)
from terminology.concepts import ConceptTree

BOOLEAN = "System.Boolean"
PROFILE = "http://hl7.org/fhir/StructureDefinition/"


def member_of(model: Model, arguments: tuple[Evaluator, ...]) -> Closure:
    """`memberOf(valueset)`: whether a code, coding or concept is in a value set."""
    [url_of] = arguments

    def run(env: Environment, this: Nodes, nodes: Nodes) -> Nodes:
        node, url = single(nodes, "memberOf"), text_of(url_of(env, this), "memberOf")
        if node is None or node[1] is None or url is None:
            return []
        ask = env.services.member_of
        found = ask(_named(node), node[1], url) if ask else None
        return boolean(_in_shipped(model.definitions, node, url) if found is None else found)

    return run


def _named(node: Node) -> str:
    return FHIR_NAME.get(node[0], node[0])


def _in_shipped(definitions: Definitions, node: Node, url: str) -> bool:
    codes = definitions.codes(url)
    if not codes:
        raise FHIRPathError(f"memberOf: the codes of {url!r} are not known")
    if node[0] in ("Coding", "CodeableConcept"):
        return any(code in codes.get(system, ()) for system, code in codings_of(node))
    if kind(node) != "String":
        raise FHIRPathError(f"memberOf: expected a code, found {node[0]}")
    if len(codes) > 1 and node[0] != "code":
        raise FHIRPathError(f"memberOf: {url!r} has codes of several systems, expected a coding")
    return any(node[1] in each for each in codes.values())


def codings_of(node: Node) -> Iterator[tuple[str, str]]:
    """System and code of a coding, or of all codings of a concept."""
    value = node[1]
    for coding in [value] if node[0] == "Coding" else value.get("coding") or ():
        system, code = coding.get("system"), coding.get("code")
        if isinstance(system, str) and isinstance(code, str):
            yield system, code


def subsumption(name: str, *, is_above: bool) -> Function:
    """`subsumes(code)` or `subsumedBy(code)`, of codings and concepts."""

    def make(model: Model, arguments: tuple[Evaluator, ...]) -> Closure:
        [other_of] = arguments

        def run(env: Environment, this: Nodes, nodes: Nodes) -> Nodes:
            node, other = single(nodes, name), single(other_of(env, this), name)
            if node is None or other is None:
                return []
            for each in (node, other):
                if each[0] not in ("Coding", "CodeableConcept"):
                    raise FHIRPathError(f"{name}: expected a Coding or concept, found {each[0]}")
            above, below = (node, other) if is_above else (other, node)
            pairs = ((a, b) for a in codings_of(above) for b in codings_of(below))
            return boolean(any(_subsumes(model, env, name, *pair) for pair in pairs))

        return run

    return Function(make, (1, 1), BOOLEAN)


def _subsumes(
    model: Model, env: Environment, name: str, above: tuple[str, str], below: tuple[str, str]
) -> bool:
    if above == below:
        return True
    found = env.services.subsumes(above, below) if env.services.subsumes else None
    if found is not None:
        return found
    system = model.definitions.library.code_systems.get(above[0], {})
    if above[0] != below[0] or system.get("content") != "complete":
        raise FHIRPathError(f"{name}: how {above[0]} and {below[0]} relate is not known")
    return below[1] in ConceptTree(system).below(above[1])


def conforms_to(model: Model, arguments: tuple[Evaluator, ...]) -> Closure:
    """`conformsTo(structure)`: whether a resource or element meets a profile."""
    [url_of] = arguments

    def run(env: Environment, this: Nodes, nodes: Nodes) -> Nodes:
        node, url = single(nodes, "conformsTo"), text_of(url_of(env, this), "conformsTo")
        if node is None or url is None:
            return []
        ask = env.services.conforms_to
        found = ask(_named(node), node[1], url) if ask else None
        return boolean(_of_shipped(model, node, url) if found is None else found)

    return run


def _of_shipped(model: Model, node: Node, url: str) -> bool:
    """Type against type: a node of the type model has the type that it has."""
    name = url.partition("|")[0].removeprefix(PROFILE)
    if name in model.definitions.types and name != url:
        return model.is_a(node[0], name)
    raise FHIRPathError(f"conformsTo: the profile {url!r} is not known")


def html_checks(_: Model, __: tuple[Evaluator, ...]) -> Closure:
    """`htmlChecks()`: whether a narrative keeps to the rules; empty for what is none."""

    def run(env: Environment, this: Nodes, nodes: Nodes) -> Nodes:
        node = single(nodes, "htmlChecks")
        if node is None or node[0] != "xhtml" or node[1] is None:
            return []
        if env.services.html_checks is None:
            raise FHIRPathError("htmlChecks() needs a checker of narrative to be handed in")
        return boolean(env.services.html_checks(node[1]))

    return run


def check_modifiers(_: Model, arguments: tuple[Evaluator, ...]) -> Closure:
    """`checkModifiers(url…)`: the input, if it has no other modifier extensions; else an error."""

    def run(env: Environment, this: Nodes, nodes: Nodes) -> Nodes:
        known = {text_of(each(env, this), "checkModifiers") for each in arguments}
        for node in nodes:
            for each in (source_of(node) or {}).get("modifierExtension") or ():
                if (url := _url(each)) not in known:
                    raise FHIRPathError(f"checkModifiers: {url!r} is not a known modifier")
        return nodes

    return run


def _url(extension: Any) -> Any:
    return extension.get("url") if isinstance(extension, dict) else None


def trace(_: Model, arguments: tuple[Evaluator, ...]) -> Closure:
    """`trace(name, projection)`: the input; what the projection gives on it is logged."""
    name_of, *projection = arguments

    def run(env: Environment, this: Nodes, nodes: Nodes) -> Nodes:
        if env.services.trace is not None:
            seen = [each for node in nodes for each in _shown(env, node, projection)]
            name = text_of(name_of(env, this), "trace") or ""
            env.services.trace(name, [(_named(each), each[1]) for each in seen])
        return nodes

    return run


def _shown(env: Environment, node: Node, projection: list[Evaluator]) -> Nodes:
    return projection[0](env, [node]) if projection else [node]


FUNCTIONS: dict[str, Function] = {
    "memberOf": Function(member_of, (1, 1), BOOLEAN),
    "subsumes": subsumption("subsumes", is_above=True),
    "subsumedBy": subsumption("subsumedBy", is_above=False),
    "conformsTo": Function(conforms_to, (1, 1), BOOLEAN),
    "htmlChecks": Function(html_checks, (0, 0), BOOLEAN),
    "checkModifiers": Function(check_modifiers, (0, 100), SAME),
    "trace": Function(trace, (1, 2), SAME, on_each=True),
}
