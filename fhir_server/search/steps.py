"""The steps of extraction: what each parameter of a type finds in a resource, and its entries.

https://hl7.org/fhir/R4/search.html#combining

Many parameters find the same elements (`code`, `combo-code`, composites of both): the entries of an
element are made once, for a parameter without a name, and each parameter puts its name before them.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any

from conformance.fhirpath import FHIRPathError
from conformance.fhirpath.expression import values
from conformance.fhirpath.nodes import Environment, Evaluator
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

    def entries(self, make: Make, fhir_type: str, value: Any) -> list[Entry]:
        """Return the entries of an element under no name."""
        key = (make, fhir_type, id(value))
        if key not in self._made:  # the value is kept too: while it is there, its id is its own
            self._made[key] = value, list(make("", fhir_type, value))
        return self._made[key][1]


@dataclass(frozen=True, slots=True)
class Part:
    """What makes the entries of one parameter, or of one component of a composite."""

    param: str
    run: Evaluator
    make: Make
    canonical: str = ""

    def entries(self, work: Work, node: PathNode) -> Iterator[Entry]:
        """Yield the entries of all that is found from a node on."""
        for fhir_type, value in values(self.run(work.environment, [node])):
            for suffix, v, w, u, group, path in work.entries(self.make, fhir_type, value):
                yield Entry(self.param + suffix, v, w, u, group, path)

    def bare(self, work: Work, node: PathNode, group: int) -> list[Entry]:
        """As `entries`, without those that only a modifier looks at: a composite takes none.

        A quantity in base units becomes the part `canonical`, behind all others.
        """
        found = [
            entry
            for fhir_type, value in values(self.run(work.environment, [node]))
            for entry in work.entries(self.make, fhir_type, value)
        ]
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

    def entries(self, work: Work, root: PathNode) -> Iterator[Entry]:
        """Yield the entries of the parameter; what comes from one place shares a group."""
        if not self.components:
            yield from self.part.entries(work, root)
            return
        for group, node in enumerate(self.part.run(work.environment, [root]), 1):
            parts = [each.bare(work, node, group) for each in self.components]
            if all(parts):
                yield from chain(*parts)


def entries_of(
    resource: dict[str, Any], steps: Iterable[Step], container: dict[str, Any] | None = None
) -> Iterator[Entry]:
    """Yield what the steps find in a resource; a parameter that cannot be evaluated finds nothing.

    `container` is what a contained resource is contained in.
    """
    work = Work(container or resource)
    root = (resource["resourceType"], resource, None)
    present = resource.keys()
    for step in steps:
        if step.properties is None or not step.properties.isdisjoint(present):
            try:
                found = list(step.entries(work, root))
            except (FHIRPathError, RecursionError):
                continue
            yield from found
