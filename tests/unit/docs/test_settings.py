"""Every setting is documented."""

from dataclasses import fields
from pathlib import Path

import pytest

from fhir_server.settings import Settings, load

PAGE = Path(__file__).parents[3] / "docs" / "settings.md"


@pytest.mark.parametrize("name", [item.name for item in fields(Settings)])
def test_setting_has_a_heading_and_its_help(name):
    """A setting has a heading in docs/settings.md, with its help and its default."""
    item = next(item for item in fields(Settings) if item.name == name)

    text = PAGE.read_text(encoding="utf-8")

    assert f"\n## {name}\n\n{item.metadata['help']} Default:" in text


def test_environment_is_read():
    """A variable FHIR_HUB_NAME sets `name`."""
    assert load({"FHIR_HUB_PORT": "81"}).port == 81


def test_what_is_given_wins():
    """An option of the command line wins over the environment."""
    assert load({"FHIR_HUB_PORT": "81"}, port=82).port == 82


def test_wrong_value_names_the_variable():
    """A value that cannot be read names its variable and what was expected."""
    with pytest.raises(ValueError, match="FHIR_HUB_PORT is 'many'; expected a whole number"):
        load({"FHIR_HUB_PORT": "many"})
