"""How interactions answer with a version.

https://hl7.org/fhir/R4/http.html#ops
"""

from fhir_server import fhirjson
from fhir_server.interactions.interaction import Interaction, Reply
from fhir_server.interactions.outcome import done
from fhir_server.interactions.subset import Content
from fhir_server.model import Version

_WORDS = {200: "Updated", 201: "Created"}


def shown(version: Version, content: Content = fhirjson.whole) -> Reply:
    """Return the answer that is a living version itself, or what `content` shows of it."""
    return Reply(
        200,
        content(version),
        key=version.key,
        vid=version.vid,
        updated=version.updated,
        patients=version.patients,
    )


def written(version: Version, ask: Interaction, *, created: bool = False) -> Reply:
    """Return the answer to a write, in the form that `Prefer: return` asks for."""
    status = 201 if created else 200
    return Reply(
        status,
        _body(version, ask, _WORDS[status]),
        key=version.key,
        vid=version.vid,
        updated=version.updated,
        created=True,
        patients=version.patients,
        audited=True,
    )


def unchanged(version: Version, ask: Interaction) -> Reply:
    """Return the answer to a write that was not needed: the version that is there."""
    return Reply(
        200,
        _body(version, ask, "Nothing changed"),
        key=version.key,
        vid=version.vid,
        updated=version.updated,
        created=True,
        patients=version.patients,
    )


def _body(version: Version, ask: Interaction, words: str) -> bytes:
    if ask.returns == "minimal":
        return b""
    if ask.returns == "OperationOutcome":
        return done(f"{words}: {version.key}, version {version.vid}.")
    return fhirjson.whole(version)
