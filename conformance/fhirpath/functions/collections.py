"""Existence, filtering and projection, subsetting, combining.

https://hl7.org/fhirpath/N1/#existence
"""

from collections.abc import Callable, Iterator

from conformance.fhirpath.equality import Bag, distinct
from conformance.fhirpath.errors import FHIRPathError
from conformance.fhirpath.functions.table import (
    ANY,
    ARGUMENTS,
    BOTH,
    SAME,
    Closure,
    Function,
    each_item,
    evaluated,
    simple,
    with_values,
)
from conformance.fhirpath.model import Model
from conformance.fhirpath.nodes import (
    Environment,
    Evaluator,
    Node,
    Nodes,
    boolean,
    integer,
    integer_of,
    kind,
    single,
    truth,
)
from conformance.fhirpath.operators import union

Items = Iterator[tuple[Node, Nodes]]

BOOLEAN = "System.Boolean"
MOST_NODES = 1_000_000
MAX_ITEMS = 10_000  # of a repeat() that does not end by itself


def where(items: Items) -> Nodes:
    """The items on which the criterion is true."""
    return [node for node, found in items if truth(found, "where")]


def exists(items: Items) -> Nodes:
    """Whether there is an item, or one on which the criterion is true."""
    return boolean(any(found and truth(found, "exists") for _, found in items))


def exists_any(nodes: Nodes) -> Nodes:
    """Whether there is an item."""
    return boolean(bool(nodes))


def make_exists(model: Model, arguments: tuple[Evaluator, ...]) -> Closure:
    """`exists()` and `exists(criterion)`."""
    if not arguments:
        return lambda env, this, nodes: exists_any(nodes)
    return each_item(exists, BOOLEAN).make(model, arguments)


def every(items: Items) -> Nodes:
    """Whether the criterion is true on all items."""
    return boolean(all(truth(found, "all") for _, found in items))


def select(items: Items) -> Nodes:
    """What the projection gives on all items."""
    selected: Nodes = []
    for _, found in items:
        selected += found
        bounded(selected, "select")
    return selected


def combine(nodes: Nodes, other: Nodes) -> Nodes:
    """All items of both, with repetition."""
    return bounded(nodes + other, "combine")


def bounded(nodes: Nodes, name: str) -> Nodes:
    """The nodes; raises FHIRPathError for an unreasonable number."""
    if len(nodes) > MOST_NODES:
        raise FHIRPathError(f"{name}: more than {MOST_NODES} items")
    return nodes


def of_booleans(name: str, decide: Callable[[list[bool]], bool]) -> Function:
    """`allTrue` and its kin; items that are not booleans are an error."""

    def operate(nodes: Nodes) -> Nodes:
        for node in nodes:
            if not isinstance(node[1], bool):
                raise FHIRPathError(f"{name}: expected booleans, found {node[0]}")
        return boolean(decide([node[1] for node in nodes]))

    return simple(operate, BOOLEAN)


def repeat(model: Model, arguments: tuple[Evaluator, ...]) -> Closure:
    """`repeat(projection)`: what the projection gives, and again on that, without repetition."""
    [projection] = arguments

    def run(env: Environment, this: Nodes, nodes: Nodes) -> Nodes:
        found: Nodes = []
        bag = Bag()
        todo = nodes
        while todo:
            new = [node for _, given in evaluated(projection, env, todo) for node in given]
            todo = [node for node in new if bag.add(node)]
            found += todo
            if len(found) > MAX_ITEMS:
                raise FHIRPathError(f"repeat: more than {MAX_ITEMS} items")
        return found

    return run


def only(nodes: Nodes) -> Nodes:
    """`single()`: the only item; several are an error."""
    single(nodes, "single")
    return nodes


def take(nodes: Nodes, count: Nodes) -> Nodes:
    """The first items."""
    number = integer_of(count, "take")
    return nodes[: max(number, 0)] if number is not None else []


def skip(nodes: Nodes, count: Nodes) -> Nodes:
    """All but the first items."""
    number = integer_of(count, "skip")
    return nodes[max(number, 0) :] if number is not None else []


def intersect(nodes: Nodes, other: Nodes) -> Nodes:
    """The items that are in both, without repetition."""
    bag = Bag(other)
    return distinct([node for node in nodes if node in bag])


def exclude(nodes: Nodes, other: Nodes) -> Nodes:
    """The items that are not in the other collection."""
    bag = Bag(other)
    return [node for node in nodes if node not in bag]


def subset(nodes: Nodes, other: Nodes) -> Nodes:
    """Whether all items are in the other collection."""
    bag = Bag(other)
    return boolean(all(node in bag for node in nodes))


def aggregate(model: Model, arguments: tuple[Evaluator, ...]) -> Closure:
    """`aggregate(aggregator, init)`: `$total` is carried from item to item."""
    aggregator, *rest = arguments

    def run(env: Environment, this: Nodes, nodes: Nodes) -> Nodes:
        outer, index = env.total, env.index
        env.total = rest[0](env, this) if rest else []
        for env.index, node in enumerate(nodes):
            env.total = aggregator(env, [node])
        env.total, env.index, total = outer, index, env.total
        return total

    return run


def iif(model: Model, arguments: tuple[Evaluator, ...]) -> Closure:
    """`iif(criterion, true-result, otherwise-result)`: only the branch needed is evaluated."""
    criterion, positive, *rest = arguments

    def run(env: Environment, this: Nodes, nodes: Nodes) -> Nodes:
        if len(nodes) > 1:
            raise FHIRPathError(f"iif: expected at most one item, found {len(nodes)}")
        found = single(criterion(env, nodes), "iif")
        if found is not None and kind(found) != "Boolean":
            raise FHIRPathError(f"iif: expected a boolean, found {found[0]}")
        if found is not None and found[1]:
            return positive(env, nodes)
        return rest[0](env, nodes) if rest else []

    return run


FUNCTIONS: dict[str, Function] = {
    "empty": simple(lambda nodes: boolean(not nodes), BOOLEAN),
    "exists": Function(make_exists, (0, 1), BOOLEAN, on_each=True),
    "all": each_item(every, BOOLEAN),
    "allTrue": of_booleans("allTrue", all),
    "anyTrue": of_booleans("anyTrue", any),
    "allFalse": of_booleans("allFalse", lambda values: not any(values)),
    "anyFalse": of_booleans("anyFalse", lambda values: not all(values)),
    "subsetOf": with_values(subset, BOOLEAN, 1),
    "supersetOf": with_values(lambda nodes, other: subset(other, nodes), BOOLEAN, 1),
    "count": simple(lambda nodes: [integer(len(nodes))], "System.Integer"),
    "distinct": simple(distinct, SAME),
    "isDistinct": simple(lambda nodes: boolean(len(distinct(nodes)) == len(nodes)), BOOLEAN),
    "where": each_item(where, SAME),
    "select": each_item(select, ARGUMENTS),
    "repeat": Function(repeat, (1, 1), ANY, on_each=True),
    "single": simple(only, SAME),
    "first": simple(lambda nodes: nodes[:1], SAME),
    "last": simple(lambda nodes: nodes[-1:], SAME),
    "tail": simple(lambda nodes: nodes[1:], SAME),
    "skip": with_values(skip, SAME, 1),
    "take": with_values(take, SAME, 1),
    "intersect": with_values(intersect, SAME, 1),
    "exclude": with_values(exclude, SAME, 1),
    "union": with_values(union, BOTH, 1),
    "combine": with_values(combine, BOTH, 1),
    "aggregate": Function(aggregate, (1, 2), ANY, on_each=True),
    "iif": Function(iif, (2, 3), ANY, on_each=True),
}
