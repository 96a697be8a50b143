"""The FHIRPath syntax tree. https://hl7.org/fhirpath/N1/#grammar"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Literal:
    """`type` is a System type without its namespace; Quantity carries a `unit`; {} has no type."""

    type: str
    text: str
    unit: str
    at: int


@dataclass(frozen=True, slots=True)
class Variable:
    """`$this`, `$index`, `$total`."""

    name: str
    at: int


@dataclass(frozen=True, slots=True)
class External:
    """`%name`."""

    name: str
    at: int


@dataclass(frozen=True, slots=True)
class Member:
    """`base.name`; without a base, a name on the focus."""

    base: "Tree | None"
    name: str
    at: int


@dataclass(frozen=True, slots=True)
class Call:
    """`base.name(arguments)`; without a base, on the focus."""

    base: "Tree | None"
    name: str
    arguments: "tuple[Tree, ...]"
    at: int


@dataclass(frozen=True, slots=True)
class Index:
    """`base[index]`."""

    base: "Tree"
    index: "Tree"
    at: int


@dataclass(frozen=True, slots=True)
class Sign:
    """`+operand` or `-operand`; within `sort()` also `operand desc`."""

    operator: str
    operand: "Tree"
    at: int


@dataclass(frozen=True, slots=True)
class Binary:
    """`left operator right`."""

    operator: str
    left: "Tree"
    right: "Tree"
    at: int


@dataclass(frozen=True, slots=True)
class TypeTest:
    """`operand is type` or `operand as type`; also the functions of those names, and ofType."""

    operator: str
    operand: "Tree | None"
    type: str
    at: int


Tree = Literal | Variable | External | Member | Call | Index | Sign | Binary | TypeTest


def union_parts(tree: Tree) -> tuple[Tree, ...]:
    """The alternatives of `a | b | c`, in order."""
    if isinstance(tree, Binary) and tree.operator == "|":
        return union_parts(tree.left) + union_parts(tree.right)
    return (tree,)
