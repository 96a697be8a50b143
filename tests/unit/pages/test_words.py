"""Every text of the pages in both languages."""

import re
from pathlib import Path
from string import Formatter

import pytest

from fhir_server.referral.worklist import LISTS
from fhir_server.web.pages import inbox, refer, referral, timeline, worklist
from fhir_server.web.pages.words import WORDS

PAGES = Path(inbox.__file__).parent
NAMED = re.compile(r"""\bt\('([a-z0-9_.-]+)'[,)]""")
SAID = re.compile(r"""\bword\("([a-z0-9.-]+)"[,)]""")
HAN = re.compile("[\u4e00-\u9fff]")


def holes(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


@pytest.mark.parametrize("name", sorted(WORDS))
def test_a_text_is_there_in_both_languages(name: str) -> None:
    chinese, english = WORDS[name]

    assert chinese.strip()
    assert english.strip()
    assert holes(chinese) == holes(english)


def test_chinese_is_chinese_and_english_is_not() -> None:
    swapped = {"language", "language.switch"}  # each names the other language

    mixed = [
        name
        for name, (chinese, english) in WORDS.items()
        if name not in swapped and (HAN.search(english) or not HAN.search(chinese))
    ]

    assert mixed == []


def test_every_text_that_a_page_names_exists() -> None:
    sources = [*PAGES.glob("templates/*.html"), *PAGES.glob("*.py")]

    named = {
        name
        for path in sources
        for rule in (NAMED, SAID)
        for name in rule.findall(path.read_text())
    }

    assert len(named) > 100
    assert set() == named - WORDS.keys()


def test_every_text_that_is_made_of_a_code_exists() -> None:
    names = {
        *(f"line.{kind}" for kind in timeline.KINDS),
        *(f"priority.{each}" for each in refer.PRIORITIES),
        *(f"message.{state}" for state in inbox.STATES),
        *(worklist.TAB_WORDS[name] for name in LISTS),
        *(f"step.{name}" for name in (*referral.ONWARD, *referral.NOTED)),
    }

    assert set() == names - WORDS.keys()
