"""What can be wrong with the content of a message.

Codes are HL7 table 0357, https://terminology.hl7.org/CodeSystem-v2-0357.html
"""

from dataclasses import dataclass

SEGMENT_SEQUENCE = "100"
REQUIRED_MISSING = "101"
DATA_TYPE = "102"
TABLE_VALUE = "103"
UNSUPPORTED_TYPE = "200"
UNSUPPORTED_EVENT = "201"
UNSUPPORTED_PROCESSING = "202"
UNSUPPORTED_VERSION = "203"
UNKNOWN_KEY = "204"
DUPLICATE_KEY = "205"
LOCKED = "206"
INTERNAL = "207"

MEANINGS = {
    SEGMENT_SEQUENCE: "Segment sequence error",
    REQUIRED_MISSING: "Required field missing",
    DATA_TYPE: "Data type error",
    TABLE_VALUE: "Table value not found",
    UNSUPPORTED_TYPE: "Unsupported message type",
    UNSUPPORTED_EVENT: "Unsupported event code",
    UNSUPPORTED_PROCESSING: "Unsupported processing id",
    UNSUPPORTED_VERSION: "Unsupported version id",
    UNKNOWN_KEY: "Unknown key identifier",
    DUPLICATE_KEY: "Duplicate key identifier",
    LOCKED: "Application record locked",
    INTERNAL: "Application internal error",
}


@dataclass(frozen=True, slots=True)
class Location:
    """Where in a message: segment name, its ordinal among its namesakes, field, component."""

    segment: str
    ordinal: int = 1
    field: int = 0
    component: int = 0

    def __str__(self) -> str:
        parts = [self.segment, str(self.ordinal)]
        if self.field:
            parts.append(str(self.field))
        if self.component:
            parts += ["1", str(self.component)]
        return "^".join(parts)


class ContentFault(Exception):
    """A message that cannot be used as it is: table 0357 code, place, and what was expected."""

    def __init__(self, code: str, location: Location, text: str) -> None:
        super().__init__(f"{location}: {text}")
        self.code = code
        self.location = location
        self.text = text
