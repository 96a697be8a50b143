"""How surely two Patients are one person: traits, and a table of rules. No scoring yet.

https://hl7.org/fhir/R4/patient-operation-match.html,
https://hl7.org/fhir/R4/extension-match-grade.html

1. The first rule that fits grades a pair; where none does, they do not match.
2. Traits agree where both Patients have one and one of them is equal; they differ where both have
   one and none is equal. What only one of them has says nothing.
3. A resident number also tells birth date and gender, for the Patient who does not say them.
4. Two different resident numbers are two persons: each has one, for life.
"""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from itertools import chain, product
from typing import Any, Literal, NamedTuple

from fhir_server.operations.resident import SYSTEM, Resident, resident
from fhir_server.search.fold import fold

Json = dict[str, Any]
Trait = Literal["resident", "document", "number", "name", "birth", "gender", "phone"]

_DOCUMENTS = frozenset(("NI", "PPN", "NNCHN"))
"""Types of identifiers that a state gives to one person: a national number, a passport.
https://hl7.org/fhir/R4/v2/0203/index.html"""
_OVER = frozenset(("old", "temp"))


class Grade(NamedTuple):
    """How sure a match is, from 0 to 1, and its code."""

    score: Decimal
    code: Literal["certain", "probable", "possible"]


class _Rule(NamedTuple):
    """What must agree, and what must not differ."""

    agree: frozenset[Trait]
    not_differ: frozenset[Trait]
    grade: Grade


def _rule(agree: str, not_differ: str, score: str, code: Any) -> _Rule:
    agreeing: Any = frozenset(agree.split())
    differing: Any = frozenset(not_differ.split())
    return _Rule(agreeing, differing, Grade(Decimal(score), code))


RULES = (
    _rule("resident", "name birth gender", "1.0", "certain"),
    _rule("document", "resident name birth gender", "0.98", "certain"),
    _rule("number name", "resident birth gender", "0.95", "certain"),
    _rule("number birth", "resident name gender", "0.9", "probable"),
    _rule("name birth gender phone", "resident", "0.85", "probable"),
    _rule("resident", "", "0.8", "probable"),
    _rule("number", "resident name birth gender", "0.75", "probable"),
    _rule("name birth gender", "resident", "0.6", "possible"),
    _rule("name birth", "resident gender", "0.5", "possible"),
    _rule("document", "resident", "0.45", "possible"),
    _rule("number", "resident", "0.4", "possible"),
)
"""From the surest to the least sure. `document` is a national number or a passport, `number` any
identifier with its system."""


Traits = Mapping[Trait, frozenset[str]]
"""What of a Patient is compared; a number with the system that gives it meaning."""


def traits(patient: Json) -> Traits:
    """Return the traits of a Patient, which may be a part of one."""
    identifiers = [each for each in _objects(patient, "identifier") if _is_meant(each)]
    known = [found for each in identifiers if (found := resident_of(each)) is not None]
    births, genders = _texts(patient, "birthDate"), _texts(patient, "gender")
    return {
        "resident": frozenset(each.number for each in known),
        "document": frozenset(_number(each) for each in identifiers if _is_document(each)),
        "number": frozenset(map(_number, identifiers)),
        "name": frozenset(chain.from_iterable(map(_spoken, _objects(patient, "name")))),
        "birth": births or frozenset(each.birth for each in known),
        "gender": (genders or frozenset(each.gender for each in known)) & {"male", "female"},
        "phone": frozenset(_phones(patient)),
    }


def is_enough(given: Traits) -> bool:
    """Tell whether some rule could fit."""
    return any(all(given[trait] for trait in rule.agree) for rule in RULES)


def grade(one: Traits, other: Traits) -> Grade | None:
    """Return how surely two Patients are one person, None where no rule fits.

    >>> a = traits({"name": [{"text": "李桂芳"}], "birthDate": "1956-03-08", "gender": "female"})
    >>> b = traits({"name": [{"family": "李", "given": ["桂芳"]}], "birthDate": "1956-03-08"})
    >>> grade(a, a).code, str(grade(a, b).score)
    ('possible', '0.5')
    """
    both = {trait for trait in one if one[trait] and other[trait]}
    agree = {trait for trait in both if one[trait] & other[trait]}
    differ = {trait for trait in both - agree if trait != "birth" or _differ(one, other)}
    for rule in RULES:
        if rule.agree <= agree and rule.not_differ.isdisjoint(differ):
            return rule.grade
    return None


def resident_of(identifier: Json) -> Resident | None:
    """Return what an identifier says if it is a resident number."""
    return resident(str(identifier["value"])) if identifier.get("system") == SYSTEM else None


def _differ(one: Traits, other: Traits) -> bool:
    """Tell whether two birth dates differ: a year and a day of that year do not."""
    pairs = product(one["birth"], other["birth"])
    return not any(a.startswith(b) or b.startswith(a) for a, b in pairs)


def _objects(patient: Json, name: str) -> list[Json]:
    found = patient.get(name)
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _texts(of: Json, name: str) -> frozenset[str]:
    found = of.get(name)
    return frozenset((found,)) if isinstance(found, str) else frozenset()


def _is_meant(identifier: Json) -> bool:
    """An identifier means a person if it says in which system, and is not out of use."""
    parts = (identifier.get("system"), identifier.get("value"))
    return all(isinstance(each, str) and each for each in parts) and (
        identifier.get("use") not in _OVER
    )


def _number(identifier: Json) -> str:
    found = resident_of(identifier)
    return f"{identifier['system']}|{found.number if found else identifier['value']}"


def _is_document(identifier: Json) -> bool:
    kind = identifier.get("type")
    codings = _objects(kind, "coding") if isinstance(kind, dict) else []
    return any(each.get("code") in _DOCUMENTS for each in codings)


def _spoken(name: Json) -> Iterator[str]:
    """Yield a name as it may be said or written in one: order, case and space do not count."""
    family = "".join(_texts(name, "family"))
    given = [each for each in name.get("given") or () if isinstance(each, str)]
    whole = "".join(_texts(name, "text"))
    written = [whole] if whole else []
    if family and given:
        written += [family + "".join(given), "".join(given) + family]
        written += [family + given[0], given[0] + family]
    yield from (folded for each in written if (folded := fold(each).replace(" ", "")))


def _phones(patient: Json) -> Iterator[str]:
    """Yield telephone numbers without what countries and people put around them."""
    for contact in _objects(patient, "telecom"):
        digits = re.sub(r"\D", "", str(contact.get("value", "")))
        if contact.get("system") in ("phone", "sms") and len(digits) >= 7:
            yield digits[-11:]
