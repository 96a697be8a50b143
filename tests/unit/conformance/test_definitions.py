"""Definitions. https://hl7.org/fhir/R4/"""

import os
from pathlib import Path

import pytest

from conformance.build import DATA, build, read_package
from conformance.definitions import Binding, Definitions, Element

PROFILE = "http://hl7.org/fhir/StructureDefinition/"


def test_every_concrete_resource_type_is_known(definitions: Definitions) -> None:
    """R4 has 146 concrete resource types beside the abstract Resource and DomainResource."""
    assert len(definitions.resource_types) == 146
    assert definitions.is_resource_type("Patient")
    assert not definitions.is_resource_type("DomainResource")
    assert not definitions.is_resource_type("HumanName")


def test_elements_include_inherited_ones_first(definitions: Definitions) -> None:
    names = list(definitions.elements("Patient"))

    assert names[:4] == ["id", "meta", "implicitRules", "language"]
    assert "birthDate" in names


def test_backbone_elements_are_types_named_by_their_path(definitions: Definitions) -> None:
    contact = definitions.elements("Patient")["contact"]

    assert contact.types == ("Patient.contact",)
    assert list(definitions.elements("Patient.contact"))[:3] == [
        "id",
        "extension",
        "modifierExtension",
    ]
    assert definitions.ancestry("Patient.contact") == (
        "Patient.contact",
        "BackboneElement",
        "Element",
    )


def test_content_reference_has_the_type_of_its_target(definitions: Definitions) -> None:
    assert definitions.elements("Questionnaire.item")["item"].types == ("Questionnaire.item",)


def test_choice_lists_a_property_for_each_type(definitions: Definitions) -> None:
    deceased = definitions.elements("Patient")["deceased"]

    assert deceased.properties() == (
        ("deceasedBoolean", "boolean"),
        ("deceasedDateTime", "dateTime"),
    )


def test_cardinality_is_kept(definitions: Definitions) -> None:
    observation = definitions.elements("Observation")

    assert (observation["status"].min, observation["status"].max) == (1, 1)
    assert observation["category"].max is None


def test_reference_targets_name_types(definitions: Definitions) -> None:
    observation = definitions.elements("Observation")

    assert observation["subject"].targets["Reference"] == ("Patient", "Group", "Device", "Location")
    assert observation["focus"].targets == {}


def test_identifier_types_follow_the_text(definitions: Definitions) -> None:
    """Resource.id is an id; Extension.url is a uri; Element.id is a string."""
    assert definitions.elements("Patient")["id"].types == ("id",)
    assert definitions.elements("Extension")["url"].types == ("uri",)
    assert definitions.elements("HumanName")["id"].types == ("string",)


def test_required_binding_has_its_codes(definitions: Definitions) -> None:
    gender: Element = definitions.elements("Patient")["gender"]

    assert definitions.value_set(gender.value_set) == {
        "http://hl7.org/fhir/administrative-gender": {"male", "female", "other", "unknown"}
    }


def test_search_parameters_include_those_of_the_bases(definitions: Definitions) -> None:
    parameters = definitions.search_parameters("Patient")

    assert parameters["_id"].expression == "Resource.id"
    assert parameters["birthdate"].type == "date"
    assert parameters["general-practitioner"].targets == (
        "Practitioner",
        "Organization",
        "PractitionerRole",
    )


def test_composite_names_the_codes_of_its_components(definitions: Definitions) -> None:
    composite = definitions.search_parameters("Observation")["code-value-quantity"]

    assert composite.components == (("code", "code"), ("value-quantity", "value.as(Quantity)"))


def test_every_official_parameter_is_there(definitions: Definitions) -> None:
    """The 1,378 of the specification, and three on extensions that have an expression."""
    types = definitions.resource_types
    urls = {each.url for name in types for each in definitions.search_parameters(name).values()}

    assert len(urls) == 1381


@pytest.mark.parametrize(
    ("name", "type_name", "codes"),
    [
        ("Patient", "Observation", ("subject", "performer")),
        ("Patient", "Patient", ("link",)),
        ("Encounter", "Condition", ("encounter",)),
        ("Practitioner", "Appointment", ("actor",)),
        ("Device", "DeviceUseStatement", ("device",)),
        ("RelatedPerson", "Basic", ("author",)),
    ],
)
def test_compartment_lists_inclusion_parameters(
    definitions: Definitions, name: str, type_name: str, codes: tuple[str, ...]
) -> None:
    assert definitions.compartment(name)[type_name] == codes


def test_compartment_keeps_out_its_own_type_and_strangers(definitions: Definitions) -> None:
    assert "Encounter" not in definitions.compartment("Encounter")
    assert "Medication" not in definitions.compartment("Patient")


def test_compartment_codes_are_parameters(definitions: Definitions) -> None:
    for name in ("Patient", "Encounter", "RelatedPerson", "Practitioner", "Device"):
        for type_name, codes in definitions.compartment(name).items():
            assert set(codes) <= set(definitions.search_parameters(type_name))


def test_invariants_of_a_type_come_after_those_of_its_bases(definitions: Definitions) -> None:
    keys = [each.key for each in definitions.invariants("Age")]

    assert keys == ["ele-1", "qty-3", "age-1"]


def test_invariant_of_a_backbone_element_belongs_to_its_type(definitions: Definitions) -> None:
    [contact] = definitions.types["Patient.contact"].invariants

    assert contact.key == "pat-1"
    assert contact.severity == "error"
    assert contact.expression.startswith("name.exists() or telecom.exists()")


def test_invariant_of_one_element_belongs_to_it(definitions: Definitions) -> None:
    div = definitions.elements("Narrative")["div"]

    assert [each.key for each in div.invariants] == ["txt-1", "txt-2"]
    assert definitions.elements("Narrative")["status"].invariants == ()


def test_no_invariant_of_the_package_is_lost(definitions: Definitions) -> None:
    """Each is at its type, or at the one element that has it beside its type's."""
    keys = {each.key for found in definitions.types.values() for each in found.invariants}
    for found in definitions.types.values():
        keys |= {each.key for element in found.own for each in element.invariants}

    assert len(keys) == 237


def test_weak_binding_keeps_the_value_set_that_it_must_stay_in(definitions: Definitions) -> None:
    language = definitions.elements("Patient")["language"]

    assert language.value_set == ""
    assert language.binding == Binding(
        "preferred",
        "http://hl7.org/fhir/ValueSet/languages",
        "http://hl7.org/fhir/ValueSet/all-languages",
    )


def test_flags_and_profiles_of_an_element(definitions: Definitions) -> None:
    observation = definitions.elements("Observation")
    low = definitions.elements("Range")["low"]

    assert observation["status"].is_modifier
    assert observation["status"].is_summary
    assert not observation["note"].is_modifier
    assert not observation["note"].is_summary
    assert low.profiles == {"Quantity": (f"{PROFILE}SimpleQuantity",)}


def test_extension_knows_its_contexts_and_value(definitions: Definitions) -> None:
    found = definitions.library.extensions[f"{PROFILE}patient-birthTime"]

    assert found.contexts == (("element", "Patient.birthDate"),)
    assert found.types == ("dateTime",)
    assert found.nested == ()
    assert not found.is_modifier


def test_extension_with_extensions_has_no_value(definitions: Definitions) -> None:
    found = definitions.library.extensions[f"{PROFILE}patient-nationality"]

    assert found.types == ()
    assert found.nested == ("code", "period")


def test_library_reads_what_it_is_asked_for(definitions: Definitions) -> None:
    library = definitions.library

    assert (len(library.structures), len(library.code_systems), len(library.value_sets)) == (
        655,
        1062,
        1316,
    )
    assert library.structures[f"{PROFILE}bp"]["baseDefinition"] == f"{PROFILE}vitalsigns"
    assert f"{PROFILE}none" not in library.structures
    with pytest.raises(KeyError):
        library.structures[f"{PROFILE}none"]


def test_every_record_of_the_library_is_the_one_of_its_url(definitions: Definitions) -> None:
    library = definitions.library
    for records in (library.structures, library.code_systems, library.value_sets):
        assert all(record["url"] == url for url, record in records.items())


def test_codes_of_a_value_set_that_no_element_requires(definitions: Definitions) -> None:
    """A filter on a hierarchy of the package: `concept is-a _ActEncounterCode`."""
    codes = definitions.codes("http://terminology.hl7.org/ValueSet/v3-ActEncounterCode|2014-03-26")
    [found] = codes.values()

    assert {"AMB", "EMER", "ACUTE"} <= found
    assert "ACCM" not in found


@pytest.mark.parametrize("url", ["http://hl7.org/fhir/ValueSet/mimetypes", "http://x/none", ""])
def test_codes_that_cannot_be_enumerated_are_none(definitions: Definitions, url: str) -> None:
    assert definitions.codes(url) == {}


def test_shipped_tables_are_what_the_package_builds() -> None:
    if "FHIR_CORE_PACKAGE" not in os.environ:
        pytest.skip("FHIR_CORE_PACKAGE does not name hl7.fhir.r4.core.tgz")

    built = build(read_package(Path(os.environ["FHIR_CORE_PACKAGE"])))

    assert built == {name: (DATA / name).read_text(encoding="utf-8") for name in built}
