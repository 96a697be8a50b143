"""The transaction Bundle that a message would become, no store touched.

https://hl7.org/fhir/R4/bundle.html
"""

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

from adapters.hl7v2.charset import decode
from adapters.hl7v2.faults import ContentFault
from adapters.hl7v2.mapping import map_message
from adapters.hl7v2.merge import Contribution, Held, merge
from adapters.hl7v2.message import parse
from adapters.hl7v2.source import Ids, Source


def convert(raw: bytes, source: Source, ids: Ids, received: datetime) -> dict[str, Any]:
    """Return the Bundle of a message as if the record were empty.

    `received` (aware) goes into the Provenance. Raises ContentFault.
    """
    message = parse(decode(raw, source.default_charset).text)
    mapped = map_message(message, source, ids, received, digest_of(raw))
    return {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [_entry(held.resource) for held in together({}, mapped.contributions)],
    }


def preview(
    raw: bytes, source: Source, ids: Ids, received: datetime
) -> tuple[dict[str, Any], ContentFault | None]:
    """Return the Bundle, and the fault for which the hub would refuse the message, if it would.

    Where numbers are missing the message stands for them, so that fragments can be looked at.
    Raises ContentFault where not even that helps.
    """
    try:
        return convert(raw, source, ids, received), None
    except ContentFault as fault:
        return convert(raw, replace(source, identity="message"), ids, received), fault


def together(
    existing: dict[tuple[str, str], Held], contributions: Iterable[Contribution]
) -> list[Held]:
    """Return what the records hold after contributions, each once, in the order they first occur.

    `existing` maps type and id to what is in the record already.
    """
    held = dict(existing)
    touched: dict[tuple[str, str], None] = {}
    for one in contributions:
        key = (one.type, one.id)
        held[key] = merge(held.get(key), one)
        touched[key] = None
    return [held[key] for key in touched]


def digest_of(raw: bytes) -> str:
    """Return the fingerprint of a message's bytes."""
    return hashlib.sha256(raw).hexdigest()


def _entry(resource: dict[str, Any]) -> dict[str, Any]:
    url = f"{resource['resourceType']}/{resource['id']}"
    return {"resource": resource, "request": {"method": "PUT", "url": url}}
