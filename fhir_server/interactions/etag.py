"""Entity tags are versions: `W/"3"`. https://hl7.org/fhir/R4/http.html#concurrency"""

import re

from fhir_server.errors import BadRequest

_TAG = re.compile(r'\s*(?:W/)?"([1-9][0-9]{0,17})"\s*')


def version(tag: str) -> int:
    """Return the version that an If-Match names. Raises `BadRequest`.

    >>> version('W/"3"')
    3
    """
    found = _TAG.fullmatch(tag)
    if not found:
        raise BadRequest(f'If-Match is {tag[:100]!r}; a version is expected, as in W/"3".')
    return int(found[1])
