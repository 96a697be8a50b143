"""The page on search says what the tables say."""

from pathlib import Path

import pytest

from fhir_server.search.asked import MODIFIERS
from fhir_server.search.criteria import NOT_YET
from fhir_server.search.results import MANY, ONCE

PAGE = (Path(__file__).parents[3] / "docs" / "search.md").read_text(encoding="utf-8")
ROWS = {
    line.split("|")[1].strip(): line
    for line in reversed(PAGE.splitlines())  # the first row of a name counts
    if line.startswith("| ")
}


@pytest.mark.parametrize("kind", MODIFIERS)
def test_page_names_each_modifier_of_a_type(kind):
    for modifier in MODIFIERS[kind]:
        assert f"`:{modifier}`" in ROWS[kind]


@pytest.mark.parametrize(
    "name", sorted({*NOT_YET, *ONCE, *(name.partition(":")[0] for name in MANY)} - {"_cursor"})
)
def test_page_names_each_parameter(name):
    assert f"`{name}" in PAGE
