r"""Lists and parts in a parameter's value, and the backslash that takes a mark literally.

https://hl7.org/fhir/R4/search.html#escaping
"""

import re

_ESCAPED = re.compile(r"\\([,$|\\])")


def split(text: str, mark: str) -> list[str]:
    r"""Split at each `mark` that no backslash precedes; the parts stay escaped.

    >>> split(r"a\,b,c", ",")
    ['a\\,b', 'c']
    """
    if mark not in text:
        return [text]
    if "\\" not in text:
        return text.split(mark)
    parts, start, at = [], 0, 0
    while at < len(text):
        if text[at] == "\\":
            at += 1
        elif text[at] == mark:
            parts.append(text[start:at])
            start = at + 1
        at += 1
    return [*parts, text[start:]]


def unescape(text: str) -> str:
    r"""Return the text without its escapes; a backslash before anything else stands for itself.

    >>> unescape(r"a\,b\\c\d")
    'a,b\\c\\d'
    """
    return _ESCAPED.sub(r"\1", text) if "\\" in text else text


def escape(text: str) -> str:
    r"""Return text that `unescape` turns back, with no mark left to split at.

    >>> escape("a,b|c")
    'a\\,b\\|c'
    """
    return re.sub(r"([,$|\\])", r"\\\1", text)
