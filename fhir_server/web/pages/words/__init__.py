"""Every text of the pages, Chinese and English side by side.

A text may hold `{name}`, which the page fills in; both languages hold the same ones.
"""

from fhir_server.web.directory import Language
from fhir_server.web.pages.words import care, common, hub

WORDS: dict[str, tuple[str, str]] = {**common.WORDS, **care.WORDS, **hub.WORDS}


def word(language: Language, name: str, /, **given: object) -> str:
    """Return a text in a language. Raises KeyError for one that there is not.

    >>> word("en", "age.years", n=61)
    '61 y'
    """
    text = WORDS[name][0 if language == "zh" else 1]
    return text.format(**given) if given else text


def word_or(language: Language, name: str, otherwise: str) -> str:
    """Return a text, or `otherwise` where there is none: for codes that come from outside."""
    return word(language, name) if name in WORDS else otherwise
