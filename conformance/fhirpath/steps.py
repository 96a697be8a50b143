"""Steps: the closures that a compiled path is made of."""

from collections.abc import Callable

from conformance.fhirpath.errors import FHIRPathError
from conformance.fhirpath.model import Model, Reader, source_of
from conformance.fhirpath.nodes import (
    KIND,
    Environment,
    Evaluator,
    Node,
    Nodes,
    boolean,
    integer,
    integer_of,
    single,
)

Steps = dict[str, tuple[tuple[str, Reader], ...]]  # type -> the readers of an element


def focus(_: Environment, this: Nodes) -> Nodes:
    """`$this`."""
    return this


def index_variable(env: Environment, _: Nodes) -> Nodes:
    """`$index`."""
    return [integer(env.index)]


def nothing(_: Environment, __: Nodes) -> Nodes:
    """What is known to be empty."""
    return []


def called(base: Evaluator, closure: Callable[[Environment, Nodes, Nodes], Nodes]) -> Evaluator:
    """A function on what its base gives."""
    return lambda env, this: closure(env, this, base(env, this))


def step(base: Evaluator, steps: Steps) -> Evaluator:
    """One step down a path, where the types are known."""
    by_type = {name: [reader for _, reader in readers] for name, readers in steps.items()}
    readers = [reader for found in by_type.values() for reader in found]
    if len(by_type) == 1 and len(readers) == 1:
        return _single_step(base, readers[0])

    def run(env: Environment, this: Nodes) -> Nodes:
        found: Nodes = []
        for node in base(env, this):
            source = source_of(node)
            if source is not None:
                for read in by_type.get(node[0], ()):
                    read(source, found)
        return found

    return run


def _single_step(base: Evaluator, read: Reader) -> Evaluator:
    def run(env: Environment, this: Nodes) -> Nodes:
        found: Nodes = []
        for _, value, extra in base(env, this):
            source = value if value.__class__ is dict else extra
            if source.__class__ is dict:
                read(source, found)
        return found

    return run


def dynamic_step(base: Evaluator, element: str, model: Model) -> Evaluator:
    """One step down a path, where the types are known only when a node is there."""

    def run(env: Environment, this: Nodes) -> Nodes:
        found: Nodes = []
        for node in base(env, this):
            source = source_of(node)
            if source is not None:
                for _, read in model.readers(node[0], element):
                    read(source, found)
        return found

    return run


def value_step(base: Evaluator, model: Model) -> Evaluator:
    """`.value`, where there may be primitives: of those, the value as a System type."""

    def run(env: Environment, this: Nodes) -> Nodes:
        found: Nodes = []
        for node in base(env, this):
            if model.is_primitive(node[0]):
                found += system_value(node)
            elif (source := source_of(node)) is not None:
                for _, read in model.readers(node[0], "value"):
                    read(source, found)
        return found

    return run


def system_value(node: Node) -> Nodes:
    """The value of a primitive as a System type; nothing of one that has extensions only."""
    return [] if node[1] is None else [(f"System.{KIND[node[0]]}", node[1], None)]


def of_type(base: Evaluator, wanted: str, model: Model) -> Evaluator:
    """The nodes of a type; where that is a System type, primitives are converted to it."""
    if wanted.startswith("System."):
        return _of_system_type(base, wanted, model)
    is_a = model.is_exactly if model.is_primitive(wanted) else model.is_a
    return lambda env, this: [node for node in base(env, this) if is_a(node[0], wanted)]


def _of_system_type(base: Evaluator, wanted: str, model: Model) -> Evaluator:
    def run(env: Environment, this: Nodes) -> Nodes:
        found: Nodes = []
        for node in base(env, this):
            if node[0] == wanted:
                found.append(node)
            elif model.converts_to(node[0], wanted):
                found += system_value(node)
        return found

    return run


def only(base: Evaluator, what: str) -> Evaluator:
    """What a base gives, where that is one item at most; else an error."""

    def run(env: Environment, this: Nodes) -> Nodes:
        nodes = base(env, this)
        single(nodes, what)
        return nodes

    return run


def is_type(base: Evaluator, wanted: str, model: Model) -> Evaluator:
    """Whether the only node is of a type."""

    def run(env: Environment, this: Nodes) -> Nodes:
        nodes = base(env, this)
        if len(nodes) > 1:
            raise FHIRPathError(f"is: expected one item, found {len(nodes)}")
        return boolean(model.is_a(nodes[0][0], wanted) if nodes else None)

    return run


def at(base: Evaluator, index: Evaluator) -> Evaluator:
    """The item at an index; none outside."""

    def run(env: Environment, this: Nodes) -> Nodes:
        position = integer_of(index(env, this), "index")
        if position is None or position < 0:
            return []
        return base(env, this)[position : position + 1]

    return run
