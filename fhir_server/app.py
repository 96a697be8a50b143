"""The composition root: from settings to a running hub. Every part is handed what it needs, here only."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

from conformance import definitions as r4
from conformance.validator import Validator
from fhir_server.authz.tables import missing_rules
from fhir_server.identity.site import derived, site_key
from fhir_server.interactions.server import OperationDefinition, Server
from fhir_server.operations.validate import VALIDATE
from fhir_server.referral.operations import OPERATIONS as REFERRAL
from fhir_server.referral.rules import WRITE_RULES
from fhir_server.search.cursor import Signer
from fhir_server.search.extract import Extractor
from fhir_server.settings import Settings
from fhir_server.store.open import Kept, Limits, open_store

OPERATIONS: tuple[OperationDefinition, ...] = (*VALIDATE, *REFERRAL)


@dataclass(frozen=True, slots=True)
class Parts:
    """A hub without its sockets: what the command line and the site are both made of."""

    server: Server
    store: Kept
    key: bytes


async def assemble(settings: Settings, clock: Callable[[], int] | None = None) -> Parts:
    """Open the store and put the parts together. Raises ValueError for what cannot be opened."""
    clock = clock or milliseconds
    definitions = r4.load()
    if missing := missing_rules(definitions.resource_types):
        raise ValueError(f"No authorization rule for {', '.join(sorted(missing))}")
    store = open_store(settings.store, clock, Limits(settings.query_seconds))
    key = await site_key(store, settings.site_key, secrets.token_bytes)
    server = Server(
        settings=settings,
        store=store,
        definitions=definitions,
        validator=Validator(definitions),
        extractor=Extractor(definitions, settings.base_url),
        signer=Signer(derived(key, "cursor")),
        clock=clock,
        new_id=new_id,
        write_rules=WRITE_RULES,
        operations=OPERATIONS,
    )
    return Parts(server, store, key)


def milliseconds() -> int:
    """Return the time in milliseconds since 1970 UTC."""
    return time.time_ns() // 1_000_000


def new_id() -> str:
    """Return a random id of 128 bits."""
    return secrets.token_hex(16)
