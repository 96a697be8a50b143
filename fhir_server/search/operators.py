"""Operators of `_filter` that no parameter of ordinary search has: what they demand of an entry.

https://hl7.org/fhir/R4/search_filter.html#ops
"""

from collections.abc import Callable
from decimal import Decimal

from fhir_server.search import date, number, reference, string
from fhir_server.search.alternatives import Alternatives, cond
from fhir_server.search.escape import split, unescape
from fhir_server.search.fold import fold
from fhir_server.search.terms import Terms
from fhir_server.search.tree import Operator

Compare = Callable[[str, Terms], Alternatives]


def _folded(text: str) -> str:
    folded = fold(text)
    if not folded:
        raise ValueError(string.EXPECTED)
    return folded


def _text(op: Operator) -> Compare:
    return lambda value, terms: (cond("v", op, _folded(value)),)


def _uri(op: Operator) -> Compare:
    return lambda value, terms: (cond("v", op, value),)


def _other_than(value: str) -> Alternatives:
    return cond("v", "<", value), cond("v", ">", value)


def _other_text(value: str, terms: Terms) -> Alternatives:
    return _other_than(_folded(value))


def _other_token(value: str, terms: Terms) -> Alternatives:
    """A code that is another one, or of another system if one is named."""
    match [unescape(part) for part in split(value, "|")]:
        case [code] if code:
            return _other_than(code)
        case [system, code] if code:
            same = cond("v", "=", code)
            return (
                *_other_than(code),
                same + cond("w", "<", system),
                same + cond("w", ">", system),
            )
    raise ValueError("code or system|code")


def _other_reference(value: str, terms: Terms) -> Alternatives:
    literal, _ = reference.taken_apart(value, terms.base)
    if "/" not in literal and ":" not in literal:
        raise ValueError("Type/id or an absolute URL")
    return _other_than(literal)


def _overlaps(value: str, terms: Terms) -> Alternatives:
    low, high = date.span(value, terms.zone)
    return (cond("v", "<", high) + cond("w", ">", low),)


def _includes(value: str, terms: Terms) -> Alternatives:
    low, high = date.span(value, terms.zone)
    return (cond("v", "<=", low) + cond("w", ">=", high),)


def _spans(value: str, terms: Terms) -> Alternatives:
    exact = float(Decimal(number.checked(value)))
    return (cond("v", "<=", exact) + cond("w", ">=", exact),)


COMPARED: dict[tuple[str, str], Compare] = {
    ("string", "eq"): _text("="),
    ("string", "ne"): _other_text,
    ("string", "ew"): _text("suffix"),
    ("string", "gt"): _text(">"),
    ("string", "lt"): _text("<"),
    ("string", "ge"): _text(">="),
    ("string", "le"): _text("<="),
    ("number", "co"): _spans,
    ("date", "co"): _includes,
    ("date", "po"): _overlaps,
    ("token", "ne"): _other_token,
    ("reference", "ne"): _other_reference,
    ("uri", "ne"): lambda value, terms: _other_than(value),
    ("uri", "co"): _uri("contains"),
    ("uri", "sw"): _uri("prefix"),
    ("uri", "ew"): _uri("suffix"),
}
"""Type of parameter and operator -> what is demanded of an entry."""
