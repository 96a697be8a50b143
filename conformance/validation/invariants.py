"""Invariants: rules in FHIRPath, compiled once, evaluated on objects of their type.

https://hl7.org/fhir/R4/conformance-rules.html#constraints

An invariant holds where its expression is true. Of some, an empty result means that there is
nothing to compare, or that what is there cannot be compared: these hold then as well.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from conformance.definitions import Definitions, Element, Invariant
from conformance.fhirpath import FHIRPathError
from conformance.fhirpath import tree as syntax
from conformance.fhirpath.expression import compile_with
from conformance.fhirpath.model import Model
from conformance.fhirpath.nodes import NO_SERVICES, Environment, Evaluator, Services, truth
from conformance.fhirpath.parser import parse
from conformance.fhirpath.tree import Tree
from conformance.validation.faults import Check, Fault, Faults, under, warning

Json = dict[str, Any]
Resolve = Callable[[str], Json | None]

# Checked by the closures of the structure, of contained resources and of narrative.
BUILT_IN = frozenset(
    {"ele-1", "ext-1", "dom-2", "dom-3", "dom-4", "dom-5", "ref-1", "txt-1", "txt-2"}
)

# What these compare may be absent, or of different precision or unit (a start in a minute, and an
# end on the same day). So may the names of `xxx-0`.
UNDECIDED = frozenset({"bdl-8", "inv-1", "md-1", "mdd-1", "per-1", "ras-2", "rng-2"})

# On an element that the type does not have.
MEANINGLESS = frozenset({"cid-0"})

# Advice, not a defect: told only where it is asked for.
BEST_PRACTICE = frozenset({"dom-6"})

_NAME = "name.empty() or name.matches('^[A-Z]([A-Za-z0-9_]){0,254}$')"
_PATH = r"[^\\s.,:;\\\\\'\"\/|?!@#$%&*()\\[\\]{}]{1,64}"

# Published expressions that do not say what the words of their rule say.
CORRECTED = {
    "name.matches('[A-Z]([A-Za-z0-9_]){0,254}')": _NAME,
    "category.select($this='problem-list-item')": "category.coding.where(code='problem-list-item')",
    "operator = 'exists' implies (answer is Boolean)": (
        "operator = 'exists' implies (answer is boolean)"
    ),
    "enableWhen.count() > 2 implies enableBehavior.exists()": (
        "enableWhen.count() > 1 implies enableBehavior.exists()"
    ),
    "offset.empty() or (when.exists() and ((when in ('C' | 'CM' | 'CD' | 'CV')).not()))": (
        "offset.empty() or (when.exists() and"
        " when.where($this in ('C' | 'CM' | 'CD' | 'CV')).empty())"
    ),
}
_BY_KEY = {
    "eld-19": rf"path.matches('^{_PATH}(\\.{_PATH}(\\[x\\])?(:[^\\s.]+)?)*$')",
    "eld-20": r"path.matches('^[A-Za-z][A-Za-z0-9]*(\\.[a-z][A-Za-z0-9]*(\\[x\\])?)*$')",
}


class Rule(NamedTuple):
    """A check of an object as a whole, needed where it has one of the `keys`; None: always.

    `reads` are the properties on which it depends; None where that is not known.
    """

    keys: frozenset[str] | None
    check: Check
    reads: frozenset[str] | None = None


class Invariants:
    """Compiles the invariants of one set of definitions."""

    def __init__(
        self, definitions: Definitions, *, warnings: bool = True, best_practice: bool = False
    ) -> None:
        self._definitions = definitions
        self._model = Model(definitions)
        unwanted = MEANINGLESS if best_practice else MEANINGLESS | BEST_PRACTICE
        self._without = BUILT_IN | unwanted
        self._warnings = warnings

    def is_wanted(self, invariant: Invariant) -> bool:
        """Whether an invariant is checked: not elsewhere, and not if nobody asked for warnings."""
        is_told = self._warnings or invariant.severity == "error"
        return is_told and invariant.key not in self._without

    def of_type(self, name: str) -> Iterator[Rule]:
        """The rules of a type, inherited ones included; those of a resource's parts that ask for
        the resource itself are the resource's."""
        for each in self._definitions.invariants(name):
            if self.is_wanted(each) and ("." not in name or not asks_resource(each)):
                yield self.rule(each, [name])
        if self._definitions.is_resource_type(name):
            for part, each in self._asking_parts(name):
                rule = self.rule(each, [part])
                yield Rule(None, _hoisted(part.split(".")[1:], rule.check))

    def _asking_parts(self, name: str) -> Iterator[tuple[str, Invariant]]:
        for part, definition in self._definitions.types.items():
            if part.startswith(name + "."):
                for each in definition.invariants:
                    if asks_resource(each):
                        yield part, each

    def of_element(self, element: Element, type_name: str) -> list[Check]:
        """The checks of the invariants that an element has beside those of its type."""
        types = sorted((name for _, name in element.properties()), key=type_name.__ne__)
        wanted = [each for each in element.invariants if self.is_wanted(each)]
        return [self.rule(each, types).check for each in wanted]

    def of_context(self, text: str, type_name: str, value: Any, extension: Any) -> list[Fault]:
        """The fault of an element that does not meet what one of its extensions asks of it."""
        broken = Fault("", "invariant", f"found an extension that is not used here: {text}")
        # Written as in JSON: the element of an extension is `value`.
        text = text.replace("%extension.valueInteger", "%extension.value")

        def holds(value: Any) -> bool:
            compiled = compile_with(self._model, text, [type_name], variables={"extension"})
            node = [(type_name, value, None)]
            given = {"context": node, "extension": [("Extension", extension, None)]}
            return truth(compiled.run(Environment(value, given), node), "invariant") is True

        return _check(holds, broken)(value) or []

    def rule(
        self, invariant: Invariant, types: list[str], services: Services = NO_SERVICES
    ) -> Rule:
        """Compile one invariant for objects of the first type; the others make names known.

        Raises FHIRPathError.
        """
        text = corrected(invariant)
        expression = parse(text)
        run = compile_with(self._model, text, types).run
        is_asking = "memberOf(" in text or "conformsTo(" in text
        if_empty = is_asking or invariant.key in UNDECIDED
        holds = _holds(run, types[0], services, if_empty=if_empty)
        found = Fault("", "invariant", f"{invariant.human} ({invariant.key})")
        if invariant.severity == "warning":
            found = found._replace(severity="warning")
        names = elements_read(expression, types[0])
        if names is None:
            return Rule(None, _check(holds, found))
        keys = frozenset(self._keys(types, names))
        if is_about_presence(expression, types[0]):
            holds = _remembered(holds, keys)
        return Rule(keys if holds({}) else None, _check(holds, found), keys)

    def _keys(self, types: list[str], names: frozenset[str]) -> Iterator[str]:
        """The JSON properties that hold elements of those names."""
        for type_name in types:
            for name, element in self._definitions.elements(type_name).items():
                if name in names:
                    for key, _ in element.properties():
                        yield from (key, "_" + key)


def corrected(invariant: Invariant) -> str:
    """The expression of an invariant, where it is published wrong as its words mean it."""
    text = _BY_KEY.get(invariant.key, invariant.expression)
    for wrong, right in CORRECTED.items():
        text = text.replace(wrong, right)
    return text


def asks_resource(invariant: Invariant) -> bool:
    """Whether an expression needs the resource around the object."""
    return "%resource" in invariant.expression or "%rootResource" in invariant.expression


def _holds(
    run: Evaluator, type_name: str, services: Services, *, if_empty: bool
) -> Callable[..., bool]:
    def holds(value: Any, resource: Json | None = None, resolve: Resolve | None = None) -> bool:
        node = [(type_name, value, None)]
        around = value if resource is None else resource
        env = Environment(around, {"context": node}, resolve=resolve, services=services)
        found = truth(run(env, node), "invariant")
        return if_empty if found is None else found

    return holds


def _check(holds: Callable[..., bool], broken: Fault) -> Check:
    def check(value: Any, *around: Any) -> Faults:
        try:
            return None if holds(value, *around) else [broken]
        except FHIRPathError as error:
            return warning("not-supported", f"{broken.text} cannot be evaluated: {error}")

    return check


def _remembered(holds: Callable[..., bool], keys: frozenset[str]) -> Callable[..., bool]:
    """Remembers the answer for each set of properties that an object has of those read."""
    known: dict[frozenset[str], bool] = {}

    def answer(value: Json, *_: Any) -> bool:
        present = keys.intersection(value)
        found = known.get(present)
        if found is None:
            found = known[present] = holds(value)
        return found

    return answer


def _hoisted(path: list[str], check: Callable[..., Faults]) -> Check:
    """A check of what stands at a path, made by the resource."""

    def check_parts(resource: Json) -> Faults:
        found: list[Fault] = []
        for place, value in at(resource, path):
            found += under(place, check(value, resource) or [])
        return found or None

    return check_parts


def at(value: Any, path: list[str], place: str = "") -> Iterator[tuple[str, Any]]:
    """The objects at a path of plain names, each with its place."""
    if value.__class__ is not dict:
        return
    if not path:
        yield place, value
        return
    name, *rest = path
    below = value.get(name)
    if below.__class__ is list:
        for index, each in enumerate(below):
            yield from at(each, rest, f"{place}.{name}[{index}]")
    else:
        yield from at(below, rest, f"{place}.{name}")


def elements_read(found: Tree | None, type_name: str) -> frozenset[str] | None:
    """The names of the focus' elements on which a result depends; None where that is not known.

    >>> sorted(elements_read(parse("low.exists() or high.value > 1"), "Range") or ())
    ['high', 'low']
    """
    match found:
        case syntax.Literal() | syntax.External(name="ucum"):
            parts: list[Tree | None] = []
        case syntax.Member(base=None, name=name):
            return None if name == type_name else frozenset({name})
        case syntax.Member(base=syntax.Member(base=None, name=first), name=name):
            return frozenset({name if first == type_name else first})
        case syntax.Member(base=base) | syntax.Index(base=base) | syntax.TypeTest(operand=base):
            parts = [base]
        case syntax.Call(base=base, name=name, arguments=arguments):
            if name == "trace" or _asks_around(arguments):
                return None
            parts = [base, *(() if name in _ON_EACH else arguments)]
        case syntax.Binary(left=left, right=right):
            parts = [left, right]
        case _:
            return None
    read = [elements_read(each, type_name) for each in parts]
    if any(each is None for each in read):
        return None
    return frozenset(name for each in read for name in each or ())


_ON_EACH = frozenset({"where", "select", "all", "exists", "repeat"})


def _asks_around(arguments: tuple[Tree, ...]) -> bool:
    """Whether arguments may ask for more than the items that they are evaluated on."""
    return any("External(" in repr(each) for each in arguments)


def is_about_presence(found: Tree | None, type_name: str) -> bool:
    """Whether a result depends only on which elements the focus has.

    >>> is_about_presence(parse("low.exists() or high.empty()"), "Range")
    True
    """
    match found:
        case syntax.Call(base=syntax.Member(base=None), name="exists" | "empty", arguments=()):
            return True
        case syntax.Call(base=base, name="not", arguments=()):
            return is_about_presence(base, type_name)
        case syntax.Binary(
            operator="and" | "or" | "xor" | "implies" | "=" | "!=", left=left, right=right
        ):
            return is_about_presence(left, type_name) and is_about_presence(right, type_name)
        case _:
            return False
