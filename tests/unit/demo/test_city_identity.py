"""Identity numbers are well formed by GB 11643 and belong to nobody."""

import doctest
from datetime import date

import pytest

from fhir_server.demo import identity
from fhir_server.demo.city import people
from fhir_server.demo.feed import HERO
from fhir_server.demo.identity import check_digit, phone_of, resident_number, resident_number_of
from fhir_server.demo.systems import RESIDENT_ID


@pytest.mark.parametrize(
    ("first17", "expected"),
    [("11010519491231002", "X"), ("44052418800101001", "4")],  # the norm's own examples
)
def test_check_digit_of_the_norm(first17, expected):
    assert check_digit(first17) == expected


def _number_of(patient):
    [number] = [one["value"] for one in patient["identifier"] if one["system"] == RESIDENT_ID]
    return number


def test_numbers_in_the_city_carry_check_digit_birth_and_sex(of):
    for patient in of["Patient"]:
        number = _number_of(patient)

        assert number[17] == check_digit(number[:17])
        assert number[6:14] == patient["birthDate"].replace("-", "")
        assert int(number[16]) % 2 == (patient["gender"] == "male")


def test_numbers_are_of_an_area_that_does_not_exist(of):
    areas = {_number_of(patient)[:2] for patient in of["Patient"]}

    assert areas | {HERO.resident_number[:2]} == {"99"}


def test_no_two_people_share_a_number():
    numbers = [resident_number_of(one.index, one.birth, one.male) for one in people(3000)]

    assert len({*numbers, HERO.resident_number}) == len(numbers) + 1


def test_sequence_is_odd_for_men():
    assert resident_number(990100, date(1970, 1, 2), 7, male=True)[14:17] == "015"
    assert resident_number(990100, date(1970, 1, 2), 7, male=False)[14:17] == "014"


def test_telephone_is_no_mobile_number():
    """Mobile numbers are 1[3-9] and nine digits."""
    assert phone_of(7) == "+8612900000007"


def test_example_of_the_docstring_holds():
    assert doctest.testmod(identity).failed == 0
