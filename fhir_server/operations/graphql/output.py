"""The answer of a query: objects that are filled as records come, written as directives say.

https://hl7.org/fhir/R4/graphql.html#directives

1. `@flatten`: the field itself is left out, its fields go to the object around it; if it is a list,
   they become lists.
2. `@first`: of a list the first alone, and no list.
3. `@singleton`: one value where a list would be; several are an error.
4. `@slice(path)`: each of a list stands by itself, its name followed by `.` and what `path` finds;
   with `@flatten` its fields do.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from fhir_server.operations.graphql.errors import Path, Problem
from fhir_server.operations.graphql.selection import Field


class Slot:
    """A value that is still to come; null until then."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value: Any = None


class Object:
    """An object: its fields in order, each with a value, a list, an Object or a Slot."""

    __slots__ = ("fields",)

    def __init__(self) -> None:
        self.fields: list[tuple[Field, Any]] = []


class Sliced(NamedTuple):
    """One of a list that is sliced, with what follows the name."""

    suffix: str
    value: Any


class Writer:
    """Writes objects as JSON; what cannot be written as a directive says becomes a problem."""

    def __init__(self) -> None:
        """Start without problems."""
        self.problems: list[Problem] = []

    def written(self, made: Object, path: Path = ()) -> dict[str, Any]:
        """Return an object as JSON."""
        into: dict[str, Any] = {}
        self._put_all(made, into, False, "", path)
        return into

    def _put_all(
        self, made: Object, into: dict[str, Any], listed: bool, suffix: str, path: Path
    ) -> None:
        """Put an object's fields where they belong; `listed`: each becomes a list."""
        for field, value in made.fields:
            found = value.value if isinstance(value, Slot) else value
            if field.flatten:
                several = listed or (isinstance(found, list) and not field.first)
                for tail, each in _each(found):
                    if isinstance(each, Object):
                        self._put_all(each, into, several, suffix + tail, path)
            elif field.sliced:
                for tail, each in _each(found):
                    self._put(field, [each], into, True, suffix + tail, path)
            else:
                items = [each for _, each in _each(found)]
                self._put(field, items, into, listed or isinstance(found, list), suffix, path)

    def _put(
        self,
        field: Field,
        items: list[Any],
        into: dict[str, Any],
        listed: bool,
        suffix: str,
        path: Path,
    ) -> None:
        name = field.key + suffix
        here = (*path, name)
        made = [
            self.written(each, (*here, place) if listed else here)
            if isinstance(each, Object)
            else each
            for place, each in enumerate(items)
        ]
        if listed and not field.singleton:
            if made or name not in into:
                into[name] = [*(into.get(name) or ()), *made]
            return
        known = into.get(name)
        if len(made) + (known is not None) > 1:
            self.problems.append(Problem(f"{name} has several values.", field.place, here))
        into[name] = known if known is not None else next(iter(made), None)


def _each(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield the values that there are, each with what follows its name."""
    for each in value if isinstance(value, list) else (value,):
        if isinstance(each, Sliced):
            if each.value is not None:
                yield f".{each.suffix}", each.value
        elif each is not None:
            yield "", each
