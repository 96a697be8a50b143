"""Query strings become parameters: of a URL, of a form, of a Bundle entry, of conditions.

https://hl7.org/fhir/R4/http.html#parameters
"""

from urllib.parse import parse_qsl

from fhir_server.errors import BadRequest
from fhir_server.interactions.interaction import Params

EDGE = ("_format", "_pretty")
"""Parameters that whoever writes the answer follows: no interaction knows them.
https://hl7.org/fhir/R4/http.html#parameters"""

_MAX_PARAMS = 300


def params(text: str) -> Params:
    """Return the decoded parameters in their order. Raises `BadRequest`.

    >>> params("name=%E7%8E%8B&_sort=")
    (('name', '王'), ('_sort', ''))
    """
    if not text:
        return ()
    try:
        found = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=_MAX_PARAMS)
    except ValueError:
        raise BadRequest(
            f"The query cannot be read: UTF-8, percent-encoded, {_MAX_PARAMS} parameters at most."
        ) from None
    if any("\0" in name or "\0" in value for name, value in found):
        raise BadRequest("The query has the character U+0000.")
    return tuple(found)


def asked(text: str) -> Params:
    """Return the parameters that an interaction is asked with. Raises `BadRequest`.

    >>> asked("name=x&_format=json")
    (('name', 'x'),)
    """
    return tuple(pair for pair in params(text) if pair[0] not in EDGE)
