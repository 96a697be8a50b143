"""What every mapping of a message is given."""

from dataclasses import dataclass

from adapters.hl7v2.source import Ids, Source


@dataclass(frozen=True, slots=True)
class Work:
    """The source, the ids, and the times of the message.

    `sent` (MSH-7) and `happened` (EVN-2, else MSH-7) compare as text; `occurred` is the latter as a
    FHIR dateTime, empty where the message tells no time.
    """

    source: Source
    ids: Ids
    sent: str
    happened: str
    occurred: str
