"""The rules at the top of adapters/hl7v2/inbox.py, on a whole hub in memory."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.hl7v2 import received
from adapters.hl7v2.inbox import Inbox, feed_caller, message_id
from adapters.hl7v2.message import parse
from adapters.transport.mllp import Decoder, encode
from adapters.transport.server import Listener
from conformance.issues import Issue
from fhir_server import fhirjson
from fhir_server.errors import Busy, Conflict, NotFound, PreconditionFailed
from fhir_server.interactions.checks import Checks, Rule
from fhir_server.model import Key

GOLDEN = Path(__file__).parents[3] / "golden" / "hl7v2"
_MSH = "MSH|^~\\&|HIS|H1|HUB|CITY|20250101||{}|{}|P|2.5\r"
_PID = "PID|||7^^^H1||张三\r"


@pytest.fixture
def store(make_hub, source, ids):
    """The hub's store and an inbox before it."""
    hub = make_hub()
    analyser = replace(source, name="analyser", facility="BC-5000")
    return hub, Inbox(hub.server, (source, analyser), ids)


@pytest.fixture
def hub(store):
    return store[0]


@pytest.fixture
def inbox(store):
    return store[1]


def _golden(name):
    return (GOLDEN / f"{name}.hl7").read_bytes()


def _adt(control_id="1", event="ADT^A08", pid=_PID):
    return (_MSH.format(event, control_id) + pid).encode()


def _give(hub, inbox, raw):
    return hub.run(inbox.receive(raw, "127.0.0.1"))


def _code(answer):
    return parse(answer.decode("gb18030")).first("MSA").field(1)


def _kept(hub, source, raw, control_id="1"):
    key = Key("message", message_id(source, control_id, raw))
    return received.read(hub.run(hub.server.store.read(key)))


async def _records(store):
    return {version.key: version async for version in store.scan()}


def _resources(hub):
    """Every resource but Provenance, without what the server itself writes."""
    found = {}
    for key, version in hub.run(_records(hub.server.store)).items():
        if key.type[0].isupper() and key.type != "Provenance":
            found[key] = fhirjson.resource(version) | {"meta": {}}
    return found


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.hl7")), ids=lambda path: path.stem)
def test_message_is_applied_and_acknowledged(path, hub, inbox):
    assert _code(_give(hub, inbox, path.read_bytes())) == "AA"


def test_resources_belong_to_the_institution_of_the_source(hub, inbox, source):
    _give(hub, inbox, _adt())

    [patient] = [v for k, v in hub.run(_records(hub.server.store)).items() if k.type == "Patient"]
    assert [entry.v for entry in patient.auth if entry.param == "_owner"] == [source.owner]


def test_message_is_kept_with_what_it_made(hub, inbox, source):
    _give(hub, inbox, raw := _adt())

    kept = _kept(hub, source, raw)
    assert (kept.state, kept.event, kept.raw) == ("applied", "ADT^A08", raw)
    assert [made.split("/")[0] for made in kept.made] == ["Patient", "Provenance"]
    assert kept.made[0] == f"Patient/{kept.patient}"


def test_same_message_again_changes_nothing_and_has_the_same_answer(hub, inbox):
    first = _give(hub, inbox, _adt())
    before = hub.run(_records(hub.server.store))

    assert _give(hub, inbox, _adt()) == first
    assert hub.run(_records(hub.server.store)) == before


def test_same_message_on_two_connections_is_applied_once(hub, inbox, ids):
    other = replace(inbox, lanes=type(inbox.lanes)())

    async def both():
        return await asyncio.gather(inbox.receive(_adt(), "a"), other.receive(_adt(), "b"))

    one, two = hub.run(both())
    assert one == two
    types = [key.type for key in hub.run(_records(hub.server.store))]
    assert types.count("Provenance") == 1


def test_content_fault_is_answered_ae_and_kept_with_its_reason(hub, inbox, source):
    answer = _give(hub, inbox, raw := _adt(pid="PID|||||张三\r"))

    kept = _kept(hub, source, raw)
    assert _code(answer) == "AE"
    assert (kept.state, kept.reason.code, kept.reason.location) == ("failed", "101", "PID^1^3")
    assert _resources(hub) == {}


def test_bytes_that_do_not_decode_are_answered_and_kept(hub, inbox, source):
    raw = _MSH.format("ADT^A08", "1").replace("2.5\r", "2.5||||||ASCII\r").encode() + b"PID|\xff\r"

    answer = _give(hub, inbox, raw)

    assert _code(answer) == "AE"
    assert _kept(hub, source, raw).raw == raw


@pytest.mark.parametrize("raw", [b"", b"hello", b"\xff\xfe\x00", b"MSH|^~\\&|HIS|WHO\r"])
def test_stranger_is_refused_and_nothing_is_kept(raw, hub, inbox):
    assert _code(_give(hub, inbox, raw)) == "AR"
    assert hub.run(_records(hub.server.store)) == {}


def test_fault_of_ours_is_answered_ar_and_nothing_is_kept(hub, inbox):
    class Broken:
        def __getattr__(self, name):
            raise Busy("the disk is full")

    broken = replace(inbox, server=replace(hub.server, store=Broken()))

    assert _code(_give(hub, broken, _adt())) == "AR"


@pytest.mark.parametrize(("name", "code"), [("h1", "AE"), ("feed", "AE"), ("analyser", "AA")])
def test_what_a_source_sends_meets_the_profile_demanded_of_it(hub, inbox, name, code):
    """A rule names a source of messages as it names a client."""
    profile = "http://hl7.org/fhir/StructureDefinition/bodyheight"
    rule = Rule(source=name, type="Observation", profile=profile)
    checks = Checks(rules={(rule.source, rule.type): rule})
    demanding = replace(inbox, server=replace(hub.server, checks=checks))

    assert _code(_give(hub, demanding, _golden("oru-r01-laboratory"))) == code


def test_lost_race_is_tried_again(hub, inbox):
    class Racing:
        """Loses the first race, as if another process had been faster."""

        def __init__(self, store):
            self.store, self.lost = store, False

        def __getattr__(self, name):
            return getattr(self.store, name)

        async def commit(self, writes):
            if not self.lost:
                self.lost = True
                raise PreconditionFailed("changed meanwhile")
            return await self.store.commit(writes)

    racing = replace(inbox, server=replace(hub.server, store=Racing(hub.server.store)))

    assert _code(_give(hub, racing, _adt())) == "AA"


def test_resource_that_breaks_a_rule_is_a_content_fault(hub, inbox, source):
    class Strict:
        def validate(self, resource, level, profiles, *, warnings):
            return [Issue("invalid", "not like this", f"{resource['resourceType']}.x")]

    strict = replace(inbox, server=replace(hub.server, validator=Strict()))
    raw = _adt("2", pid="PID|||8^^^H1\r")

    assert _code(_give(hub, strict, raw)) == "AE"
    assert _kept(hub, source, raw, "2").reason.text.startswith("Patient.x not like this")


def test_event_that_is_passed_over_is_kept_so(hub, inbox, source):
    lenient = replace(inbox, sources=(replace(source, unsupported="ignore"),))
    raw = _adt(event="ADT^A02")

    assert _code(_give(hub, lenient, raw)) == "AA"
    assert _kept(hub, source, raw).state == "passed"


def test_silence_is_kept_where_it_is_asked_for(hub, inbox, source):
    quiet = replace(inbox, sources=(replace(source, mode="enhanced"),))
    raw = _adt().replace(b"|2.5\r", b"|2.5|||NE|NE\r")

    assert (_give(hub, quiet, raw), _give(hub, quiet, raw)) == (None, None)


def test_answer_is_in_the_charset_of_the_message(hub, inbox):
    raw = _golden("adt-a03-discharge").replace(b"HIS", "中医科".encode("gb18030"))

    assert "中医科" in _give(hub, inbox, raw).decode("gb18030")


def test_applications_tell_sources_of_one_facility_apart(hub, inbox, source):
    his = replace(source, name="his", applications=frozenset({"HIS"}))
    lis = replace(source, name="lis", applications=frozenset({"LIS"}))
    both = replace(inbox, sources=(lis, his))

    _give(hub, both, raw := _adt())

    assert _kept(hub, his, raw).source == "his"


def test_every_answer_is_counted(hub, inbox):
    counts = []
    counting = replace(inbox, counted=lambda *labels: counts.append(labels))

    _give(hub, counting, _adt())
    _give(hub, counting, _adt("2", pid="PID\r"))

    assert counts == [("h1", "AA"), ("h1", "AE")]


def test_story_ends_the_same_in_any_order(make_hub, source, ids):
    names = ["adt-a01-inpatient", "oru-r01-laboratory", "oru-r01-correction", "adt-a03-discharge"]
    ends = []
    for order in (names, names[::-1], [names[2], names[0], names[3], names[1]]):
        hub = make_hub()
        inbox = Inbox(hub.server, (source,), ids)
        assert [_code(_give(hub, inbox, _golden(name))) for name in order] == ["AA"] * 4
        ends.append(_resources(hub))

    assert ends[0] == ends[1] == ends[2]


def test_patients_messages_are_applied_one_after_the_other(hub, inbox):
    raws = [_golden(name) for name in ("adt-a01-inpatient", "adt-a03-discharge")] + [
        _adt(str(number), pid=f"PID|||{number}^^^H1\r") for number in range(20)
    ]

    async def all_at_once():
        return await asyncio.gather(*(inbox.receive(raw, "x") for raw in raws))

    assert {_code(answer) for answer in hub.run(all_at_once())} == {"AA"}


def test_message_goes_from_the_socket_to_the_record(hub, inbox):
    async def play():
        listener = Listener(inbox.receive)
        port = await listener.start("127.0.0.1", 0)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        raw = encode(_golden("adt-a01-inpatient"))
        writer.write(raw[:700])
        await writer.drain()
        writer.write(raw[700:])
        answer = await reader.readuntil(b"\x1c\r")
        writer.close()
        await listener.close()
        return answer

    [frame] = Decoder().feed(hub.run(play()))
    assert _code(frame.content) == "AA"
    assert "Encounter" in {key.type for key in _resources(hub)}


class TestReplay:
    """A message that failed is corrected by a person and applied."""

    BROKEN = _adt(pid="PID|||||张三\r")

    @pytest.fixture
    def replay(self, hub, inbox, source):
        answer = _give(hub, inbox, self.BROKEN)
        id = message_id(source, "1", self.BROKEN)
        by = feed_caller(source, hub.clock())
        assert _code(answer) == "AE"
        return lambda text=None, id=id: hub.run(inbox.replay(id, text, by))

    def test_corrected_message_is_applied(self, replay, hub):
        done = replay(_adt().decode().replace("\r", "\r\n"))

        assert (done.state, done.reason, len(done.corrections)) == ("applied", None, 1)
        assert [key.type for key in _resources(hub)] == ["Patient"]

    def test_original_and_its_answer_are_kept(self, replay, hub, inbox, source):
        first = _kept(hub, source, self.BROKEN)
        replay(_adt().decode())

        kept = _kept(hub, source, self.BROKEN)
        assert (kept.raw, kept.acknowledgement) == (self.BROKEN, first.acknowledgement)
        assert _give(hub, inbox, self.BROKEN) == first.acknowledgement

    def test_correction_that_is_none_says_what_is_wrong_now(self, replay):
        done = replay(_adt(pid="PID|||7" + "|" * 26 + "昨天\r").decode())

        assert (done.state, done.reason.location) == ("failed", "PID^1^29")

    def test_message_is_replayed_as_it_is_after_the_source_was_set_right(self, replay):
        assert replay().state == "failed"

    def test_applied_message_is_not_replayed(self, replay):
        replay(_adt().decode())

        with pytest.raises(Conflict):
            replay(_adt().decode())

    def test_unknown_message_is_not_found(self, replay):
        with pytest.raises(NotFound):
            replay(id="nobody")
