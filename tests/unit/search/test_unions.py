"""Parameters without entries of their own. https://hl7.org/fhir/R4/searchparameter.html"""

from collections.abc import Iterable
from dataclasses import replace

import pytest

from conformance.definitions import SearchParameter
from fhir_server.authz.decide import AUTHORIZING
from fhir_server.errors import BadRequest, BeingIndexed
from fhir_server.model import Entry, Sort
from fhir_server.search.extract import Extractor
from fhir_server.search.indexing import differing, fingerprints
from fhir_server.search.tree import Cond, InValueSet, Match, Not, Or, Together
from fhir_server.search.unions import unions

PRESSURE = {
    "resourceType": "Observation",
    "code": {"coding": [{"system": "http://loinc.org", "code": "85354-9"}], "text": "Pressure"},
    "component": [
        {
            "code": {"coding": [{"system": "http://loinc.org", "code": "8480-6"}]},
            "valueQuantity": {"value": 128, "unit": "mmHg"},
        },
        {
            "code": {"coding": [{"system": "http://loinc.org", "code": "8462-4"}]},
            "valueQuantity": {"value": 79, "unit": "mmHg"},
        },
    ],
}


def test_unions_are_told_from_the_definitions(definitions):
    found = {name: unions(definitions, name) for name in definitions.resource_types}

    assert {name: each for name, each in found.items() if each} == {
        "CapabilityStatement": {"fhirversion": ("version",)},
        "CodeSystem": {"system": ("url",)},
        "Observation": {
            "combo-code": ("code", "component-code"),
            "combo-code-value-concept": ("code-value-concept", "component-code-value-concept"),
            "combo-code-value-quantity": ("code-value-quantity", "component-code-value-quantity"),
            "combo-data-absent-reason": ("component-data-absent-reason", "data-absent-reason"),
            "combo-value-concept": ("component-value-concept", "value-concept"),
            "combo-value-quantity": ("component-value-quantity", "value-quantity"),
            "gene-amino-acid-change": ("amino-acid-change",),
            "gene-dnavariant": ("dna-variant",),
        },
        "Patient": {"phonetic": ("name",)},
        "Person": {"phonetic": ("name",)},
        "Practitioner": {"phonetic": ("name",)},
        "RelatedPerson": {"phonetic": ("name",)},
    }


def _values(entries: Iterable[Entry], codes: Iterable[str]) -> set[object]:
    """Return what entries say for some parameters, a composite as what stands in one place."""
    alone: set[object] = set()
    together: dict[tuple[str, str, int], set[object]] = {}
    for entry in entries:
        for code in codes:
            if entry.param == code or entry.param.startswith((f"{code}:", f"{code}.")):
                said = entry.param.removeprefix(code), entry.v, entry.w, entry.u
                if entry.group:
                    together.setdefault((code, entry.path, entry.group), set()).add(said)
                else:
                    alone.add((*said, entry.path))
    return alone | {(path, frozenset(each)) for (_, path, _), each in together.items()}


def test_every_example_says_for_a_union_what_it_says_for_its_parts(
    definitions, extractor, examples
):
    none = {name: {} for name in definitions.resource_types}
    plain = Extractor(replace(definitions, _official=none), extractor.base)  # all have entries
    tried = set()
    for example in examples:
        name = example["resourceType"]
        made, whole = extractor.entries(example), plain.entries(example)
        for code, parts in unions(definitions, name).items():
            said = _values(whole, [code])
            assert _values(made, parts) == said, (example["id"], code)
            tried |= {(name, code)} if said else set()
    assert len(tried) == 12


@pytest.mark.parametrize(
    ("query", "is_found"),
    [
        ("combo-code=8480-6", True),
        ("combo-code=85354-9", True),
        ("combo-code=1", False),
        ("combo-code:not=8480-6", False),
        ("combo-code:not=85354-9,1", False),
        ("combo-code:not=1", True),
        ("combo-code:missing=false", True),
        ("combo-code:missing=true", False),
        ("combo-value-concept:missing=true", True),
        ("combo-code:text=press", True),
        ("combo-value-quantity=gt100", True),
        ("combo-code-value-quantity=http://loinc.org|8462-4$lt80", True),
        ("combo-code-value-quantity=8480-6$lt80", False),
        ("combo-code-value-quantity=85354-9$128", False),
        ("_filter=combo-code eq 8480-6", True),
        ("_filter=combo-code ne 85354-9", True),
        ("_filter=not (combo-code pr true)", False),
        ("_filter=combo-code-value-quantity pr true", True),
        (
            "_filter=combo-code-value-quantity[combo-code eq 8462-4].combo-value-quantity lt 80",
            True,
        ),
        (
            "_filter=combo-code-value-quantity[combo-code eq 8480-6].combo-value-quantity lt 80",
            False,
        ),
    ],
)
def test_what_is_asked_of_a_union_is_asked_of_its_parts(matches, query, is_found):
    assert matches(PRESSURE, query) is is_found


def test_value_sets_are_asked_of_each_part(read):
    assert read("Observation?combo-code:in=ValueSet/a").where == Or(
        (InValueSet("code", "ValueSet/a"), InValueSet("component-code", "ValueSet/a"))
    )


def test_chains_ask_for_the_parts_too(read):
    where = read("DiagnosticReport?result.combo-code:missing=true").where

    assert where.where == Not(
        Or(
            (
                Match("code"),
                Match("component-code"),
                Match("code:text"),
                Match("component-code:text"),
            )
        )
    )


def test_an_alias_is_asked_as_what_has_the_entries(read):
    assert read("Patient?phonetic=Li").where == Match("name", (Cond("v", "prefix", "li"),))


def test_composites_of_a_union_are_asked_in_one_place_each(read):
    where = read("Observation?combo-code-value-concept=a$b").where

    assert [type(node) for node in where.nodes] == [Together, Together]
    assert [node.param for node in where.nodes] == [
        "code-value-concept",
        "component-code-value-concept",
    ]


@pytest.mark.parametrize(
    ("text", "sort"),
    [
        ("combo-code", Sort("combo-code", among=("code", "component-code"))),
        (
            "-combo-value-quantity",
            Sort(
                "combo-value-quantity:canonical",
                True,
                among=("component-value-quantity:canonical", "value-quantity:canonical"),
            ),
        ),
        ("gene-dnavariant", Sort("gene-dnavariant", among=("dna-variant",), written=True)),
        ("code", Sort("code")),
    ],
)
def test_an_order_by_a_union_is_by_the_values_of_its_parts(read, text, sort):
    assert read(f"Observation?_sort={text}").sort == (sort,)


def test_an_order_has_the_keys_that_were_asked_for(read):
    """Types that are searched together have as many: where one has an alias, another may not."""
    assert read("Patient?_sort=phonetic,-name").sort == (
        Sort("phonetic", among=("name",), written=True),
        Sort("name", True, written=True),
    )


@pytest.mark.parametrize("query", ["combo-code=x", "_sort=combo-code", "_filter=combo-code eq x"])
def test_a_union_waits_for_its_parts_to_be_indexed(read, terms, query):
    blocked = replace(terms, blocked={"Observation": frozenset(("component-code",))})

    with pytest.raises(BeingIndexed):
        read(f"Observation?{query}", blocked)


def test_an_error_names_what_was_asked(read):
    with pytest.raises(BadRequest, match="combo-value-quantity=x"):
        read("Observation?combo-value-quantity=x")


def test_what_users_define_has_entries_and_stands_for_nothing_else(definitions):
    own = SearchParameter("n", "string", ("Patient",), "Patient.name", (), (), "urn:own")
    more = definitions.extended([own])

    entries = Extractor(more).entries({"resourceType": "Patient", "name": [{"text": "Li"}]})

    assert {entry.param for entry in entries} == {"deceased", "n", "name"}


def test_a_release_that_stores_a_union_otherwise_indexes_again(definitions):
    """A store whose fingerprints knew of no union is indexed again by it, and by nothing else."""
    now = fingerprints(definitions)
    combo = definitions.search_parameters("Observation")["combo-code"].url

    changed = differing(definitions, {**now, combo: "another"}, now)

    assert changed == {"Observation": ["combo-code"]}


def test_what_authorization_asks_by_has_entries(definitions):
    for name in definitions.resource_types:
        assert AUTHORIZING.isdisjoint(unions(definitions, name))
