"""docs/operations.md says what the tables say."""

from pathlib import Path

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
