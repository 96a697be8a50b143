"""The rules at the top of adapters/hl7v2/merge.py: any order of arrival ends the same."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.hl7v2.convert import together
from adapters.hl7v2.mapping import map_message
from adapters.hl7v2.merge import Held, held_from_json, merge, stamps_to_json
from adapters.hl7v2.message import parse
from adapters.hl7v2.source import Authority, Source

_SOURCE = Source("h1", "H1", "h1", Authority("H1", "urn:oid:1.2.3.1"))
_RECEIVED = datetime(2025, 4, 1, tzinfo=UTC)


def _ids(kind, system, value):
    return f"{kind}-{value}".replace("|", "-")


def _contributions(text, control_id="1"):
    return map_message(parse(text.replace("@", control_id)), _SOURCE, _ids, _RECEIVED).contributions


def _adt(event, minute, pid="", pv1="", dg1=""):
    time = f"2025030112{minute:02}"
    visit = f"PV1||I|{pv1}" + "|" * 16 + "V1"
    msh = f"MSH|^~\\&|HIS||||{time}||ADT^{event}|@|P|2.5"
    return "\r".join([msh, f"EVN|{event}|{time}", f"PID|||7||{pid}", visit, dg1])


def _oru(status, minute, value, name="张", result=""):
    time = f"2025030112{minute:02}"
    return "\r".join(
        [
            f"MSH|^~\\&|LIS||||{time}||ORU^R01|@|P|2.5",
            f"PID|||7||{name}|||||{'' if minute % 2 else '地址'}",
            "PV1||I" + "|" * 17 + "V1",
            "OBR|||F1|C1" + "|" * 21 + status,
            f"OBX||NM|GLU||{value}|mmol/L|||||{result or status}",
        ]
    )


_NAMES = st.sampled_from(["张三", "张三丰|", '""|', "|", "李四||1980"])
_ADT = st.builds(
    _adt,
    st.sampled_from(["A01", "A03", "A04", "A08"]),
    st.integers(0, 9),
    _NAMES,
    st.sampled_from(["内科^1", "外科^2", '""', ""]),
    st.sampled_from(["DG1|||I10^高血压|||W", "DG1|||I10|||F", "DG1|||E11|||A", "ZZZ|1"]),
)
_ORU = st.builds(
    _oru,
    st.sampled_from(["P", "F", "C", "X", "I", "A"]),
    st.integers(0, 9),
    st.sampled_from(["5.0", "5.00", "6.1", "", '""', ">9"]),
    st.sampled_from(["张", "李"]),
    st.sampled_from(["", "U", "W", "N", "F"]),
)


def _end(messages):
    held = {}
    for text in messages:
        for one in together(held, _contributions(*text)):
            held[(one.resource["resourceType"], one.resource["id"])] = one
    return held


@given(st.data())
def test_any_order_of_arrival_ends_the_same(data):
    feed = data.draw(st.lists(st.one_of(_ADT, _ORU), min_size=2, max_size=7))
    numbered = [(text, str(number)) for number, text in enumerate(feed)]
    shuffled = data.draw(st.permutations(numbered))

    assert _end(shuffled) == _end(numbered)


@given(st.lists(st.one_of(_ADT, _ORU), min_size=1, max_size=5))
def test_what_arrives_again_changes_nothing(feed):
    numbered = [(text, str(number)) for number, text in enumerate(feed)]

    assert _end([*numbered, *numbered]) == _end(numbered)


@given(st.lists(st.one_of(_ADT, _ORU), min_size=1, max_size=4))
def test_what_is_kept_beside_a_record_survives_storage(feed):
    for held in _end([(text, "1") for text in feed]).values():
        assert held_from_json(held.resource, stamps_to_json(held)) == held


@given(st.lists(st.one_of(_ADT, _ORU), min_size=1, max_size=5))
def test_what_messages_make_is_valid(validator, feed):
    for held in _end([(text, str(number)) for number, text in enumerate(feed)]).values():
        assert validator.validate(held.resource) == []


def _resource(feed, kind):
    held = _end([(text, str(number)) for number, text in enumerate(feed)])
    return next(one.resource for (found, _), one in held.items() if found == kind)


def test_late_admission_does_not_reopen_an_encounter():
    feed = [_adt("A03", 1), _adt("A01", 5)]

    assert _resource(feed, "Encounter")["status"] == "finished"


def test_update_does_not_decide_the_status_of_an_encounter():
    feed = [_adt("A01", 1), _adt("A08", 5)]

    assert _resource(feed, "Encounter")["status"] == "in-progress"


def test_result_does_not_change_demographics():
    feed = [_adt("A08", 1, "张三"), _oru("F", 5, "5.0", "张")]

    assert _resource(feed, "Patient")["name"][0]["text"] == "张三"


def test_admission_replaces_what_a_result_said_of_the_patient():
    feed = [_oru("F", 4, "5.0", "张"), _adt("A01", 1, "张三")]

    patient = _resource(feed, "Patient")
    assert (patient["name"][0]["text"], "address" in patient) == ("张三", False)


def test_null_clears_and_empty_keeps():
    kept = [_adt("A01", 1, "张三||1980"), _adt("A08", 2, "李四||")]
    cleared = [_adt("A01", 1, "张三||1980"), _adt("A08", 2, '李四||""')]

    assert _resource(kept, "Patient")["birthDate"] == "1980"
    assert "birthDate" not in _resource(cleared, "Patient")


@pytest.mark.parametrize(("first", "second", "expected"), [
    ("F", "P", "final"), ("C", "F", "corrected"), ("P", "F", "final"), ("X", "F", "cancelled"),
    ("X", "C", "corrected"), ("C", "X", "cancelled"),
])  # fmt: skip
def test_lower_result_status_never_replaces_a_higher(first, second, expected):
    feed = [_oru(first, 1, "5.0"), _oru(second, 2, "6.0")]

    assert _resource(feed, "Observation")["status"] == expected


def test_status_alone_keeps_the_value():
    """OBX-11 U: final, the value is the one sent as preliminary."""
    feed = [_oru("P", 1, "5.00"), _oru("F", 2, "", result="U")]

    observation = _resource(feed, "Observation")
    assert (observation["status"], str(observation["valueQuantity"]["value"])) == ("final", "5.00")


def test_results_of_a_report_are_collected():
    other = _oru("F", 1, "7").replace("|GLU|", "|CHOL|")
    feed = [_oru("P", 2, "5.0"), other]

    assert len(_resource(feed, "DiagnosticReport")["result"]) == 2


def test_result_keeps_the_first_place_it_had_in_its_report():
    """Positions come from the messages, whichever arrives first."""
    two = _oru("F", 1, "7").replace("|GLU|", "|Z|") + "\rOBX||NM|B||1||||||F"
    turned = _oru("F", 2, "7").replace("|GLU|", "|B|") + "\rOBX||NM|C||1||||||F"

    orders = [
        _resource(feed, "DiagnosticReport")["result"] for feed in ([two, turned], [turned, two])
    ]
    assert orders[0] == orders[1]


def test_earliest_result_names_a_patient_nobody_admitted():
    feed = [_oru("F", 4, "5.0", "张"), _oru("F", 2, "5.0", "李"), _oru("F", 6, "5.0", "王")]

    assert _resource(feed, "Patient")["name"][0]["text"] == "李"


def test_what_nobody_sent_stays():
    [patient, *_] = _contributions(_adt("A08", 1, "张三"))
    ours = {"resourceType": "Patient", "id": patient.id, "active": True, "name": [{"text": "旧"}]}

    held = merge(Held(ours), patient)

    assert (held.resource["active"], held.resource["name"][0]["text"]) == (True, "张三")


def test_result_does_not_touch_a_patient_made_otherwise():
    [patient, *_] = _contributions(_oru("F", 1, "5"))
    ours = Held({"resourceType": "Patient", "id": patient.id, "name": [{"text": "旧"}]})

    assert merge(ours, patient) == ours
