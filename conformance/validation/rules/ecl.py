"""Expression constraints of SNOMED CT, as far as their syntax goes.

https://hl7.org/fhir/R4/snomedct.html#implicit, https://docs.snomed.org/snomed-ct-specifications/snomed-ct-expression-constraint-language

Long forms of operators (`descendantOf`) and the filters of ECL 2 are taken as they are.
"""

import re

_TOKENS = re.compile(
    r"""\s+|/\*.*?\*/
    |(?P<operator><<!|<!|<<|<|>>!|>!|>>|>|!!>|!!<|\^)
    |(?P<concept>\d{6,18}(?:\s*\|[^|]*\|)?|\*|"[^"]*"|[#+-]?\d+(?:\.\d+)?)
    |(?P<word>\b(?:AND|OR|MINUS|and|or|minus)\b)
    |(?P<mark>!=|<=|>=|=|:|,|\.|\{\{|\}\}|\{|\}|\(|\)|\[|\]|R(?=\s))""",
    re.VERBOSE | re.DOTALL,
)
_CARDINALITY = re.compile(r"\[\s*\d+\s*\.\.\s*(?:\d+|\*)\s*\]")


def is_expression_constraint(text: str) -> bool:
    """Whether a text can be read as an expression constraint.

    >>> is_expression_constraint("<< 73211009 |Diabetes mellitus|: 363698007 = *")
    True
    >>> is_expression_constraint("234234 << 234234")
    False
    """
    if "{{" in text or re.search(r"\b[a-z]+[A-Z]\w+\b", text):
        return True  # filters, and operators in words, are not read here
    tokens = _tokens(_CARDINALITY.sub(" ", text))
    return tokens is not None and _Reader(tokens).reads_all()


def _tokens(text: str) -> list[tuple[str, str]] | None:
    found, at = [], 0
    while at < len(text):
        match = _TOKENS.match(text, at)
        if match is None:
            return None
        if match.lastgroup:
            found.append((match.lastgroup, match.group()))
        at = match.end()
    return found


class _Reader:
    """Reads tokens by recursive descent; each method tells whether it found what it reads."""

    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self._tokens = tokens
        self._at = 0

    def reads_all(self) -> bool:
        """Whether the tokens are one expression."""
        return self._expression() and self._at == len(self._tokens)

    def _takes(self, kind: str, *texts: str) -> bool:
        if self._at < len(self._tokens):
            found, text = self._tokens[self._at]
            if found == kind and (not texts or text in texts):
                self._at += 1
                return True
        return False

    def _expression(self) -> bool:
        if not self._refined():
            return False
        while self._takes("word"):
            if not self._refined():
                return False
        return True

    def _refined(self) -> bool:
        if not self._operand():
            return False
        while self._takes("mark", "."):
            if not self._operand():
                return False
        return not self._takes("mark", ":") or self._refinement()

    def _operand(self) -> bool:
        while self._takes("operator"):
            pass
        if self._takes("mark", "("):
            return self._expression() and self._takes("mark", ")")
        return self._takes("concept")

    def _refinement(self) -> bool:
        while True:
            if not self._attributes():
                return False
            if not (self._takes("mark", ",") or self._takes("word")):
                return True

    def _attributes(self) -> bool:
        if self._takes("mark", "{"):
            return self._refinement() and self._takes("mark", "}")
        if self._takes("mark", "("):
            return self._refinement() and self._takes("mark", ")")
        self._takes("mark", "R")
        is_compared = self._operand() and (
            self._takes("mark", "=", "!=", "<=", ">=") or self._takes("operator", "<", ">")
        )
        return is_compared and self._operand()
