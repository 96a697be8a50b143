"""Narrative: `text.div` is well-formed XHTML of the allowed kind, and nothing in it is active.

https://hl7.org/fhir/R4/narrative.html#xhtml; elements and attributes are those of invariant txt-1
and of the chapters of HTML 4.0 that it names.
"""

import re
from typing import Any
from xml.parsers import expat

from conformance.validation.faults import Fault, Faults, fault, wrong

XHTML = "http://www.w3.org/1999/xhtml"

ELEMENTS = frozenset(
    """a abbr acronym address b bdo big blockquote br caption cite code col colgroup dd dfn div dl
    dt em h1 h2 h3 h4 h5 h6 hr i img kbd li ol p pre q samp small span strong sub sup table tbody
    td tfoot th thead tr tt ul var""".split()  # noqa: SIM905 - a table, meant to be read
)
ATTRIBUTES = frozenset(
    """abbr accesskey align alt axis bgcolor border cellhalign cellpadding cellspacing cellvalign
    char charoff charset cite class colspan compact coords dir frame headers height href hreflang
    hspace id lang longdesc name nowrap rel rev rowspan rules scope shape span src start style
    summary tabindex title type valign value vspace width
    http://www.w3.org/XML/1998/namespace|lang
    http://www.w3.org/XML/1998/namespace|space""".split()  # noqa: SIM905 - likewise
)
LINKS = frozenset({"href", "src", "cite", "longdesc"})
SCHEMES = frozenset({"http", "https", "mailto", "tel", "urn", "ftp"})

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*):")
_IMAGE = re.compile(r"data:\s*image/(?:png|gif|jpeg|jpg|webp|bmp);base64,[A-Za-z0-9+/=\s]*")
_STYLE_URL = re.compile(
    r"url\(\s*(?P<quote>['\"]?)(?P<link>[^'\"()]*)(?P=quote)\s*\)", re.IGNORECASE
)
_RELATIVE = re.compile(r"(?!//)[A-Za-z0-9_.\-/]+")
_INVISIBLE = re.compile(r"[\x00-\x20\x7f-\xa0\u200b-\u200f\u2028-\u202f\ufeff]")
# What is left of a style without its images may format, but not fetch, run, or hide behind escapes.
_ACTIVE_STYLE = re.compile(
    r"url\s*\(|image-set\s*\(|expression\s*\(|@import|behavior\s*:|binding\s*:|\\|<|/\*",
    re.IGNORECASE,
)


def check_div(value: Any) -> Faults:
    """Check the XHTML of a narrative.

    >>> check_div('<div xmlns="http://www.w3.org/1999/xhtml"><script>x()</script></div>')
    [Fault(path='', code='invariant', text='<script> is not allowed in a narrative', pending='')]
    """
    if value.__class__ is not str:
        return wrong("structure", value, "a JSON string (xhtml)")
    reader = _Reader()
    try:
        reader.read(value)
    except expat.ExpatError as error:
        reason = expat.ErrorString(error.code)
        return fault("structure", f"found XHTML that is not well-formed: {reason}")
    except _Refused:
        return fault("invariant", "a document type is not allowed in a narrative")
    except UnicodeEncodeError:
        return fault("structure", "found half of a surrogate pair, expected Unicode text")
    return reader.faults() or None


class _Refused(Exception):
    """The text declares a document type."""


class _Reader:
    """Collects the faults of one narrative while it is parsed."""

    def __init__(self) -> None:
        self._texts: dict[str, None] = {}
        self._images: list[str] = []
        self._depth = 0
        self._has_content = False

    def read(self, text: str) -> None:
        """Parse; raises ExpatError where the text is not well-formed, _Refused at a doctype."""
        parser = expat.ParserCreate(namespace_separator="|")
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.StartDoctypeDeclHandler = self._doctype
        parser.ProcessingInstructionHandler = self._instruction
        parser.Parse(text, True)

    def faults(self) -> list[Fault]:
        """What was found."""
        if not self._has_content:
            self._add("found a narrative without content, expected text or an image")
        found = [Fault("", "invariant", text) for text in self._texts]
        return found + [
            Fault("", "not-found", f'found the image "{link}", expected it to be contained', link)
            for link in self._images
        ]

    def _add(self, text: str) -> None:
        self._texts[text] = None

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        space, _, element = name.rpartition("|")
        if self._depth == 0 and (space, element) != (XHTML, "div"):
            self._add(f'found <{element}>, expected <div xmlns="{XHTML}">')
        elif space != XHTML or element not in ELEMENTS:
            self._add(f"<{element}> is not allowed in a narrative")
        if element == "img" and "src" in attributes:
            self._has_content = True
        self._depth += 1
        if attributes:
            for attribute, value in attributes.items():
                self._attribute(element, attribute, value)

    def _attribute(self, element: str, name: str, value: str) -> None:
        if name not in ATTRIBUTES:
            self._add(f"{name} is not allowed on <{element}> in a narrative")
        elif name == "style" and not is_passive_style(value):
            self._add(f"style on <{element}> may not fetch or run anything")
        elif name in LINKS:
            if element == "img" and name == "src" and value.startswith("#"):
                self._images.append(value)
            elif not is_passive(value, is_image=element == "img" and name == "src"):
                self._add(f"{name} on <{element}> is not a passive link")

    def _end(self, name: str) -> None:
        self._depth -= 1

    def _text(self, data: str) -> None:
        if not self._has_content and not data.isspace():
            self._has_content = True

    def _doctype(self, *_: Any) -> None:
        # Raised through the parser, so that no entity is ever declared, let alone expanded.
        raise _Refused

    def _instruction(self, target: str, _: str) -> None:
        self._add(f"<?{target}?> is not allowed in a narrative")


def is_passive_style(style: str) -> bool:
    """Whether a style only formats: images of its own, or beside the resource, are allowed."""

    def without(found: re.Match[str]) -> str:
        link = found["link"].strip()
        is_own = _IMAGE.fullmatch(link) or _RELATIVE.fullmatch(link)
        return "" if is_own else found.group()

    return _ACTIVE_STYLE.search(_STYLE_URL.sub(without, style)) is None


def is_passive(link: str, *, is_image: bool = False) -> bool:
    """Whether following or showing a link can run nothing."""
    if is_image and link.startswith("data:"):
        return _IMAGE.fullmatch(link) is not None
    scheme = _SCHEME.match(_INVISIBLE.sub("", link))
    return scheme is None or scheme.group(1).lower() in SCHEMES
