"""Questionnaires: what switches an item on is another of its items.

https://hl7.org/fhir/R4/questionnaire-definitions.html#Questionnaire.item.enableWhen.question
"""

from collections.abc import Iterator
from typing import Any

from conformance.validation.faults import Fault, Faults

Json = dict[str, Any]
Placed = tuple[str, Json]


def check_questionnaire(questionnaire: Json) -> Faults:
    """Check that enableWhen names a question of the questionnaire, and not its own."""
    items = list(items_in("", questionnaire))
    links = {item.get("linkId") for _, item in items}
    found = []
    for place, item in items:
        for index, when in enumerate(_list(item.get("enableWhen"))):
            link = when.get("question") if when.__class__ is dict else None
            if link.__class__ is not str:
                continue
            where = f"{place}.enableWhen[{index}]"
            if link not in links:
                text = f'found no question "{link}", expected one with that linkId'
                found.append(Fault(where, "not-found", text))
            elif link == item.get("linkId"):
                text = f'found "{link}" itself, expected another question'
                found.append(Fault(where, "value", text))
    return found or None


def items_in(place: str, parent: Json) -> Iterator[Placed]:
    """All items in an item or questionnaire, each with its place."""
    for index, item in enumerate(_list(parent.get("item"))):
        if item.__class__ is dict:
            where = f"{place}.item[{index}]"
            yield where, item
            yield from items_in(where, item)


def _list(value: Any) -> list[Any]:
    return value if value.__class__ is list else []
