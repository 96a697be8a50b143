"""The tables are held against the R4 definitions."""

from conformance.definitions import Definitions
from fhir_server.authz import tables
from fhir_server.authz.categories import CATEGORIES, NAMES
from fhir_server.authz.decide import AUTHORIZING
from fhir_server.authz.rules import CATEGORY_PARAM, CODE_PARAM


def test_every_type_has_a_rule(definitions: Definitions) -> None:
    assert tables.missing_rules(definitions.resource_types) == []


def test_a_type_without_a_rule_is_named(definitions: Definitions) -> None:
    assert tables.missing_rules(definitions.resource_types | {"Novelty"}) == ["Novelty"]


def test_the_groups_name_no_other_type(definitions: Definitions) -> None:
    assert tables.GROUPS.keys() - definitions.resource_types == tables.INTERNAL


def test_records_are_the_patient_compartment(definitions: Definitions) -> None:
    compartment = definitions.compartment("Patient").keys() | {"Patient"}

    assert compartment - {"Schedule", "AuditEvent"} == tables.RECORD


def test_duties_name_types_that_exist() -> None:
    named = frozenset().union(*tables.DUTY_WRITES.values(), tables.FEED_WRITES)

    assert named <= tables.GROUPS.keys() - tables.INTERNAL - tables.TRAIL


def test_every_duty_reads_and_writes_by_the_tables() -> None:
    duties = set(tables.DUTY_OF_CODE.values())

    assert duties == tables.DUTY_READS.keys() == tables.DUTY_WRITES.keys()


def test_what_decides_about_access_is_written_by_no_duty() -> None:
    guarded = {"Organization", "OrganizationAffiliation", "PractitionerRole"}

    assert not guarded & frozenset().union(*tables.DUTY_WRITES.values(), tables.FEED_WRITES)


def test_rules_ask_for_parameters_that_the_types_have(definitions: Definitions) -> None:
    params = [*CODE_PARAM.items(), *CATEGORY_PARAM.items()]

    assert [pair for pair in params if pair[1] not in definitions.search_parameters(pair[0])] == []


def test_rules_ask_for_parameters_that_versions_keep() -> None:
    assert {*CODE_PARAM.values(), *CATEGORY_PARAM.values()} <= AUTHORIZING


def test_a_type_with_a_category_is_asked_for_it(definitions: Definitions) -> None:
    having = {t for t in tables.RECORD if "category" in definitions.search_parameters(t)}

    assert having <= CATEGORY_PARAM.keys()


def test_every_category_has_a_name_and_real_types(definitions: Definitions) -> None:
    types = {type for region in CATEGORIES.values() for clause in region for type in clause.types}

    assert CATEGORIES.keys() == NAMES.keys()
    assert types <= definitions.resource_types
