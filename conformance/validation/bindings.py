"""Bindings: the codes that an element may have.

https://hl7.org/fhir/R4/terminologies.html#binding

A code outside a required value set, or outside the maximum of a weaker one, is an error; outside an
extensible one it is a warning, for "the code from the value set SHALL be used if it applies".
"""

from collections.abc import Callable, Mapping
from typing import Any

from conformance.definitions import Binding
from conformance.validation.faults import Check, Faults, fault, warning, wrong
from conformance.validation.systems import FORMS

Json = dict[str, Any]
Codes = Mapping[str, frozenset[str]]
Make = Callable[[Codes, str], Check]

MOST_LISTED = 12


class Bindings:
    """Makes checks of bindings; the codes of a value set are kept once they were needed."""

    def __init__(self, codes_of: Callable[[str], Codes], *, with_warnings: bool) -> None:
        self._codes_of = codes_of
        self._with_warnings = with_warnings

    def check(self, binding: Binding, type_name: str) -> Check | None:
        """The check of a value of a type; None where nothing can be told."""
        for url in (binding.maximum, binding.value_set if binding.strength == "required" else ""):
            if url in FORMS:
                return _of_form(FORMS[url], url) if type_name in _PLAIN else None
            if url and (found := self._listed(url, type_name, _REQUIRED)):
                return found
        if binding.strength == "extensible" and self._with_warnings:
            return self._listed(binding.value_set, type_name, _EXTENSIBLE)
        return None

    def _listed(self, url: str, type_name: str, by_type: Mapping[str, Make]) -> Check | None:
        make = by_type.get(type_name)
        codes = self._codes_of(url) if make else {}
        return make(codes, url) if make and codes else None


def of_value_set(codes: Codes, value_set: str) -> str:
    """What a binding expects, in words; short lists of codes in full."""
    every = {code for each in codes.values() for code in each}
    if len(every) > MOST_LISTED:
        return f"a code of {value_set}"
    return f"{', '.join(sorted(every))} (of {value_set})"


def _of_form(is_good: Callable[[str], bool], url: str) -> Check:
    def check_form(value: Any) -> Faults:
        if value.__class__ is not str or is_good(value):
            return None
        return wrong("code-invalid", value, f"a code of {url}")

    return check_form


def _code(codes: Codes, value_set: str) -> Check:
    every = frozenset(code for each in codes.values() for code in each)

    def check_code(value: Any) -> Faults:
        if value in every:
            return None
        return wrong("code-invalid", value, of_value_set(codes, value_set))

    return check_code


def _concept(codes: Codes, value_set: str) -> Check:
    def check_concept(value: Json) -> Faults:
        if has_coding(value, codes):
            return None
        expected = of_value_set(codes, value_set)
        return fault("code-invalid", f"found no coding of the value set, expected {expected}")

    return check_concept


def _coding(codes: Codes, value_set: str) -> Check:
    def check_coding(value: Json) -> Faults:
        if is_among(value, codes):
            return None
        return wrong("code-invalid", value.get("code"), of_value_set(codes, value_set))

    return check_coding


def _concept_warning(codes: Codes, value_set: str) -> Check:
    def check_concept(value: Json) -> Faults:
        if not value.get("coding") or has_coding(value, codes):
            return None
        text = f"found no coding of {value_set}, expected one where one fits (extensible)"
        return warning("code-invalid", text)

    return check_concept


def _coding_warning(codes: Codes, value_set: str) -> Check:
    def check_coding(value: Json) -> Faults:
        if is_among(value, codes):
            return None
        text = f"found no code of {value_set}, expected one where one fits (extensible)"
        return warning("code-invalid", text)

    return check_coding


def has_coding(concept: Json, codes: Codes) -> bool:
    """Whether a concept has a coding among those codes."""
    return any(is_among(coding, codes) for coding in concept.get("coding", ()))


def is_among(coding: Json, codes: Codes) -> bool:
    """Whether a coding is among those codes."""
    return coding.get("code") in codes.get(coding.get("system", ""), ())


_PLAIN = frozenset({"code", "string", "uri"})
_REQUIRED: Mapping[str, Make] = {
    **dict.fromkeys(_PLAIN, _code),
    "Coding": _coding,
    "CodeableConcept": _concept,
    "Quantity": _coding,
}
_EXTENSIBLE: Mapping[str, Make] = {
    "Coding": _coding_warning,
    "CodeableConcept": _concept_warning,
    "Quantity": _coding_warning,
}
