"""Identity numbers and telephone numbers that are well formed and belong to nobody.

GB 11643-1999 (citizen identification number); GB/T 2260 gives no area a code that begins with 99.
"""

from datetime import date

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"
_AREA, _SEATS = 990100, 500


def check_digit(first17: str) -> str:
    """Returns the eighteenth character for the first seventeen, by ISO 7064 MOD 11-2.

    >>> check_digit("11010519491231002")
    'X'
    """
    total = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, first17, strict=True))
    return _CHECKS[total % 11]


def resident_number(area: int, birth: date, seat: int, male: bool) -> str:
    """Returns an 18-character number; `seat` 0-499 becomes the odd (male) or even sequence."""
    first17 = f"{area:06d}{birth:%Y%m%d}{2 * seat + male:03d}"
    return first17 + check_digit(first17)


def resident_number_of(index: int, birth: date, male: bool) -> str:
    """Returns the number of the patient `index`: 500 people an area, so that no two are equal."""
    block, seat = divmod(index, _SEATS)
    return resident_number(_AREA + block, birth, seat, male)


def phone_of(index: int) -> str:
    """Returns `+86 129…`: as long as a mobile number, from a range that no operator has."""
    return f"+86129{index:08d}"
