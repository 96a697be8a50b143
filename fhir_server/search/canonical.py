"""Canonical URLs: how a record is named by them, and how another refers to it by them.

https://hl7.org/fhir/R4/references.html#canonical

A record is named by its `url`, with its `version` and without: a canonical need not name one.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from fhir_server.search.alternatives import anyone, cond
from fhir_server.search.tree import Node, both, either

Name = tuple[str, str]
"""A URL and a version, `''` for none."""


def names(resource: dict[str, Any]) -> tuple[Name, ...]:
    """Return the canonicals that mean a resource.

    >>> names({"url": "http://acme.org/q", "version": "2"})
    (('http://acme.org/q', ''), ('http://acme.org/q', '2'))
    """
    url, version = resource.get("url"), resource.get("version")
    if not isinstance(url, str):
        return ()
    return ((url, ""), (url, version)) if isinstance(version, str) else ((url, ""),)


def named(wanted: Iterable[Name]) -> Node:
    """Return that a record is what one of the canonicals means."""
    nodes = []
    for version, urls in _by_version(wanted).items():
        node = anyone("url", (cond("v", "=", url) for url in urls))
        asked = (anyone("version", (cond("v", "=", version),)),) if version else ()
        nodes.append(both(node, *asked))
    return either(*nodes)


def referring(param: str, wanted: Iterable[Name]) -> Node:
    """Return that `param` refers by one of the canonicals."""
    return anyone(param, (cond("v", "=", url) + cond("w", "=", of) for url, of in wanted))


def _by_version(wanted: Iterable[Name]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for url, version in wanted:
        found[version].append(url)
    return found
