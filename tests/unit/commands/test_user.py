"""`fhir-hub user`: the logins of a store."""

import pytest

GP = ("--role", "role-east-gp")
WORD = "long enough\n"


def test_users_are_listed(run, city):
    """Each login is listed with its kind, name and roles."""
    told = run("user", "list", "--store", city)

    assert told.status == 0
    assert "east-gp              staff      欧阳晓岚" in told.out


@pytest.mark.parametrize("after", [True, False])
def test_a_user_is_added(run, city, after):
    """A login is added with the password from the pipe; `--store` may stand on either side."""
    store = ("--store", city)
    words = ("add", "new", *GP)
    told = run("user", *(() if after else store), *words, *(store if after else ()), typed=WORD)

    assert (told.status, told.out) == (0, "new: done\n")
    assert run("token", "--store", city, "--user", "new").status == 0


def test_a_locked_user_gets_no_token(run, city):
    """Locking shuts a login out; unlocking lets it in again."""
    run("user", "--store", city, "lock", "lab")
    shut = run("token", "--store", city, "--user", "lab")
    run("user", "--store", city, "unlock", "lab")

    assert (shut.status, "'lab' is locked" in shut.err) == (1, True)
    assert run("token", "--store", city, "--user", "lab").status == 0


@pytest.mark.parametrize(
    ("words", "typed", "expected"),
    [
        (("lab", *GP), WORD, "There is a user 'lab' already"),
        (("new",), WORD, "staff needs --role"),
        (("new", "--role", "nobody"), WORD, "There is no PractitionerRole/nobody"),
        (("new", *GP, "--person", "Practitioner/x"), WORD, "is of Practitioner/dr-ouyang"),
        (("new", "--kind", "patient"), WORD, "needs --person Patient/ID"),
        (("new", "--kind", "patient", "--person", "Patient/x"), WORD, "There is no Patient/x"),
        (("a b", *GP), WORD, "'a b' is no login"),
        (("new", *GP), "short\n", "at least 8 characters"),
    ],
)
def test_a_user_nobody_could_be_is_refused(run, city, words, typed, expected):
    """A login that could not work is refused in words."""
    told = run("user", "--store", city, "add", *words, typed=typed)

    assert (told.status, told.out) == (1, "")
    assert expected in told.err


def test_an_unknown_user_is_told(run, city):
    """Nobody can be locked who is not there."""
    assert run("user", "--store", city, "lock", "x").err == "fhir-hub user: There is no user 'x'.\n"
