"""From a write to the documents that keep it, and back to a Version. Pure.

A composite is one element of `c` for each group, with its parts `a`, `b` … in it: that they stand
together is then one `$elemMatch`. What contained resources say stands under `#parameter`, where
questions about the container do not find it, with the resource's `#id` as `x`.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from fhir_server.model import Entry, Key, Sort, Value, Version, Write
from fhir_server.search.contained import contained
from fhir_server.store import order
from fhir_server.store.mongo.condition import bounded
from fhir_server.store.mongo.logic import part_of
from fhir_server.store.mongo.text import fields

Doc = dict[str, Any]

WHOLE = {name: 1 for name in ("h", "tick", "vid", "at", "method", "auth", "who", "body", "chunks")}
"""The fields that a Version is made of."""

_PLACE = {"n": 1, "pid": 1}
PLACED = WHOLE | _PLACE
LIGHT = dict(_PLACE)

_decode = msgspec.msgpack.Decoder(tuple[Entry, ...]).decode
_encode = msgspec.msgpack.Encoder().encode


def key(ref: str) -> Key:
    """Return the key of a literal reference.

    >>> key("Patient/1")
    Key(type='Patient', id='1')
    """
    type, _, id = ref.partition("/")
    return Key(type, id)


def version(key: Key, doc: Mapping[str, Any], body: bytes | None) -> Version:
    """Return the version that a document keeps, with the body that was fetched."""
    auth = doc.get("auth")
    return Version(
        key,
        int(doc["vid"]),  # long integers come as a class of the driver's own
        int(doc["at"]),
        body,
        doc["method"],
        _decode(auth) if auth else (),
        tuple(doc.get("who", ())),
    )


def versioned(write: Write, vid: int, at: int) -> Doc:
    """Return the fields that all versions have, latest and old; without the body."""
    return {"vid": vid, "at": at, "method": write.method, **authorized(write)}


def authorized(write: Write) -> Doc:
    """Return the fields that authorization looks at."""
    doc: Doc = {}
    if write.auth:
        doc["auth"] = _encode(write.auth)
    if write.patients:
        doc["who"] = list(write.patients)
    return doc


def indexed(write: Write, numbers: Sequence[int], sort: str | None) -> Doc:
    """Return the fields by which a living record is found; `sort` has a field of its own."""
    plain, composites = _split(write.entries)
    doc: Doc = {"t": write.key.type, "pids": sorted(numbers), "e": plain, **fields(write.text)}
    if composites:
        doc["c"] = composites
    if held := _contained(write.entries):
        doc["k"] = held
    if sort is not None:
        for name, down in (("lo", False), ("hi", True)):
            found = order.value(Sort(sort, down), write.key.id, 0, write.entries)
            if found is not None:
                doc[name] = bounded(found)
    return doc


def entries(doc: Mapping[str, Any]) -> tuple[Entry, ...]:
    """Return what a latest version is found by; groups are counted anew within each composite."""
    found = [_entry(each, each) for each in doc.get("e", ())]
    groups: Counter[str] = Counter()
    for composite in doc.get("c", ()):
        groups[composite["p"]] += 1
        for part in composite.keys() - {"p", "x"}:
            for value in composite[part]:
                entry = _entry(composite, value)
                param = f"{entry.param}.{ord(part) - ord('a')}"
                found.append(entry._replace(param=param, group=groups[composite["p"]]))
    return tuple(found)


def _entry(named: Mapping[str, Any], value: Mapping[str, Any]) -> Entry:
    path = named.get("x", "")
    param = named["p"].removeprefix("#") if path else named["p"]
    return Entry(param, _plain(value["v"]), _plain(value["w"]), value["u"], path=path)


def _plain(value: Value) -> Value:
    return int(value) if isinstance(value, int) else value  # the driver has a class of long ones


def old(ref: str, doc: Mapping[str, Any], replaced: int) -> Doc:
    """Return a latest version's document as it is kept once there is a newer one, `replaced` ms."""
    kept = {name: doc[name] for name in WHOLE if name in doc}
    return {"_id": {"k": ref, "v": doc["vid"]}, "r": replaced, **kept}


def _split(entries: Sequence[Entry]) -> tuple[list[Doc], list[Doc]]:
    plain: list[Doc] = []
    groups: dict[tuple[str, int, str], Doc] = defaultdict(dict)
    for each in entries:
        value = {"v": bounded(each.v), "w": bounded(each.w), "u": each.u}
        whole, part = part_of(each.param)
        if part:
            groups[whole, each.group, each.path].setdefault(part, []).append(value)
        else:
            plain.append({**_named(each.param, each.path), **value})
    return plain, [{**_named(whole, path), **parts} for (whole, _, path), parts in groups.items()]


def _contained(entries: Sequence[Entry]) -> list[Doc]:
    """Return an element for each contained resource: its type, which references name it, and what
    it says, as it would alone."""
    pointing: dict[Value, list[str]] = defaultdict(list)
    for each in entries:
        if not each.path and isinstance(each.v, str) and each.v.startswith("#"):
            pointing[each.v].append(each.param)
    found: list[Doc] = []
    for type in dict.fromkeys(e.param.partition(":")[0] for e in entries if e.path):
        for id, said in contained(type, entries):
            plain, composites = _split(said)
            doc = {"t": type, "r": pointing.get(f"#{id}", []), "e": plain}
            found.append(doc | ({"c": composites} if composites else {}))
    return found


def _named(param: str, path: str) -> Doc:
    return {"p": f"#{param}", "x": path} if path else {"p": param}
