"""The load generator, against a server that is none of ours."""

from fhir_server.bench import load
from fhir_server.bench.load import Call, call


def test_a_chunked_answer_is_read_whole(stranger):
    answer = load.ask(stranger.target, call(stranger.target, "GET", "/Patient"))

    assert (answer.status, answer.body, answer.name) == (201, b'{"total": 1}', "Patient/1")


def test_every_call_is_sent_once(stranger):
    calls = [call(stranger.target, "POST", f"/Basic/{number}", b"{}") for number in range(40)]

    load.run(stranger.target, calls, 4)

    assert sorted(path for _, path, _ in stranger.asked) == sorted(
        f"/r4/Basic/{number}" for number in range(40)
    )


def test_only_what_succeeded_counts(stranger):
    stranger.status = 409

    run = load.run(stranger.target, [call(stranger.target, "POST", "", b"{}", 100)] * 3, 2)

    assert (run.units, run.failed, run.statuses[409]) == (0, 3, 3)


def test_an_answer_that_is_no_http_is_lost(stranger):
    run = load.run(stranger.target, [Call(b"nonsense\r\n\r\n")], 1)

    assert run.failed == 1
