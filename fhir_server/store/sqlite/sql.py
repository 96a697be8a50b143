"""Phrases of SQL that many predicates are made of."""


def exists(rest: str) -> str:
    """Return that there is a row of `rest`, what comes behind FROM."""
    return f"EXISTS (SELECT 1 FROM {rest})"


def conjoined(*parts: str) -> str:
    """Return that all parts hold, to stand behind WHERE."""
    return " AND ".join(parts)
