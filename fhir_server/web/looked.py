"""Who looked at a patient's record, in plain words: for the patient, and for an auditor."""

from fhir_server.audit import search as audit
from fhir_server.audit.looked import Language, Line, looked
from fhir_server.authz.caller import Caller
from fhir_server.authz.grant import read_grant
from fhir_server.errors import BadRequest, Forbidden
from fhir_server.interactions.interaction import Interaction
from fhir_server.interactions.server import Server
from fhir_server.model import Query
from fhir_server.search.tree import InPatient
from fhir_server.web.directory import name_of
from fhir_server.web.internal import tell

_GRANTS = 500


async def who_looked(
    server: Server, caller: Caller, patient: str, language: Language
) -> list[Line]:
    """Return what others did with the record of `patient` (empty: the caller's own), newest first.

    Raises `Forbidden`, and `BadRequest` where no patient is named.
    """
    patient = patient or caller.patient
    if not patient:
        raise BadRequest("Name the patient: ?patient=ID")
    ask = Interaction("search-type", "AuditEvent", query=f"patient={patient}")
    try:
        rows = await audit.about(server.store, caller, patient)
    except Forbidden as refused:
        # Not a row about `patient`: whoever asks in vain has not looked.
        await tell(server, caller, ask, (), refused.status)
        raise
    grants = await server.store.search(Query("grant", InPatient(patient), limit=_GRANTS))
    places = {row.organization for row in rows if row.organization}
    names = {id: await name_of(server, id, language) for id in places}
    lines = looked(rows, patient, names, [read_grant(each) for each in grants.versions], language)
    await tell(server, caller, ask, (patient,))
    return lines
