"""What took long is begun on a reader thread the next time."""

from types import SimpleNamespace
from typing import Any

import pytest

from fhir_server.store.sqlite.deadline import OutOfPatience
from fhir_server.store.sqlite.plans import Plans
from fhir_server.store.sqlite.readers import BRIEF
from fhir_server.store.sqlite.runner import Runner, Tuning


def _runner(plans: Plans, shape: str, *, is_brief: bool, looked: int = 0) -> Runner:
    asked: Any = SimpleNamespace(shape=SimpleNamespace(key=shape, is_unique=False))
    limit: Any = SimpleNamespace(is_brief=is_brief, looked=looked)
    return Runner(asked, plans, limit, Tuning())


def _is_begun(plans: Plans, shape: str, purpose: str = "page") -> bool:
    """Tell whether such a query is begun on the event loop."""
    try:
        with _runner(plans, shape, is_brief=True).timed(purpose):
            return True
    except OutOfPatience:
        return False


def _on_a_thread(plans: Plans, shape: str, looked: int) -> None:
    with _runner(plans, shape, is_brief=False, looked=looked).timed("page"):
        pass


@pytest.mark.parametrize(("looked", "begun"), [(0, True), (BRIEF, True), (BRIEF + 1, False)])
def test_how_long_it_took_on_a_thread_decides(looked: int, begun: bool) -> None:
    plans = Plans()
    _on_a_thread(plans, "a", looked)

    assert _is_begun(plans, "a") is begun


def test_other_shapes_and_purposes_are_begun() -> None:
    plans = Plans()
    _on_a_thread(plans, "a", BRIEF + 1)

    assert _is_begun(plans, "b")
    assert _is_begun(plans, "a", "count")


def test_one_that_proves_short_is_begun_again() -> None:
    plans = Plans()
    _on_a_thread(plans, "a", BRIEF + 1)
    _on_a_thread(plans, "a", 0)

    assert _is_begun(plans, "a")
