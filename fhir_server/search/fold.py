"""Text made comparable: case, accents, width, punctuation and repeated space do not count.

https://hl7.org/fhir/R4/search.html#string
"""

import re
import unicodedata

from fhir_server.search.recall import recalled

_MARKS = re.compile("[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff]")
_ASCII_PUNCTUATION = {ord(mark): None for mark in "!\"#%&'()*,-./:;?@[\\]_{}"}


@recalled
def fold(text: str) -> str:
    """Return the text that string searches compare; never empty unless `text` is blank.

    >>> fold("  Müller-Lüdenscheidt ")
    'mullerludenscheidt'
    >>> fold("张三 ＡＢＣ")
    '张三 abc'
    >>> fold("--")
    '--'
    """
    spaced = " ".join(unaccented(text).split())
    return " ".join(_without_punctuation(spaced).split()) or spaced


def unaccented(text: str) -> str:
    """Return text without case, accents and width; punctuation and space stay.

    >>> unaccented("Ｍüller, 张三")
    'muller, 张三'
    """
    if text.isascii():
        return text.lower()
    # Case folding can bring out new accents and decomposition new capitals: both, twice.
    for _ in range(2):
        text = unicodedata.normalize("NFKD", text).casefold()
    text = _MARKS.sub("", unicodedata.normalize("NFKD", text))
    return unicodedata.normalize("NFC", text)


def _without_punctuation(text: str) -> str:
    if text.isascii():
        return text.translate(_ASCII_PUNCTUATION)
    return "".join(each for each in text if not unicodedata.category(each).startswith("P"))
