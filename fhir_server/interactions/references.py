"""References inside a transaction are given the ids of what they name, in the bytes of its
resources.

https://hl7.org/fhir/R4/http.html#trules

1. A text that is exactly an entry's fullUrl becomes `Type/id`, where the element is a reference or
   another kind of URI; an identifier's value or other text is left as it is.
2. A relative reference means the entry of that fullUrl, where the entry's own fullUrl has a base.
3. `Type?criteria` as a reference is looked up; it must match exactly one record.
"""

import re
from collections.abc import Iterable, Mapping

from fhir_server import fhirjson

_URN = re.compile(rb'(?:"([A-Za-z]+)"\s*:\s*)?("urn:[^"\\]*")')
_URL = re.compile(rb'(?:"([A-Za-z]+)"\s*:\s*)?("https?:(?:[^"\\]|\\.)*")')
_REFERENCE = re.compile(rb'("reference"\s*:\s*)("(?:[^"\\]|\\.)+")')
_NARRATIVE = re.compile(rb"""((?:href|src)=(?:\\"|'))((?:urn:|https?:)[^"'\\]+)""")
_CONDITIONAL = re.compile(r"[A-Z][A-Za-z]+\?.+")


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


URI_NAMES = _names("""
    address answerValueSet authority authorizationUrl base baseDefinition capabilities code
    compartment contentReference defaultValueCanonical defaultValueOid defaultValueUri
    defaultValueUrl defaultValueUuid definition definitionCanonical definitionUri derivedFrom
    derivedFromUri detail endpoint eventUri exampleCanonical fixedCanonical fixedOid fixedUri
    fixedUrl fixedUuid fullUrl graph identifier implementationGuide implicitRules import imports
    inputProfile instantiates instantiatesCanonical instantiatesUri issuer jurisdiction library
    link location measure message moduleCanonical moduleUri nameUrl onlineInformation
    outputProfile parent partOf patternCanonical patternOid patternUri patternUrl patternUuid
    policy profile property protocol questionnaire reference relativePath rendering replaces
    resource source sourceCanonical sourceUri supplements supportedProfile system target
    targetCanonical targetProfile targetUri transform type uri url valueCanonical valueOid
    valueSet valueUri valueUrl valueUuid workflow
""")
"""The JSON properties that hold a URI in some type of R4."""


def conditional(bodies: Iterable[bytes]) -> set[str]:
    """Return the conditional references in some resources.

    >>> conditional([b'{"subject":{"reference":"Patient?identifier=a|b"}}'])
    {'Patient?identifier=a|b'}
    """
    texts = (fhirjson.decode(found[1]) for body in bodies for found in _REFERENCE.findall(body))
    return {text for text in texts if _CONDITIONAL.fullmatch(text)}


def rewrite(body: bytes, links: Mapping[str, str], base: str = "") -> bytes:
    """Return a resource with every reference of `links` (text -> `Type/id`) replaced.

    `base` is what the entry's own fullUrl has before `Type/id`, empty where it has none: then a URL
    is looked at in references alone.
    """

    def uri(found: re.Match[bytes]) -> bytes:
        name, text = found[1], found[2]
        link = links.get(fhirjson.decode(text))
        if link is None or (name is not None and name.decode() not in URI_NAMES):
            return found[0]
        return found[0][: -len(text)] + fhirjson.encode(link)

    def reference(found: re.Match[bytes]) -> bytes:
        text = fhirjson.decode(found[2])
        link = links.get(text) or (links.get(f"{base}/{text}") if base else None)
        return found[0] if link is None else found[1] + fhirjson.encode(link)

    def narrative(found: re.Match[bytes]) -> bytes:
        link = links.get(found[2].decode())
        return found[0] if link is None else found[1] + link.encode()

    body = _REFERENCE.sub(reference, body)
    if b'"urn:' in body:
        body = _URN.sub(uri, body)
    if base:
        body = _URL.sub(uri, body)
    if b"href=" in body or b"src=" in body:
        body = _NARRATIVE.sub(narrative, body)
    return body


def base_of(fullurl: str, type: str) -> str:
    """Return what a fullUrl has before its `Type/id`, empty where it is not such an address.

    >>> base_of("http://a/fhir/Patient/1", "Patient")
    'http://a/fhir'
    """
    base, mark, _ = fullurl.rpartition(f"/{type}/")
    return base if mark and base.startswith("http") else ""
