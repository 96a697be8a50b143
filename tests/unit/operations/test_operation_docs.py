"""docs/operations.md says what the tables say, and its lines work."""

import itertools
import re
import shlex
from datetime import date
from pathlib import Path

import pytest

from fhir_server.demo.city import build
from fhir_server.interactions.write import derived
from fhir_server.model import Key
from fhir_server.operations.match_grades import RULES

PAGE = (Path(__file__).parents[3] / "docs" / "operations.md").read_text()
WORDS = {
    "resident": "resident number",
    "document": "national number or passport",
    "number": "identifier",
    "birth": "birth date",
    "phone": "telephone",
}


def test_the_rules_of_match_are_those_of_the_page():
    rows = [line.split("|") for line in PAGE.splitlines() if line.count("|") == 5]
    told = [
        (_words(agree.partition("(")[0]), _words(differ), score.strip(), code.strip())
        for _, agree, differ, score, code, _ in rows
        if code.strip() in ("certain", "probable", "possible")
    ]

    assert told == [
        (
            {WORDS.get(each, each) for each in rule.agree},
            {WORDS.get(each, each) for each in rule.not_differ},
            str(rule.grade.score),
            rule.grade.code,
        )
        for rule in RULES
    ]


def _words(cell):
    return {each.strip() for each in cell.split(",") if each.strip()}


def _lines():
    """Yield the curl lines of the page as method, path, headers and body."""
    for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL):
        for line in re.split(r"(?<!\\)\n(?=curl)", block.strip()):
            words = shlex.split(line.replace("\\\n", " ").replace("\\$", "$"))
            url = next(word for word in words if word.startswith("http"))
            given = dict(itertools.pairwise(words))
            headers = [b for a, b in itertools.pairwise(words) if a == "-H"]
            body = given.get("-d")
            method = given.get("-X", "POST" if body else "GET")
            told = dict(each.split(": ", 1) for each in headers if "Bearer" not in each)
            yield method, url.partition("/fhir/")[2], told, body and body.encode()


@pytest.fixture
def city(make_hub):
    """A hub with the first patients of the demo city."""
    hub = make_hub()
    writes = [
        derived(hub.server, Key(r["resourceType"], r["id"]), dict(r), None, made.owner)
        for made in build(patients=2, seed=20260101, today=date(2026, 6, 30))
        for r in (made.resource,)
    ]
    hub.run(hub.server.store.commit(writes))
    return hub


@pytest.mark.parametrize("line", [each for each in _lines() if "/ID/" not in each[1]])
def test_the_lines_of_the_page_work_in_the_demo_city(city, line):
    method, path, headers, body = line

    answer = city(method, path, body, headers=headers)

    assert answer.status_code == 200, answer.text
    assert '"errors"' not in answer.text
    assert len(answer.content) > 100
