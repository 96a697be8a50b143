"""Extents: sets of codes by system, told by naming them or by naming what is left out.

A system without content (LOINC, say, where only its name is known) can be meant as a whole: sets
of both kinds are closed under union, intersection and difference, and nothing is enumerated.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

Ordered = dict[str, None]
"""Codes, as keys in the order of definition."""


@dataclass(frozen=True, slots=True)
class Part:
    """Codes of one system: those named, or with `all_but` all the others."""

    codes: Ordered = field(default_factory=dict)
    all_but: bool = False

    def __contains__(self, code: str) -> bool:
        """Whether a code is meant."""
        return (code in self.codes) != self.all_but

    def __bool__(self) -> bool:
        """Whether any code is meant."""
        return self.all_but or bool(self.codes)


NONE = Part()
WHOLE = Part(all_but=True)

Extent = Mapping[str, Part]
"""System -> its codes; a system that is not there has none."""


def named(system: str, codes: Iterator[str] | list[str] | Ordered) -> Extent:
    """Return the extent of some codes of one system."""
    return {system: Part(dict.fromkeys(codes))}


def union(one: Extent, other: Extent) -> Extent:
    """Return what is in either.

    >>> union(named("s", ["a"]), named("s", ["b"]))["s"].codes
    {'a': None, 'b': None}
    """
    systems = dict.fromkeys((*one, *other))
    return _kept({each: _union(one.get(each, NONE), other.get(each, NONE)) for each in systems})


def intersection(one: Extent, other: Extent) -> Extent:
    """Return what is in both, in the order of the first."""
    return _kept({each: _common(part, other.get(each, NONE)) for each, part in one.items()})


def difference(one: Extent, other: Extent) -> Extent:
    """Return what is in the first and not in the second."""
    return _kept(
        {each: _common(part, _negated(other.get(each, NONE))) for each, part in one.items()}
    )


def size(extent: Extent) -> int:
    """Return how many codes are named."""
    return sum(len(part.codes) for part in extent.values())


def _kept(parts: dict[str, Part]) -> Extent:
    return {system: part for system, part in parts.items() if part}


def _negated(part: Part) -> Part:
    return Part(part.codes, not part.all_but)


def _union(one: Part, other: Part) -> Part:
    if one.all_but or other.all_but:
        return _negated(_common(_negated(one), _negated(other)))
    return Part(one.codes | other.codes)


def _common(one: Part, other: Part) -> Part:
    match one.all_but, other.all_but:
        case True, True:
            return Part(one.codes | other.codes, True)
        case True, False:
            return Part({code: None for code in other.codes if code not in one.codes})
        case _:
            return Part({code: None for code in one.codes if code in other})
