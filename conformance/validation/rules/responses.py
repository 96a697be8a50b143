"""Questionnaire responses against their questionnaire, where it is at hand.

https://hl7.org/fhir/R4/questionnaireresponse.html#notes

1. Each item answers an item of the questionnaire: the same linkId, in the same group.
2. Answers have the type that the question asks for; a group or display has none.
3. A question that does not repeat has one answer, an item that does not repeat stands once.
4. What is required is there in a response that is completed or amended, unless it is not enabled.
5. A choice is one of its options, where the questionnaire lists them.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from conformance.validation.faults import Check, Fault, Faults

Json = dict[str, Any]
Codes = Callable[[str], Mapping[str, frozenset[str]]]

DONE = frozenset({"completed", "amended"})

# Questionnaire.item.type -> the types of its answers
TYPES = {
    "boolean": {"valueBoolean"},
    "decimal": {"valueDecimal"},
    "integer": {"valueInteger"},
    "date": {"valueDate"},
    "dateTime": {"valueDateTime", "valueDate"},
    "time": {"valueTime"},
    "string": {"valueString"},
    "text": {"valueString"},
    "url": {"valueUri"},
    "choice": {"valueCoding", "valueString", "valueInteger", "valueDate", "valueTime"}
    | {"valueReference"},
    "open-choice": {"valueCoding", "valueString", "valueInteger", "valueDate", "valueTime"}
    | {"valueReference"},
    "attachment": {"valueAttachment"},
    "reference": {"valueReference"},
    "quantity": {"valueQuantity"},
}
WITHOUT_ANSWER = frozenset({"group", "display"})


def response_check(questionnaires: Mapping[str, Json], codes: Codes) -> Check:
    """The check of a QuestionnaireResponse against what it contains or a package has."""

    def check(response: Json) -> Faults:
        questionnaire = _questionnaire(response, questionnaires)
        if questionnaire is None:
            return None
        reader = _Reader(response, codes)
        return list(reader.items("", questionnaire, response)) or None

    return check


def _questionnaire(response: Json, known: Mapping[str, Json]) -> Json | None:
    url = response.get("questionnaire")
    if url.__class__ is not str:
        return None
    if not url.startswith("#"):
        return known.get(url.partition("|")[0])
    for each in response.get("contained", ()):
        if each.get("id") == url[1:] and each.get("resourceType") == "Questionnaire":
            return dict(each)
    return None


def children(parent: Json) -> list[Json]:
    """The items in an item, an answer, a questionnaire or a response."""
    items = parent.get("item")
    return [each for each in items if each.__class__ is dict] if items.__class__ is list else []


class _Reader:
    """Reads one response beside its questionnaire."""

    def __init__(self, response: Json, codes: Codes) -> None:
        self._is_done = response.get("status") in DONE
        self._codes = codes

    def items(self, place: str, asked: Json, given: Json) -> Iterator[Fault]:
        """The faults of the items in one group, question or answer."""
        questions = {each.get("linkId"): each for each in children(asked)}
        counts: dict[Any, int] = {}
        for index, item in enumerate(children(given)):
            where = f"{place}.item[{index}]"
            link = item.get("linkId")
            question = questions.get(link)
            counts[link] = counts.get(link, 0) + 1
            if question is None:
                text = f'found the linkId "{link}", expected one of the questionnaire here'
                yield Fault(where, "structure", text)
                continue
            if counts[link] == 2 and not question.get("repeats"):
                yield Fault(where, "structure", f'found the item "{link}" again, it stands once')
            yield from self._item(where, question, item)
        yield from self._missing(place, questions, counts)

    def _missing(
        self, place: str, questions: dict[Any, Json], counts: dict[Any, int]
    ) -> Iterator[Fault]:
        for link, question in questions.items():
            is_needed = question.get("required") is True and "enableWhen" not in question
            if is_needed and link not in counts and self._is_done:
                yield Fault(place, "required", f'found no item "{link}", which is required')

    def _item(self, place: str, question: Json, item: Json) -> Iterator[Fault]:
        kind = question.get("type")
        answers = item.get("answer")
        answers = answers if answers.__class__ is list else []
        if kind in WITHOUT_ANSWER:
            if answers:
                yield Fault(place, "structure", f"found an answer, expected none of a {kind}")
            yield from self.items(place, question, item)
            return
        if question.get("required") is True and not answers and self._is_done:
            yield Fault(place, "required", "found no answer, which is required")
        if len(answers) > 1 and not question.get("repeats"):
            text = f"found {len(answers)} answers, expected one"
            yield Fault(f"{place}.answer[1]", "structure", text)
        for index, answer in enumerate(answers):
            if answer.__class__ is dict:
                yield from self._answer(f"{place}.answer[{index}]", question, answer)

    def _answer(self, place: str, question: Json, answer: Json) -> Iterator[Fault]:
        kind = str(question.get("type"))
        held = next((key for key in answer if key.startswith("value")), "")
        if held and held not in TYPES.get(kind, {held}):
            yield Fault(place, "structure", f"found {held}, expected an answer of type {kind}")
        elif held and kind == "choice" and not self._is_option(question, held, answer[held]):
            yield Fault(place, "code-invalid", "found an answer that is none of the options")
        yield from self.items(place, question, answer)

    def _is_option(self, question: Json, held: str, value: Any) -> bool:
        options = [each.get(held) for each in question.get("answerOption", ()) if held in each]
        if "answerOption" in question:
            return any(_is_same(value, each) for each in options)
        listed = self._listed(question.get("answerValueSet"))
        if not listed or held != "valueCoding" or value.__class__ is not dict:
            return True
        return value.get("code") in listed.get(value.get("system", ""), ())

    def _listed(self, url: Any) -> Mapping[str, frozenset[str]]:
        if url.__class__ is not str or url.startswith("#"):
            return {}
        return self._codes(url)


def _is_same(value: Any, option: Any) -> bool:
    """Whether an answer is an option: of codings, system and code count."""
    if value.__class__ is not dict or option.__class__ is not dict:
        return bool(value == option)
    if "code" in option:
        return all(value.get(key) == option.get(key) for key in ("system", "code"))
    return bool(value.get("reference") == option.get("reference"))
