"""What a row of the function table says. https://hl7.org/fhirpath/N1/#functions"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from conformance.fhirpath.model import Model
from conformance.fhirpath.nodes import Environment, Evaluator, Node, Nodes

# (environment, $this, input) -> result
Closure = Callable[[Environment, Nodes, Nodes], Nodes]

SAME = "same"  # the result has the input's types
ARGUMENTS = "arguments"  # the result has the types of the arguments
BOTH = "both"  # the result has the types of the input and the arguments
ANY = ""  # nothing is known of the result's types


class Function(NamedTuple):
    """`make` binds the compiled arguments; `result` is a type, or one of the words above.

    With `on_each`, arguments are evaluated on the items of the input, else on `$this`.
    """

    make: Callable[[Model, tuple[Evaluator, ...]], Closure]
    arity: tuple[int, int]
    result: str
    on_each: bool = False


def simple(operate: Callable[[Nodes], Nodes], result: str) -> Function:
    """A function without arguments that needs its input only."""
    return Function(lambda _, __: lambda env, this, nodes: operate(nodes), (0, 0), result)


def with_values(
    operate: Callable[..., Nodes], result: str, fewest: int, most: int | None = None
) -> Function:
    """A function whose arguments are values: `operate(input, argument…)`, each of them nodes."""

    def make(_: Model, arguments: tuple[Evaluator, ...]) -> Closure:
        return lambda env, this, nodes: operate(nodes, *[each(env, this) for each in arguments])

    return Function(make, (fewest, fewest if most is None else most), result)


def each_item(
    operate: Callable[[Iterator[tuple[Node, Nodes]]], Nodes], result: str, fewest: int = 1
) -> Function:
    """A function with one expression that is evaluated on each item as `$this`, with its `$index`.

    `operate` takes (item, what the expression gives there); without an expression, the item twice.
    """

    def make(_: Model, arguments: tuple[Evaluator, ...]) -> Closure:
        if not arguments:
            return lambda env, this, nodes: operate((node, [node]) for node in nodes)
        [criterion] = arguments
        return lambda env, this, nodes: operate(evaluated(criterion, env, nodes))

    return Function(make, (fewest, 1), result, on_each=True)


def evaluated(criterion: Evaluator, env: Environment, nodes: Nodes) -> Iterator[tuple[Node, Nodes]]:
    """Each item with what an expression gives on it."""
    outer = env.index
    for index, node in enumerate(nodes):
        env.index = index
        yield node, criterion(env, [node])
        env.index = outer
