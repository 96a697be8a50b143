"""The demo city's HL7 v2 sources: the hospital's HIS and its laboratory."""

from adapters.hl7v2.source import Authority, Source
from fhir_server.demo.systems import RESIDENT_ID, numbers

_FACILITY = "YTFH"


def _source(application: str, client: str) -> Source:
    return Source(
        name=client,
        facility=_FACILITY,
        applications=frozenset({application}),
        owner="hospital",
        patient=Authority(_FACILITY, numbers("hospital", "patient"), "hospital"),
        authorities=(Authority("MPS", RESIDENT_ID),),
        visits=numbers("hospital", "visit"),
        placers=numbers("hospital", "order"),
        fillers=numbers("hospital", "report"),
        staff=numbers("hospital", "staff"),
    )


SOURCES = (_source("HIS", "hospital-his"), _source("LIS", "hospital-lis"))
