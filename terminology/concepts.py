"""The concepts of a code system: their hierarchy, their properties, and what filters choose.

https://hl7.org/fhir/R4/codesystem.html#hierachy, https://hl7.org/fhir/R4/valueset-filter-operator.html
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

Json = dict[str, Any]
Matcher = Callable[[str], bool]
Regex = Callable[[str], Matcher]
"""Makes of a regular expression what tells whether a whole text matches it."""

_INACTIVE = frozenset(("retired", "inactive", "withdrawn"))


class ConceptTree:
    """The codes of a code system with the parents of each, in the order of definition.

    A concept stands below those that it is nested in, those that name it as their `child`, and
    those that it names as its `parent`.
    """

    def __init__(self, system: Json) -> None:
        self._declared = frozenset(each["code"] for each in system.get("property", ()))
        self.parents: dict[str, set[str]] = {}
        self._properties: dict[str, dict[str, set[str]]] = {}
        self._displays: dict[str, str] = {}
        self._add(system.get("concept", []), None)
        for code, given in self._properties.items():
            self.parents[code] |= given.get("parent", set())
            for child in given.get("child", ()):
                self.parents.get(child, set()).add(code)
        self._children: dict[str, list[str]] = {}
        for code, above in self.parents.items():
            for parent in above:
                self._children.setdefault(parent, []).append(code)

    def _add(self, concepts: list[Json], parent: str | None) -> None:
        todo = [(each, parent) for each in reversed(concepts)]
        while todo:
            concept, above = todo.pop()
            code = concept["code"]
            self.parents.setdefault(code, set())
            self._displays.setdefault(code, concept.get("display", ""))
            if above is not None:
                self.parents[code].add(above)
            for each in concept.get("property", ()):
                self._add_property(code, each)
            todo += [(each, code) for each in reversed(concept.get("concept", ()))]

    def _add_property(self, code: str, given: Json) -> None:
        for key, value in given.items():
            if key.startswith("value"):
                known = self._properties.setdefault(code, {}).setdefault(given["code"], set())
                known.add(_text(value))

    def below(self, code: str) -> set[str]:
        """All codes that stand below a code, at any depth."""
        return _reached(code, self._children)

    def children(self, code: str) -> set[str]:
        """All codes that stand right below a code."""
        return set(self._children.get(code, ()))

    def above(self, code: str) -> set[str]:
        """All codes that a code stands below, at any depth."""
        return _reached(code, self.parents)

    def is_inactive(self, code: str) -> bool:
        """Whether the code is no longer to be used."""
        given = self._properties.get(code, {})
        return "true" in given.get("inactive", ()) or not _INACTIVE.isdisjoint(
            given.get("status", ())
        )

    def filtered(self, name: str, operator: str, value: str, regex: Regex) -> set[str] | None:
        """The codes that a filter accepts; None where that cannot be told.

        https://hl7.org/fhir/R4/valueset-filter-operator.html
        """
        if name in ("concept", "code") and operator in _BY_HIERARCHY:
            return _BY_HIERARCHY[operator](self, value)
        values = self._values(name)
        if values is None or operator not in _BY_VALUE:
            return None
        accepts = _BY_VALUE[operator](value, regex)
        return {code for code in self.parents if accepts(values(code))}

    def _values(self, name: str) -> Callable[[str], Iterable[str]] | None:
        """What a code has of a property; None for a property that the code system does not have."""
        match name:
            case "concept" | "code":
                return lambda code: (code,)
            case "display":
                return lambda code: (self._displays[code],)
            case "parent":
                return lambda code: self.parents[code]
            case "child":
                return lambda code: self._children.get(code, ())
        given = self._properties.values()
        if name in self._declared or any(name in each for each in given):
            return lambda code: self._properties.get(code, {}).get(name, ())
        return None


def _reached(code: str, edges: Mapping[str, Iterable[str]]) -> set[str]:
    found: set[str] = set()
    todo = [code]
    while todo:
        for each in edges.get(todo.pop(), ()):
            if each not in found:
                found.add(each)
                todo.append(each)
    return found


def _text(value: Any) -> str:
    """A property's value as filters write it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value.get("code", "")) if isinstance(value, dict) else str(value)


_BY_HIERARCHY: dict[str, Callable[[ConceptTree, str], set[str]]] = {
    "is-a": lambda tree, value: tree.below(value) | ({value} & tree.parents.keys()),
    "child-of": lambda tree, value: tree.children(value),
    "descendent-of": lambda tree, value: tree.below(value),
    "is-not-a": lambda tree, value: set(tree.parents) - tree.below(value) - {value},
    "generalizes": lambda tree, value: tree.above(value) | ({value} & tree.parents.keys()),
}

Accepts = Callable[[Iterable[str]], bool]


def _one_of(text: str) -> frozenset[str]:
    return frozenset(each.strip() for each in text.split(","))


def _matching(value: str, regex: Regex) -> Accepts:
    matches = regex(value)
    return lambda found: any(map(matches, found))


_BY_VALUE: dict[str, Callable[[str, Regex], Accepts]] = {
    "=": lambda value, regex: lambda found: value in found,
    "in": lambda value, regex: lambda found: not _one_of(value).isdisjoint(found),
    "not-in": lambda value, regex: lambda found: _one_of(value).isdisjoint(found),
    "exists": lambda value, regex: lambda found: any(found) == (value == "true"),
    "regex": _matching,
}
