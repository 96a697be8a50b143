"""What JSON parsers disagree about is refused before anything reads the body.

https://www.rfc-editor.org/rfc/rfc8259#section-4: names that occur twice; besides depth, U+0000 and
text that is not UTF-8.
"""

import json
import re
from typing import Any

from fhir_server.errors import BadRequest
from fhir_server.fhirjson import MAX_DEPTH

_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


def check(body: bytes) -> None:
    """Raise `BadRequest` where the body is not JSON that everybody reads alike.

    >>> check(b'{"a":1,"b":[{"a":2}]}')
    """
    if b"\\u0000" in body and _NUL.search(body):
        raise BadRequest("The body has the character U+0000 in a text.")
    try:
        value = json.loads(body.decode(), object_pairs_hook=_object, parse_float=len, parse_int=len)
    except (ValueError, RecursionError) as fault:
        raise BadRequest(f"The body is not JSON that can be read: {fault}") from None
    if body.count(b"{") + body.count(b"[") > MAX_DEPTH:
        _check_depth(value)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise BadRequest(f"The body has the name {twice[:64]!r} twice in one object.")
    return found


def _check_depth(value: Any) -> None:
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            child
            for node in level
            for child in (node.values() if type(node) is dict else node)
            if type(child) is dict or type(child) is list
        ]
        if not level:
            return
    raise BadRequest(f"The body is nested deeper than {MAX_DEPTH} levels.")
