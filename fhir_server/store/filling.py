"""Why a store is not opened because of a restore or a copy into it."""


def unfinished(place: str) -> ValueError:
    """Return why one that is not whole is refused."""
    return ValueError(
        f"{place} is not whole: a restore or a copy into it has not ended. Run the same again, "
        "which goes on where it stopped, or remove it"
    )


def occupied(place: str) -> ValueError:
    """Return why one that holds records is not filled."""
    return ValueError(f"{place} holds records already; restore and copy need an empty store")
