"""Check digits of SNOMED CT (Verhoeff) and LOINC (mod 10).

https://confluence.ihtsdotools.org/display/DOCRELFMT/5.4+Check-digit,
https://loinc.org/kb/users-guide/loinc-database-structure/ (LOINC_NUM)
"""

import re
from functools import lru_cache

from conformance.issues import Severity

_SNOMED = re.compile(r"[1-9][0-9]{5,17}")
_LOINC = re.compile(r"(LP|LA|LL|LG|MTHU)?([0-9]{1,7})-([0-9])")

# The dihedral group of ten, and the permutation of each place.
_PRODUCT = (
    (0, 1, 2, 3, 4, 5, 6, 7, 8, 9),
    (1, 2, 3, 4, 0, 6, 7, 8, 9, 5),
    (2, 3, 4, 0, 1, 7, 8, 9, 5, 6),
    (3, 4, 0, 1, 2, 8, 9, 5, 6, 7),
    (4, 0, 1, 2, 3, 9, 5, 6, 7, 8),
    (5, 9, 8, 7, 6, 0, 4, 3, 2, 1),
    (6, 5, 9, 8, 7, 1, 0, 4, 3, 2),
    (7, 6, 5, 9, 8, 2, 1, 0, 4, 3),
    (8, 7, 6, 5, 9, 3, 2, 1, 0, 4),
    (9, 8, 7, 6, 5, 4, 3, 2, 1, 0),
)
_PLACE = (
    (0, 1, 2, 3, 4, 5, 6, 7, 8, 9),
    (1, 5, 7, 6, 2, 8, 3, 0, 9, 4),
    (5, 8, 0, 3, 7, 9, 6, 1, 4, 2),
    (8, 9, 1, 6, 0, 4, 3, 5, 2, 7),
    (9, 4, 5, 3, 1, 2, 6, 8, 7, 0),
    (4, 2, 8, 6, 5, 7, 3, 9, 0, 1),
    (2, 7, 9, 3, 8, 0, 6, 4, 1, 5),
    (7, 0, 4, 6, 9, 1, 3, 2, 5, 8),
)


def snomed(code: str) -> Severity | None:
    """What is wrong with a code of SNOMED CT: an error of form, a warning for its check digit.

    >>> snomed("73211009"), snomed("73211008"), snomed("73211009x"), snomed("73211009:246112005=2")
    (None, 'warning', 'error', None)
    """
    if _SNOMED.fullmatch(code) is None:
        return "error" if code.isalnum() else None  # post-coordinated expressions are not read
    check = 0
    for place, digit in enumerate(reversed(code)):
        check = _PRODUCT[check][_PLACE[place % 8][int(digit)]]
    return "warning" if check else None


def loinc(code: str) -> Severity | None:
    """What is wrong with a code of LOINC: an error of form, a warning for its check digit.

    >>> loinc("85354-9"), loinc("85354-8"), loinc("LA6576-8"), loinc("glucose")
    (None, 'warning', None, 'error')
    """
    found = _LOINC.fullmatch(code)
    if found is None:
        return "error"
    if found[1]:
        return None
    return None if _mod10(found[2]) == int(found[3]) else "warning"


@lru_cache(maxsize=4096)
def _mod10(digits: str) -> int:
    doubled = int(digits[::-2][::-1]) * 2
    rest = digits[-2::-2]
    total = sum(map(int, str(doubled))) + sum(map(int, rest))
    return -total % 10
