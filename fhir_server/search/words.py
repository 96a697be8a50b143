"""The words of a text, in the form in which full text is kept and sought.

https://hl7.org/fhir/R4/search.html#content

1. Case, accents and width do not count. Punctuation ends a word, so `85354-9` is two words, one
   behind the other, and is sought as these; an apostrophe inside a word is left out.
2. Chinese, Japanese and Korean, which have no space between words, become overlapping pairs of
   characters: each character begins one. The last of a run stands alone.
3. The words of a text stand behind each other, each between spaces. What stands together in the
   text does so there: whether a text holds a phrase is whether the one string holds the other.
"""

import re
from operator import add

from fhir_server.model import Text
from fhir_server.search.fold import unaccented

BREAK = "\x1e"
"""What separates texts that stand together by chance: no phrase reaches across it."""

LONGEST = 64
MOST = 100_000
"""Longer words are cut, and the words of a record beyond so many are not kept."""

_PAIRED = (
    "\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u9fff\uac00-\ud7a3\uf900-\ufaff"
    "\U00020000-\U0003ffff"
)
_WORD = re.compile(f"[^\\W_]+|{BREAK}")
_RUN = re.compile(f"[{_PAIRED}]+|[^{_PAIRED}]+")
_ALL_PAIRED = re.compile(f"[{_PAIRED}]+")
_IS_PAIRED = re.compile(f"[{_PAIRED}]")
_INSIDE = re.compile("(?<=\\w)['\u2019](?=\\w)")
_BREAK_KEPT = "\u00b6"  # a word of its own, which no text can have


def words(text: str) -> list[str]:
    """Return the words of a text in order.

    >>> words("LOINC 85354-9, O'Brien")
    ['loinc', '85354', '9', 'obrien']
    >>> words("高血压2级")
    ['高血', '血压', '压', '2', '级']
    """
    found: list[str] = []
    plain = unaccented(text)
    if "'" in plain or "\u2019" in plain:
        plain = _INSIDE.sub("", plain)
    for run in _WORD.findall(plain):
        if run.isascii():
            found.append(_BREAK_KEPT if run == BREAK else run[:LONGEST])
        elif _ALL_PAIRED.fullmatch(run):
            found += _pairs(run)
        else:
            for part in _RUN.findall(run):
                found += _pairs(part) if _IS_PAIRED.match(part) else (part[:LONGEST],)
    return found


def _pairs(run: str) -> list[str]:
    return [*map(add, run, run[1:]), run[-1]]


def kept(text: str) -> str:
    """Return the words of a text as they are kept; `''` if it has none.

    >>> kept("血压 high")
    ' 血压 压 high '
    """
    found = words(text)[:MOST]
    return f" {' '.join(found)} " if found else ""


def distinct(text: Text) -> list[str]:
    """Return each word of a record once.

    >>> distinct(Text(" a b a ", " b \u00b6 c "))
    ['a', 'b', 'c']
    """
    found = dict.fromkeys("".join(text).split())
    found.pop(_BREAK_KEPT, None)
    return list(found)


def is_paired(word: str) -> bool:
    """Return whether a word is a pair of characters, or the last one of such a run."""
    return _IS_PAIRED.match(word) is not None
