"""Sealed cursors."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_server.errors import BadRequest
from fhir_server.search.cursor import Signer

SIGNER = Signer(b"0123456789abcdef")
VALUES = (
    st.none()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)


@given(st.lists(VALUES).map(tuple), st.text())
def test_payload_comes_back_as_it_was(payload, bind):
    assert SIGNER.open(SIGNER.seal(payload, bind), bind) == payload


def test_cursor_is_safe_in_a_url():
    sealed = SIGNER.seal((1.5, "周", None), "Patient?name=周")

    assert sealed.replace("-", "").replace("_", "").isalnum()


@pytest.mark.parametrize(
    "tamper",
    [
        lambda text: "",
        lambda text: "A" * len(text),
        lambda text: text[:-4],
        lambda text: text + "AAAA",
        lambda text: text[:9] + ("A" if text[9] != "A" else "B") + text[10:],
        lambda text: "周",
        lambda text: "a",
        lambda text: Signer(b"another key of the site").seal((1, "x"), "mine"),
    ],
)
def test_changed_cursor_does_not_hold(tamper):
    with pytest.raises(BadRequest, match="does not hold"):
        SIGNER.open(tamper(SIGNER.seal((1, "x"), "mine")), "mine")


def test_cursor_shows_nothing_of_what_it_carries():
    sealed = SIGNER.seal(("a record's value",), "mine")

    assert b"record" not in base64.urlsafe_b64decode(sealed + "=" * (-len(sealed) % 4))


def test_the_same_page_has_the_same_cursor():
    assert SIGNER.seal((1,), "mine") == SIGNER.seal((1,), "mine") != SIGNER.seal((1,), "yours")


def test_cursor_of_another_caller_does_not_hold():
    with pytest.raises(BadRequest):
        SIGNER.open(SIGNER.seal((1,), "mine"), "yours")


def test_end_of_the_payload_is_not_the_beginning_of_the_bind():
    sealed = SIGNER.seal((1,), "2]")

    with pytest.raises(BadRequest):
        SIGNER.open(sealed, "")


def test_signer_keeps_its_key_to_itself():
    assert "0123" not in repr(SIGNER)
    with pytest.raises(ValueError, match="16 bytes"):
        Signer(b"short")
