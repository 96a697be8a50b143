"""Names are written in characters and in pinyin, by their reading as a surname."""

from random import Random

import pytest

from fhir_server.demo.names import SURNAMES, Name, draw_name, human_names


@pytest.mark.parametrize(
    ("surname", "reading"),
    [("单", "Shan"), ("仇", "Qiu"), ("曾", "Zeng"), ("查", "Zha"), ("尉迟", "Yuchi")],
)
def test_surname_has_its_own_reading(surname, reading):
    assert {name: pinyin for name, pinyin, _ in SURNAMES}[surname] == reading


def test_two_names_ideographic_first():
    written, spoken = human_names(Name("欧阳", "文博", "Ouyang", "Wenbo"))

    assert (written["text"], written["family"], written["given"]) == ("欧阳文博", "欧阳", ["文博"])
    assert spoken["text"] == "Ouyang Wenbo"


def test_pinyin_has_a_syllable_for_each_character():
    rng = Random(5)
    drawn = [draw_name(rng, "female") for _ in range(50)]

    assert all(name.given_pinyin.istitle() for name in drawn)
    assert {len(name.given) for name in drawn} == {1, 2}
