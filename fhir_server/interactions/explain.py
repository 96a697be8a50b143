"""How the store answers a search, in words of the administrator: `_explain=true`.

The counts are those of the query as it is restricted for the caller, but what single indexes hold
is everybody's. So only who sees all records may ask: the operator, the administrator where a type
may be searched at all, and everybody on an open hub.
"""

from collections.abc import Mapping, Sequence

from conformance.issues import Issue
from fhir_server.authz.caller import Caller
from fhir_server.errors import Forbidden
from fhir_server.interactions.merged import Ranked
from fhir_server.store.explanation import Explanation, Step, What
from fhir_server.store.protocol import Store

ALLOWED = frozenset(("operator", "admin", "open"))

WORDS: Mapping[What, tuple[str, str]] = {
    "leads": (
        "由 {on} 的索引找到 {type}（{rows}），其余条件逐条核对。",
        "The index of {on} leads to {type} ({many}); the rest is asked of each record.",
    ),
    "walks": (
        "按默认顺序逐条查看 {type}，直到这一页满。",
        "{type} is walked in the default order until the page is full.",
    ),
    "sorts": (
        "找出全部匹配的 {type}，再按 {on} 排序。",
        "All {type} that match are found and sorted by {on}.",
    ),
    "along": (
        "沿 {on} 的索引逐条查看 {type}，直到这一页满。",
        "{type} is walked along the index of {on} until the page is full.",
    ),
    "set": (
        "关联 {on} 另一侧的 {type} 先收集为一个集合。",
        "What {type} is on the other side of {on} is collected once, as a set.",
    ),
    "asks": (
        "关联 {on} 另一侧的 {type} 逐条查询。",
        "What {type} is on the other side of {on} is asked for, record by record.",
    ),
    "impatient": (
        "逐条查看 {type} 用时过长，改为找出全部匹配再排序。",
        "Walking through {type} took too long; all that match were found and sorted instead.",
    ),
    "all": (
        "在内存中逐条核对 {type}（{rows}）。",
        "{type} is looked at record by record in memory ({many}).",
    ),
}
"""Kind of step -> what is said of it, in Chinese and in English."""


def check(caller: Caller) -> None:
    """Raise `Forbidden` where the caller may not ask how a search is answered."""
    if caller.kind not in ALLOWED or caller.patient:
        raise Forbidden("_explain is for the operator and the administrator.")


async def explained(store: Store, queries: Sequence[Ranked]) -> list[Issue]:
    """Return how the page and the count of each type's query are found."""
    return [
        issue for _, query in queries for issue in _issues(query.type, await store.explain(query))
    ]


def _issues(type: str, found: Explanation) -> list[Issue]:
    times = (
        f"{type}：这一页 {found.page} 条，{found.page_ms:.1f} 毫秒；"
        f"共匹配 {found.matches} 条，计数 {found.count_ms:.1f} 毫秒。",
        f"{type}: {found.page} records of the page in {found.page_ms:.1f} ms; "
        f"{found.matches} match in all, counted in {found.count_ms:.1f} ms.",
    )
    return [_issue(*map(said, (step,) * 2, (0, 1))) for step in found.steps] + [_issue(*times)]


def said(step: Step, language: int) -> str:
    """Return a step in words: language 0 is Chinese, 1 English.

    >>> said(Step("leads", "Observation", "code", 16), 1)
    'The index of code leads to Observation (16 at most); the rest is asked of each record.'
    """
    rows, many = "很多", "many"
    if step.rows is not None:
        rows, many = f"至多 {step.rows} 条", f"{step.rows} at most"
    return WORDS[step.what][language].format(type=step.type, on=step.on, rows=rows, many=many)


def _issue(chinese: str, english: str) -> Issue:
    return Issue("informational", f"{chinese} {english}", severity="information")
