"""What the documents point at is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"\]\(([^)#]+)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page):
    """Each relative link of a document leads to a file or folder of the repository."""
    targets = [link for link in LINK.findall(page.read_text("utf-8")) if "://" not in link]

    assert [link for link in targets if not (page.parent / link).exists()] == []


def test_every_page_can_be_found():
    """Each page of docs/ is named in the README or on another page."""
    said = "".join(page.read_text("utf-8") for page in PAGES)

    pages = [page for page in PAGES if page.parent.name == "docs"]
    assert [page.name for page in pages if f"{page.name})" not in said] == []
