"""FHIRPath parser: precedence climbing over the complete N1 grammar.

https://hl7.org/fhirpath/N1/#operator-precedence
"""

from collections.abc import Callable

from conformance.fhirpath.errors import FHIRPathError
from conformance.fhirpath.lexer import Token, tokenize
from conformance.fhirpath.tree import (
    Binary,
    Call,
    External,
    Index,
    Literal,
    Member,
    Sign,
    Tree,
    TypeTest,
    Variable,
)

# Binary operators, by how strongly they bind.
BINDING = {
    "implies": 1,
    "or": 2,
    "xor": 2,
    "and": 3,
    "in": 4,
    "contains": 4,
    "=": 5,
    "~": 5,
    "!=": 5,
    "!~": 5,
    "<=": 6,
    "<": 6,
    ">": 6,
    ">=": 6,
    "|": 7,
    "is": 8,
    "as": 8,
    "+": 9,
    "-": 9,
    "&": 9,
    "*": 10,
    "/": 10,
    "div": 10,
    "mod": 10,
}
SIGN_BINDING = 11

UNITS = ("year", "month", "week", "day", "hour", "minute", "second", "millisecond")
CALENDAR_UNITS = {name + plural: name for name in UNITS for plural in ("", "s")}
NAMES = ("identifier", "delimited")
TYPE_FUNCTIONS = ("is", "as", "ofType")
MAX_DEPTH = 100


def parse(expression: str) -> Tree:
    """The tree of an expression; raises FHIRPathError where it is not FHIRPath.

    >>> parse("a.b")
    Member(base=Member(base=None, name='a', at=0), name='b', at=2)
    """
    parser = _Parser(tokenize(expression))
    tree = parser.expression(0)
    parser.expect("", "end")
    return tree


class _Parser:
    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._next = 0
        self._depth = 0

    def expression(self, binding: int) -> Tree:
        """An expression of operators that bind more strongly than `binding`."""
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise FHIRPathError(f"nested deeper than {MAX_DEPTH}", self._peek.at)
        left = self._operand()
        while (found := self._operator()) and BINDING[found.text] > binding:
            self._take()
            if found.text in ("is", "as"):
                left = TypeTest(found.text, left, self._type_name(), found.at)
            else:
                right = self.expression(BINDING[found.text])
                left = Binary(found.text, left, right, found.at)
        self._depth -= 1
        return left

    def expect(self, text: str, kind: str = "symbol") -> None:
        """Take the token named, or raise."""
        if not (self._peek.kind == kind and self._peek.text == text):
            found = self._peek.text or "the end"
            raise FHIRPathError(f"found {found!r}, expected {text or 'the end'!r}", self._peek.at)
        self._take()

    @property
    def _peek(self) -> Token:
        return self._tokens[self._next]

    def _take(self) -> Token:
        token = self._peek
        self._next = min(self._next + 1, len(self._tokens) - 1)
        return token

    def _operator(self) -> Token | None:
        token = self._peek
        known = token.kind in ("symbol", "identifier") and token.text in BINDING
        return token if known else None

    def _accept(self, text: str) -> Token | None:
        token = self._peek
        return self._take() if token.kind == "symbol" and token.text == text else None

    def _operand(self) -> Tree:
        if sign := self._accept("-") or self._accept("+"):
            return Sign(sign.text, self.expression(SIGN_BINDING), sign.at)
        tree = self._term()
        while True:
            if self._accept("."):
                tree = self._invocation(tree)
            elif bracket := self._accept("["):
                tree = Index(tree, self.expression(0), bracket.at)
                self.expect("]")
            else:
                return tree

    def _term(self) -> Tree:
        token = self._peek
        match token.kind:
            case "identifier" if token.text in ("true", "false"):
                return Literal("Boolean", self._take().text, "", token.at)
            case "identifier" | "delimited" | "special":
                return self._invocation(None)
            case "external":
                return External(self._take().text, token.at)
            case "symbol" if self._accept("("):
                tree = self.expression(0)
                self.expect(")")
                return tree
            case "symbol" if self._accept("{"):
                self.expect("}")
                return Literal("", "", "", token.at)
            case _:
                return self._literal()

    def _literal(self) -> Tree:
        token = self._take()
        match token.kind:
            case "string":
                return Literal("String", token.text, "", token.at)
            case "date" | "datetime" | "time":
                name = {"date": "Date", "datetime": "DateTime", "time": "Time"}[token.kind]
                text = token.text.removeprefix("@").removeprefix("T")
                return Literal(name, text, "", token.at)
            case "number":
                return self._number(token)
            case _:
                raise FHIRPathError(f"found {token.text or 'the end'!r}, expected a term", token.at)

    def _number(self, number: Token) -> Tree:
        unit = self._peek
        if unit.kind == "string":
            return Literal("Quantity", number.text, f"'{self._take().text}'", number.at)
        if unit.kind == "identifier" and unit.text in CALENDAR_UNITS:
            self._take()
            return Literal("Quantity", number.text, CALENDAR_UNITS[unit.text], number.at)
        kind = "Decimal" if "." in number.text else "Integer"
        return Literal(kind, number.text, "", number.at)

    def _invocation(self, base: Tree | None) -> Tree:
        token = self._take()
        if token.kind == "special":
            if base is not None:
                raise FHIRPathError(f"{token.text} cannot follow a dot", token.at)
            return Variable(token.text, token.at)
        if token.kind not in NAMES:
            raise FHIRPathError(f"found {token.text or 'the end'!r}, expected a name", token.at)
        if not self._accept("("):
            return Member(base, token.text, token.at)
        if token.text in TYPE_FUNCTIONS:
            tree = TypeTest(token.text, base, self._type_name(), token.at)
            self.expect(")")
            return tree
        argument = self._sort_key if token.text == "sort" else self._argument
        return Call(base, token.text, self._arguments(argument), token.at)

    def _arguments(self, argument: Callable[[], Tree]) -> tuple[Tree, ...]:
        if self._accept(")"):
            return ()
        found = [argument()]
        while self._accept(","):
            found.append(argument())
        self.expect(")")
        return tuple(found)

    def _argument(self) -> Tree:
        return self.expression(0)

    def _sort_key(self) -> Tree:
        """An expression, which `asc` or `desc` may follow; the latter as a sign before it."""
        key = self.expression(0)
        token = self._peek
        if token.kind == "identifier" and token.text in ("asc", "desc"):
            self._take()
            return Sign("desc", key, token.at) if token.text == "desc" else key
        return key

    def _type_name(self) -> str:
        token = self._take()
        if token.kind not in NAMES:
            raise FHIRPathError(f"found {token.text or 'the end'!r}, expected a type", token.at)
        if self._accept("."):
            return f"{token.text}.{self._take().text}"
        return token.text
