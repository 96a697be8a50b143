"""Ids made from outside identity: nobody without the site's key can compute or enumerate them."""

import base64
import hashlib
import hmac


def keyed_id(site_key: bytes, type: str, system: str, value: str) -> str:
    """Return the id of the `type` that an outside system knows as `value`: 32 characters.

    Equal identifiers have equal ids, so that a message that comes twice names the same record.
    https://hl7.org/fhir/R4/datatypes.html#id
    """
    parts = [part.encode() for part in ("id", type, system, value)]
    message = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    digest = hmac.digest(site_key, message, hashlib.sha256)
    return base64.b32encode(digest[:20]).decode().lower()
