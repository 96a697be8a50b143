"""JSON Merge Patch over decoded JSON, without touching the document that it is given.

https://www.rfc-editor.org/rfc/rfc7396
"""

from typing import Any

from fhir_server.errors import BadRequest


def apply(document: Any, patch: Any) -> Any:
    """Return the document after a merge patch: null removes, objects are merged, all else replaces.

    Raises `BadRequest` for a patch that is no object: it would replace the resource.

    >>> apply({"a": 1, "b": {"c": 2, "d": 3}}, {"a": None, "b": {"c": 4}})
    {'b': {'c': 4, 'd': 3}}
    """
    if not isinstance(patch, dict):
        raise BadRequest("A JSON Merge Patch of a resource is an object.")
    return _merged(document, patch)


def _merged(target: Any, patch: Any) -> Any:
    if not isinstance(patch, dict):
        return patch
    made = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            made.pop(name, None)
        else:
            made[name] = _merged(made.get(name), value)
    return made
