"""Attachments: size and hash are those of the data.

https://hl7.org/fhir/R4/datatypes.html#Attachment
"""

import binascii
from base64 import b64decode, b64encode
from hashlib import sha1
from typing import Any

from conformance.validation.faults import Fault, Faults, fault


def check_attachment(attachment: dict[str, Any]) -> Faults:
    """Check `size` (bytes of the content) and `hash` (its SHA-1) where the data is at hand."""
    data, size, digest = (attachment.get(name) for name in ("data", "size", "hash"))
    if data.__class__ is not str or (size is None and digest is None):
        return None
    try:
        content = b64decode(data)
    except (binascii.Error, ValueError):
        return None  # said of the data already
    found: list[Fault] = []
    if size.__class__ is int and size != len(content):
        found += fault("value", f"found the size {size}, expected {len(content)}, that of the data")
    right = b64encode(sha1(content, usedforsecurity=False).digest()).decode()
    if digest.__class__ is str and digest != right:
        found += fault("value", f"found the hash {digest}, expected {right}, that of the data")
    return found or None
