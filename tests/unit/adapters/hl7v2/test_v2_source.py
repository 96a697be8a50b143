"""Sources come from JSON, and a mistake in it is told."""

import doctest

import pytest

from adapters.hl7v2 import escapes, source
from adapters.hl7v2.mapping import identifiers, names, values
from adapters.hl7v2.source import read_sources


def test_sources_are_read_with_all_their_fields():
    [found] = read_sources(
        b"""[{"name": "lis", "facility": "H1", "owner": "h1", "applications": ["LIS"],
        "patient": {"name": "H1", "system": "urn:oid:1.2.3"}, "classes": {"T": "\\u4f53\\u68c0"},
        "default_charset": "GBK", "processing_ids": ["P", "T"]}]"""
    )

    assert (found.applications, found.classes) == (frozenset({"LIS"}), {"T": "体检"})


@pytest.mark.parametrize("text", [b"", b"{}", b'[{"name": "lis"}]', b'[{"name": 1}]'])
def test_mistake_is_told(text):
    with pytest.raises(ValueError, match="the HL7 v2 sources cannot be read"):
        read_sources(text)


@pytest.mark.parametrize("module", [escapes, source, identifiers, names, values])
def test_examples_in_docstrings_hold(module):
    assert doctest.testmod(module).failed == 0
