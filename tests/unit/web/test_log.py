"""Logs tell event names and ids, never data of patients."""

import asyncio
import io
import json
import logging

import pytest
import structlog

from fhir_server import log
from fhir_server.interactions.server import OperationDefinition


@pytest.fixture
def lines():
    """Return what reads the lines that were logged."""
    stream = io.BytesIO()
    root = logging.getLogger()
    before = root.handlers, root.level
    log.configure("info", stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    structlog.reset_defaults()
    root.handlers, root.level = before


def test_a_line_is_json_with_event_level_and_time(lines):
    log.get_logger("x").info("thing.done", id="7")

    [line] = lines()
    assert (line["event"], line["level"], line["part"], line["id"]) == (
        "thing.done",
        "info",
        "x",
        "7",
    )
    assert line["timestamp"].endswith("Z")


def test_less_than_the_level_is_not_written(lines):
    log.get_logger("x").debug("thing.seen")

    assert lines() == []


def test_libraries_write_the_same_lines(lines):
    logging.getLogger("library").warning("old %s", "thing")

    [line] = lines()
    assert (line["event"], line["level"]) == ("old thing", "warning")


def test_an_exception_tells_its_place_and_not_its_words(lines):
    try:
        raise ValueError("Wang Fang, born 1970")
    except ValueError:
        log.get_logger("x").exception("thing.failed")

    [line] = lines()
    assert line["exception"] == "ValueError"
    assert "Wang" not in json.dumps(line)
    assert "test_log.py" in line["at"][-1]


def test_a_level_that_is_none_is_refused():
    with pytest.raises(ValueError, match="loud"):
        log.configure("loud")


def test_a_request_is_logged_without_its_query(lines, make_hub):
    make_hub().get("Patient?name=Wang", headers={"X-Request-Id": "r-1"})

    [line] = lines()
    told = (line["interaction"], line["type"], line["status"], line["request"], line["account"])
    assert told == ("search-type", "Patient", 200, "r-1", "open")
    assert "Wang" not in json.dumps(line)


def test_a_failure_is_logged_with_the_requests_id(lines, make_hub):
    async def run(server, caller, ask):
        raise RuntimeError("Wang")

    hub = make_hub(operations=(OperationDefinition("fail", (), "system", run),))
    hub.get("$fail", headers={"X-Request-Id": "r-2"})

    failed = next(line for line in lines() if line["event"] == "request.failed")
    assert (failed["request"], failed["exception"]) == ("r-2", "RuntimeError")


def test_what_one_turn_of_a_loop_logs_is_there_after_it(lines):
    async def turn():
        log.get_logger("x").info("thing.done", id="1")
        log.get_logger("x").info("thing.done", id="2")
        await asyncio.sleep(0)

    asyncio.run(turn())

    assert [line["id"] for line in lines()] == ["1", "2"]


def test_a_logger_made_before_configure_obeys_it(lines):
    logger = log.get_logger("x")

    logger.warning("thing.odd")

    assert [line["level"] for line in lines()] == ["warning"]
