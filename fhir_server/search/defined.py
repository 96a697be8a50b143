"""Search parameters that users define: a SearchParameter resource, checked and made ready.

https://hl7.org/fhir/R4/searchparameter.html

1. Only one whose status is active is searched by; a draft and a retired one are merely kept.
2. Its code is free on each of its types: none of R4's, none of another active one, none that the
   hub keeps for itself. One that says what R4's own says, or derives from it, is that parameter.
3. Its expression can be compiled on each type and yields what its `type` can be made of.
4. A component is another parameter, by its canonical URL, which each type has.
5. `xpath`, and what narrows modifiers, comparators and chains, is not heeded.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from conformance.definitions import Definitions, SearchParameter
from conformance.fhirpath import FHIRPathError, compile
from conformance.fhirpath.nodes import FHIR_NAME
from conformance.issues import Issue
from fhir_server.search.elements import on_type

LONGEST_EXPRESSION = 4000

_CODE = re.compile(r"[A-Za-z][\w-]{0,63}", re.ASCII)
_TEXTS = "string markdown code id uri url canonical oid uuid"
_NUMBERS = "integer positiveInt unsignedInt decimal"
_QUANTITIES = "Quantity Age Count Distance Duration Money Range"

FITTING: Mapping[str, frozenset[str]] = {
    kind: frozenset(("Extension", *names.split()))
    for kind, names in {
        "number": f"{_NUMBERS} {_QUANTITIES}",
        "date": "date dateTime instant Period Timing",
        "string": f"{_TEXTS} HumanName Address CodeableConcept Coding",
        "token": f"{_TEXTS} {_NUMBERS} boolean Coding CodeableConcept Identifier ContactPoint",
        "reference": "Reference canonical uri url Resource",
        "quantity": _QUANTITIES,
        "uri": "uri url canonical oid uuid",
    }.items()
}
"""Type of parameter -> the data types that entries are made of."""

Json = dict[str, Any]


class Defined(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A parameter that is searched by, and the id of the SearchParameter that defines it."""

    id: str
    parameter: SearchParameter


@dataclass(frozen=True, slots=True)
class Known:
    """What a definition is checked against: R4's parameters and all other active ones.

    `definitions` holds both, `official` R4's alone; `reserved` are codes that nobody may define.
    """

    official: Definitions
    definitions: Definitions
    reserved: Collection[str]


def defined(known: Known, resource: Json) -> Defined | list[Issue] | None:
    """Return what an active SearchParameter defines, or what is wrong with it.

    None where it defines nothing: it is not active, or R4 has it already.
    """
    if resource.get("status") != "active":
        return None
    if problems := list(_outline(known.official, resource)):
        return problems
    if _is_official(known.official, resource):
        return None
    parameter = _parameter(known.definitions, resource)
    types = types_of(known.official, parameter.base)
    problems = [*_taken(known, parameter, types), *_uncomputable(known, parameter, types)]
    return problems or Defined(resource["id"], parameter)


def _outline(official: Definitions, resource: Json) -> Iterator[Issue]:
    """Yield what is wrong with the elements, each by itself."""
    code, kind, expression = (resource.get(each) for each in ("code", "type", "expression"))
    if not isinstance(code, str) or not _CODE.fullmatch(code):
        words = "A code of 1 to 64 letters, digits, '-' and '_' is expected, with a letter first."
        yield _issue("value", words, "code")
    if kind not in FITTING and kind != "composite":
        yield _issue("not-supported", f"A parameter of type {kind} cannot be defined.", "type")
    if not isinstance(expression, str) or not expression.strip():
        yield _issue("required", "An active parameter needs an expression.", "expression")
    elif len(expression) > LONGEST_EXPRESSION:
        words = f"It is longer than {LONGEST_EXPRESSION} characters."
        yield _issue("too-long", words, "expression")
    for place, base in enumerate(resource.get("base", ())):
        found = official.types.get(base)
        if found is None or found.kind != "resource":
            yield _issue("value", f"There is no resource type {base!r}.", f"base[{place}]")
    for place, target in enumerate(resource.get("target", ())):
        if target != "Resource" and not official.is_resource_type(target):
            yield _issue("value", f"There is no resource type {target!r}.", f"target[{place}]")
    if (kind == "composite") != bool(resource.get("component")):
        yield _issue("invalid", "A composite, and no other, has components.", "component")


def _is_official(official: Definitions, resource: Json) -> bool:
    """Whether R4 has this parameter on all its types, by the same text or as what it derives from.

    R4's own definition is followed then.
    """
    types = types_of(official, resource["base"])
    for type_name in types:
        there = official.search_parameters(type_name).get(resource["code"])
        if there is None or there.type != resource["type"]:
            return False
        wanted = on_type(official, type_name, resource["expression"]).split()
        same = wanted == on_type(official, type_name, there.expression).split()
        if not same and resource.get("derivedFrom", "").partition("|")[0] != there.url:
            return False
    return True


def _parameter(definitions: Definitions, resource: Json) -> SearchParameter:
    by_url = {
        each.url: each.code
        for type_name in types_of(definitions, resource["base"])
        for each in definitions.search_parameters(type_name).values()
    }
    components = (
        (by_url.get(part["definition"].partition("|")[0], ""), part["expression"])
        for part in resource.get("component", ())
    )
    targets = [each for each in resource.get("target", ()) if each != "Resource"]
    return SearchParameter(
        code=resource["code"],
        type=resource["type"],
        base=tuple(resource["base"]),
        expression=resource["expression"].strip(),
        targets=tuple(targets if "Resource" not in resource.get("target", ()) else ()),
        components=tuple(components),
        url=resource["url"],
    )


def types_of(definitions: Definitions, bases: Collection[str]) -> list[str]:
    """Return the concrete types of a parameter's bases, which may be abstract, in order."""
    return sorted(
        name
        for name in definitions.resource_types
        if not set(definitions.ancestry(name)).isdisjoint(bases)
    )


def _taken(known: Known, parameter: SearchParameter, types: list[str]) -> Iterator[Issue]:
    if parameter.code in known.reserved:
        words = f"The hub keeps the code {parameter.code} for itself."
        yield _issue("business-rule", words, "code")
        return
    for type_name in types:
        there = known.definitions.search_parameters(type_name).get(parameter.code)
        if there is not None:
            words = f"{type_name} has a parameter {parameter.code} already: {there.url}"
            yield _issue("business-rule", words, "code")
            return


def _uncomputable(known: Known, parameter: SearchParameter, types: list[str]) -> Iterator[Issue]:
    for type_name in types:
        try:
            yield from _faults(known.definitions, parameter, type_name)
        except FHIRPathError as fault:
            yield _issue("invalid", f"On {type_name}: {fault}", "expression")
        except RecursionError:
            yield _issue("too-costly", "It takes more steps than can be compiled.", "expression")
            return


def _faults(
    definitions: Definitions, parameter: SearchParameter, type_name: str
) -> Iterator[Issue]:
    """Yield what does not fit on one type. Raises FHIRPathError."""
    expression = on_type(definitions, type_name, parameter.expression)
    compiled = compile(expression, definitions, type_name)
    compiled({"resourceType": type_name})
    if parameter.type != "composite":
        yield from _unfit(parameter.type, compiled.types, "expression")
        return
    there = definitions.search_parameters(type_name)
    for place, (code, part) in enumerate(parameter.components):
        where = f"component[{place}]"
        if code not in there or there[code].type not in FITTING:
            words = f"{type_name} has no such parameter that could be a part of a composite."
            yield _issue("not-found", words, f"{where}.definition")
            continue
        types = compile(part, definitions, *(compiled.types or ())).types
        yield from _unfit(there[code].type, types, f"{where}.expression")


def _unfit(kind: str, types: Collection[str] | None, where: str) -> Iterator[Issue]:
    if types is None:
        return
    found = {FHIR_NAME.get(each, each) for each in types}
    if found.isdisjoint(FITTING[kind]):
        told = ", ".join(sorted(found)) or "nothing"
        fitting = ", ".join(sorted(FITTING[kind]))
        yield _issue("value", f"It yields {told}; a {kind} is made of {fitting}.", where)


def _issue(code: str, words: str, where: str) -> Issue:
    return Issue(code, words, f"SearchParameter.{where}")
