"""Profiles of a resource and of those in it: which they claim, and whether they meet them.

https://hl7.org/fhir/R4/resource.html#Meta.profile, https://hl7.org/fhir/R4/observation-vitalsigns.html
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from conformance.profiles.catalog import CORE
from conformance.profiles.compiler import Compiler
from conformance.profiles.items import Around
from conformance.snapshot import SnapshotError
from conformance.validation.faults import Fault
from conformance.validation.rules.bundle_references import Entries
from conformance.validation.rules.bundles import entries_of

Json = dict[str, Any]
Resolve = Callable[[str], Json | None]

# Observations with these LOINC codes are vital signs, and should be as their profiles say. Where an
# Observation does not claim the profile, what it lacks is a warning: much that is sent is less.
VITAL_SIGNS = {
    "85353-1": "vitalspanel",
    "9279-1": "resprate",
    "8867-4": "heartrate",
    "2708-6": "oxygensat",
    "8310-5": "bodytemp",
    "8302-2": "bodyheight",
    "9843-4": "headcircum",
    "29463-7": "bodyweight",
    "39156-5": "bmi",
    "85354-9": "bp",
}


class Inside(NamedTuple):
    """A resource, where it stands, and how references in it are followed."""

    path: str
    resource: Json
    resolve: Resolve


def check_profiles(
    compiler: Compiler,
    resource: Json,
    demanded: Iterable[str],
    malformed: list[str],
    *,
    warnings: bool,
) -> list[Fault]:
    """The faults of a resource against profiles demanded, and of all in it against their own.

    What has a malformed part, whose paths are given, is not asked.
    """
    found: list[Fault] = []
    for each in _inside("", resource, lambda _: None):
        if any(path.startswith(each.path) for path in malformed):
            continue
        claimed = _claimed(each.resource)
        urls = {**dict.fromkeys(demanded if not each.path else (), ""), **claimed}
        for url, place in urls.items():
            found += _against(compiler, each, url, place)
        for url in _vital_signs(each.resource) if warnings else ():
            if url not in urls:
                faults = _against(compiler, each, url, "")
                found += [fault._replace(severity="warning") for fault in faults]
    return found


def _against(compiler: Compiler, inside: Inside, url: str, place: str) -> list[Fault]:
    try:
        check = compiler.profile(url)
    except SnapshotError as error:
        return [Fault(inside.path + place, "not-supported", str(error), severity="warning")]
    if check is None:
        return _unknown(compiler, inside, url, place)
    around = Around(inside.resource, inside.resolve)
    return [
        each._replace(path=inside.path + each.path, text=f"{each.text} [{url}]")
        for each in check(inside.resource, around)
    ]


def _unknown(compiler: Compiler, inside: Inside, url: str, place: str) -> list[Fault]:
    stated = compiler.type_of(url)
    if not stated:
        text = f"found the profile {url}, which is not known: not checked"
        severity: Any = "warning" if place else "error"
        return [Fault(inside.path + place, "not-found", text, severity=severity)]
    name = inside.resource.get("resourceType")
    if stated in (name, "Resource", "DomainResource"):
        return []
    return [Fault(inside.path, "structure", f"found {name}, expected {stated} [{url}]")]


def _claimed(resource: Json) -> dict[str, str]:
    """The profiles that a resource claims to meet: URL -> place."""
    meta = resource.get("meta")
    claimed = meta.get("profile") if meta.__class__ is dict else None
    return {
        url: f".meta.profile[{index}]"
        for index, url in enumerate(claimed if claimed.__class__ is list else ())
        if url.__class__ is str
    }


def _vital_signs(resource: Json) -> Iterator[str]:
    """The profile of a vital sign."""
    code = resource.get("code") if resource.get("resourceType") == "Observation" else None
    codings = code.get("coding") if code.__class__ is dict else None
    for coding in codings if codings.__class__ is list else ():
        if coding.__class__ is dict and coding.get("system") == "http://loinc.org":
            name = coding.get("code")
            if name.__class__ is str and name in VITAL_SIGNS:
                yield CORE + VITAL_SIGNS[name]


def _inside(path: str, resource: Any, resolve: Resolve) -> Iterator[Inside]:
    """A resource and all that are in it."""
    if resource.__class__ is not dict:
        return
    here = _local(resource, resolve)
    yield Inside(path, resource, here)
    for place, each in _items(resource.get("contained"), f"{path}.contained"):
        if each.__class__ is dict:
            yield Inside(place, each, here)
    match resource.get("resourceType"):
        case "Bundle":
            yield from _in_bundle(path, resource)
        case "Parameters":
            yield from _in_parameters(f"{path}.parameter", resource.get("parameter"), resolve)


def _in_bundle(path: str, bundle: Json) -> Iterator[Inside]:
    entries = entries_of(bundle)
    index: list[Entries] = []

    def resolver(origin: int) -> Resolve:
        def resolve(literal: str) -> Json | None:
            if not index:
                index.append(Entries(entries))
            found = index[0].find(literal, origin)
            target = entries[found[0]][1].get("resource") if len(found) == 1 else None
            return target if target.__class__ is dict else None

        return resolve

    for number, (place, entry) in enumerate(entries):
        yield from _inside(f"{path}{place}.resource", entry.get("resource"), resolver(number))


def _in_parameters(path: str, parameters: Any, resolve: Resolve) -> Iterator[Inside]:
    for place, each in _items(parameters, path):
        if each.__class__ is dict:
            yield from _inside(f"{place}.resource", each.get("resource"), resolve)
            yield from _in_parameters(f"{place}.part", each.get("part"), resolve)


def _items(values: Any, path: str) -> Iterator[tuple[str, Any]]:
    for index, each in enumerate(values if values.__class__ is list else ()):
        yield f"{path}[{index}]", each


def _local(resource: Json, outer: Resolve) -> Resolve:
    """Follows `#id` within a resource, and all else as what is around it does."""

    def resolve(literal: str) -> Json | None:
        if not literal.startswith("#"):
            return outer(literal)
        if literal == "#":
            return resource
        for _, each in _items(resource.get("contained"), ""):
            if each.__class__ is dict and each.get("id") == literal[1:]:
                return dict(each)
        return None

    return resolve
