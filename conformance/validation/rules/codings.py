"""Codings and quantities: their codes are of the system that they name.

https://hl7.org/fhir/R4/datatypes.html#Coding, https://hl7.org/fhir/R4/datatypes.html#Quantity
"""

from typing import Any

from conformance.validation.faults import Check, Fault, Faults, describe, under, wrong
from conformance.validation.primitives import is_absolute
from conformance.validation.systems import Systems

Json = dict[str, Any]


def coding_check(systems: Systems) -> Check:
    """The check of a Coding, or of the unit of a Quantity, that has a system."""

    def check(coding: Json) -> Faults:
        system, code = coding["system"], coding.get("code")
        if system.__class__ is not str:
            return None
        test = systems.test(system)
        if test is None:
            return None if is_absolute(system) else _relative(system)
        if code.__class__ is not str or "version" in coding:
            return None
        severity = test(code)
        if severity:
            return _unknown(system, code, severity)
        display = coding.get("display")
        return _display(systems.displays(system, code), display) if display else None

    return check


def _display(known: tuple[str, ...], display: Any) -> Faults:
    """What is wrong with a display: a warning, for other languages call a code otherwise."""
    if not known or display in known or display.__class__ is not str:
        return None
    if _bare(display) in map(_bare, known):
        return None
    text = f"found {describe(display)}, expected {describe(known[0])}"
    return [Fault(".display", "value", text, severity="warning")]


def _bare(text: str) -> str:
    return " ".join(text.casefold().split())


def _relative(system: str) -> Faults:
    return under(".system", wrong("value", system, "an absolute URI as system of the code"))


def _unknown(system: str, code: str, severity: Any) -> Faults:
    text = f"found {describe(code)}, expected a code of {system}"
    return [Fault(".code", "code-invalid", text, severity=severity)]
