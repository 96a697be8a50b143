"""The README names every command and every page."""

import re
from pathlib import Path

from fhir_server.__main__ import COMMANDS

ROOT = Path(__file__).parents[3]
README = (ROOT / "README.md").read_text("utf-8")


def test_every_command_has_a_line():
    named = re.findall(r"^\| `fhir-hub ([\w-]+)", README, re.MULTILINE)

    assert sorted(set(named)) == sorted(each.__name__.rpartition(".")[2] for each in COMMANDS)


def test_every_page_is_linked():
    pages = {page.name for page in (ROOT / "docs").glob("*.md")}

    assert pages == set(re.findall(r"\(docs/([\w-]+\.md)\)", README))
