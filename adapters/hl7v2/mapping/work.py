"""What every mapping of a message is given."""

from dataclasses import dataclass

from adapters.hl7v2.source import Ids, Source


@dataclass(frozen=True, slots=True)
class Work:
    """The source, the ids, and when the message was sent (MSH-7) and its event happened (EVN)."""

    source: Source
    ids: Ids
    sent: str
    happened: str
