"""Resources that say something for a search parameter, made from its expression alone.

Each plain path of the expression, and each data type at its end that the parameter can be made of,
gives two resources that differ in the value.
"""

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from conformance.definitions import Definitions, Element, SearchParameter
from fhir_server.search.defined import FITTING
from fhir_server.search.elements import on_type, targets
from fhir_server.search.extract import corrected

Json = dict[str, Any]
Steps = tuple[tuple[str, str], ...]

_STEP = re.compile(
    r"\.?(?:"
    r"(?:as|ofType)\((?P<as>\w+)\)"
    r"|where\(resolve\(\) is (?P<target>\w+)\)"
    r"|where\(hasExtension\('(?P<extended>[^']+)'\)\)"
    r"|where\((?P<fixed>\w+ ?= ?'[^']*')\)"
    r"|extension\('(?P<extension>[^']+)'\)"
    r"|(?P<at>\[0\])"
    r"|(?P<name>\w+)"
    r")"
)
_CAST = re.compile(r"\(([\w.]+) as (\w+)\)")
UCUM = "http://unitsofmeasure.org"


def made(definitions: Definitions, type_name: str, parameter: SearchParameter) -> Iterator[Json]:
    """Yield resources of a type that the parameter finds something in."""
    for branch in on_type(definitions, type_name, parameter.expression).split("|"):
        steps = steps_of(type_name, branch)
        ends = targets(definitions, type_name, parameter) if parameter.type == "reference" else ()
        for number in (1, 2):
            if parameter.type == "composite":
                yield from _composite(definitions, type_name, parameter, steps, number)
                continue
            for kind in (None, *sorted(FITTING[parameter.type])):
                maker = _Maker(definitions, parameter.type, kind, number, ends)
                resource: Json = {"resourceType": type_name}
                if maker.fill(resource, type_name, steps):
                    yield resource


def _composite(
    definitions: Definitions,
    type_name: str,
    parameter: SearchParameter,
    steps: Steps,
    number: int,
) -> Iterator[Json]:
    known = definitions.search_parameters(type_name)
    resource: Json = {"resourceType": type_name}
    for code, expression in corrected(parameter):
        for branch in expression.split("|"):
            part = known[code]
            ends = targets(definitions, type_name, part) if part.type == "reference" else ()
            maker = _Maker(definitions, part.type, None, number, ends)
            text = branch.strip()
            whole = (*(() if "%resource" in text else steps), *steps_of("%resource", text))
            if maker.fill(resource, type_name, whole):
                break
    yield resource


def steps_of(type_name: str, branch: str) -> Steps:
    """Return what an expression does, step by step: (what, argument).

    >>> steps_of("Patient", "(Patient.deceased as dateTime)")
    (('name', 'deceased'), ('as', 'dateTime'))
    """
    text = branch.strip()
    text = text.partition(".exists()")[0]
    text = _CAST.sub(r"\1.as(\2)", text)
    text = "" if text == type_name else text.removeprefix(f"{type_name}.")
    steps: list[tuple[str, str]] = []
    at = 0
    while at < len(text):
        found = _STEP.match(text, at)
        assert found is not None, branch
        steps.append((str(found.lastgroup), found[str(found.lastgroup)]))
        at = found.end()
    return tuple(steps)


class _Maker:
    """Values of one kind of parameter; `wanted` is the data type at the end (None: any)."""

    def __init__(
        self,
        definitions: Definitions,
        kind: str,
        wanted: str | None,
        number: int,
        ends: tuple[str, ...],
    ) -> None:
        self._definitions = definitions
        self._kind = kind
        self._wanted = wanted
        self._number = number
        self._ends = ends

    def fill(self, node: Json, type_name: str, steps: Steps) -> bool:
        """Put the value at the end of the steps; False where the path ends in another type."""
        (what, name), rest = steps[0], steps[1:]
        if what == "extension":
            return self._extend(node, name)
        element = self._definitions.elements(type_name).get(name)
        assert what == "name", steps
        assert element is not None, (type_name, steps)
        rest, found = self._narrowed(element, rest)
        if found is None:
            return False
        prop = element.name + (found[0].upper() + found[1:] if element.choice else "")
        if (rest and rest[0][0] == "name") or (rest and rest[0][0] == "extension"):
            there = node.setdefault(prop, [{}] if element.many else {})
            inner = there[0] if element.many else there
            inner.update(self._fixed)
            return self.fill(inner, found, rest)
        value = self._value(found, element)
        if isinstance(value, dict):
            value.update(self._fixed)
        if value is None:
            return False
        node[prop] = [value] if element.many else value
        return True

    def _narrowed(self, element: Element, rest: Steps) -> tuple[Steps, str | None]:
        """Take the conditions on an element, and choose its type; None: it has none that fits."""
        types = list(element.types)
        self._fixed: Json = {}
        while rest and rest[0][0] not in ("name", "extension"):
            (what, text), rest = rest[0], rest[1:]
            match what:
                case "as":
                    types = [each for each in types if each == text]
                case "target":
                    self._ends = (text,)
                case "fixed":
                    name, _, value = text.partition("=")
                    self._fixed[name.strip()] = value.strip().strip("'")
                case "extended":
                    self._fixed["extension"] = [{"url": text, "valueBoolean": True}]
        if rest:
            return rest, types[0] if types else None
        fitting = FITTING[self._kind] | {"Resource"}
        types = [each for each in types if each in fitting and self._wanted in (None, each)]
        return rest, types[0] if types else None

    def _extend(self, node: Json, url: str) -> bool:
        made = {"token": "code", "string": "string", "reference": "Reference"}[self._kind]
        if self._wanted is not None:
            return False
        name = "value" + made[0].upper() + made[1:]
        node["extension"] = [{"url": url, name: self._value(made, None)}]
        return True

    def _value(self, type_name: str, element: Element | None) -> Any:
        if type_name == "code":
            return self._code(element)
        if type_name == "Reference":
            return {"reference": f"{self._ends[0] if self._ends else 'Patient'}/r{self._number}"}
        if type_name == "Resource":
            return {"resourceType": self._ends[0], "id": "r1"} if self._ends else None
        return _values(self._number).get(type_name)

    def _code(self, element: Element | None) -> str:
        if element is not None and element.value_set:
            codes = self._definitions.value_set(element.value_set)
            listed = sorted(code for some in codes.values() for code in some)
            return listed[min(self._number, len(listed)) - 1]
        return f"code-{self._number}"


def _values(n: int) -> Json:
    """Return a value of each data type; those of 1 and 2 differ."""
    text = "Alpha" if n == 1 else "Beta"
    coding = {"system": "http://example.org/s", "code": f"c{n}", "display": text}
    moment = f"201{n}-0{n}-1{n}T0{n}:30:00+08:00"
    uris = ("uri", "url", "canonical", "oid", "uuid")
    quantities = ("Quantity", "Age", "Count", "Distance", "Duration")
    return {
        "boolean": n == 1,
        **dict.fromkeys(("integer", "positiveInt", "unsignedInt"), 10 * n),
        "decimal": Decimal(f"{n}.50"),
        "date": moment[:10],
        **dict.fromkeys(("dateTime", "instant"), moment),
        "Period": {"start": f"201{n}-01-01", "end": f"201{n}-06-30"},
        "Timing": {"event": [moment]},
        **dict.fromkeys(("string", "markdown"), text),
        "id": f"id-{n}",
        **{each: f"http://example.org/{each}/{n}" for each in uris},
        "Coding": coding,
        "CodeableConcept": {"coding": [coding], "text": text},
        "Identifier": {"system": "http://example.org/i", "value": f"v{n}"},
        "ContactPoint": {"system": "phone", "value": f"0{n}00"},
        "HumanName": {"family": f"Family{n}", "given": [f"Given{n}"]},
        "Address": {"city": f"City{n}", "line": [f"Line {n}"]},
        "Money": {"value": Decimal(10 * n), "currency": "CNY"},
        "Range": {"low": _quantity(10 * n), "high": _quantity(10 * n + 5)},
        **{each: _quantity(10 * n) for each in quantities},
    }


def _quantity(value: int) -> Json:
    return {"value": Decimal(value), "unit": "milligram", "system": UCUM, "code": "mg"}
