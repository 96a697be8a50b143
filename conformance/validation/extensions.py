"""Extensions: those that are known stand where they may, and hold what they may.

https://hl7.org/fhir/R4/extensibility.html, https://hl7.org/fhir/R4/defining-extensions.html#context
"""

from collections.abc import Callable, Mapping
from typing import Any

from conformance.definitions import Definitions
from conformance.library import Extension
from conformance.validation.faults import Check, Fault, Faults, fault, under, warning, wrong
from conformance.validation.paths import Stop, along
from conformance.validation.primitives import is_absolute

Json = dict[str, Any]
Known = Mapping[str, Extension]
ContextCheck = Callable[[str, str, Any, Any], list[Fault]]
"""The faults of an expression on an element of a type; the last is the extension."""


_CORE = "http://hl7.org/fhir/StructureDefinition/"

# Where the specification itself puts its extensions, beyond what their definitions say.
ALSO_ON: Mapping[str, tuple[str, ...]] = {
    _CORE + "structuredefinition-fhir-type": ("ElementDefinition.type",),
    _CORE + "structuredefinition-normative-version": ("Element",),
    _CORE + "regex": ("ElementDefinition.type",),
}


def check_ext_1(value: Any) -> Faults:
    """Check ext-1: an extension has a value or extensions, not both."""
    if value.__class__ is not dict or not value:
        return None
    has_value = any(key.lstrip("_").startswith("value") for key in value)
    if has_value != ("extension" in value):
        return None
    have = "both a value and extensions" if has_value else "neither a value nor extensions"
    return fault("invariant", f"found {have}, expected one of them (ext-1)")


def check_url(value: Any) -> Faults:
    """Check that the URL of an extension is absolute; within an extension it may be relative."""
    url = value.get("url") if value.__class__ is dict else None
    if url.__class__ is not str or not url or is_absolute(url):
        return None
    return wrong("value", url, "an absolute URL of the extension")


def use_check(
    known: Known,
    hosts: frozenset[str],
    meets: Callable[[Json, str], list[Fault]],
    *,
    is_modifier: bool,
) -> Check:
    """The check of an extension on one of the types `hosts`: its place and what it holds.

    `meets` checks it against the definition that a URL names.
    """

    def check(value: Any) -> Faults:
        url = value.get("url") if value.__class__ is dict else None
        if url.__class__ is not str:
            return None
        definition = known.get(url)
        if definition is None:
            return _unknown_modifier(url) if is_modifier else None
        found = _held(value, url, definition) or meets(value, url)
        if definition.is_modifier != is_modifier:
            stands = "a modifier extension" if is_modifier else "an extension"
            found += wrong("extension", url, "it not to be used as " + stands)
        names = ALSO_ON.get(url, ())
        names += tuple(name for kind, name in definition.contexts if kind == "element")
        is_elsewhere = "Element" not in names and hosts.isdisjoint(names)
        if is_elsewhere or definition.context_invariants:
            found.append(Fault("", "extension", "", pending=url))
        return found or None

    return check


def _unknown_modifier(url: str) -> list[Fault]:
    text = f"found the modifier extension {url}, which is not known: what it changes is not seen"
    return warning("extension", text)


def _held(value: Json, url: str, definition: Extension) -> list[Fault]:
    """What is wrong with the value of a known extension."""
    held = [key for key in value if key.startswith("value")]
    allowed = {"value" + each[0].upper() + each[1:] for each in definition.types}
    if not held or held[0] in allowed:
        return []
    expected = " or ".join(definition.types) or "extensions"
    return fault("structure", f"found {held[0]} in {url}, expected {expected}")


def misplaced(
    definitions: Definitions, known: Known, of_context: ContextCheck
) -> Callable[[Json, Fault], list[Fault]]:
    """What settles whether an extension that waits is where it may be; the faults if it is not.

    `of_context` checks what its definition asks of the element that has it.
    """

    def settle(resource: Json, waiting: Fault) -> list[Fault]:
        host_path = waiting.path.rpartition(".")[0]
        host = along(definitions, resource, host_path)[-1]
        definition = known[waiting.pending]
        if any(_is_at(context, host) for context in definition.contexts):
            extension = along(definitions, resource, waiting.path)[-1].value
            return [
                each
                for text in definition.context_invariants
                for each in under(host_path, of_context(text, host.type, host.value, extension))
            ]
        places = ", ".join(expression for _, expression in definition.contexts)
        text = f"found {waiting.pending} here, expected it on {places}"
        return [Fault(host_path, "extension", text)]

    return settle


def _is_at(context: tuple[str, str], host: Stop) -> bool:
    match context:
        case ("element", name):
            return name in host.names or name == "Element"
        case ("extension", url):
            return host.type == "Extension" and _url(host.value) == url
    return True  # FHIRPath is not evaluated: what it selects would have to be compared by place


def _url(value: Any) -> Any:
    return value.get("url") if value.__class__ is dict else None
