"""The documentation is drawn from the table."""

from pathlib import Path

import pytest

from fhir_server.referral.draw import DRAWINGS, fill

PAGE = Path(__file__).parents[3] / "docs" / "referral.md"


def test_the_page_is_up_to_date():
    """Run `python -m fhir_server.referral.draw docs/referral.md` when this fails."""
    text = PAGE.read_text(encoding="utf-8")

    assert fill(text) == text


def test_a_page_without_marks_is_refused():
    with pytest.raises(ValueError, match="table"):
        fill("")


def test_every_step_is_drawn():
    assert "| P10a | `void` |" in DRAWINGS["table"]()
    assert "requested --> accepted: accept" in DRAWINGS["diagram"]()
    assert "| completed | Completed | 已完成 | 7.0 |" in DRAWINGS["business"]()
