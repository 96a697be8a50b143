"""FHIRPath lexer: an expression into tokens.

https://hl7.org/fhirpath/N1/#lexical-elements
"""

import re
from typing import NamedTuple

from conformance.fhirpath.errors import FHIRPathError


class Token(NamedTuple):
    """`kind` is a group of the grammar below; `text` is decoded for strings and identifiers."""

    kind: str
    text: str
    at: int


_DATE = r"\d{4}(?:-\d{2}(?:-\d{2})?)?"
_TIME = r"\d{2}(?::\d{2}(?::\d{2}(?:\.\d+)?)?)?"
_ZONE = r"(?:Z|[+-]\d{2}:\d{2})?"

_GRAMMAR = re.compile(
    rf"""
    (?P<skip>\s+|//[^\r\n]*|/\*.*?\*/)
  | (?P<datetime>@{_DATE}T(?:{_TIME})?{_ZONE})
  | (?P<date>@{_DATE})
  | (?P<time>@T{_TIME})
  | (?P<number>\d+(?:\.\d+)?)
  | (?P<string>'(?:\\.|[^'\\])*')
  | (?P<delimited>`(?:\\.|[^`\\])*`)
  | (?P<identifier>[A-Za-z_][A-Za-z0-9_]*)
  | (?P<special>\$[a-z]+)
  | (?P<external>%(?:[A-Za-z_][A-Za-z0-9_]*|'(?:\\.|[^'\\])*'|`(?:\\.|[^`\\])*`|"(?:\\.|[^"\\])*"))
  | (?P<symbol><=|>=|!=|!~|[-+*/&|.,()\[\]{{}}<>=~])
    """,
    re.VERBOSE | re.DOTALL,
)

_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_ESCAPED = {
    "'": "'",
    '"': '"',
    "`": "`",
    "\\": "\\",
    "/": "/",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
}


def tokenize(expression: str) -> list[Token]:
    """The tokens of an expression, with an `end` token after the last.

    Raises FHIRPathError at a character that begins no token.

    >>> [token.text for token in tokenize("name[0].given")]
    ['name', '[', '0', ']', '.', 'given', '']
    """
    tokens = []
    at = 0
    while at < len(expression):
        found = _GRAMMAR.match(expression, at)
        if found is None:
            raise FHIRPathError(f"{expression[at]!r} begins no token", at)
        if found.lastgroup != "skip":
            tokens.append(_token(str(found.lastgroup), found.group(), at))
        at = found.end()
    tokens.append(Token("end", "", at))
    return tokens


def _token(kind: str, text: str, at: int) -> Token:
    match kind:
        case "string":
            return Token(kind, unescape(text[1:-1], at), at)
        case "delimited":
            return Token(kind, unescape(text[1:-1], at), at)
        case "external":
            name = text[1:]
            return Token(kind, unescape(name[1:-1], at) if name[0] in "'`\"" else name, at)
        case "special" if text not in ("$this", "$index", "$total"):
            raise FHIRPathError(f"{text} is none of $this, $index, $total", at)
        case _:
            return Token(kind, text, at)


def unescape(text: str, at: int = 0) -> str:
    r"""Replace the escapes of the specification; raises FHIRPathError for any other.

    >>> unescape(r"a\'bA")
    "a'bA"
    """

    def replace(found: re.Match[str]) -> str:
        escape = found.group(1)
        if escape[0] == "u" and len(escape) == 5:
            return chr(int(escape[1:], 16))
        if escape not in _ESCAPED:
            raise FHIRPathError(f"\\{escape} is not an escape", at + found.start())
        return _ESCAPED[escape]

    return _ESCAPE.sub(replace, text)
