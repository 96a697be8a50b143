"""The rows of docs/search-table.md; a feature of search adds some of its own here."""

from tests.contract.table import (
    dates,
    features,
    filters,
    joins,
    numbers,
    references,
    strings,
    terms,
    tokens,
)
from tests.contract.table.row import Section

SECTIONS: tuple[Section, ...] = (
    *strings.STRINGS,
    *tokens.TOKENS,
    *dates.DATES,
    numbers.NUMBERS,
    numbers.QUANTITIES,
    numbers.SAMPLES,
    references.REFERENCES,
    references.CANONICALS,
    joins.COMPOSITES,
    joins.JOINS,
    *features.FEATURES,
    *filters.MORE,
    *terms.TERMS,
)
