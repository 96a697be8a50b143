"""A region: the records that a provision speaks of, as a union of clauses.

Clauses cannot say everything that a provision can. So a region is known from two sides: *narrow*
holds only what the provision surely speaks of, *wide* all that it possibly speaks of. A permission
is made from narrow regions, a refusal from wide ones: what is not understood never opens anything.
"""

from collections.abc import Iterable
from typing import TypeVar

from fhir_server.authz.grant import Clause

T = TypeVar("T")
Code = tuple[str, str, bool]
Region = tuple[Clause, ...]

ALL: Region = (Clause(),)
NONE: Region = ()


def meet(left: Region, right: Region) -> Region:
    """Return a region within both, as large as clauses can say.

    >>> meet((Clause(types=("Observation", "Condition")),), (Clause(types=("Condition",)),))
    (Clause(types=('Condition',), categories=(), codes=(), labels=(), owner=''),)
    """
    return _union(_meet(a, b) for a in left for b in right)


def join(*regions: Region) -> Region:
    """Return the union, each clause once."""
    return _union(clause for region in regions for clause in region)


def cover(left: Region, right: Region) -> Region:
    """Return a region that holds all that is in both, and nothing outside `right`."""
    return _union(_cover(a, b) for a in left for b in right)


def _union(clauses: Iterable[Clause | None]) -> Region:
    found = dict.fromkeys(clause for clause in clauses if clause is not None)
    return ALL if Clause() in found else tuple(found)


def _meet(a: Clause, b: Clause) -> Clause | None:
    types = _common(a.types, b.types)
    categories = _common(a.categories, b.categories)
    codes = _codes(a.codes, b.codes)
    labels = _common(a.labels, b.labels)
    if types is None or categories is None or codes is None or labels is None:
        return None
    if a.owner and b.owner and a.owner != b.owner:
        return None
    return Clause(types, categories, codes, labels, a.owner or b.owner)


def _cover(a: Clause, b: Clause) -> Clause | None:
    types = _common(a.types, b.types)
    if types is None or (a.owner and b.owner and a.owner != b.owner):
        return None
    # A record may bear several codes, one of each clause: only one side can be asked for.
    return Clause(
        types,
        b.categories or a.categories,
        b.codes or a.codes,
        b.labels or a.labels,
        a.owner or b.owner,
    )


def _common(a: tuple[T, ...], b: tuple[T, ...]) -> tuple[T, ...] | None:
    """Return what is in both, where empty is everything; None says that nothing is."""
    if not a or not b:
        return a or b
    return tuple(each for each in a if each in b) or None


def _codes(a: tuple[Code, ...], b: tuple[Code, ...]) -> tuple[Code, ...] | None:
    if not a or not b:
        return a or b
    both = [_code(x, y) for x in a for y in b]
    return tuple(dict.fromkeys(code for code in both if code is not None)) or None


def _code(x: Code, y: Code) -> Code | None:
    """Return the narrower of two codes if it lies within the wider one."""
    narrow, wide = (x, y) if (len(x[1]), x[2]) >= (len(y[1]), y[2]) else (y, x)
    within = narrow[1] == wide[1] if wide[2] else narrow[1].startswith(wide[1])
    return narrow if narrow[0] == wide[0] and within else None
