"""Who asks: one value that every decision is made from."""

from dataclasses import dataclass, field, replace
from typing import Any, Literal

from fhir_server.authz.grant import Rule
from fhir_server.authz.scopes import Scope

Kind = Literal["staff", "patient", "feed", "auditor", "admin", "operator", "open"]


@dataclass(frozen=True, slots=True)
class Caller:
    """The one who asks, read again on every request.

    `kind`: *staff* act in one PractitionerRole; a *patient* for one Patient; a *feed* is a source
    system of an institution; an *auditor* reads the trail, an *admin* accounts and messages,
    neither reads the record; the *operator* is the command line of the machine's owner; *open* is
    everybody on a hub started with `--open`.

    `person` is the literal reference of the acting person (`Practitioner/…`, `Patient/…`), `role`
    the PractitionerRole's id, `duty` its code (`physician`, `nurse`, …), `organization` the
    institution (the top of `partOf`) that owns what the caller writes, `organizations` the role's
    own and all above it up to the institution. `patient` binds the caller to one compartment.
    `rules` are those that name one of `organizations` as recipient. `now` is the time of the
    request in milliseconds, `token` the id of the token's record.
    """

    kind: Kind
    account: str
    name: str = ""
    person: str = ""
    role: str = ""
    duty: str = ""
    organization: str = ""
    organizations: frozenset[str] = frozenset()
    patient: str = ""
    client: str = ""
    scopes: tuple[Scope, ...] = ()
    rules: tuple[Rule, ...] = ()
    purpose: str = "TREAT"
    request: str = ""
    now: int = 0
    token: str = field(default="", repr=False)
    decided: dict[tuple[str, str], Any] = field(
        init=False, default_factory=dict, repr=False, compare=False
    )
    """What `decide` has found for this caller; `replace` begins anew."""

    def at(self, now: int, request: str) -> "Caller":
        """Return the caller of another request: nothing that is decided of him depends on it."""
        made = replace(self, now=now, request=request)
        object.__setattr__(made, "decided", self.decided)
        return made
