"""Index entries of a resource, computed once when it is written.

https://hl7.org/fhir/R4/searchparameter.html, https://hl7.org/fhir/R4/compartmentdefinition.html
"""

from collections.abc import Collection, Sequence
from datetime import tzinfo
from typing import Any

from conformance.definitions import Definitions
from fhir_server.model import Entry, Key
from fhir_server.search.terms import SHANGHAI


class Extractor:
    """Computes entries; holds what it compiled of each resource type."""

    def __init__(
        self, definitions: Definitions, base_url: str = "", zone: tzinfo = SHANGHAI
    ) -> None:
        """Take the hub's own FHIR base, to know its own absolute URLs, and the zone of bare times."""
        self._definitions = definitions
        self._base = base_url.rstrip("/")
        self._zone = zone

    def entries(self, resource: dict[str, Any]) -> tuple[Entry, ...]:
        """Return all entries of a resource, without repetition, in a constant order."""
        raise NotImplementedError

    def references(self, resource: dict[str, Any], codes: Collection[str]) -> tuple[Entry, ...]:
        """Return the entries of some reference parameters alone."""
        raise NotImplementedError

    def patients(self, key: Key, entries: Sequence[Entry]) -> tuple[str, ...]:
        """Return the ids of the patients whose compartments a record is in, in order."""
        raise NotImplementedError
