"""Codes of systems that are grammars: media types and languages.

https://hl7.org/fhir/R4/valueset-mimetypes.html (BCP 13),
https://hl7.org/fhir/R4/valueset-all-languages.html (BCP 47)
"""

import re

_TOKEN = r"[A-Za-z0-9][A-Za-z0-9!#$&^_.+\-]*"
_MEDIA_TYPE = re.compile(
    r"(?:application|audio|chemical|font|image|message|model|multipart|text|video|x-[a-z0-9\-]+)"
    rf"/{_TOKEN}(?:\s*;.*)?"  # parameters are left to those who read them
)
_FORMATS = frozenset({"xml", "json", "ttl", "html"})  # the short names of `_format`

_LANGUAGE = re.compile(
    r"(?:[A-Za-z]{2,3}(?:-[A-Za-z]{3}){0,3}|[A-Za-z]{4}|[A-Za-z]{5,8})"  # language
    r"(?:-[A-Za-z]{4})?"  # script
    r"(?:-(?:[A-Za-z]{2}|[0-9]{3}))?"  # region
    r"(?:-(?:[A-Za-z0-9]{5,8}|[0-9][A-Za-z0-9]{3}))*"  # variants
    r"(?:-[0-9A-WY-Za-wy-z](?:-[A-Za-z0-9]{2,8})+)*"  # extensions
    r"(?:-[xX](?:-[A-Za-z0-9]{1,8})+)?"  # private use
)
_PRIVATE = re.compile(r"[xX](?:-[A-Za-z0-9]{1,8})+")
_IRREGULAR = frozenset({"i-klingon", "i-default", "sgn-be-fr", "zh-min-nan", "en-gb-oed"})


def is_media_type(code: str) -> bool:
    """Whether a code is a media type with a known top-level type, in lower case, or a format.

    >>> is_media_type("application/fhir+json;charset=utf-8"), is_media_type("APPLICATION/PDF")
    (True, False)
    """
    return _MEDIA_TYPE.fullmatch(code) is not None or code in _FORMATS


def is_language(code: str) -> bool:
    """Whether a code is a well-formed language tag.

    >>> is_language("zh-Hans-CN"), is_language("not a language")
    (True, False)
    """
    return (
        _LANGUAGE.fullmatch(code) is not None
        or _PRIVATE.fullmatch(code) is not None
        or code.lower() in _IRREGULAR
    )
