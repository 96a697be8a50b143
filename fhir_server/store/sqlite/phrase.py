"""What of a phrase the index of full text knows. `text` says what that index is."""

from fhir_server.search.tree import Words


def matched(node: Words) -> str:
    """Return what the index is asked for the records that have all the words."""
    whole, last = node.words[:-1], indexed(node)
    return " AND ".join((*(f'"{word}"' for word in whole), f'"{last}"{"*" * node.begins}'))


def is_certain(node: Words) -> bool:
    """Tell whether the index alone tells that a record has the words."""
    return node.scope == "content" and (indexed(node),) == node.words


def indexed(node: Words) -> str:
    """Return the last word, or as much of its beginning as the index knows."""
    last = node.words[-1]
    return last[: 3 if len(last) >= 3 else 1] if node.begins else last
