"""A started hub and a real browser, which notes whatever a page should not do."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from fhir_server.bench.hub import Hub

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]

Errors = list[str]


@pytest.fixture(scope="session")
def hub() -> Iterator[Hub]:
    """A hub with a small demo city on free ports."""
    with Hub(patients=3) as started:
        yield started


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """Chromium; without it, or without playwright, the tests are skipped.

    Its driver keeps an event loop running, under which no other test's loop can run: so it ends
    with its module.
    """
    api = pytest.importorskip(
        "playwright.sync_api", reason="playwright is not installed: pip install playwright"
    )
    path = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if path is None:
        pytest.skip(f"no Chromium on the PATH; looked for {', '.join(BROWSERS)}")
    with api.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@dataclass
class Visitor:
    """One person's browser at the hub; `faults` is what its pages should not have done."""

    hub: Hub
    page: Any
    faults: Errors = field(default_factory=list)

    def watch(self) -> None:
        """Note console errors (the content policy's among them) and requests to elsewhere."""
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("request", self._request)

    def open(self, path: str) -> None:
        """Open a page of the hub."""
        self.page.goto(self.hub.base + path)

    def enter(self, login: str) -> "Visitor":
        """Log in as one of the demo's users."""
        self.open("/")
        self.page.fill("#login", login)
        self.page.fill("#password", f"demo-{login}")
        self.page.click("button.first")
        return self

    @property
    def text(self) -> str:
        """Return what is to be read."""
        return str(self.page.inner_text("main"))

    def _console(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.faults.append(message.text)

    def _request(self, request: Any) -> None:
        if not request.url.startswith(self.hub.base + "/"):
            self.faults.append(f"request to {request.url}")


@pytest.fixture
def visitor(hub: Hub, chromium: Any) -> Iterator[Callable[..., Visitor]]:
    """Return what opens a browser of a person; afterwards none may have a fault."""
    opened: list[Visitor] = []

    def open_one(login: str = "", **options: Any) -> Visitor:
        context = chromium.new_context(locale="zh-CN", **options)
        found = Visitor(hub, context.new_page())
        found.watch()
        opened.append(found)
        return found.enter(login) if login else found

    yield open_one
    faults = [fault for each in opened for fault in each.faults]
    for each in opened:
        each.page.context.close()
    assert faults == []
