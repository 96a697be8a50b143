"""The searches that make an institution's worklists: ordinary interactions, no query of their own.

https://hl7.org/fhir/R4/search.html
"""

from collections.abc import Mapping

from fhir_server.interactions.interaction import Interaction, Params

# What each list shows: the side that the institution is on, and the statuses.
LISTS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "incoming": ("owner", ("requested", "received", "on-hold")),
    "in-care": ("owner", ("accepted", "in-progress")),
    "answered": ("owner", ("completed", "rejected", "failed", "cancelled")),
    "drafts": ("requester", ("draft",)),
    "sent": ("requester", ("requested", "received", "on-hold", "accepted", "in-progress")),
    "returned": ("requester", ("completed", "rejected", "failed", "cancelled")),
}


def worklist(name: str, organization: str, count: int = 20) -> Interaction:
    """Return the search for one of LISTS: Tasks, newest first, with Patient and ServiceRequest.

    `organization` is an Organization's id. Raises KeyError for a list that there is not.
    """
    side, statuses = LISTS[name]
    params: Params = (
        (side, f"Organization/{organization}"),
        ("code", "http://hl7.org/fhir/CodeSystem/task-code|fulfill"),
        ("status", ",".join(statuses)),
        ("_include", "Task:patient"),
        ("_include", "Task:focus"),
        ("_sort", "-_lastUpdated"),
        ("_count", str(count)),
    )
    return Interaction("search-type", "Task", params=params)
