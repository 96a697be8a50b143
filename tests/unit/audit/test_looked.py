"""Who looked at my record, in a patient's own words."""

from typing import Any

from fhir_server.audit.looked import Line, looked
from fhir_server.audit.row import Row
from fhir_server.authz.grant import Grant
from tests.unit.audit.conftest import NOW

NAMES = {"clinic": "城东社区卫生服务中心"}
MINUTE = 60_000


def row(after: int = 0, **more: Any) -> Row:
    values = {
        "time": NOW + after,
        "interaction": "read",
        "status": 200,
        "kind": "staff",
        "account": "liu",
        "name": "刘医生",
        "duty": "physician",
        "person": "Practitioner/liu",
        "organization": "clinic",
        "type": "Patient",
        "patients": ("p1",),
    } | more
    return Row(**values)


def test_many_questions_of_one_visit_are_one_line() -> None:
    rows = [row(), row(MINUTE, type="Observation"), row(2 * MINUTE, interaction="search-type")]

    assert looked(rows, "p1", NAMES) == [
        Line(
            day="2026-09-21",
            first="22:13",
            last="22:15",
            person="刘医生（医师）",
            organization="城东社区卫生服务中心",
            did="查看",
            kinds=("基本信息", "检验结果与生命体征"),
            why="本机构保管的您的病历",
            sources=(),
            requests=3,
        )
    ]


def test_days_persons_and_what_was_done_are_told_apart() -> None:
    rows = [row(), row(1, account="zhou"), row(2, interaction="create"), row(86_400_000)]

    assert len(looked(rows, "p1", NAMES)) == 4
    assert looked(rows, "p1", NAMES)[0].day == "2026-09-22"


def test_what_is_about_others_refused_or_my_own_is_left_out() -> None:
    rows = [row(patients=("p2",)), row(status=403), row(person="Patient/p1", kind="patient")]

    assert looked(rows, "p1", NAMES) == []


def test_the_reason_is_the_choice_that_held_when_it_took_place() -> None:
    consent = Grant("p1", "clinic", "Consent/1", NOW - 5, until=NOW + 5)
    later = Grant("p1", "clinic", "Consent/2", NOW + 6)
    referral = Grant("p1", "clinic", "Consent/3", NOW - 5, NOW + 5, via="Task/1")

    def told(*grants: Grant) -> tuple[str, tuple[str, ...]]:
        [line] = looked([row()], "p1", NAMES, grants, "en")
        return line.why, line.sources

    assert told(consent, later) == ("a consent that you gave", ("Consent/1",))
    assert told(referral) == ("your referral", ("Consent/3", "Task/1"))
    assert told(later) == ("your own file at this institution", ())


def test_it_is_told_in_english() -> None:
    [line] = looked([row(kind="operator", name="", account="root", duty="")], "p1", {}, (), "en")

    assert (line.person, line.organization, line.did, line.kinds, line.why) == (
        "root",
        "clinic",
        "looked at",
        ("name and contacts",),
        "maintenance of the hub",
    )


def test_the_sender_of_a_referral_keeps_its_own_file() -> None:
    back = Grant("p1", "hospital", "Task/1", NOW - 5, rule="r", via="Task/1")

    [line] = looked([row(organization="hospital")], "p1", NAMES, [back])

    assert line.why == "本机构保管的您的病历"


def test_the_receiver_of_a_referral_looks_for_the_referral() -> None:
    answer = Grant("p1", "clinic", "Task/1", NOW - 5, resources=("Task/1",), via="Task/1")

    [line] = looked([row()], "p1", NAMES, [answer])

    assert line.why == "您的转诊"
