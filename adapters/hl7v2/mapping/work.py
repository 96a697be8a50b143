"""What every mapping of a message is given."""

from dataclasses import dataclass

from adapters.hl7v2.source import Ids, Source


@dataclass(frozen=True, slots=True)
class Work:
    """The source, the ids, the message's own name (system and value), and its times.

    `sent` (MSH-7) and `happened` (EVN-2, else MSH-7) compare as text; `occurred` is the latter as a
    FHIR dateTime, empty where the message tells no time.
    """

    source: Source
    ids: Ids
    message: tuple[str, str]
    sent: str
    happened: str
    occurred: str

    def stand_in(self, part: str) -> tuple[str, str] | None:
        """Return a number made from the message where `Source.identity` allows it."""
        system, value = self.message
        return (system, f"{value}|{part}") if self.source.identity == "message" else None
