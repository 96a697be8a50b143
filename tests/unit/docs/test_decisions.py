"""Decisions are numbered without gaps, and their index names each by its title."""

import re
from pathlib import Path

FOLDER = Path(__file__).parents[3] / "docs" / "adr"


def test_the_index_lists_every_decision():
    """A line for each file, in order: number, link, the title that the file has."""
    titles = [page.read_text("utf-8").splitlines()[0] for page in sorted(FOLDER.glob("0*.md"))]
    listed = re.findall(r"^\| \[(\d+)\]\(0*\1-[^)]+\) \| (.+) \|$", _index(), re.MULTILINE)

    assert [f"# {number}. {title}" for number, title in listed] == titles


def test_numbers_have_no_gaps():
    numbers = [int(page.name[:4]) for page in sorted(FOLDER.glob("0*.md"))]

    assert numbers == list(range(1, len(numbers) + 1))


def _index() -> str:
    return (FOLDER / "README.md").read_text("utf-8")
