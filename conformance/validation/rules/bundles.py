"""Bundles: the rules of each type that no invariant states.

https://hl7.org/fhir/R4/bundle.html#2.36, https://hl7.org/fhir/R4/http.html#trules

1. Except in transactions and batches, each entry has a fullUrl, "which is the identity of the
   resource in the entry". It is absolute, and consistent with type and id where it is RESTful.
2. A link relation of paging stands once, and only in search results and histories.
3. Search results have ids; a match is of the type that was searched.
4. A transaction changes a resource once.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

from conformance.validation.faults import Fault, Faults
from conformance.validation.primitives import is_absolute

Json = dict[str, Any]
Entry = tuple[str, Json]  # where it stands in the Bundle, and what stands there

PAGING = frozenset({"first", "previous", "prev", "next", "last"})
ONCE = PAGING | {"self"}
REQUESTS = frozenset({"batch", "transaction"})
WITHOUT_URLS = REQUESTS | {"batch-response", "transaction-response"}

_SEARCHED = re.compile(r"(?:^|/)([A-Z][A-Za-z]+)(?:/_search)?(?:\?|$)")


def bundle_check(
    matches: Callable[[str], re.Match[str] | None], types: frozenset[str]
) -> Callable[[Json], Faults]:
    """The check of a Bundle; `matches` recognizes RESTful URLs of the known `types`."""

    def check(bundle: Json) -> Faults:
        kind = bundle.get("type")
        entries = entries_of(bundle)
        found = [*_links(bundle, kind), *_full_urls(entries, kind, matches)]
        if kind == "searchset":
            found += _results(entries, _searched(bundle, types))
        if kind == "transaction":
            found += _once(entries)
        if kind in REQUESTS:
            found += _bodies(entries)
        return found or None

    return check


def entries_of(bundle: Json) -> list[Entry]:
    """The entries that are objects, each with its place."""
    items = bundle.get("entry")
    among = enumerate(items if items.__class__ is list else ())
    return [(f".entry[{index}]", each) for index, each in among if each.__class__ is dict]


def resource_of(entry: Json) -> Json:
    """The resource of an entry; an empty object where there is none."""
    resource = entry.get("resource")
    return resource if resource.__class__ is dict else {}


def _links(bundle: Json, kind: Any) -> Iterator[Fault]:
    seen = set()
    links = bundle.get("link")
    for index, link in enumerate(links if links.__class__ is list else ()):
        relation = link.get("relation") if link.__class__ is dict else None
        if relation.__class__ is not str:
            continue
        place = f".link[{index}]"
        if relation in PAGING and kind not in ("searchset", "history"):
            text = f'found the relation "{relation}", expected it in search results and histories'
            yield Fault(f"{place}.relation", "value", text)
        if relation in ONCE and relation in seen:
            yield Fault(place, "value", f'found the relation "{relation}" again, expected it once')
        seen.add(relation)


def _full_urls(
    entries: list[Entry], kind: Any, matches: Callable[[str], re.Match[str] | None]
) -> Iterator[Fault]:
    for place, entry in entries:
        url = entry.get("fullUrl")
        if url is None and "_fullUrl" not in entry:
            if kind not in WITHOUT_URLS:
                yield Fault(place, "required", "found no fullUrl, expected one")
        elif url.__class__ is not str:
            continue
        elif not is_absolute(url):
            yield Fault(place, "value", f'found the fullUrl "{url}", expected it to be absolute')
        elif (id_ := resource_of(entry).get("id")).__class__ is str and matches(url):
            name = f"{resource_of(entry).get('resourceType')}/{id_}"
            if not url.partition("/_history/")[0].endswith(f"/{name}"):
                text = f'found the fullUrl "{url}", expected it to end in {name}'
                yield Fault(place, "value", text)


def _results(entries: list[Entry], wanted: str) -> Iterator[Fault]:
    for place, entry in entries:
        resource = resource_of(entry)
        search = entry.get("search")
        mode = search.get("mode") if search.__class__ is dict else None
        if not resource or mode == "outcome":
            continue
        name = resource.get("resourceType")
        if "id" not in resource and name != "OperationOutcome":
            text = "found a search result without id, expected one"
            yield Fault(f"{place}.resource", "required", text)
        if mode == "match" and wanted and name != wanted:
            text = f"found {name} as a match, expected {wanted}, which was searched"
            yield Fault(f"{place}.resource", "value", text)


def _searched(bundle: Json, types: frozenset[str]) -> str:
    """The type that the self link searches; nothing where it tells none."""
    links = bundle.get("link")
    for link in links if links.__class__ is list else ():
        if link.__class__ is dict and link.get("relation") == "self":
            found = _SEARCHED.search(str(link.get("url")))
            return found[1] if found and found[1] in types else ""
    return ""


def _once(entries: list[Entry]) -> Iterator[Fault]:
    seen = set()
    for place, entry in entries:
        request = entry.get("request")
        method, url = map(request.get, ("method", "url")) if isinstance(request, dict) else ("", "")
        if method not in ("PUT", "PATCH", "DELETE") or url.__class__ is not str or "?" in url:
            continue
        if url in seen:
            text = f"found a second change of {url}, expected each resource once in a transaction"
            yield Fault(f"{place}.request", "duplicate", text)
        seen.add(url)


def _bodies(entries: list[Entry]) -> Iterator[Fault]:
    for place, entry in entries:
        request = entry.get("request")
        method = request.get("method") if request.__class__ is dict else None
        if method in ("POST", "PUT") and "resource" not in entry and "$" not in str(request):
            text = f"found {method} without a resource, expected one"
            yield Fault(place, "required", text, severity="warning")
