"""Nodes: what an expression works on, and the environment it works in.

https://hl7.org/fhirpath/N1/#types-and-reflection, https://hl7.org/fhir/R4/fhirpath.html

A node is `(type, value, extra)`. `type` is a FHIR type (`Quantity`, `code`, `Patient.contact`) or
a System type (`System.String`). `value` is JSON: a dict, or a primitive; None for a primitive that
has only extensions. `extra` is the dict beside a primitive (`_birthDate`), or None.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from conformance.fhirpath.errors import FHIRPathError

Node = tuple[str, Any, Any]
Nodes = list[Node]

# FHIR primitives as System types: https://hl7.org/fhir/R4/fhirpath.html#types
SYSTEM_TYPE = {
    "boolean": "Boolean",
    "integer": "Integer",
    "unsignedInt": "Integer",
    "positiveInt": "Integer",
    "decimal": "Decimal",
    "date": "Date",
    "dateTime": "DateTime",
    "instant": "DateTime",
    "time": "Time",
    **dict.fromkeys(
        (
            "string",
            "code",
            "id",
            "markdown",
            "uri",
            "url",
            "canonical",
            "oid",
            "uuid",
            "base64Binary",
            "xhtml",
        ),
        "String",
    ),
    **dict.fromkeys(("Quantity", "Age", "Count", "Distance", "Duration", "Money"), "Quantity"),
}
SYSTEM_NAMES = ("Boolean", "String", "Integer", "Decimal", "Date", "DateTime", "Time", "Quantity")
KIND = SYSTEM_TYPE | {f"System.{name}": name for name in SYSTEM_NAMES}

# What a caller sees in place of a System type.
FHIR_NAME = {
    "System.Boolean": "boolean",
    "System.String": "string",
    "System.Integer": "integer",
    "System.Decimal": "decimal",
    "System.Date": "date",
    "System.DateTime": "dateTime",
    "System.Time": "time",
    "System.Quantity": "Quantity",
}

TRUE: Node = ("System.Boolean", True, None)
FALSE: Node = ("System.Boolean", False, None)

NUMBERS = ("Integer", "Decimal")
LONGEST_TEXT = 10_000_000
LEAST, MOST = -(2**31), 2**31 - 1  # of integers
TEMPORALS = ("Date", "DateTime", "Time")


@dataclass(frozen=True, slots=True)
class Services:
    """What evaluation may ask of others; each may be absent, and may answer None: not known.

    `member_of(type, value, value set)` and `conforms_to(type, value, profile)` take a FHIR type and
    the JSON that has it; `subsumes(above, below)` takes two (system, code); `html_checks(div)` the
    XHTML of a narrative. `trace(name, values)` takes what `trace()` logs, as (type, value).
    """

    member_of: Callable[[str, Any, str], bool | None] | None = None
    conforms_to: Callable[[str, Any, str], bool | None] | None = None
    subsumes: Callable[[tuple[str, str], tuple[str, str]], bool | None] | None = None
    html_checks: Callable[[str], bool] | None = None
    trace: Callable[[str, list[tuple[str, Any]]], None] | None = None


NO_SERVICES = Services()


@dataclass(slots=True)
class Environment:
    """What stays the same during one evaluation, and `$index` and `$total` where they stand.

    `variables` are what `%name` stands for, `%context` and `%rootResource` among them where they
    are not the resource itself. `resolve` may hand in resources that a reference points to; without
    it a literal reference resolves to a node that tells its type and id only. `now` is needed by
    `now()` and its kin.
    """

    resource: dict[str, Any]
    variables: Mapping[str, Nodes] = field(default_factory=dict)
    now: datetime | None = None
    resolve: Callable[[str], dict[str, Any] | None] | None = None
    index: int = 0
    total: Nodes = field(default_factory=list)
    services: Services = NO_SERVICES


Evaluator = Callable[[Environment, Nodes], Nodes]


def kind(node: Node) -> str:
    """The System type that a node is implicitly converted to; '' for other complex types."""
    return KIND.get(node[0], "")


def boolean(value: bool | None) -> Nodes:
    """A boolean as nodes; None means empty."""
    if value is None:
        return []
    return [TRUE] if value else [FALSE]


def string(value: str) -> Node:
    """A System.String node; raises FHIRPathError for one of unreasonable length."""
    if len(value) > LONGEST_TEXT:
        raise FHIRPathError(f"a string of more than {LONGEST_TEXT} characters")
    return ("System.String", value, None)


def integer(value: int) -> Node:
    """A System.Integer node."""
    return ("System.Integer", value, None)


def number(value: int | Decimal) -> Node:
    """A System.Integer or System.Decimal node."""
    return ("System.Integer" if isinstance(value, int) else "System.Decimal", value, None)


def single(nodes: Nodes, what: str) -> Node | None:
    """The only node, None for none; raises FHIRPathError for several."""
    if len(nodes) > 1:
        raise FHIRPathError(f"{what}: expected one item, found {len(nodes)}")
    return nodes[0] if nodes else None


def truth(nodes: Nodes, what: str) -> bool | None:
    """Singleton evaluation as a boolean: https://hl7.org/fhirpath/N1/#singleton-evaluation-of-collections"""
    if not nodes:
        return None
    if len(nodes) > 1:
        raise FHIRPathError(f"{what}: expected one boolean, found {len(nodes)} items")
    value = nodes[0][1]
    return value if isinstance(value, bool) else True


def text_of(nodes: Nodes, what: str) -> str | None:
    """The only node as a string, None for none; raises FHIRPathError for anything else."""
    node = single(nodes, what)
    if node is None or node[1] is None:
        return None
    if kind(node) == "String" and isinstance(node[1], str):
        return node[1]
    raise FHIRPathError(f"{what}: expected a string, found {node[0]}")


def integer_of(nodes: Nodes, what: str) -> int | None:
    """The only node as an integer, None for none; raises FHIRPathError for anything else."""
    node = single(nodes, what)
    if node is None or node[1] is None:
        return None
    if kind(node) == "Integer" and isinstance(node[1], int):
        return node[1]
    raise FHIRPathError(f"{what}: expected an integer, found {node[0]}")


def number_of(nodes: Nodes, what: str) -> int | Decimal | None:
    """The only node as a number, None for none; raises FHIRPathError for anything else."""
    node = single(nodes, what)
    if node is None or node[1] is None:
        return None
    if kind(node) in NUMBERS and isinstance(node[1], int | Decimal):
        return node[1]
    raise FHIRPathError(f"{what}: expected a number, found {node[0]}")
