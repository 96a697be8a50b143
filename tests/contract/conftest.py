"""Each kind of store on disk, which a contract test compares with the one in memory."""

import pytest

from tests.contract.opened import Open, on_mongo, on_sqlite


@pytest.fixture(scope="session", params=["sqlite", "mongodb"])
def empty(request: pytest.FixtureRequest) -> Open:
    """Open an empty store on disk, in several ways."""
    if request.param == "sqlite":
        return on_sqlite
    return on_mongo(request.getfixturevalue("mongo"))
