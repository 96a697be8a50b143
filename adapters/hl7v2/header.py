"""The header of a message (MSH) as a value.

https://www.hl7.eu/HL7v2x/v251/std251/ch02.html#Heading157
"""

from dataclasses import dataclass

from adapters.hl7v2.escapes import Separators
from adapters.hl7v2.message import Message


@dataclass(frozen=True, slots=True)
class Header:
    """Fields of MSH as they were sent (raw where an acknowledgement echoes them)."""

    separators: Separators
    sending_application: str
    sending_facility: str
    receiving_application: str
    receiving_facility: str
    time: str
    type: str
    event: str
    control_id: str
    processing_id: str
    version: str
    accept_acknowledgement: str
    application_acknowledgement: str
    charset: str


def read_header(message: Message) -> Header:
    """Read MSH without judging it; what is missing is the empty string."""
    msh = message.msh
    return Header(
        separators=message.separators,
        sending_application=msh.field(3),
        sending_facility=msh.field(4),
        receiving_application=msh.field(5),
        receiving_facility=msh.field(6),
        time=msh.text(7),
        type=msh.text(9),
        event=msh.text(9, 2),
        control_id=msh.field(10),
        processing_id=msh.field(11),
        version=msh.text(12),
        accept_acknowledgement=msh.text(15).upper(),
        application_acknowledgement=msh.text(16).upper(),
        charset=msh.field(18),
    )
