"""Entity tags are versions: `W/"3"`. https://hl7.org/fhir/R4/http.html#concurrency"""

import re

from fhir_server.errors import BadRequest

NONE = 0
"""The version of a tag that is none of the hub's: no record has it."""

_TAG = re.compile(r'\s*(?:W/)?"([\x21\x23-\x7e\x80-\xff]*)"\s*')
_VERSION = re.compile(r"[1-9][0-9]{0,17}", re.ASCII)


def version(tag: str) -> int:
    """Return the version that an If-Match names. Raises `BadRequest` for what is no tag.

    >>> version('W/"3"'), version('W/"some-other"'), version('"other"')
    (3, 0, 0)
    """
    found = _TAG.fullmatch(tag)
    if not found:
        raise BadRequest(f'If-Match is {tag[:100]!r}; a version is expected, as in W/"3".')
    return int(found[1]) if _VERSION.fullmatch(found[1]) else NONE
