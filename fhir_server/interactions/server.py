"""The parts that a request needs, handed in by the composition root."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from conformance.definitions import Definitions
from conformance.validator import Validator
from fhir_server.authz.caller import Caller
from fhir_server.authz.opened import Opened
from fhir_server.identity.authenticate import Callers
from fhir_server.interactions.background import Background
from fhir_server.interactions.checks import Checks
from fhir_server.interactions.index import Index
from fhir_server.interactions.interaction import Interaction, Reply
from fhir_server.interactions.kept import Kept
from fhir_server.interactions.turns import Turns
from fhir_server.model import Key, Version, Write
from fhir_server.search.cursor import Signer
from fhir_server.search.extract import Extractor
from fhir_server.settings import Settings
from fhir_server.store.protocol import Store


@dataclass(frozen=True, slots=True)
class Change:
    """A resource before and after a write that is being prepared; `None` is absent or deleted."""

    key: Key
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    version: Version | None
    ask: Interaction


WriteRule = Callable[["Server", Caller, Change], Awaitable[Sequence[Write]]]
"""What else is written in the same commit; it refuses an illegal change by raising a HubError."""

Operation = Callable[["Server", Caller, Interaction], Awaitable[Reply]]


class Parameter(NamedTuple):
    """A parameter of an operation; `use` is in or out, `max` a number or `*`."""

    name: str
    use: str
    min: int
    max: str
    type: str
    documentation: str


@dataclass(frozen=True, slots=True)
class OperationDefinition:
    """One `$operation`: on which types (none named: all), at which level, and what runs it.

    `level` is system, type or instance. `definition` is its canonical URL, empty for one of HL7's
    own. It decides itself what the caller may do, by `interactions.find`.
    """

    name: str
    types: tuple[str, ...]
    level: str
    run: Operation
    affects_state: bool = False
    definition: str = ""
    parameters: tuple[Parameter, ...] = ()

    @property
    def url(self) -> str:
        """Return the canonical URL.

        >>> OperationDefinition("meta", (), "system", NotImplemented).url
        'http://hl7.org/fhir/OperationDefinition/Resource-meta'
        """
        owner = self.types[0] if self.types else "Resource"
        standard = f"http://hl7.org/fhir/OperationDefinition/{owner}-{self.name}"
        return self.definition or standard


@dataclass(frozen=True, slots=True)
class Server:
    """Everything that is not the caller and not the request. `clock` gives milliseconds since 1970,
    `new_id` a random id; tests hand in their own."""

    settings: Settings
    store: Store
    callers: Callers
    index: Index
    validator: Validator
    signer: Signer
    clock: Callable[[], int]
    new_id: Callable[[], str]
    write_rules: Mapping[str, tuple[WriteRule, ...]]
    operations: tuple[OperationDefinition, ...] = ()
    turns: Turns = field(default_factory=Turns)
    background: Background = field(default_factory=Background)
    checks: Checks = field(default_factory=Checks)
    kept: Kept = field(default_factory=Kept)
    opened: Opened = field(default_factory=Opened)

    @property
    def definitions(self) -> Definitions:
        """Return R4's definitions with the search parameters of users."""
        return self.index.known.definitions

    @property
    def extractor(self) -> Extractor:
        """Return what makes index entries by them."""
        return self.index.known.extractor
