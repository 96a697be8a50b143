"""The steps of extraction: what each parameter of a type finds in a resource, and its entries.

https://hl7.org/fhir/R4/search.html#combining

Many parameters find the same elements (`code`, and the composites that it is a part of): the
entries of an element are made once, for a parameter without a name; each puts its own before them.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from conformance.fhirpath import FHIRPathError
from conformance.fhirpath.nodes import FHIR_NAME, Environment, Evaluator
from conformance.fhirpath.nodes import Node as PathNode
from fhir_server.model import Entry
from fhir_server.search import quantity

Make = Callable[[str, str, Any], Iterable[Entry]]
"""Makes entries of a parameter's name, a FHIR type and a value; all their names begin with it."""


class Work:
    """The extraction of one resource, and the entries of elements that it has made so far."""

    def __init__(self, whole: dict[str, Any]) -> None:
        """Take what FHIRPath has for its root: of a contained resource its container."""
        self.environment = Environment(whole)
        self._made: dict[tuple[Make, str, int], tuple[Any, list[Entry]]] = {}

    def entries(self, make: Make, node: PathNode) -> list[Entry]:
        """Return the entries of an element under no name; none of a primitive without a value."""
        type_name, value, _ = node
        key = (make, type_name, id(value))
        if key not in self._made:  # the value is kept too: while it is there, its id is its own
            fhir_type = FHIR_NAME.get(type_name, type_name)
            made = [] if value is None else list(make("", fhir_type, value))
            self._made[key] = value, made
        return self._made[key][1]


@dataclass(frozen=True, slots=True)
class Part:
    """What makes the entries of one parameter, or of one component of a composite."""

    param: str
    run: Evaluator
    make: Make
    canonical: str = ""

    def found(self, work: Work, node: PathNode) -> list[Entry]:
        """Return the entries of all that is found from a node on, under no name."""
        nodes = self.run(work.environment, [node])
        return [entry for each in nodes for entry in work.entries(self.make, each)]

    def entries(self, work: Work, node: PathNode) -> list[Entry]:
        """Return the entries of all that is found from a node on."""
        param = self.param
        return [Entry(param + suffix, v, w, u) for suffix, v, w, u, *_ in self.found(work, node)]

    def bare(self, work: Work, node: PathNode, group: int) -> list[Entry]:
        """As `entries`, without those that only a modifier looks at: a composite takes none.

        A quantity in base units becomes the part `canonical`, behind all others.
        """
        found = self.found(work, node)
        bare = [Entry(self.param, e.v, e.w, e.u, group) for e in found if not e.param]
        if self.canonical:
            counted = (e for e in found if quantity.is_counted(e))
            bare += (Entry(self.canonical, e.v, e.w, e.u, group) for e in counted)
        return bare


@dataclass(frozen=True, slots=True)
class Step:
    """One parameter of a type; without any of the `properties` it finds nothing."""

    kind: str
    properties: frozenset[str] | None
    part: Part
    components: tuple[Part, ...] = ()

    def entries(self, work: Work, root: PathNode) -> list[Entry]:
        """Return the entries of the parameter; what comes from one place shares a group."""
        if not self.components:
            return self.part.entries(work, root)
        found: list[Entry] = []
        for group, node in enumerate(self.part.run(work.environment, [root]), 1):
            found += self._in_one_place(work, node, group)
        return found

    def _in_one_place(self, work: Work, node: PathNode, group: int) -> list[Entry]:
        """Return the entries of a composite's parts, if it has all of them."""
        found: list[Entry] = []
        for each in reversed(self.components):  # what is most often lacking is the last
            part = each.bare(work, node, group)
            if not part:
                return []
            found = part + found
        return found


def entries_of(
    resource: dict[str, Any], steps: Iterable[Step], container: dict[str, Any] | None = None
) -> list[Entry]:
    """Return what the steps find in a resource; a parameter that cannot be evaluated finds nothing.

    `container` is what a contained resource is contained in.
    """
    work = Work(container or resource)
    root = (resource["resourceType"], resource, None)
    present = resource.keys()
    found: list[Entry] = []
    for step in steps:
        if step.properties is None or not step.properties.isdisjoint(present):
            try:
                found += step.entries(work, root)
            except (FHIRPathError, RecursionError):
                continue
    return found
