"""What `_text` and `_content` ask for: words and phrases, joined by and, or, not.

https://hl7.org/fhir/R4/search.html#content

    alternatives   all { ("," | "or" | "|") all }
    all            each { ["and"] each }
    each           ["not" | "-"] (word ["*"] | '"' words '"' | "(" alternatives ")")

1. The operators may be written in any case; inside quotation marks they are words like any other.
2. A word may have marks in it: `85354-9` is the phrase of its parts. With `*` it is the beginning
   of a word. Characters of Chinese that stand together are a phrase.
3. Full-width brackets and Chinese quotation marks count as ours.
"""

import re
from typing import Literal, NamedTuple

from fhir_server.search.tree import Node, Not, Words, both, either
from fhir_server.search.words import is_paired, words

EXPECTED = 'words, "phrases", and, or, not, (brackets)'
LONGEST = 100
"""Most words of a phrase."""

_DEEPEST = 20
_LEXEME = re.compile(
    r"""\s*(?:"(?P<phrase>(?:\\.|[^"\\])*)"|(?P<mark>[(),]|-(?=["(]))|(?P<word>(?:\\.|[^\s"(),])+))"""
)
_OURS = str.maketrans("（）“”", '()""')
_OPERATORS = {"and": "and", "or": "or", "|": "or", ",": "or", "not": "not", "-": "not"}

Scope = Literal["text", "content"]


class _Lexeme(NamedTuple):
    """A phrase, or an operator or bracket, named by `kind`."""

    kind: str
    text: str = ""


def phrases(scope: Scope, text: str) -> Node:
    """Return the predicate of a text; raises ValueError with the form expected.

    >>> phrases("text", "bone or liver")
    Or(nodes=(Words(scope='text', words=('bone',), begins=False), Words(scope='text', \
words=('liver',), begins=False)))
    """
    reader = _Reader(scope, _lexemes(text.translate(_OURS)))
    found = reader.alternatives(_DEEPEST)
    if reader.kind:
        raise ValueError(EXPECTED)
    return found


def phrase(scope: Scope, text: str) -> Words:
    """Return the predicate of words that stand together; raises ValueError where there are none.

    >>> phrase("content", "高血压"), phrase("content", "压").begins
    (Words(scope='content', words=('高血', '血压'), begins=False), True)
    """
    found, begins = words(text), text.endswith("*")
    if not 0 < len(found) <= LONGEST:
        raise ValueError(f"1 to {LONGEST} words")
    if is_paired(found[-1]) and len(found[-1]) == 1:
        if len(found) > 1 and is_paired(found[-2]) and len(found[-2]) == 2:
            del found[-1]  # it stood alone only because the text ended
        else:
            begins = True
    return Words(scope, tuple(found), begins)


def _lexemes(text: str) -> list[_Lexeme]:
    found: list[_Lexeme] = []
    at, end = 0, len(text.rstrip())
    while at < end:
        lexeme = _LEXEME.match(text, at)
        if lexeme is None:
            raise ValueError("a second quotation mark")
        found += _read(lexeme)
        at = lexeme.end()
    return found


def _read(lexeme: re.Match[str]) -> list[_Lexeme]:
    word, mark = lexeme["word"] or "", lexeme["mark"]
    if mark:
        return [_Lexeme(_OPERATORS.get(mark, mark))]
    if word.lower() in _OPERATORS:
        return [_Lexeme(_OPERATORS[word.lower()])]
    if word.startswith("-"):
        return [_Lexeme("not"), _Lexeme("phrase", word[1:])]
    said = word or lexeme["phrase"] or ""
    return [_Lexeme("phrase", said)] if words(said) else []


class _Reader:
    """Reads lexemes from left to right."""

    def __init__(self, scope: Scope, lexemes: list[_Lexeme]) -> None:
        self._scope = scope
        self._left = lexemes[::-1]

    @property
    def kind(self) -> str:
        """What comes next, `''` at the end."""
        return self._left[-1].kind if self._left else ""

    def alternatives(self, deep: int) -> Node:
        found = [self._all(deep)]
        while self.kind == "or":
            self._left.pop()
            found.append(self._all(deep))
        return either(*found)

    def _all(self, deep: int) -> Node:
        found = [self._each(deep)]
        while self.kind in ("and", "not", "phrase", "("):
            if self.kind == "and":
                self._left.pop()
            found.append(self._each(deep))
        return both(*found)

    def _each(self, deep: int) -> Node:
        match self._left.pop() if self._left else _Lexeme(""):
            case "phrase", text:
                return phrase(self._scope, text)
            case "not", _ if deep:
                return Not(self._each(deep - 1))
            case "(", _ if deep:
                found = self.alternatives(deep - 1)
                if self.kind == ")":
                    self._left.pop()
                    return found
        raise ValueError(EXPECTED)
