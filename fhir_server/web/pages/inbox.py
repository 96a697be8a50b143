"""The v2 inbox: a list by state, a message beside the FHIR it became, correct and replay."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from fhir_server import fhirjson
from fhir_server.errors import BadRequest
from fhir_server.web import messages
from fhir_server.web.messages import STATES, Message, Wanted
from fhir_server.web.pages.show import clock
from fhir_server.web.pages.visit import Visit, redirect, render

_LINES = re.compile(r"\r\n?|\n")


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a segment: its number as the standard counts, as it was sent."""

    number: int
    text: str
    is_fault: bool = False


@dataclass(frozen=True, slots=True)
class Segment:
    """A line of a message: its name, its ordinal among its namesakes, its fields."""

    name: str
    ordinal: int
    fields: tuple[Field, ...]
    is_fault: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """Where a fault is, as ERR-2 says it: `PID^1^5` is field 5 of the first PID."""

    segment: str = ""
    ordinal: int = 1
    field: int = 0


async def show_messages(visit: Visit) -> Response:
    """List the messages of one state or all, newest first."""
    wanted = Wanted(visit.asked("state"), visit.asked("control"), visit.asked("after"))
    found = await messages.listing(visit.server, visit.by, wanted)
    rows = [(id, message, clock(message.time)) for id, message in found.messages]
    return render(
        visit, "messages.html", title=visit.word("messages.title"), rows=rows, wanted=wanted,
        states=STATES, counts=await messages.counts(visit.server, visit.by), next=found.next,
    )  # fmt: skip


async def show_message(visit: Visit) -> Response:
    """Show a message segment by segment, beside what it became or the place where it failed."""
    id = visit.request.path_params["id"]
    message = await messages.one(visit.server, visit.by, id)
    made: Iterable[Mapping[str, Any]] = ()
    if message.state == "applied":
        raw = message.text.encode(message.codec, "xmlcharrefreplace")
        made = visit.parts.became(message.source, raw)
    return render(
        visit, "message.html", title=visit.word("message.title", id=message.control_id), id=id,
        told=visit.asked("told"), message=message, received=clock(message.time),
        segments=segments(message.text, place_of(message)),
        made=[(f"{each['resourceType']}/{each['id']}", _pretty(each)) for each in made],
        text="\n".join(lines(message.text)), answer=lines(message.answer),
        corrections=[(each, clock(each.time)) for each in message.corrections],
        original=lines(message.sent) if message.corrections else (),
    )  # fmt: skip


async def replay(visit: Visit) -> Response:
    """Apply a failed message again with the text of the form."""
    id = visit.request.path_params["id"]
    text = "\r".join(lines(visit.sent("text")))
    if not text:
        raise BadRequest("The message is empty.")
    done = await messages.replay(visit.server, visit.by, visit.parts.inbox, id, text + "\r")
    return redirect(f"/messages/{id}", told=done.state)


def lines(text: str) -> tuple[str, ...]:
    """Return the segments of a message, without empty lines."""
    return tuple(each for each in _LINES.split(text) if each.strip())


def place_of(message: Message) -> Place:
    """Return where a message failed; nowhere for one that did not."""
    if message.reason is None:
        return Place()
    parts = message.reason.location.split("^")
    numbers = [int(each) if each.isdigit() else 0 for each in parts[1:3]]
    return Place(parts[0], *numbers)


def segments(text: str, fault: Place) -> tuple[Segment, ...]:
    r"""Return the segments of a message with their fields; the faulty one is marked.

    >>> [s.name for s in segments("MSH|^~\\&|HIS\rPID|||7\r", Place("PID", 1, 3)) if s.is_fault]
    ['PID']
    """
    found: list[Segment] = []
    counts: dict[str, int] = {}
    rows = lines(text)
    separator = rows[0][3:4] if rows and rows[0].startswith("MSH") else "|"
    for row in rows:
        parts = row.split(separator) if separator else [row]
        name = parts[0]
        counts[name] = ordinal = counts.get(name, 0) + 1
        is_fault = (name, ordinal) == (fault.segment, fault.ordinal)
        values = [separator, *parts[1:]] if name == "MSH" else parts[1:]
        if is_fault:
            values += [""] * (fault.field - len(values))
        fields = tuple(
            Field(number, value, is_fault and number == fault.field)
            for number, value in enumerate(values, 1)
            if value or (is_fault and number == fault.field)
        )
        found.append(Segment(name, ordinal, fields, is_fault))
    return tuple(found)


def _pretty(resource: Mapping[str, Any]) -> str:
    return fhirjson.pretty(fhirjson.encode(resource)).decode()
