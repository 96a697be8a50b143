"""Why the codes of a value set, or what a code stands above, cannot be told."""


class TerminologyError(Exception):
    """It cannot be told; the message says why, and names what is missing or wrong."""


class Missing(TerminologyError):
    """A value set, a code system or its content is not there."""


class TooCostly(TerminologyError):
    """It would take more than the hub does at once."""
