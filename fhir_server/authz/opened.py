"""Grants that opened a record before: whether they still do is one question to the store.

1. A grant never makes a predicate fail. So those that once were enough are enough again, as long as
   they are what they were, for the time of the request.
2. Whoever uses them compares their versions with the store first: a grant that was closed has
   another version, and then all are sought anew. What came besides can only open more, and is
   sought where these do not suffice.
"""

from collections import OrderedDict
from collections.abc import Sequence

from fhir_server.authz.caller import Caller
from fhir_server.model import Key, Version

_MOST = 4096
_MOST_GRANTS = 16
"""Of more it costs as much to ask for their versions as to seek them anew."""

About = tuple[frozenset[str], tuple[str, ...] | Key]


class Opened:
    """The grants last used, by the institution that they are for and by what they are about."""

    def __init__(self) -> None:
        """Know none yet."""
        self._kept: OrderedDict[About, Sequence[Version]] = OrderedDict()

    def get(self, caller: Caller, version: Version) -> Sequence[Version]:
        """Return the grants that opened records about the same patients to the caller's
        institution."""
        about = _about(caller, version)
        if about not in self._kept:
            return ()
        self._kept.move_to_end(about)
        return self._kept[about]

    def keep(self, caller: Caller, version: Version, grants: Sequence[Version]) -> None:
        """Remember grants that opened a record."""
        if len(grants) <= _MOST_GRANTS:
            self._kept[_about(caller, version)] = grants
            if len(self._kept) > _MOST:
                self._kept.popitem(last=False)


def _about(caller: Caller, version: Version) -> About:
    return caller.organizations, version.patients or version.key
