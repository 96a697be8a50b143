"""Full text on MongoDB: the words of a record, in fields of their own with an index of its own.

1. `words` are all that a record says, each once; the index `words` leads from each of them to the
   records of a type, in the default order.
2. `text` holds the words in order, `n` those of the narrative and `r` all others. It decides where
   words have to stand together, or in the narrative.
"""

from collections.abc import Mapping
from typing import Any

from fhir_server.model import Text
from fhir_server.search.tree import Words
from fhir_server.search.words import distinct
from fhir_server.store.mongo.condition import Filter, begins, contains


def fields(text: Text) -> dict[str, Any]:
    """Return the fields by which full text finds a record; none for one without words."""
    if not any(text):
        return {}
    parts = {name: part for name, part in zip("nr", text, strict=True) if part}
    return {"words": distinct(text), "text": parts}


def kept(doc: Mapping[str, Any]) -> Text:
    """Return the words that a document keeps."""
    found = doc.get("text", {})
    return Text(found.get("n", ""), found.get("r", ""))


def said(node: Words) -> list[Filter]:
    """Return the conditions that a record has the words; each but the last an index answers."""
    narrative = node.scope == "text"
    if not node.words:
        return [{"text.n" if narrative else "text": {"$exists": True}}]
    found: list[Filter] = [{"words": {"$eq": word}} for word in node.words]
    if node.begins:
        found[-1] = {"words": {"$elemMatch": begins(node.words[-1])}}
    if narrative:
        return [*found, {"text.n": contains(node.sought)}]
    if len(found) == 1:
        return found
    return [*found, {"$or": [{field: contains(node.sought)} for field in ("text.n", "text.r")]}]
