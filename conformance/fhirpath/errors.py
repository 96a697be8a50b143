"""The one error of FHIRPath: an expression that is wrong, not understood, or not evaluable."""


class FHIRPathError(ValueError):
    """Says what is wrong and, where known, at which character of the expression (from 0)."""

    def __init__(self, message: str, at: int | None = None) -> None:
        super().__init__(message if at is None else f"{message} (at character {at})")
        self.at = at
