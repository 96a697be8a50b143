"""What all subcommands share: help, clear errors, exit status."""

import pytest

from fhir_server.__main__ import COMMANDS

NAMES = [module.__name__.rpartition(".")[2] for module in COMMANDS]


@pytest.mark.parametrize("name", NAMES)
def test_each_command_has_help_that_names_it(run, name):
    """`fhir-hub COMMAND --help` says what the command does, and succeeds."""
    told = run(name, "--help")

    assert told.status == 0
    assert told.out.startswith(f"usage: fhir-hub {name} ")
    assert f"`fhir-hub {name}`: " in told.out


def test_help_lists_the_commands(run):
    """`fhir-hub --help` lists every command."""
    told = run("--help").out

    assert [name for name in NAMES if f"\n    {name} " not in told] == []


@pytest.mark.parametrize("words", [(), ("nonsense",), ("load",), ("token",), ("hl7", "send", "x")])
def test_a_wrong_command_line_ends_with_2(run, words):
    """A command line that cannot be read is answered with its usage."""
    told = run(*words)

    assert told.status == 2
    assert "usage: fhir-hub" in told.err


@pytest.mark.parametrize(
    "words", [("check",), ("token", "--user", "lab"), ("user", "list"), ("user", "lock", "lab")]
)
def test_looking_makes_no_store(run, tmp_path, words):
    """A mistyped store is an error, never an empty store that is called sound."""
    told = run(words[0], "--store", f"sqlite:///{tmp_path}/typo.db", *words[1:])

    assert told.status == 1
    assert "there is no store" in told.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("words", [("check",), ("token", "--user", "lab"), ("user", "list")])
def test_memory_is_no_store_to_look_at(run, words):
    """`memory://` ends with its process: what looks at a store says so."""
    told = run(words[0], "--store", "memory://", *words[1:])

    assert (told.status, "memory:// ends with its process" in told.err) == (1, True)


@pytest.mark.parametrize("store", ["hub.db", "sqlite://hub.db", "memory://x", "mysql:///x"])
def test_what_names_no_store_is_told(run, store):
    """A URL that names no store is told in words."""
    told = run("load", __file__, "--store", store)

    assert told.status == 1
    assert f"fhir-hub load: '{store}' names no store" in told.err


def test_a_file_that_is_no_database_is_told(run, tmp_path):
    """A file of something else is no store, and is told in words."""
    (tmp_path / "notes.txt").write_text("a text that is long enough to be read as a header\n" * 9)

    told = run("check", "--store", f"sqlite:///{tmp_path}/notes.txt")

    assert (told.status, "notes.txt is not a store" in told.err) == (1, True)


def test_a_wrong_environment_names_its_variable(run, monkeypatch):
    """A setting that cannot be read names its variable and what was expected."""
    monkeypatch.setenv("FHIR_HUB_PORT", "many")

    assert run("serve").err == "fhir-hub serve: FHIR_HUB_PORT is 'many'; expected a whole number\n"


def test_check_tells_what_is_there(run, city):
    """`check` counts the records and says that the store is sound."""
    told = run("check", "--store", city)

    assert told.status == 0
    assert "Patient                              1\n" in told.out
    assert told.out.endswith("The store is sound.\n")


def test_bench_names_its_cases(run):
    """A case that does not exist is answered with those that do."""
    told = run("bench", "nonsense")

    assert (told.status, "there are ingest, transaction, crud, read" in told.err) == (1, True)
