"""Checks: how strictly a write is validated, by who writes and by type.

One rule decides, the most specific: the writer's name comes before its kind, either before none,
and for the same writer a rule for the type before one for all types.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

import msgspec

from conformance.definitions import Definitions
from conformance.issues import Issue
from conformance.validator import Level, Validator
from fhir_server.authz.caller import Caller
from fhir_server.settings import Settings

_REFUSED = frozenset({"error", "fatal"})


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is asked of what a `source` (a client's name, or a kind of caller) writes of a `type`.

    Empty is any. `profile` is the canonical URL of one to meet, claimed or not.
    """

    source: str = ""
    type: str = ""
    level: Literal["", "off", "structure", "full"] = ""
    profile: str = ""


@dataclass(frozen=True, slots=True)
class Checks:
    """The level where no rule says another, and the rules by source and type."""

    level: Level = "full"
    rules: Mapping[tuple[str, str], Rule] = field(default_factory=dict)

    def level_and_profiles(self, caller: Caller, type: str) -> tuple[Level, tuple[str, ...]]:
        """Return how strictly what a caller writes is checked, and the profiles it must meet."""
        if not self.rules:
            return self.level, ()
        for source in (caller.client, caller.kind, ""):
            for name in (type, ""):
                if rule := self.rules.get((source, name)):
                    return rule.level or "full", (rule.profile,) if rule.profile else ()
        return self.level, ()

    def problems(
        self, validator: Validator, caller: Caller, resource: dict[str, Any]
    ) -> list[Issue]:
        """Return what a resource that a caller writes is refused for."""
        level, profiles = self.level_and_profiles(caller, resource["resourceType"])
        found = validator.validate(resource, level, profiles, warnings=False)
        return [issue for issue in found if issue.severity in _REFUSED]


def read_checks(settings: Settings, definitions: Definitions, validator: Validator) -> Checks:
    """Return the checks that the settings `validation` and `validation_rules` ask for.

    Raises ValueError with the setting, and the rule's number, of what is wrong; OSError where the
    file cannot be read.
    """
    level = settings.validation
    if level not in get_args(Level):
        raise ValueError(f"validation is {level!r}; expected one of {', '.join(get_args(Level))}")
    rules: dict[tuple[str, str], Rule] = {}
    for number, given in enumerate(_given(settings.validation_rules), 1):
        try:
            rule = _read(given, definitions, validator)
            if (rule.source, rule.type) in rules:
                raise ValueError("an earlier rule has the same source and type")
        except ValueError as fault:
            raise ValueError(f"validation_rules: rule {number}: {fault}") from None
        rules[rule.source, rule.type] = rule
    return Checks(level, rules)  # type: ignore[arg-type]  # it is one of Level's


def _given(path: str) -> list[Any]:
    if not path:
        return []
    try:
        return msgspec.json.decode(Path(path).read_bytes(), type=list[Any])
    except msgspec.DecodeError as fault:
        raise ValueError(f"validation_rules: {path} holds no list of rules: {fault}") from None


def _read(given: Any, definitions: Definitions, validator: Validator) -> Rule:
    rule = msgspec.convert(given, Rule)
    if rule.type and rule.type not in definitions.resource_types:
        raise ValueError(f"{rule.type!r} is no type of resource")
    if not rule.level and not rule.profile:
        raise ValueError("a level or a profile is needed")
    if rule.profile:
        _check_profile(rule, definitions, validator)
    return rule


def _check_profile(rule: Rule, definitions: Definitions, validator: Validator) -> None:
    if not rule.type:
        raise ValueError("a rule with a profile needs a type")
    if rule.level not in ("", "full"):
        raise ValueError(f"a profile is checked at the level full, not {rule.level}")
    found = validator.type_of(rule.profile)
    if found is None:
        raise ValueError(f"the profile {rule.profile!r} is not known")
    if found not in definitions.ancestry(rule.type):
        raise ValueError(f"{rule.profile!r} is a profile of {found}, not of {rule.type}")
