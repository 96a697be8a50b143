"""The text of a resource: its narrative, and everything else that it says in words.

https://hl7.org/fhir/R4/search.html#content

Words are what strings, markdown, codes, displays, names and identifiers say, those of contained
resources and extensions too. Numbers, dates, URIs, references, ids, `meta` and binary content are
none: parameters of their own find them.
"""

import re
from collections.abc import Iterator
from html import unescape
from typing import Any

from fhir_server.model import Text
from fhir_server.search.words import BREAK, kept

_SILENT = frozenset(("resourceType", "id", "meta", "reference", "system", "implicitRules"))
_BINARY = frozenset(("data", "hash", "carrierAIDC"))
_SAID = frozenset(("text", "display"))  # whatever it looks like: `:text` relies on it
_URI_OR_TIME = re.compile(
    r"[A-Za-z][A-Za-z0-9+.-]*://\S*|urn:\S*|\d{4}-\d\d(-\d\d(T[\d:.+Z-]+)?)?|\d\d:\d\d:\d\d(\.\d+)?",
    re.ASCII,
)
_INLINE = re.compile(
    "(a|abbr|acronym|b|bdo|big|cite|code|dfn|em|font|i|img|q|s|samp|small|span|strike|strong|sub"
    "|sup|tt|u|var)"
)
_TAG = re.compile(r"<[/!?]?(\w*)[^<>]*>")


def text_of(resource: dict[str, Any]) -> Text:
    """Return the words of a resource as they are kept."""
    rest = resource
    div = None
    if isinstance(narrative := resource.get("text"), dict):
        rest = {name: value for name, value in resource.items() if name != "text"}
        div = narrative.get("div")
    shown = _shown(div) if isinstance(div, str) else ""
    return Text(kept(shown), kept(BREAK.join(_strings("", rest))))


def _strings(name: str, value: Any) -> Iterator[str]:
    match value:
        case str():
            if not _is_silent(name, value):
                yield _shown(value) if name == "div" else value
        case dict():
            for inner, each in value.items():
                if inner not in _SILENT:
                    yield from _strings(inner, each)
        case list():
            for each in value:
                yield from _strings(name, each)


def _is_silent(name: str, value: str) -> bool:
    if name in _SAID:
        return False
    if name in _BINARY or name.endswith("Base64Binary"):
        return True
    return _URI_OR_TIME.fullmatch(value) is not None


def _shown(markup: str) -> str:
    """Return what a reader of XHTML sees: tags inside a line join, others separate.

    >>> _shown("<p>Blood<b>less</b></p><p>surgery &amp; rest</p>").split(BREAK)
    ['', 'Bloodless', '', 'surgery & rest', '']
    """
    return unescape(
        _TAG.sub(lambda tag: "" if _INLINE.fullmatch(tag[1].lower()) else BREAK, markup)
    )
