"""`$graphql`: how a query comes and how its answer goes.

https://hl7.org/fhir/R4/graphql.html, https://hl7.org/fhir/R4/operation-resource-graphql.html

| request | what is in it |
|---|---|
| GET | `query`, `operationName`, `variables` (JSON) in the address |
| POST `application/json` | an object of these three |
| POST `application/graphql` | the query |
| POST Parameters | `query`, `operationName`, `variables` as strings |
"""

from typing import Any, NamedTuple

from fhir_server import fhirjson
from fhir_server.authz.caller import Caller
from fhir_server.errors import BadRequest
from fhir_server.interactions.breath import Breath, aside
from fhir_server.interactions.find import find, living
from fhir_server.interactions.interaction import GRAPHQL, Interaction, Params, Reply
from fhir_server.interactions.server import OperationDefinition, Parameter, Server
from fhir_server.operations.graphql import meta
from fhir_server.operations.graphql.errors import Invalid, Problem
from fhir_server.operations.graphql.execute import Execution
from fhir_server.operations.graphql.introspection import introspection
from fhir_server.operations.graphql.loads import Loads
from fhir_server.operations.graphql.output import Writer
from fhir_server.operations.graphql.schema import QUERY, Schema
from fhir_server.operations.graphql.selection import Selection
from fhir_server.operations.parameters import listed, once, simple

Json = dict[str, Any]

_ALL = 1_000_000
"""About how many bytes tell of all types."""
_EACH = 64
"""About how many bytes an object of an answer has."""
_NAMES = ("query", "operationName", "variables")


class _Request(NamedTuple):
    """What is asked."""

    query: str
    operation: str
    variables: Json


class _GraphQL:
    """Answers with what a query selects: of the whole hub, or of one record.

    Keeps the schema of the definitions that are in force.
    """

    def __init__(self) -> None:
        """Start without a schema: the first query makes it."""
        self._schema: Schema | None = None

    async def __call__(self, server: Server, caller: Caller, ask: Interaction) -> Reply:
        """Answer a query."""
        if self._schema is None or self._schema.definitions is not server.definitions:
            self._schema = Schema(server.definitions)
        return await _answer(self._schema, server, caller, ask)


def graphql() -> tuple[OperationDefinition, ...]:
    """Return the operation, for `Server.operations`."""
    run = _GraphQL()
    parameters = (
        Parameter("query", "in", 1, "1", "string", "The query, a document of GraphQL."),
        Parameter("operationName", "in", 0, "1", "string", "Which operation of the document."),
        Parameter("variables", "in", 0, "1", "string", "The variables, a JSON object."),
        Parameter("result", "out", 1, "1", "Binary", "The answer, as application/json."),
    )
    return tuple(
        OperationDefinition("graphql", (), level, run, parameters=parameters)
        for level in ("system", "instance")
    )


async def _answer(schema: Schema, server: Server, caller: Caller, ask: Interaction) -> Reply:
    # GraphQL's parser takes memory and time to load: who does not use it does not pay for it.
    from fhir_server.operations.graphql.plan import plan

    request = _request(ask)
    breath = Breath(server.settings.request_seconds)
    loads = Loads(server, caller, ask, breath)
    type, node = QUERY, Json()
    if ask.id:
        version = living(await find(server, caller, ask.key), ask.key)
        type, node = ask.type, loads.resource(version)
    try:
        selection = plan(schema, request.query, request.operation, request.variables, type)
    except Invalid as fault:
        return _told(400, {}, list(fault.problems), ())
    if meta.asked(selection):
        return _told(200, {"data": await aside(_ALL, _of_types, schema, selection)}, [], ())
    execution = Execution(schema, loads, ask.base)
    made = await execution.run(type, node, selection)
    writer = Writer()
    data = await aside(_EACH * execution.objects, writer.written, made)
    problems = execution.problems + writer.problems
    return _told(200, {"data": data}, problems, tuple(sorted(loads.told)))


def _of_types(schema: Schema, selection: Selection) -> Json:
    """Return what is selected of the types themselves, which are the same for every caller."""
    return meta.told(*introspection(schema), selection)


def _told(status: int, data: Json, problems: list[Problem], patients: tuple[str, ...]) -> Reply:
    errors = {"errors": [each.as_json() for each in problems]} if problems else {}
    body = fhirjson.encode(errors | data)
    return Reply(status, body, patients=patients, content_type="application/json")


def _request(ask: Interaction) -> _Request:
    """Return what is asked. Raises `BadRequest`."""
    given = ask.params
    if ask.content_type == GRAPHQL:
        given = (*given, ("query", _text(ask.body)))
    elif ask.body:
        given = (*given, *_given(ask.body))
    if unknown := [name for name, _ in given if name not in _NAMES]:
        raise BadRequest(*(f"$graphql has no parameter {name[:64]!r}." for name in unknown))
    query, operation, variables = (once(name, given) for name in _NAMES)
    if not query.strip():
        raise BadRequest("$graphql needs a query.")
    return _Request(query, operation, _variables(variables))


def _text(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError as fault:
        raise BadRequest(f"Byte {fault.start} of the query is not UTF-8.") from None


def _given(body: bytes) -> Params:
    decoded = fhirjson.decode(body)
    if not isinstance(decoded, dict):
        raise BadRequest("The body is not a JSON object.")
    if decoded.get("resourceType") == "Parameters":
        return tuple(simple(listed(decoded)))
    return tuple(
        (name, value if isinstance(value, str) else fhirjson.encode(value).decode())
        for name, value in decoded.items()
        if value is not None and name != "extensions"
    )


def _variables(text: str) -> Json:
    if not text:
        return {}
    variables = fhirjson.decode(text.encode())
    if not isinstance(variables, dict):
        raise BadRequest("The variables are not a JSON object.")
    return variables
