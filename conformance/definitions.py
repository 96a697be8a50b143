"""Definitions: the R4 types, search parameters, compartments and bound value sets, compiled.

https://hl7.org/fhir/R4/downloads.html (hl7.fhir.r4.core 4.0.1); the tables are made by `build.py`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import msgspec

from conformance.library import Library

DATA = Path(__file__).parent / "data"

Strength = Literal["required", "extensible", "preferred", "example"]
Kind = Literal["primitive-type", "complex-type", "resource", "backbone"]
SearchType = Literal[
    "number", "date", "string", "token", "reference", "composite", "quantity", "uri", "special"
]


class Invariant(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A rule on an element, as FHIRPath that must be true of it; `human` says it in words."""

    key: str
    severity: Literal["error", "warning"]
    human: str
    expression: str


class Binding(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The value set that codes of an element should come from; URLs are without version.

    `maximum` is, beside a weaker binding, the value set that they must come from all the same.
    """

    strength: Strength
    value_set: str
    maximum: str = ""


class Element(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """An element of a type. A choice (`value[x]`) is named without its `[x]`.

    `max` is None where there is no limit. `types` are names in `Definitions.types`; a backbone
    element's type is its path (`Patient.contact`), and a content reference that of the element it
    points to. `targets` holds, for Reference and canonical, the resource types allowed; none named:
    any. `value_set` is the URL of a required binding that `Definitions.value_set` can enumerate.
    `binding` is any binding. `invariants` are those that the element has beside those of its type,
    `profiles` those profiles, by type, of which a value must meet one.
    """

    name: str
    min: int
    max: int | None
    choice: bool
    types: tuple[str, ...]
    targets: dict[str, tuple[str, ...]]
    value_set: str
    flags: int = 0
    binding: Binding | None = None
    invariants: tuple[Invariant, ...] = ()
    profiles: dict[str, tuple[str, ...]] = {}

    def properties(self) -> tuple[tuple[str, str], ...]:
        """The JSON properties that may hold the element, each with the type that it has there.

        >>> Element("deceased", 0, 1, True, ("boolean", "dateTime"), {}, "").properties()
        (('deceasedBoolean', 'boolean'), ('deceasedDateTime', 'dateTime'))
        """
        if not self.choice:
            return ((self.name, self.types[0]),)
        return tuple((self.name + each[0].upper() + each[1:], each) for each in self.types)

    @property
    def many(self) -> bool:
        """Whether the element is an array in JSON."""
        return self.max != 1

    @property
    def is_modifier(self) -> bool:
        """Whether the element changes what the others mean."""
        return bool(self.flags & 1)

    @property
    def is_summary(self) -> bool:
        """Whether the element is part of a summary."""
        return bool(self.flags & 2)


class Type(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A type; `own` lists the elements that its base does not have. `regex` is for primitives.

    `invariants` are those that its base does not have.
    """

    kind: Kind
    base: str
    abstract: bool
    regex: str
    own: tuple[Element, ...]
    invariants: tuple[Invariant, ...]


class SearchParameter(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A search parameter that its FHIRPath `expression` computes from a resource.

    `base` names the types it belongs to, `targets` the types that a reference may point to, and
    `components` the parts of a composite as (code, expression on each result of `expression`).
    """

    code: str
    type: SearchType
    base: tuple[str, ...]
    expression: str
    targets: tuple[str, ...]
    components: tuple[tuple[str, str], ...]
    url: str


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Definitions:
    """All definitions of one FHIR version; `load` makes it, the caller keeps it. It is equal to
    itself alone, so that what is made of it can be kept."""

    types: Mapping[str, Type]
    resource_types: frozenset[str]
    library: Library
    _elements: Mapping[str, Mapping[str, Element]]
    _parameters: Mapping[str, Mapping[str, SearchParameter]]
    _official: Mapping[str, Mapping[str, SearchParameter]]
    _compartments: Mapping[str, Mapping[str, tuple[str, ...]]]
    _value_sets: Mapping[str, Mapping[str, frozenset[str]]]

    def is_resource_type(self, name: str) -> bool:
        """Whether `name` is a concrete resource type."""
        return name in self.resource_types

    def elements(self, type_name: str) -> Mapping[str, Element]:
        """The elements of a type, inherited ones first, by name; KeyError for an unknown type."""
        return self._elements[type_name]

    def ancestry(self, type_name: str) -> tuple[str, ...]:
        """A type and all that it specializes, nearest first.

        >>> load().ancestry("Patient")
        ('Patient', 'DomainResource', 'Resource')
        """
        return _ancestry(self.types, type_name)

    def invariants(self, type_name: str) -> tuple[Invariant, ...]:
        """The rules on all values of a type, inherited ones first; KeyError for an unknown type."""
        bases = reversed(self.ancestry(type_name))
        return tuple(each for base in bases for each in self.types[base].invariants)

    def codes(self, url: str) -> Mapping[str, frozenset[str]]:
        """The codes by system of any value set; none where they cannot be enumerated."""
        known = self._value_sets.get(url.partition("|")[0])
        return self.library.codes(url) if known is None else known

    def search_parameters(self, type_name: str) -> Mapping[str, SearchParameter]:
        """The parameters of a resource type, those of its bases included, by code."""
        return self._parameters[type_name]

    def official_parameters(self, type_name: str) -> Mapping[str, SearchParameter]:
        """Those of them that R4 itself has."""
        return self._official[type_name]

    def extended(self, parameters: Iterable[SearchParameter]) -> "Definitions":
        """The same with more search parameters, which come behind those that are there."""
        more = _by_type(parameters, self.types, self.resource_types)
        both = {
            name: MappingProxyType({**there, **more[name]}) if more[name] else there
            for name, there in self._parameters.items()
        }
        return replace(self, _parameters=both)

    def compartment(self, name: str) -> Mapping[str, tuple[str, ...]]:
        """Type -> codes of the parameters that put a resource into a compartment.

        https://hl7.org/fhir/R4/compartmentdefinition.html. A resource of the compartment's own
        type is a member by itself; KeyError if there is no such compartment.
        """
        return self._compartments[name]

    def value_set(self, url: str) -> Mapping[str, frozenset[str]]:
        """The codes of a value set with a required binding, by system; KeyError if unknown."""
        return self._value_sets[url]


def load(folder: Path = DATA) -> Definitions:
    """Read the compiled tables, by default those shipped with the package."""
    types: dict[str, Type] = _read(folder / "types.json", dict[str, Type])
    resources = (name for name, each in types.items() if each.kind == "resource")
    concrete = frozenset(name for name in resources if not types[name].abstract)
    parameters = _read(folder / "parameters.json", tuple[SearchParameter, ...])
    official = _by_type(parameters, types, concrete)
    return Definitions(
        types=MappingProxyType(types),
        resource_types=concrete,
        library=Library(folder),
        _elements={name: _elements(types, name) for name in types},
        _parameters=official,
        _official=official,
        _compartments=_read(folder / "compartments.json", dict[str, dict[str, tuple[str, ...]]]),
        _value_sets=_read(folder / "valuesets.json", dict[str, dict[str, frozenset[str]]]),
    )


def _read(path: Path, shape: Any) -> Any:
    return msgspec.json.decode(path.read_bytes(), type=shape)


def _ancestry(types: Mapping[str, Type], name: str) -> tuple[str, ...]:
    found = []
    while name:
        found.append(name)
        name = types[name].base
    return tuple(found)


def _elements(types: Mapping[str, Type], name: str) -> Mapping[str, Element]:
    bases = reversed(_ancestry(types, name))
    return MappingProxyType({each.name: each for base in bases for each in types[base].own})


def _by_type(
    parameters: Iterable[SearchParameter], types: Mapping[str, Type], names: Iterable[str]
) -> dict[str, Mapping[str, SearchParameter]]:
    by_base: dict[str, dict[str, SearchParameter]] = {}
    for parameter in parameters:
        for base in parameter.base:
            by_base.setdefault(base, {})[parameter.code] = parameter
    return {
        name: MappingProxyType(
            {
                code: parameter
                for base in reversed(_ancestry(types, name))
                for code, parameter in by_base.get(base, {}).items()
            }
        )
        for name in names
    }
