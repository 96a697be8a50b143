"""Which of many phrases, or of their combinations, a record says: its words are read once.

An alternative is looked up by one phrase that it needs, the one that the fewest others need; what
else it asks is asked only where that phrase stands.
"""

from collections import Counter
from collections.abc import Iterator, Sequence

from fhir_server.search.pieces import Pieces
from fhir_server.search.quick import Row, Test
from fhir_server.search.tree import And, Node, Not, Or, Words


def said(nodes: Sequence[Node]) -> Test:
    """Return the test that the words of a narrative and all others satisfy one of the nodes, which
    are made of words alone."""
    narrative: dict[str, list[Node]] = {}
    rest: dict[str, list[Node]] = {}
    others: list[Node] = []
    for node, key in zip(nodes, keys(nodes), strict=True):
        if key is None:
            others.append(node)
            continue
        narrative.setdefault(key.sought, []).append(node)
        if key.scope == "content":
            rest.setdefault(key.sought, []).append(node)
    parts = Pieces(narrative), Pieces(rest)

    def test(row: Row) -> bool:
        texts = [str(text) for text in row]
        for pieces, text in zip(parts, texts, strict=True):
            met = {id(found): found for found in pieces.within(text)}
            if any(_holds(node, texts) for found in met.values() for node in found):
                return True
        return any(_holds(node, texts) for node in others)

    return test


def keys(nodes: Sequence[Node]) -> list[Words | None]:
    """Return of each node the words that it needs and that the fewest others need; None for one
    that needs none."""
    needed = [list(needs(node)) for node in nodes]
    shared = Counter(words for some in needed for words in some)
    return [min(some, key=shared.__getitem__, default=None) for some in needed]


def needs(node: Node) -> Iterator[Words]:
    """Yield words without which a node does not hold."""
    match node:
        case Words():
            yield node
        case And(nodes):
            for each in nodes:
                yield from needs(each)


def _holds(node: Node, texts: Sequence[str]) -> bool:
    match node:
        case And(nodes):
            return all(_holds(each, texts) for each in nodes)
        case Or(nodes):
            return any(_holds(each, texts) for each in nodes)
        case Not(inner):
            return not _holds(inner, texts)
        case Words(scope):
            return any(node.sought in text for text in texts[: 1 if scope == "text" else 2])
        case _:
            raise TypeError(f"{node!r} is not made of words")
