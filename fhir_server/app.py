"""The composition root: from settings to a running hub. Every part is handed what it needs."""

import asyncio
import gc
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from adapters.hl7v2.convert import convert
from adapters.hl7v2.faults import ContentFault
from adapters.hl7v2.inbox import Inbox
from adapters.hl7v2.source import Ids, Source, read_sources
from adapters.transport.port import Port
from adapters.transport.server import Listener
from conformance import definitions as r4
from conformance.packages import Packages
from conformance.validator import Validator
from fhir_server.authz.caller import Caller
from fhir_server.authz.tables import missing_rules
from fhir_server.demo.sources import SOURCES
from fhir_server.errors import HubError, Unauthenticated
from fhir_server.identity.authenticate import Callers, anybody
from fhir_server.identity.ids import keyed_id
from fhir_server.identity.site import derived, site_key
from fhir_server.interactions.checks import read_checks
from fhir_server.interactions.index import Index
from fhir_server.interactions.reindex import keep_indexed
from fhir_server.interactions.searchparameter import searchparameter_rule
from fhir_server.interactions.server import OperationDefinition, Server
from fhir_server.log import configure, get_logger
from fhir_server.model import Key
from fhir_server.operations.document import DOCUMENT
from fhir_server.operations.everything import EVERYTHING_OF
from fhir_server.operations.graphql.operation import graphql
from fhir_server.operations.lastn import LASTN
from fhir_server.operations.match import MATCH
from fhir_server.operations.meta import META
from fhir_server.operations.validate import VALIDATE
from fhir_server.randomness import random_hex
from fhir_server.referral.operations import OPERATIONS as REFERRAL
from fhir_server.referral.rules import WRITE_RULES
from fhir_server.search.cursor import Signer
from fhir_server.search.extract import Extractor
from fhir_server.search.fulltext import full_text
from fhir_server.settings import Settings, load
from fhir_server.store.open import Kept, Limits, open_store
from fhir_server.web.fhir.app import FhirApp
from fhir_server.web.metrics import Metrics
from fhir_server.web.pages.app import pages_app
from fhir_server.web.site import Receive, Scope, Send, Site

_FAREWELL = 10.0
"""Seconds that jobs have to end in when the hub stops."""

log = get_logger("hub")

OPERATIONS: tuple[OperationDefinition, ...] = (
    *VALIDATE,
    *META,
    *EVERYTHING_OF,
    *LASTN,
    *DOCUMENT,
    *MATCH,
    *REFERRAL,
)


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
    validator = Validator(definitions, packages=Packages(Path(settings.packages)).resources())
    checks = read_checks(settings, definitions, validator)
    words = full_text(settings.full_text, definitions.resource_types)
    store = open_store(settings.store, clock, Limits(settings.query_seconds))
    key = await site_key(store, settings.site_key, secrets.token_bytes)
    server = Server(
        settings=settings,
        store=store,
        callers=Callers(store),
        index=Index(store, Extractor(definitions, own_base(settings), full_text=words)),
        validator=validator,
        signer=Signer(derived(key, "cursor")),
        clock=clock,
        new_id=new_id,
        write_rules={**WRITE_RULES, "SearchParameter": (searchparameter_rule,)},
        operations=(*OPERATIONS, *graphql()),
        checks=checks,
    )
    await server.index.settle()
    return Parts(server, store, key)


def own_base(settings: Settings) -> str:
    """Return the base that references to the hub itself are known by when they are absolute."""
    return settings.base_url or f"http://{settings.host}:{settings.port}/fhir"


def settle_memory() -> None:
    """Let the collector leave alone what was loaded at the start, and look less often at the rest.

    A full collection looks at every object there is, and everybody waits: 0.15 s amid a transaction
    of 5,000 entries, against 0.03 s so.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def milliseconds() -> int:
    """Return the time in milliseconds since 1970 UTC."""
    return time.time_ns() // 1_000_000


def new_id() -> str:
    """Return a random id of 128 bits."""
    return random_hex(16)


class Hub:
    """The hub as an ASGI application, with its MLLP listener: both begin and end with the
    lifespan."""

    def __init__(self, settings: Settings) -> None:
        """Take the settings; nothing is opened before the lifespan begins."""
        self._settings = settings
        self._parts: Parts | None = None
        self._site: Site | None = None
        self._mllp: Port | None = None
        self._indexing: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or live through the lifespan."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http" and self._site is not None:
            await self._site(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            await self._begin()
        except (ValueError, OSError) as fault:
            await send({"type": "lifespan.startup.failed", "message": str(fault)})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._end()
        await send({"type": "lifespan.shutdown.complete"})

    async def _begin(self) -> None:
        settings = self._settings
        configure(settings.log_level)
        parts = self._parts = await assemble(settings)
        await parts.server.index.settle_words()
        server, metrics = parts.server, Metrics()
        given = settings.sources
        sources = read_sources(Path(given).read_bytes()) if given else SOURCES
        ids = partial(keyed_id, derived(parts.key, "id"))
        inbox = Inbox(server, sources, ids, metrics.message)
        authenticate = everybody if settings.open else partial(authenticated, server.callers)
        self._site = Site(
            FhirApp(server, authenticate, metrics.request),
            pages_app(
                server, parts.key, inbox, metrics, partial(became, sources, ids, server.clock)
            ),
            partial(is_ready, parts.store),
        )
        if settings.mllp:
            listener = Listener(inbox.receive, opened=metrics.connections)
            self._mllp = Port(listener, settings.mllp, settings.workers)
            await self._mllp.open()
        self._indexing = asyncio.create_task(keep_indexed(server, parts.store))
        settle_memory()
        log.info("hub.started", store=settings.store.partition(":")[0], workers=settings.workers)

    async def _end(self) -> None:
        if self._mllp is not None:
            await self._mllp.close()
        if self._indexing is not None:
            self._indexing.cancel()
            await asyncio.gather(self._indexing, return_exceptions=True)
        if self._parts is not None:
            await self._parts.server.background.close(_FAREWELL)
            await self._parts.store.close()
        log.info("hub.stopped")


def create() -> Hub:
    """Return the application of the environment's settings (what a worker process calls)."""
    return Hub(load())


def became(
    sources: Sequence[Source], ids: Ids, clock: Callable[[], int], name: str, raw: bytes
) -> Sequence[Mapping[str, Any]]:
    """Return the resources that a message of the source `name` would become, by itself alone."""
    source = next((source for source in sources if source.name == name), None)
    if source is None:
        return ()
    try:
        bundle = convert(raw, source, ids, datetime.fromtimestamp(clock() / 1000, UTC))
    except ContentFault:
        return ()
    return [entry["resource"] for entry in bundle["entry"]]


async def everybody(token: str, now: int, request: str) -> Caller:
    """Let anybody in: a hub that was started with `--open`."""
    return anybody(now, request)


async def authenticated(callers: Callers, token: str, now: int, request: str) -> Caller:
    """Return the caller whose token it is. Raises `Unauthenticated`."""
    if not token:
        raise Unauthenticated("A bearer token is needed.")
    return await callers.authenticate(token, now, request)


async def is_ready(store: Kept) -> bool:
    """Tell whether the store answers."""
    try:
        await store.read(Key("site", "key"))
    except HubError:
        return False
    return True
