"""FHIRPath compiler: a syntax tree into closures, checked against the R4 type model.

https://hl7.org/fhirpath/N1/, https://hl7.org/fhir/R4/fhirpath.html

Each closure takes the environment and the focus (`$this`) and returns nodes. With each comes what
is known of the types of its result: None where nothing is, else all types that it may have. A name
that none of these types has is an error at once.
"""

from collections.abc import Set
from typing import NamedTuple

from conformance.fhirpath import arithmetic, operators, steps, tree
from conformance.fhirpath.errors import FHIRPathError
from conformance.fhirpath.functions import FUNCTIONS
from conformance.fhirpath.functions.table import ARGUMENTS, BOTH, SAME, Function
from conformance.fhirpath.literals import constant, literal
from conformance.fhirpath.model import RESOURCES, Model
from conformance.fhirpath.nodes import (
    KIND,
    Environment,
    Evaluator,
    Nodes,
)
from conformance.fhirpath.sorting import Key, sorting
from conformance.fhirpath.tree import Tree

Types = frozenset[str] | None

BOOLEAN: Types = frozenset({"System.Boolean"})

_ORDERED = ("first", "last", "tail", "skip", "take")
_UNORDERED = ("children", "descendants")


class Compiled(NamedTuple):
    """A closure and the types of its result."""

    run: Evaluator
    types: Types


class Compiler:
    """Compiles trees for one model; `variables` names what evaluation hands in beside FHIR's.

    Search parameters and invariants of R4 need three things that the specification calls errors:
    a path that begins with another type, which finds nothing; `as` on several items, which filters;
    and an order of children, that of definition. With `strict` they are errors.
    """

    def __init__(
        self, model: Model, variables: Set[str] = frozenset(), *, strict: bool = False
    ) -> None:
        self._model = model
        self._variables = variables
        self._strict = strict

    def compile(  # noqa: PLR0911 - one row for each kind of tree
        self, found: Tree, focus: Types, *, at_root: bool = False
    ) -> Compiled:
        """Compile a tree that is evaluated on nodes of the types given.

        Raises FHIRPathError for a name, function, type or variable that is not known.
        """
        match found:
            case tree.Literal():
                return _constant(literal(found))
            case tree.Variable():
                return self._variable(found, focus)
            case tree.External():
                return self._external(found)
            case tree.Member():
                return self._member(found, focus, at_root=at_root)
            case tree.Call():
                return self._call(found, focus, at_root=at_root)
            case tree.Index():
                return self._index(found, focus, at_root=at_root)
            case tree.Sign():
                return self._sign(found, focus, at_root=at_root)
            case tree.TypeTest():
                return self._type_test(found, focus, at_root=at_root)
            case tree.Binary():
                return self._binary(found, focus, at_root=at_root)

    def _base(self, base: Tree | None, focus: Types, *, at_root: bool) -> Compiled:
        if base is None:
            return Compiled(steps.focus, focus)
        return self.compile(base, focus, at_root=at_root)

    def _variable(self, found: tree.Variable, focus: Types) -> Compiled:
        if found.name == "$this":
            return Compiled(steps.focus, focus)
        if found.name == "$index":
            return Compiled(steps.index_variable, frozenset({"System.Integer"}))
        return Compiled(lambda env, _: env.total, None)

    def _external(self, found: tree.External) -> Compiled:
        name = found.name
        known = constant(name)
        if known is not None:
            return _constant([known])
        if name in ("resource", "rootResource", "context"):
            model = self._model
            key = name

            def run(env: Environment, _: Nodes) -> Nodes:
                return env.variables.get(key) or [model.root(env.resource)]

            return Compiled(run, None)
        if name in self._variables:
            return Compiled(lambda env, _: env.variables.get(name, []), None)
        raise FHIRPathError(f"%{name} is not known", found.at)

    def _member(
        self, found: tree.Member, focus: Types, *, at_root: bool, only: str = ""
    ) -> Compiled:
        if found.base is None and at_root and self._names_type(found.name, focus):
            narrowed = self._narrowed(Compiled(steps.focus, focus), found.name)
            if self._strict and narrowed.types == frozenset():
                raise FHIRPathError(f"{found.name} is not the type of the context", found.at)
            return narrowed
        base = self._base(found.base, focus, at_root=at_root)
        if found.name == "value" and self._may_be_primitive(base.types):
            return Compiled(steps.value_step(base.run, self._model), self._values(base.types))
        if base.types is None or base.types & {*RESOURCES}:
            return Compiled(steps.dynamic_step(base.run, found.name, self._model), None)
        if not base.types:
            return Compiled(steps.nothing, frozenset())
        if not any(self._model.readers(name, found.name) for name in base.types):
            types = ", ".join(sorted(base.types))
            raise FHIRPathError(f"{types} has no element {found.name!r}", found.at)
        readers = self._readers(base.types, found.name, only)
        result = frozenset(name for each in readers.values() for name, _ in each)
        return Compiled(steps.step(base.run, readers), result)

    def _may_be_primitive(self, types: Types) -> bool:
        return types is None or any(self._model.is_primitive(name) for name in types)

    def _values(self, types: Types) -> Types:
        """The types of the values of primitives; where there may be others, nothing is known."""
        if types is None or not all(self._model.is_primitive(name) for name in types):
            return None
        return frozenset(f"System.{KIND[name]}" for name in types)

    def _names_type(self, name: str, focus: Types) -> bool:
        """Whether a first name is a resource's type rather than an element: `Patient.name`."""
        known = self._model.definitions.types.get(name)
        if known is None or not name[0].isupper():
            return False
        return known.kind == "resource" or focus is None or name in focus

    def _narrowed(self, base: Compiled, wanted: str) -> Compiled:
        """The nodes of `base` that are of a type, its types narrowed likewise."""
        if wanted.startswith("System."):
            return self._narrowed_to_system(base, wanted)
        is_a = self._model.is_exactly if self._model.is_primitive(wanted) else self._model.is_a
        if base.types is None:
            types: Types = None if wanted in RESOURCES else frozenset({wanted})
            return Compiled(steps.of_type(base.run, wanted, self._model), types)
        if base.types and all(is_a(name, wanted) for name in base.types):
            return base
        kept = frozenset(name for name in base.types if is_a(name, wanted))
        if any(is_a(wanted, name) for name in base.types if name not in kept):
            kept |= {wanted}
        run = steps.of_type(base.run, wanted, self._model) if kept else steps.nothing
        return Compiled(run, kept)

    def _narrowed_to_system(self, base: Compiled, wanted: str) -> Compiled:
        known = base.types is not None and not any(
            name == wanted or self._model.converts_to(name, wanted) for name in base.types
        )
        if known:
            return Compiled(steps.nothing, frozenset())
        return Compiled(steps.of_type(base.run, wanted, self._model), frozenset({wanted}))

    def _readers(self, types: frozenset[str], element: str, only: str) -> steps.Steps:
        is_a = self._model.is_a
        return {
            name: tuple(
                (each, reader)
                for each, reader in self._model.readers(name, element)
                if not only or each in RESOURCES or is_a(each, only)
            )
            for name in types
        }

    def _sort(self, found: tree.Call, focus: Types, *, at_root: bool) -> Compiled:
        base = self._base(found.base, focus, at_root=at_root)
        keys = [self._key(each, base.types) for each in found.arguments] or [Key(steps.focus)]
        return Compiled(sorting(base.run, keys), base.types)

    def _key(self, found: Tree, types: Types) -> Key:
        if isinstance(found, tree.Sign) and found.operator != "+":
            return Key(self.compile(found.operand, types).run, found.operator)
        return Key(self.compile(found, types).run)

    def _call(self, found: tree.Call, focus: Types, *, at_root: bool) -> Compiled:
        if found.name == "sort":
            return self._sort(found, focus, at_root=at_root)
        function = FUNCTIONS.get(found.name)
        if function is None:
            raise FHIRPathError(f"{found.name}() is not a known function", found.at)
        fewest, most = function.arity
        if not fewest <= len(found.arguments) <= most:
            expected = str(fewest) if fewest == most else f"{fewest} to {most}"
            raise FHIRPathError(
                f"{found.name}() has {len(found.arguments)} arguments, expected {expected}",
                found.at,
            )
        if found.name in _ORDERED:
            self._demand_order(found.base, found.at)
        base = self._base(found.base, focus, at_root=at_root)
        scope = base.types if function.on_each and found.base is not None else focus
        arguments = [
            self.compile(each, scope, at_root=at_root and scope is focus)
            for each in found.arguments
        ]
        closure = function.make(self._model, tuple(each.run for each in arguments))
        run = steps.called(base.run, closure)
        return Compiled(run, _result(function, base.types, [each.types for each in arguments]))

    def _index(self, found: tree.Index, focus: Types, *, at_root: bool) -> Compiled:
        self._demand_order(found.base, found.at)
        base = self._base(found.base, focus, at_root=at_root)
        index = self.compile(found.index, focus)
        return Compiled(steps.at(base.run, index.run), base.types)

    def _demand_order(self, base: Tree | None, at: int) -> None:
        if self._strict and isinstance(base, tree.Call) and base.name in _UNORDERED:
            raise FHIRPathError(f"the order of {base.name}() is undefined", at)

    def _sign(self, found: tree.Sign, focus: Types, *, at_root: bool) -> Compiled:
        operand = self.compile(found.operand, focus, at_root=at_root)
        run = operand.run
        if found.operator == "-":
            return Compiled(lambda env, this: arithmetic.negate(run(env, this)), operand.types)
        return Compiled(lambda env, this: arithmetic.plus(run(env, this)), operand.types)

    def _type_test(self, found: tree.TypeTest, focus: Types, *, at_root: bool) -> Compiled:
        wanted = self._model.type_named(found.type, found.at)
        operand = found.operand
        if found.operator == "is":
            base = self._base(operand, focus, at_root=at_root)
            return Compiled(steps.is_type(base.run, wanted, self._model), BOOLEAN)
        # R4 search parameters need `as` to mean ofType on collections.
        if isinstance(operand, tree.Member) and not wanted.startswith("System."):
            base = self._member(operand, focus, at_root=at_root, only=wanted)
        else:
            base = self._base(operand, focus, at_root=at_root)
        if self._strict and found.operator == "as":
            base = base._replace(run=steps.only(base.run, "as"))
        return self._narrowed(base, wanted)

    def _binary(self, found: tree.Binary, focus: Types, *, at_root: bool) -> Compiled:
        left = self.compile(found.left, focus, at_root=at_root)
        right = self.compile(found.right, focus, at_root=at_root)
        closure = operators.OPERATORS[found.operator](left.run, right.run)
        if found.operator == "|":
            return Compiled(closure, _together(left.types, right.types))
        return Compiled(closure, BOOLEAN if found.operator in operators.BOOLEAN_RESULT else None)


def _constant(nodes: Nodes) -> Compiled:
    return Compiled(lambda _, __: nodes, frozenset(type_name for type_name, _, _ in nodes))


def _result(function: Function, base: Types, arguments: list[Types]) -> Types:
    if function.result == SAME:
        return base
    if function.result == ARGUMENTS:
        return _together(*arguments)
    if function.result == BOTH:
        return _together(base, *arguments)
    return frozenset({function.result}) if function.result else None


def _together(*every: Types) -> Types:
    """All types of several results; nothing is known where nothing is known of one of them."""
    if any(each is None for each in every):
        return None
    return frozenset(name for each in every for name in each or ())
