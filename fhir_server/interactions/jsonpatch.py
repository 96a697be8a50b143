"""JSON Patch over decoded JSON, without touching the document that it is given.

https://www.rfc-editor.org/rfc/rfc6902, paths: https://www.rfc-editor.org/rfc/rfc6901
"""

import re
from collections.abc import Callable
from typing import Any

from fhir_server.errors import BadRequest, TooLarge, Unprocessable

MAX_OPERATIONS = 1000
MAX_COPIED = 100_000

_INDEX = re.compile(r"0|[1-9][0-9]{0,8}")
_NEEDS = {
    "add": ("value",),
    "replace": ("value",),
    "test": ("value",),
    "remove": (),
    "move": ("from",),
    "copy": ("from",),
}

Tokens = tuple[str, ...]


def apply(document: Any, patch: Any) -> Any:
    """Return the document after all operations of `patch`, in order.

    Raises `BadRequest` where the patch is not one, `Unprocessable` where it cannot be applied (a
    path that is not there, a test that fails), `TooLarge` past the limits of operations and of
    copying.

    >>> apply({"a": [1, 2]}, [{"op": "add", "path": "/a/-", "value": 3}])
    {'a': [1, 2, 3]}
    """
    if not isinstance(patch, list):
        raise BadRequest("A JSON Patch is an array of operations.")
    if len(patch) > MAX_OPERATIONS:
        raise TooLarge(f"A JSON Patch may have {MAX_OPERATIONS} operations; this has {len(patch)}.")
    left = MAX_COPIED
    for place, operation in enumerate(patch):
        _check(place, operation)
        if operation["op"] == "copy":
            left -= _size(_at(document, pointer(operation["from"]), place), left)
        document = _STEPS[operation["op"]](document, operation, place)
    return document


def pointer(text: str) -> Tokens:
    """Return the parts of a JSON Pointer. Raises `BadRequest`.

    >>> pointer("/a~1b/0")
    ('a/b', '0')
    """
    if text and not text.startswith("/"):
        raise BadRequest(f"{text!r} is not a JSON Pointer; it begins with /.")
    if re.search("~(?![01])", text):
        raise BadRequest(f"{text!r} is not a JSON Pointer; ~ is written ~0.")
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in text.split("/")[1:])


def _check(place: int, operation: Any) -> None:
    if not isinstance(operation, dict) or not isinstance(operation.get("op"), str):
        raise BadRequest(f"Operation {place} of the patch has no op.")
    needs = _NEEDS.get(operation["op"])
    if needs is None:
        raise BadRequest(
            f"Operation {place}: {operation['op']!r} is not one of {', '.join(_NEEDS)}."
        )
    for name in ("path", *needs):
        if name not in operation or (name != "value" and not isinstance(operation[name], str)):
            raise BadRequest(f"Operation {place} ({operation['op']}) needs {name}.")


def _add(document: Any, operation: dict[str, Any], place: int) -> Any:
    return _put(document, pointer(operation["path"]), operation["value"], place)


def _remove(document: Any, operation: dict[str, Any], place: int) -> Any:
    return _take(document, pointer(operation["path"]), place)


def _replace(document: Any, operation: dict[str, Any], place: int) -> Any:
    tokens = pointer(operation["path"])
    _at(document, tokens, place)
    return _edit(
        document,
        tokens,
        lambda node, last: _with(node, last, operation["value"]),
        place,
        root=operation["value"],
    )


def _move(document: Any, operation: dict[str, Any], place: int) -> Any:
    source, target = pointer(operation["from"]), pointer(operation["path"])
    value = _at(document, source, place)
    if source == target:
        return document
    if target[: len(source)] == source:
        raise Unprocessable(f"Operation {place}: a value cannot be moved into itself.")
    return _put(_take(document, source, place), target, value, place)


def _copy(document: Any, operation: dict[str, Any], place: int) -> Any:
    value = _at(document, pointer(operation["from"]), place)
    return _put(document, pointer(operation["path"]), value, place)


def _test(document: Any, operation: dict[str, Any], place: int) -> Any:
    if not same(_at(document, pointer(operation["path"]), place), operation["value"]):
        raise Unprocessable(f"Operation {place}: the test of {operation['path']!r} failed.")
    return document


_STEPS: dict[str, Callable[[Any, dict[str, Any], int], Any]] = {
    "add": _add,
    "remove": _remove,
    "replace": _replace,
    "move": _move,
    "copy": _copy,
    "test": _test,
}


def same(one: Any, other: Any) -> bool:
    """Return whether two JSON values are equal: numbers numerically, objects in any order.

    >>> same(1, True), same({"a": 1, "b": 2}, {"b": 2, "a": 1})
    (False, True)
    """
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[name], other[name]) for name in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


def _put(document: Any, tokens: Tokens, value: Any, place: int) -> Any:
    def insert(node: Any, last: str) -> Any:
        if isinstance(node, list):
            at = len(node) if last == "-" else _index(node, last, len(node), place)
            return [*node[:at], value, *node[at:]]
        if isinstance(node, dict):
            return {**node, last: value}
        raise _absent(place, last)

    return _edit(document, tokens, insert, place, root=value)


def _take(document: Any, tokens: Tokens, place: int) -> Any:
    def remove(node: Any, last: str) -> Any:
        _child(node, last, place)
        if isinstance(node, list):
            return [*node[: int(last)], *node[int(last) + 1 :]]
        return {name: value for name, value in node.items() if name != last}

    return _edit(document, tokens, remove, place, root=None)


def _edit(
    node: Any, tokens: Tokens, change: Callable[[Any, str], Any], place: int, *, root: Any
) -> Any:
    """Rebuild what lies on the way to the last token, where `change` is made."""
    if not tokens:
        return root
    first, *rest = tokens
    if not rest:
        return change(node, first)
    child = _child(node, first, place)
    return _with(node, first, _edit(child, tuple(rest), change, place, root=root))


def _with(node: Any, token: str, value: Any) -> Any:
    if isinstance(node, list):
        return [*node[: int(token)], value, *node[int(token) + 1 :]]
    return {**node, token: value}


def _at(document: Any, tokens: Tokens, place: int) -> Any:
    for token in tokens:
        document = _child(document, token, place)
    return document


def _child(node: Any, token: str, place: int) -> Any:
    if isinstance(node, list):
        return node[_index(node, token, len(node) - 1, place)]
    if isinstance(node, dict) and token in node:
        return node[token]
    raise _absent(place, token)


def _index(node: list[Any], token: str, last: int, place: int) -> int:
    if not _INDEX.fullmatch(token) or int(token) > last:
        raise _absent(place, token)
    return int(token)


def _absent(place: int, token: str) -> Unprocessable:
    return Unprocessable(f"Operation {place}: there is no {token!r} at that path.")


def _size(value: Any, limit: int) -> int:
    """Count the values inside; two copies may share them, so what is walked is bounded."""
    found, waiting = 0, [value]
    while waiting:
        node = waiting.pop()
        found += 1
        if found > limit:
            raise TooLarge("The patch copies more than the hub takes.")
        if isinstance(node, dict):
            waiting.extend(node.values())
        elif isinstance(node, list):
            waiting.extend(node)
    return found
