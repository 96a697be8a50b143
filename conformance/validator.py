"""Validator: the rules of R4, compiled to closures, checked in one pass.

https://hl7.org/fhir/R4/validation.html
"""

from collections.abc import Iterable
from typing import Any, Literal

from conformance.definitions import Definitions
from conformance.issues import Issue
from conformance.profiles.catalog import Catalog
from conformance.validation.checks import Checks, Options
from conformance.validation.faults import Fault

Level = Literal["off", "structure", "full"]

MOST_ISSUES = 1000


class Validator:
    """Validates resources; what it compiles for a type, it keeps for as long as it lives.

    `level`: `structure` checks elements, cardinality, types, formats, references, contained
    resources, narrative and required bindings; `full` adds invariants, codes of known systems,
    extensions, Bundles and all other rules; `off` nothing. Without `warnings` only errors are told.
    `best_practice` adds advice (dom-6: a resource should have narrative). `packages` are the
    resources of packages (`conformance.packages`), whose profiles, extensions and terminology are
    known beside R4's.
    """

    def __init__(
        self,
        definitions: Definitions,
        level: Level = "full",
        *,
        warnings: bool = True,
        best_practice: bool = False,
        most_issues: int = MOST_ISSUES,
        packages: Iterable[dict[str, Any]] = (),
    ) -> None:
        catalog = Catalog(definitions, packages)
        self._level = level
        self._most_issues = most_issues
        self._warnings = warnings
        self._catalog = catalog
        self._checks = {
            (level, told): Checks(
                definitions, catalog, Options(level == "full", told, told and best_practice)
            )
            for level in ("structure", "full")
            for told in {warnings, False}
        }

    def validate(
        self,
        resource: Any,
        level: Level | None = None,
        profiles: Iterable[str] = (),
        *,
        warnings: bool = True,
    ) -> list[Issue]:
        """All problems of a JSON value that should be a resource; none: it is valid.

        Numbers should be int or Decimal. `level` is the validator's own where none is given;
        `profiles` are canonical URLs of profiles to meet, beside those that the resource claims;
        `warnings=False` leaves warnings out that the validator would tell.
        Never raises, whatever the value. Beyond `most_issues` one more says how many there are.
        """
        wanted = level or self._level
        if wanted == "off":
            return []
        told = warnings and self._warnings
        checks = self._checks[wanted, told]
        try:
            found = checks.resource(resource) or []
            if wanted == "full":
                found = found + checks.profiles(resource, profiles, found)
        except RecursionError:
            return [Issue("too-costly", "found more levels of nesting than can be checked")]
        if not told:
            found = [each for each in found if each.severity == "error"]
        return self._issues(root_name(resource), found)

    def type_of(self, profile: str) -> str | None:
        """The type that a profile is of, by its canonical URL; None: the profile is not known."""
        found = self._catalog.structure(profile)
        return str(found["type"]) if found else None

    def _issues(self, name: str, found: list[Fault]) -> list[Issue]:
        told = [issue(name, each) for each in found[: self._most_issues]]
        if len(found) > self._most_issues:
            text = f"found {len(found)} problems, told the first {self._most_issues}"
            told.append(Issue("too-costly", text, name, "information"))
        return told


def root_name(resource: Any) -> str:
    """What paths begin with: the type of the resource, where it has one."""
    stated = resource.get("resourceType") if isinstance(resource, dict) else None
    return stated if isinstance(stated, str) and stated else "Resource"


def issue(name: str, found: Fault) -> Issue:
    """A fault as an issue on the resource."""
    return Issue(found.code, found.text, name + found.path, found.severity)
