"""The rules of an Organization, read again only when there are others.

A rule never changes, and one that no grant names opens nothing: to see every new rule on the next
request is all that is needed. Each is written together with its recipient's record (`Rule.writes`),
whose version is a point read; while it is the same, so are the rules.
"""

from collections.abc import Iterable

from fhir_server.authz.grant import Rule, read_rule, recipient_key
from fhir_server.identity.familiar import Reading
from fhir_server.model import Query, Value
from fhir_server.search.tree import Cond, Match
from fhir_server.store.protocol import Store

_PAGE = 200


class KnownRules:
    """Rules by the Organization that is their recipient, with the version of its record."""

    def __init__(self) -> None:
        """Know none yet."""
        self._known: dict[str, tuple[int, tuple[Rule, ...]]] = {}

    async def of(self, reading: Reading, organizations: Iterable[str]) -> tuple[Rule, ...]:
        """Return all rules of which one of these Organizations is the recipient."""
        found: list[Rule] = []
        for organization in sorted(organizations):
            version = await reading.read(recipient_key(organization))
            if version is None:
                continue
            vid, rules = self._known.get(organization, (0, ()))
            if vid != version.vid:
                rules = await _rules(reading.store, organization)
                self._known[organization] = version.vid, rules
            found += rules
        return tuple(found)


async def _rules(store: Store, organization: str) -> tuple[Rule, ...]:
    where = Match("recipient", (Cond("v", "=", organization),))
    found: list[Rule] = []
    after: tuple[Value | None, ...] | None = None
    while True:
        page = await store.search(Query("rule", where, limit=_PAGE, after=after))
        found += map(read_rule, page.versions)
        after = page.next
        if after is None:
            return tuple(found)
