"""The story from a hospital's message to a clinic's acceptance, on real sockets."""

import pytest

from fhir_server.__main__ import main
from fhir_server.demo.story import STEPS


@pytest.mark.parametrize("language", ["zh"])
def test_the_story_does_what_it_says(capsys, language):
    """`fhir-hub story` starts a hub of its own, plays every step against it, and fails at the
    first that does not do what it says."""
    status = main(["story", "--lang", language])

    told = capsys.readouterr().out
    assert status == 0, told
    assert [line.split()[1] for line in told.splitlines() if line.startswith("✓")][:-1] == [
        step.number for step in STEPS
    ]
