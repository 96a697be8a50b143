"""From contributions to the writes of one commit.

What `merge` keeps beside a resource lies in internal records of type `stamp`, one for each anchor:
the stamps of a report's observations lie with the report, so that a report of thirty results is not
sixty records.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import msgspec

from adapters.hl7v2.merge import Contribution, Held, held_from_json, merge, stamps_to_json
from fhir_server import fhirjson
from fhir_server.authz.caller import Caller
from fhir_server.interactions.interaction import Interaction
from fhir_server.interactions.pending import Pending
from fhir_server.interactions.server import Server
from fhir_server.interactions.update import same
from fhir_server.interactions.write import Draft, approve, draft
from fhir_server.model import Key, Version, Write

_Stamps = dict[str, dict[str, Any]]


async def writes_of(
    server: Server, caller: Caller, contributions: Sequence[Contribution]
) -> list[Write]:
    """Return what contributions change in the record, checked and approved as any other write.

    Raises what `draft` and `approve` raise. Contributions that change nothing write nothing.
    """
    pending = Pending(server.store, caller.now)
    ahead = replace(server, store=pending)
    versions = {key: await server.store.read(key) for key in _keys(contributions)}
    anchors = {key: await server.store.read(key) for key in _anchors(contributions)}
    merged = _merged(contributions, versions, anchors)
    drafts = []
    for key, held in merged.items():
        made = _draft(server, caller, key, held, versions[key])
        if made is not None:
            drafts.append(made)
            await pending.add([made.write])
    for made in drafts:
        await pending.add(await approve(ahead, caller, made))
    return [*pending.writes, *_stamp_writes(contributions, merged, anchors)]


def anchor_of(contribution: Contribution) -> Key:
    """Return the record that keeps a contribution's stamps."""
    return Key("stamp", contribution.anchor or f"{contribution.type}-{contribution.id}")


def _keys(contributions: Sequence[Contribution]) -> list[Key]:
    return list(dict.fromkeys(Key(one.type, one.id) for one in contributions))


def _anchors(contributions: Sequence[Contribution]) -> list[Key]:
    return list(dict.fromkeys(anchor_of(one) for one in _stamped(contributions)))


def _stamped(contributions: Sequence[Contribution]) -> list[Contribution]:
    """Return those that other messages may contribute to; a Provenance has one message alone."""
    return [one for one in contributions if one.type != "Provenance"]


def _merged(
    contributions: Sequence[Contribution],
    versions: Mapping[Key, Version | None],
    anchors: Mapping[Key, Version | None],
) -> dict[Key, Held]:
    stamps = {key: _stamps(version) for key, version in anchors.items()}
    held: dict[Key, Held] = {}
    for one in contributions:
        key = Key(one.type, one.id)
        beside = stamps.get(anchor_of(one), {}).get(str(key))
        existing = held.get(key) or _held(versions[key], beside)
        held[key] = merge(existing, one)
    return held


def _held(version: Version | None, beside: dict[str, Any] | None) -> Held | None:
    if version is None or version.body is None:
        return None
    return held_from_json(fhirjson.resource(version), beside)


def _draft(
    server: Server, caller: Caller, key: Key, held: Held, before: Version | None
) -> Draft | None:
    body = fhirjson.encode(held.resource)
    if before is not None and same(before, body):
        return None
    ask = Interaction("update", key.type, key.id, body=body)
    return draft(server, caller, ask, held.resource, body, before)


def _stamp_writes(
    contributions: Sequence[Contribution],
    merged: Mapping[Key, Held],
    anchors: Mapping[Key, Version | None],
) -> list[Write]:
    after = {key: _stamps(version) for key, version in anchors.items()}
    for one in _stamped(contributions):
        key = Key(one.type, one.id)
        after[anchor_of(one)][str(key)] = stamps_to_json(merged[key])
    return [
        Write(key, fhirjson.encode(stamps), expect=version.vid if version else 0)
        for key, version in anchors.items()
        if (stamps := after[key]) != _stamps(version)
    ]


def _stamps(version: Version | None) -> _Stamps:
    if version is None or version.body is None:
        return {}
    return msgspec.json.decode(version.body, type=_Stamps)
