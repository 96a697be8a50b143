"""Where the texts that begin with a prefix end, in the order of code points."""

_LAST_BEFORE_SURROGATES, _FIRST_AFTER, _LAST = "\ud7ff", "\ue000", "\U0010ffff"


def end(prefix: str) -> str | None:
    """Return the first text behind all that begin with `prefix`; None: there is none.

    >>> end("ab"), end("")
    ('ac', None)
    """
    stem = prefix.rstrip(_LAST)
    return stem[:-1] + _after(stem[-1]) if stem else None


def _after(letter: str) -> str:
    return _FIRST_AFTER if letter == _LAST_BEFORE_SURROGATES else chr(ord(letter) + 1)
