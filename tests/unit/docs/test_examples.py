"""The messages in docs/examples are those of the story."""

from datetime import datetime
from pathlib import Path

import pytest

from fhir_server.demo import feed

EXAMPLES = Path(__file__).parents[3] / "docs" / "examples"
CAME = datetime.fromisoformat("2026-03-02T09:15:00+08:00")
SEEN = datetime.fromisoformat("2026-03-05T08:00:00+08:00")
LEFT = datetime.fromisoformat("2026-03-06T10:30:00+08:00")
MESSAGES = {
    "adt-a01": feed.admission("EXAMPLE-1", CAME).encode(),
    "oru-r01": feed.results("EXAMPLE-2", SEEN, CAME).encode("gb18030"),
    "adt-a03": feed.discharge("EXAMPLE-3", LEFT, CAME).encode(),
}


@pytest.mark.parametrize("name", MESSAGES)
def test_the_example_is_what_the_story_sends(name):
    """Each file is the story's message about its patient, in the sender's character set."""
    assert (EXAMPLES / f"{name}.hl7").read_bytes() == MESSAGES[name]
