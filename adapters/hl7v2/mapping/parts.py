"""Groups of fields put together to a contribution."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from adapters.hl7v2.merge import Contribution, Policy


@dataclass(frozen=True, slots=True)
class Part:
    """What a message says of one group: its fields, none of them where it is to be cleared."""

    group: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    rank: int = 1


def contribute(
    kind: str,
    id: str,
    parts: Iterable[Part | None],
    event_time: str,
    policy: Policy = "update",
    members: Mapping[str, tuple[int, ...]] | None = None,
) -> Contribution:
    """Return the contribution that parts make together; absent parts are not spoken of."""
    resource: dict[str, Any] = {"resourceType": kind, "id": id}
    groups: dict[str, int] = {}
    for part in parts:
        if part is not None:
            groups[part.group] = part.rank
            for path, value in part.fields.items():
                _set(resource, path, value)
    return Contribution(kind, id, resource, event_time, groups, policy, members or {})


def reference(kind: str, id: str) -> dict[str, str]:
    """Return a literal reference."""
    return {"reference": f"{kind}/{id}"}


def _set(resource: dict[str, Any], path: str, value: Any) -> None:
    head, _, tail = path.partition(".")
    if tail:
        resource.setdefault(head, {})[tail] = value
    else:
        resource[head] = value
