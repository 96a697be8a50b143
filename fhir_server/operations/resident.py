"""Resident identity numbers of China: what they say, if they are well formed.

GB 11643-1999: six digits of an area, a birth date, three digits of which the last is odd for men, a
check character by ISO 7064 MOD 11-2. Numbers of the first generation, of 15 characters, are the
same without century and check character; people born before 1900 never had one.
"""

import re
from datetime import date
from typing import NamedTuple

SYSTEM = "urn:oid:2.16.156.10011.1.3"
"""Under which China's health standards (WS/T 500) carry the number."""

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"
_FORM = re.compile(r"\d{17}[\dX]|\d{15}", re.ASCII)


class Resident(NamedTuple):
    """A number in its form of 18 characters, the birth date (ISO) and the gender that it tells."""

    number: str
    birth: str
    gender: str


def resident(text: str) -> Resident | None:
    """Return what a number says, None where it is not well formed.

    >>> resident("11010519491231002x")
    Resident(number='11010519491231002X', birth='1949-12-31', gender='female')
    >>> resident("110105491231002").number
    '11010519491231002X'
    >>> resident("110105194912310021") is None
    True
    """
    number = text.strip().upper()
    if not _FORM.fullmatch(number):
        return None
    if len(number) == 15:
        number = f"{number[:6]}19{number[6:]}"
        number += _check(number)
    if _check(number[:17]) != number[17]:
        return None
    try:
        birth = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return None
    return Resident(number, birth.isoformat(), "male" if int(number[16]) % 2 else "female")


def spellings(number: str) -> tuple[str, ...]:
    """Return in which texts a number of 18 characters may have been stored.

    >>> spellings("11010519491231002X")
    ('11010519491231002X', '11010519491231002x', '110105491231002')
    """
    found = [number]
    if number.endswith("X"):
        found.append(number.lower())
    if number[6:8] == "19":
        found.append(number[:6] + number[8:17])
    return tuple(found)


def _check(first17: str) -> str:
    total = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, first17, strict=True))
    return _CHECKS[total % 11]
