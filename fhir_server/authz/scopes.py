"""SMART App Launch 2.2 scopes. https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html

(To be completed: parse, permit.)
"""

from typing import NamedTuple


class Scope(NamedTuple):
    """`level/type.verbs`: level is patient, user or system; type may be `*`; verbs is a subset of `cruds`."""

    level: str
    type: str
    verbs: str
