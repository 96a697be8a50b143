"""MSH to Provenance: which message made a resource what it is.

https://hl7.org/fhir/R4/provenance.html
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from adapters.hl7v2.header import Header
from adapters.hl7v2.mapping.codes import coding, v2_table
from adapters.hl7v2.mapping.parts import Part, contribute, reference
from adapters.hl7v2.mapping.work import Work
from adapters.hl7v2.merge import Contribution

_AGENT = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"


def provenance(
    header: Header, made: Sequence[Contribution], received: datetime, work: Work
) -> Contribution:
    """Return the Provenance of a message: its targets, its sender, its control id."""
    source = work.source
    number = " ".join(header.control_id.split())
    system = source.local("message")
    targets = dict.fromkeys(f"{one.type}/{one.id}" for one in made)
    device = {"type": "Device", "identifier": {"system": "urn:local:source", "value": source.name}}
    fields: dict[str, Any] = {
        "target": [{"reference": target} for target in targets],
        "recorded": received.astimezone(UTC).isoformat(timespec="milliseconds"),
        "activity": {"coding": [coding(v2_table("0003"), header.event)]},
        "agent": [
            {
                "type": {"coding": [coding(_AGENT, "assembler")]},
                "who": device | {"display": source.name},
                "onBehalfOf": reference("Organization", source.owner),
            }
        ],
        "entity": [{"role": "source", "what": {"identifier": {"system": system, "value": number}}}],
    }
    fields |= {"occurredDateTime": work.occurred} if work.occurred else {}
    id = work.ids("Provenance", *work.message)
    return contribute("Provenance", id, [Part("all", fields)], work.sent, "create")
