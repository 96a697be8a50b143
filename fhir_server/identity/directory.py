"""What the directory says about the one who asks: the role as it is now, and the institution.

https://hl7.org/fhir/R4/practitionerrole.html, https://hl7.org/fhir/R4/organization.html
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

from fhir_server import fhirjson
from fhir_server.authz.provision import period
from fhir_server.authz.tables import DUTY_OF_CODE
from fhir_server.model import Key, Version

HIGHEST = 8
"""Levels of `partOf` that are climbed; deeper, or in a circle, there is no institution."""


@dataclass(frozen=True, slots=True)
class Role:
    """A PractitionerRole: whose, where, what, and from when until when (milliseconds)."""

    practitioner: str
    organization: str
    duty: str
    start: int
    until: int


class Reads(Protocol):
    """What of a store is needed here."""

    async def read(self, key: Key) -> Version | None:
        """Return the latest version of a record."""


async def role_of(store: Reads, id: str, now: int) -> Role | None:
    """Return the role if it holds at `now`."""
    version = await store.read(Key("PractitionerRole", id))
    role = None if version is None or version.body is None else _role(version.body)
    return role if role is not None and role.start <= now < role.until else None


async def institution_of(store: Reads, organization: str) -> tuple[str, frozenset[str]] | None:
    """Return the institution, the top of `partOf`, and all from `organization` up to it.

    None where one of them is missing, deleted or not active.
    """
    found: list[str] = []
    while organization and len(found) < HIGHEST and organization not in found:
        version = await store.read(Key("Organization", organization))
        above = None if version is None or version.body is None else _above(version.body)
        if above is None:
            return None
        found.append(organization)
        organization = above
    return None if organization or not found else (found[-1], frozenset(found))


@lru_cache(maxsize=4096)
def _role(body: bytes) -> Role | None:
    """Read a PractitionerRole; equal bytes say the same, so what they say may be kept."""
    resource = fhirjson.resource(Version(Key("PractitionerRole", ""), 1, 0, body))
    if resource.get("active") is False:
        return None
    try:
        start, until = period(resource.get("period") or {})
    except ValueError:
        return None
    return Role(
        _reference(resource, "practitioner"),
        _reference(resource, "organization").removeprefix("Organization/"),
        _duty(resource),
        start,
        until,
    )


@lru_cache(maxsize=4096)
def _above(body: bytes) -> str | None:
    """Return what an Organization is part of: empty at the top, None if it is not active."""
    resource = fhirjson.resource(Version(Key("Organization", ""), 1, 0, body))
    if resource.get("active") is False:
        return None
    return _reference(resource, "partOf").removeprefix("Organization/")


def _reference(resource: dict[str, Any], name: str) -> str:
    return str((resource.get(name) or {}).get("reference", ""))


def _duty(resource: dict[str, Any]) -> str:
    for concept in resource.get("code") or []:
        for coding in concept.get("coding") or []:
            if duty := DUTY_OF_CODE.get(coding.get("code", "")):
                return duty
    return ""
