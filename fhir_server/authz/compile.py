"""Turn a provision tree into what is permitted and what is denied to one recipient at one moment.

A tree decides about a record so: a provision whose conditions do not hold has no opinion. Else, if
an exception below it denies, it is denied; else, if one permits, it is permitted; else its own type
decides. Here the same is computed for all records at once, as regions.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from fhir_server.authz.provision import Provision
from fhir_server.authz.region import ALL, NONE, Region, cover, join, meet


@dataclass(frozen=True, slots=True)
class View:
    """One recipient, purpose and moment, for which a tree is looked at."""

    recipient: str
    purpose: str
    moment: int

    def surely(self, node: Provision) -> bool:
        """Say whether the provision applies for certain."""
        return node.surely(self.recipient, self.purpose, self.moment)

    def possibly(self, node: Provision) -> bool:
        """Say whether the provision may apply."""
        return node.possibly(self.recipient, self.purpose, self.moment)


def openings(root: Provision, view: View) -> list[tuple[Region, Region]]:
    """Return pairs of what is permitted, and what within it is denied."""
    return [(permit, deny) for permit, deny in _openings(root, view, ALL, NONE) if permit]


def refusals(root: Provision, view: View) -> Region:
    """Return what the tree denies so that no other consent may permit it.

    A root that denies and names exceptions is only the ground on which they stand, and refuses
    nothing that another consent permits.
    """
    if root.permit or not any(child.permit for child in root.children):
        return _denied(root, view)
    return join(*(_denied(child, view) for child in root.children)) if view.possibly(root) else NONE


def _openings(
    node: Provision, view: View, within: Region, denied: Region
) -> Iterator[tuple[Region, Region]]:
    if not view.surely(node):
        return
    region = meet(within, node.narrow)
    if not node.permit:
        yield from _exceptions(node, view, region, denied)
        return
    yield region, join(denied, *(_denied(child, view) for child in node.children))
    for child in node.children:
        if not child.permit:
            others = (_denied(each, view) for each in node.children if each is not child)
            yield from _exceptions(child, view, region, join(denied, *others))


def _exceptions(
    node: Provision, view: View, within: Region, denied: Region
) -> Iterator[tuple[Region, Region]]:
    """Yield what the permitting children of a denying provision open again."""
    for child in node.children:
        if child.permit:
            others = (_denied(each, view) for each in node.children if each is not child)
            yield from _openings(child, view, within, join(denied, *others))


def _denied(node: Provision, view: View) -> Region:
    """Return all that a provision may deny, exceptions to the refusal not taken out."""
    if not view.possibly(node):
        return NONE
    if not node.permit:
        return node.wide
    return cover(node.wide, join(*(_denied(child, view) for child in node.children)))
