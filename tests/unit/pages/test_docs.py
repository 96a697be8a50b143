"""The documentation names every page and every request of the JSON API."""

from pathlib import Path

from fhir_server.web.pages.app import PAGES
from tests.unit.pages.conftest import Site

DOCS = Path(__file__).parents[3] / "docs"


def test_every_page_is_documented() -> None:
    text = (DOCS / "pages.md").read_text(encoding="utf-8")

    assert [page.path for page in PAGES if f"| `{page.path}` |" not in text] == []


def test_every_request_of_the_api_is_documented(site: Site) -> None:
    text = (DOCS / "admin-api.md").read_text(encoding="utf-8")
    paths = site.api("GET", "/api/openapi.json").json()["paths"]

    requests = [
        f"{method.upper()} /api{path.removeprefix('/api')}"
        for path, methods in paths.items()
        for method in methods
    ]

    assert len(requests) == 8
    assert [each for each in requests if f"| `{each}` |" not in text] == []


def test_the_pictures_are_there_and_small() -> None:
    text = (DOCS / "pages.md").read_text(encoding="utf-8")
    pictures = list((DOCS / "pictures").glob("*.png"))

    assert len(pictures) == 6
    assert [each.name for each in pictures if f"pictures/{each.name}" not in text] == []
    assert max(each.stat().st_size for each in pictures) < 200_000
