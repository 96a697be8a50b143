"""Definitions. https://hl7.org/fhir/R4/"""

import os
from pathlib import Path

import pytest

from conformance.build import DATA, build, read_package
from conformance.definitions import Definitions, Element


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


def test_shipped_tables_are_what_the_package_builds() -> None:
    if "FHIR_CORE_PACKAGE" not in os.environ:
        pytest.skip("FHIR_CORE_PACKAGE does not name hl7.fhir.r4.core.tgz")

    built = build(read_package(Path(os.environ["FHIR_CORE_PACKAGE"])))

    assert built == {name: (DATA / name).read_text(encoding="utf-8") for name in built}
