"""The effect of the tables stands in the documentation: a change of it is reviewed."""

from pathlib import Path

from fhir_server.authz.draw import callers, cell, table, writes

PAGE = Path(__file__).parents[3] / "docs" / "authorization.md"


def test_the_documentation_shows_what_everybody_may() -> None:
    """`python -c "from fhir_server.authz.draw import table; print(table())"` draws it anew."""
    assert table() in PAGE.read_text()


def test_nobody_but_the_hub_writes_the_trail() -> None:
    assert {cell(caller, "AuditEvent") for caller in callers().values()} == {
        "–",
        "own record",
        "all",
    }


def test_only_the_operator_writes_what_decides_about_access() -> None:
    writers = {
        name for name, caller in callers().items() if "cud" in cell(caller, "PractitionerRole")
    }

    assert writers == {"operator"}


def test_nobody_but_the_operator_changes_or_deletes_a_provenance() -> None:
    writers = {
        name for name, caller in callers().items() if not writes(caller, "Provenance").strip("c")
    }

    assert callers().keys() - writers == {"operator"}


def test_a_source_system_writes_no_consent() -> None:
    """A consent is what a patient and a person of the institution agreed on."""
    assert writes(callers()["feed"], "Consent") == ""
