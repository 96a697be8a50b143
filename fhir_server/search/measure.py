"""What a record is measured by where no entry says it: how relevant it is, how far away.

Each measure depends on the one record and the question alone: what other records there are, hidden
ones among them, changes neither a score nor an order. Both are whole numbers, so that all stores
reckon alike.
"""

from collections.abc import Iterable, Sequence

from fhir_server.model import NO_TEXT, Entry, Text
from fhir_server.search.position import distance
from fhir_server.search.tree import Near, Node, Words

BEST = 1000
STRETCH = 500
"""So many characters of text make one more mention necessary for the same score."""


def measured(by: Sequence[Node], entries: Iterable[Entry], text: Text = NO_TEXT) -> int | None:
    """Return the score or the distance that a record is sorted by; None: it has no position."""
    sought = [node for node in by if isinstance(node, Words)]
    if sought:
        return score(text, sought)
    places = [node for node in by if isinstance(node, Near)]
    return min(
        (
            distance(float(each.v), float(each.w), place.latitude, place.longitude)
            for place in places
            for each in entries
            if each.param == place.param and not each.path
        ),
        default=None,
    )


def score(text: Text, sought: Sequence[Words]) -> int:
    """Return how well a text agrees with what is sought in it, from 1 to 999.

    It is the mean over all phrases. One that is mentioned `n` times counts `n / (n + s)`, where
    `s` is 1, and 1 more for each STRETCH characters of text.

    >>> score(Text(rest=" blood pressure "), [Words("content", ("blood",))])
    500
    """
    return max(1, sum(_agreement(text, node) for node in sought) // len(sought))


def _agreement(text: Text, node: Words) -> int:
    parts = text if node.scope == "content" else text[:1]
    stretch = 1 + sum(map(len, parts)) // STRETCH
    mentions = sum(part.count(node.sought) for part in parts)
    return BEST - BEST * stretch // (mentions + stretch)
