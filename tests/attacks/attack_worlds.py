"""Two worlds: A holds everything, B lacks what one caller may not see. Every answer must be equal.

What is visible is found naively here: each record is evaluated one by one, by the predicate that
`decide` gives, against all grants. Whatever else the hub does (joins, pages, totals, includes,
conditional writes) is held against that.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from hypothesis import strategies as st

from conformance.definitions import SearchParameter
from fhir_server.authz.caller import Caller
from fhir_server.authz.decide import Deny, decide
from fhir_server.authz.grant import FOREVER, Clause, Grant, Rule
from fhir_server.authz.scopes import Scope
from fhir_server.interactions.index import indexing_writes
from fhir_server.interactions.write import derived
from fhir_server.model import Key, Version, Write
from fhir_server.search.defined import Defined
from fhir_server.search.evaluate import Plain, Plainly, authorizable, evaluate
from fhir_server.search.indexing import Indexing

START = 1_700_000_000_000
OWNERS = ("hospital", "clinic", "elsewhere")
PATIENTS = ("p1", "p2", "p3")

RULES = (
    Rule("clinic", "TREAT", (Clause(types=("Observation", "Patient")),)),
    Rule("clinic", "TREAT", (Clause(types=("Condition",), codes=(("urn:c", "I1", False),)),)),
    Rule("elsewhere", "TREAT", (Clause(types=("Encounter", "Group", "Task")),)),
)

Json = dict[str, Any]


@dataclass(frozen=True)
class Item:
    """One record through its versions; `deleted` ends with a tombstone."""

    key: Key
    owner: str
    versions: tuple[Json, ...]
    deleted: bool = False


@dataclass(frozen=True)
class World:
    """What there is, besides the organizations and practitioners that all may see."""

    items: tuple[Item, ...]
    grants: tuple[Grant, ...]


# Callers


def _staff(organization: str, duty: str = "physician") -> Caller:
    return Caller(
        "staff",
        f"{duty}-{organization}",
        person=f"Practitioner/{organization}",
        role=organization,
        duty=duty,
        organization=organization,
        organizations=frozenset((organization,)),
        scopes=(Scope("user", "*", "cruds"),),
        rules=tuple(rule for rule in RULES if rule.recipient == organization),
    )


CALLERS = {
    "clinic": _staff("clinic"),
    "hospital": _staff("hospital"),
    "elsewhere": _staff("elsewhere"),
    "registrar": _staff("clinic", "registrar"),
    "patient": Caller(
        "patient",
        "li",
        person="Patient/p1",
        patient="p1",
        scopes=(Scope("patient", "*", "cruds"),),
    ),
    "in context": replace(_staff("clinic"), patient="p1", scopes=(Scope("patient", "*", "cruds"),)),
    "feed": Caller(
        "feed",
        "client.his",
        organization="clinic",
        organizations=frozenset(("clinic",)),
        client="his",
        scopes=(Scope("system", "*", "cruds"),),
    ),
    "auditor": Caller("auditor", "auditor", scopes=(Scope("user", "*", "cruds"),)),
}


# Resources

INSIDE = "in"
"""A doctor who is contained in the resource."""


def reference(text: str) -> Json:
    return {"reference": text}


def concept(code: str) -> Json:
    return {"coding": [{"system": "urn:c", "code": code}]}


def patient(id: str, family: str = "Li", identifier: str = "1", doctor: str = "") -> Json:
    made: Json = {
        "resourceType": "Patient",
        "id": id,
        "name": [{"family": family}],
        "identifier": [{"system": "urn:s", "value": identifier}],
    }
    if doctor:
        made["generalPractitioner"] = [reference(f"Practitioner/{doctor}")]
    return made


def condition(id: str, subject: str, code: str = "I10") -> Json:
    return {
        "resourceType": "Condition",
        "id": id,
        "code": concept(code),
        "subject": reference(f"Patient/{subject}"),
    }


def encounter(
    id: str, subject: str, kind: str = "AMB", diagnosis: str = "", within: str = ""
) -> Json:
    made: Json = {
        "resourceType": "Encounter",
        "id": id,
        "status": "finished",
        "class": {"system": "urn:class", "code": kind},
        "subject": reference(f"Patient/{subject}"),
    }
    near = f"Location/{'near' if kind == 'AMB' else 'far'}"
    made["location"] = [{"location": reference(near)}]
    if diagnosis:
        made["diagnosis"] = [{"condition": reference(f"Condition/{diagnosis}")}]
    if within:
        made["partOf"] = reference(f"Encounter/{within}")
    return made


def answered(id: str, subject: str, version: str = "") -> Json:
    return {
        "resourceType": "QuestionnaireResponse",
        "id": id,
        "status": "completed",
        "questionnaire": f"http://acme.org/q{version and '|'}{version}",
        "subject": reference(f"Patient/{subject}"),
    }


def observation(
    id: str, subject: str, code: str = "bp", value: int = 1, within: str = "", doctor: str = ""
) -> Json:
    made: Json = {
        "resourceType": "Observation",
        "id": id,
        "status": "final",
        "code": concept(code),
        "valueQuantity": {"value": value, "unit": "x"},
        "effectiveDateTime": f"2026-01-0{value}",
        "subject": reference(f"Patient/{subject}"),
    }
    if code == "bp":
        made["code"] = concept(code) | {"text": "Blood pressure"}
    said = "".join(f"<p>{code} {code}</p>" for _ in range(value))
    div = f'<div xmlns="http://www.w3.org/1999/xhtml">{said}</div>'
    made["text"] = {"status": "generated", "div": div}
    if within:
        made["encounter"] = reference(f"Encounter/{within}")
    if doctor == INSIDE:
        made["contained"] = [practitioner("in", "Sun")]
        made["performer"] = [reference("#in")]
    elif doctor:
        made["performer"] = [reference(f"Practitioner/{doctor}")]
    return made


def group(id: str, members: Sequence[str]) -> Json:
    return {
        "resourceType": "Group",
        "id": id,
        "type": "person",
        "actual": True,
        "member": [{"entity": reference(f"Patient/{each}")} for each in members],
    }


def list_of(id: str, about: str, *items: str) -> Json:
    made: Json = {
        "resourceType": "List",
        "id": id,
        "status": "current",
        "mode": "working",
        "entry": [{"item": reference(each)} for each in items],
    }
    return made | ({"subject": reference(f"Patient/{about}")} if about else {})


def task(id: str, subject: str, owner: str) -> Json:
    return {
        "resourceType": "Task",
        "id": id,
        "status": "requested",
        "intent": "order",
        "for": reference(f"Patient/{subject}"),
        "owner": reference(f"Organization/{owner}"),
    }


QUESTIONNAIRE: Json = {
    "resourceType": "Questionnaire",
    "id": "q",
    "url": "http://acme.org/q",
    "version": "1",
    "title": "Health",
    "status": "active",
}
VALUE_SET: Json = {
    "resourceType": "ValueSet",
    "id": "v",
    "url": "http://acme.org/v",
    "status": "active",
    "compose": {"include": [{"system": "urn:c", "concept": [{"code": "bp"}, {"code": "I10"}]}]},
}


def practitioner(id: str, family: str) -> Json:
    return {"resourceType": "Practitioner", "id": id, "name": [{"family": family}]}


def location(id: str, latitude: int) -> Json:
    position = {"latitude": latitude, "longitude": 121}
    return {"resourceType": "Location", "id": id, "position": position}


DIRECTORY = (
    Item(Key("Location", "near"), "hospital", (location("near", 31),)),
    Item(Key("Location", "far"), "hospital", (location("far", 41),)),
    Item(Key("Practitioner", "d1"), "hospital", (practitioner("d1", "Zhao"),)),
    Item(Key("Practitioner", "d2"), "clinic", (practitioner("d2", "Qian"),)),
    Item(Key("Questionnaire", "q"), "hospital", (QUESTIONNAIRE,)),
    Item(Key("ValueSet", "v"), "hospital", (VALUE_SET,)),
)


def item(resource: Json, owner: str, *later: Json, deleted: bool = False) -> Item:
    key = Key(resource["resourceType"], resource["id"])
    return Item(key, owner, (resource, *later), deleted)


def _drawn(make: Callable[[], st.SearchStrategy[Json]]) -> st.SearchStrategy[Item]:
    def with_owner(pair: tuple[Json, Json, str, bool, bool]) -> Item:
        first, second, owner, twice, deleted = pair
        return item(first, owner, *((second,) if twice else ()), deleted=deleted)

    rarely = st.integers(0, 4).map(lambda n: n == 4)
    return st.tuples(make(), make(), st.sampled_from(OWNERS), rarely, rarely).map(with_owner)


def _one_of(*values: str) -> st.SearchStrategy[str]:
    return st.sampled_from(values)


_SUBJECT = _one_of(*PATIENTS)


def _items() -> st.SearchStrategy[tuple[Item, ...]]:
    kinds: list[st.SearchStrategy[Item]] = []

    def add(make: Callable[..., Json], id: str, **parts: st.SearchStrategy[Any]) -> None:
        kinds.append(_drawn(lambda: st.builds(make, st.just(id), **parts)))

    for id in PATIENTS:
        add(
            patient,
            id,
            family=_one_of("Li", "Wang"),
            identifier=_one_of("1", "2"),
            doctor=_one_of("", "d1"),
        )
    for id in ("c1", "c2"):
        add(condition, id, subject=_SUBJECT, code=_one_of("I10", "E11"))
    for id in ("e1", "e2"):
        add(
            encounter,
            id,
            subject=_SUBJECT,
            kind=_one_of("AMB", "IMP"),
            diagnosis=_one_of("", "c1", "c2"),
            within=_one_of("", "e1", "e2"),
        )
    for id in ("r1", "r2"):
        add(answered, id, subject=_SUBJECT, version=_one_of("", "1", "2"))
    for id in ("o1", "o2", "o3", "o4"):
        add(
            observation,
            id,
            subject=_SUBJECT,
            code=_one_of("bp", "glu"),
            value=st.integers(1, 3),
            within=_one_of("", "e1", "e2"),
            doctor=_one_of("", "d1", INSIDE),
        )
    add(group, "g1", members=st.lists(_SUBJECT, min_size=1, max_size=2, unique=True))
    for id in ("l1", "l2"):
        add(
            lambda id, about, items: list_of(id, about, *items),
            id,
            about=_one_of("", *PATIENTS),
            items=st.lists(_one_of("Patient/p1", "Patient/p2", "Observation/o1", "Condition/c1",
                                   "Observation/o2/_history/1"), max_size=3),
        )  # fmt: skip
    add(task, "t1", subject=_SUBJECT, owner=_one_of("clinic", "elsewhere"))
    return st.tuples(*kinds)


_GRANTS = st.lists(
    st.builds(
        lambda patient, recipient, by, over, number: Grant(
            patient,
            recipient,
            f"Consent/{number}",
            start=0,
            until=START if over else FOREVER,
            rule=by.id if isinstance(by, Rule) else "",
            resources=() if isinstance(by, Rule) else (by,),
        ),
        _SUBJECT,
        _one_of("clinic", "elsewhere"),
        st.sampled_from((*RULES, "Task/t1", "Patient/p2", "Observation/o1", "Group/g1", "List/l1")),
        st.integers(0, 4).map(lambda n: n == 4),
        st.integers(1, 9),
    ),
    max_size=5,
)

WORLDS = st.builds(World, _items(), _GRANTS.map(tuple))


# Building


def _defined(code: str, kind: str, expression: str, *targets: str) -> Defined:
    base = expression.partition(".")[0]
    url = f"http://example.org/{code}"
    return Defined(code, SearchParameter(code, kind, (base,), expression, targets, (), url))  # type: ignore[arg-type]  # a kind is named


_DEFINED = Indexing(
    edition=1,
    parameters=(
        _defined("spoken", "string", "Patient.name.family"),
        _defined("whom", "reference", "Observation.subject", "Patient"),
    ),
)
"""Parameters of users, by which all records are indexed."""


async def build(hub: Any, world: World, keep: Callable[[Item], bool]) -> None:
    """Write a world; both worlds meet patients in one order and each record at one time."""
    store, clock = hub.server.store, hub.clock
    clock.now = START
    numbering = [Grant(each, "nobody", "Consent/0", 0, until=1).write() for each in PATIENTS]
    grants = {grant.id: grant.write() for grant in world.grants}
    rules = {write.key: write for rule in RULES for write in rule.writes()}
    await store.commit([*numbering, *rules.values(), *grants.values()])
    await store.commit(indexing_writes(_DEFINED, 0))
    await hub.server.index.refresh()
    for place, made in enumerate((*DIRECTORY, *world.items)):
        clock.now = START + 10_000 * (place + 1)
        for write in writes(hub, made) if made in DIRECTORY or keep(made) else ():
            clock.now += 1000
            await store.commit([write])
    clock.now = START + 10_000_000


def writes(hub: Any, made: Item) -> list[Write]:
    """Return the writes of a record's versions."""
    found: list[Write] = []
    before: Version | None = None
    for resource in made.versions:
        write = derived(hub.server, made.key, dict(resource), before, made.owner)
        found.append(write)
        before = as_version(write, len(found))
    if made.deleted:
        last = found[-1]
        found.append(
            Write(
                made.key,
                None,
                auth=last.auth,
                patients=last.patients,
                method="DELETE",
                expect=len(found),
            )
        )
    return found


def as_version(write: Write, vid: int) -> Version:
    return Version(write.key, vid, 0, write.body, write.method, write.auth, write.patients)


def visible(hub: Any, world: World, caller: Caller, made: Item) -> bool:
    """Say naively whether the caller may see a record in its latest state."""
    decision = decide(caller, made.key.type, "read")
    if isinstance(decision, Deny):
        return False
    grants = [
        replace_entries(as_version(write, 1), write)
        for write in (grant.write() for grant in world.grants)
    ]
    last = writes(hub, made)[-1]
    record = Plain(made.key, 0, last.auth, last.patients)
    return evaluate(decision.where, record, Plainly(grants), caller.now)


def replace_entries(version: Version, write: Write) -> Plain:
    plain = authorizable(version)
    return Plain(plain.key, plain.updated, write.entries, plain.patients)


# Asking


@dataclass(frozen=True)
class Ask:
    """One request, free of a world."""

    method: str
    path: str
    body: Any = None
    headers: tuple[tuple[str, str], ...] = field(default=())


_CURSOR = re.compile(r"_cursor=[^&\"]*")
_REQUEST = re.compile(r"request [A-Za-z0-9]+")


async def answers(hub: Any, asks: Iterable[Ask]) -> list[tuple[Any, ...]]:
    """Return the normalised answers, following the links to what is included and to the next page
    to the end."""
    found: list[tuple[Any, ...]] = []
    for ask in asks:
        pages: list[Any] = []
        answer = await hub.ask(ask.method, ask.path, ask.body, by="P", headers=dict(ask.headers))
        assert answer.status_code != 500, answer.text
        links = [*following(answer, "last"), *following(answer)]
        pages.append(normal(answer))
        while links and len(pages) < 60:
            answer = await hub.ask("GET", links.pop(), by="P", headers=dict(ask.headers))
            assert answer.status_code != 500, answer.text
            pages.append(normal(answer))
            links += following(answer)
        found.append((ask.method, ask.path, pages))
    return found


def normal(answer: Any) -> tuple[Any, ...]:
    """Return what an answer tells, without what differs anyway: cursors."""
    text = _CURSOR.sub("_cursor=…", answer.text)
    told = ("ETag", "Last-Modified", "Location", "Content-Type", "Allow")
    return answer.status_code, text, [answer.headers.get(name) for name in told]


def following(answer: Any, *relations: str) -> list[str]:
    if answer.status_code != 200 or '"relation"' not in answer.text:
        return []
    links = {link["relation"]: link["url"] for link in answer.json().get("link", ())}
    return [links[relation] for relation in relations or ("next", "related") if relation in links]


def _all_keys(world: World) -> list[Key]:
    return [made.key for made in world.items] + [Key("Patient", "nobody")]


def reads(world: World) -> list[Ask]:
    """Ask for each record there is in A, for its versions and its history."""
    return [
        Ask("GET", f"{key}{rest}")
        for key in _all_keys(world)
        for rest in ("", "/_history/1", "/_history/2", "/_history", "/_history?_count=1")
    ] + [Ask("GET", path) for path in _PASTS]


_PASTS = (
    "_history",
    "_history?_count=2&_sort=_lastUpdated",
    "Patient/_history?_count=1",
    "Observation/_history?_count=2",
    "Task/_history?_at=2026",
)


_SHAPES = """
Patient
Patient?name=li
Patient?family=Wang&_total=accurate&_count=1
Patient?identifier=urn:s|1
Patient?identifier=urn:s|1&_summary=count
Patient?_id=p1,p2,p3,nobody
Patient?_lastUpdated=gt2020-01-01&_count=1
Patient?_sort=family,-_id&_count=1
Patient?_sort=-_lastUpdated&_count=2&_total=accurate
Patient?general-practitioner.family=zhao
Patient?general-practitioner=Practitioner/d1
Patient?name:missing=false
Patient?family:not-there=1
Patient?_has:Observation:patient:code=urn:c|bp
Patient?_has:Observation:subject:value-quantity=gt2
Patient?_has:Condition:subject:code=I10
Patient?_has:Group:member:_id=g1
Patient?_has:Task:patient:status=requested
Patient?_has:Encounter:patient:_has:Observation:encounter:code=glu
Patient?_has:Encounter:patient:diagnosis:Condition.code=I10
Patient?_revinclude=Observation:patient
Patient?_revinclude=Observation:subject&_revinclude=Encounter:subject&_count=1
Patient?_revinclude=Group:member&_revinclude:iterate=Observation:encounter
Patient?_include=Patient:general-practitioner
Observation
Observation?code=bp
Observation?code:not=bp
Observation?value-quantity=gt1
Observation?date=ge2026-01-02&_sort=-date&_count=1
Observation?patient=p1
Observation?patient=Patient/p2&_summary=count
Observation?subject=Patient/p3,Patient/p1
Observation?patient.family=Li
Observation?subject:Patient.identifier=urn:s|2&_summary=count
Observation?patient.general-practitioner.family=zhao
Observation?encounter.class=AMB
Observation?encounter:Encounter.diagnosis:Condition.code=I10
Observation?encounter.patient.family=Wang
Observation?encounter:missing=true
Observation?_include=Observation:patient
Observation?_include=Observation:encounter&_include:iterate=Encounter:diagnosis
Observation?_include=Observation:*&_count=1
Observation?performer.family=zhao
Observation?combo-code-value-quantity=bp$gt1
Practitioner?_has:Observation:performer:code=bp
Practitioner?_has:Patient:general-practitioner:family=Li
Practitioner?_revinclude=Observation:performer
Encounter?diagnosis.code=E11
Encounter?class=IMP&_include=Encounter:subject
Encounter?_has:Observation:encounter:value-quantity=3
Encounter?patient.name=wang&_sort=_id
Encounter?part-of:below=e1
Observation?encounter:below=Encounter/e1
Observation?encounter:above=Encounter/e2&_summary=count
Observation?code:in=ValueSet/v&patient.family=Li
Condition?code:not-in=http://acme.org/v
Patient?_has:Condition:subject:code:in=ValueSet/v
QuestionnaireResponse?questionnaire.title=health
QuestionnaireResponse?questionnaire:Questionnaire.status=active&_include=QuestionnaireResponse:questionnaire
Questionnaire?_has:QuestionnaireResponse:questionnaire:status=completed
Questionnaire?_has:QuestionnaireResponse:questionnaire:subject:Patient.family=Li
Questionnaire?_revinclude=QuestionnaireResponse:questionnaire
Patient?_filter=name+co+"l"+and+not(_has:Condition:subject:code+eq+I10)
Observation?_filter=patient[name+eq+li].family+eq+li+or+encounter.class+eq+AMB
Observation?_filter=code+in+ValueSet/v+and+value-quantity+gt+1&_summary=count
Encounter?_filter=_has:Observation:encounter:code+eq+bp
Condition?code=urn:c|I10
Condition?_has:Encounter:diagnosis:class=AMB
Condition?patient._has:Observation:patient:code=bp
Condition?_revinclude=Encounter:diagnosis
Group
Group?member=Patient/p1
Group?member:Patient.family=Li
Group?_include=Group:member
Task?patient=p1
Task?owner=Organization/clinic
Task?patient.family=Li&_include=Task:patient
Task?_summary=count
Patient/p1/Observation
Patient/p2/Observation?code=bp&_summary=count
Patient/p3/Encounter?_include=Encounter:diagnosis
Patient/p2/Condition
Patient/p1/Group
Patient/nobody/Observation
Patient/p1/*
Patient/p2/*?_type=Observation,Encounter&_sort=_lastUpdated&_count=1
Patient/p3/*?_summary=count
Encounter/e1/*
Encounter/e2/Observation?code=bp
Encounter/nobody/Observation
Practitioner/d1/*?_count=1
Practitioner/d1/Patient?_total=accurate
?_count=2
?_total=accurate&_count=3&_sort=-_lastUpdated
?_type=Patient,Observation&_count=1
?_type=Observation,Encounter&patient=p1
?_type=Encounter,Condition&patient.family=Wang&_summary=count
?_type=Observation,Condition&code=bp,I10&_include=Observation:encounter
?_type=Condition,Procedure&_has:Encounter:diagnosis:class=AMB&_count=1
?_type=Patient,Group&_sort=-_id&_count=1
?_type=Patient&_revinclude=*
Patient?_revinclude=*&_revinclude:iterate=*&_include:iterate=*
?_id=p1,o1,c1
Observation?performer:Practitioner.family=Sun
Observation?performer.name=sun&_summary=count
Patient?_has:Observation:subject:performer.family=sun
Encounter?_has:Observation:encounter:performer:Practitioner.name=sun
Practitioner?family=Sun&_contained=true&_count=1
Practitioner?family=Sun&_contained=both&_containedType=contained
Practitioner?name=sun,zhao&_contained=both&_summary=count
?_type=Practitioner,Patient&name=sun&_contained=true
Patient?_content=li
Patient?_content=wang&_total=accurate&_count=1
Patient?_content=li,wang&_sort=-_score,_id&_count=1
Patient?_content=-li&_summary=count
Patient?_has:Observation:patient:_content=glu
Patient?_has:Observation:patient:_text:missing=false
Observation?_text=bp
Observation?_text=bp&_sort=-_score&_count=1
Observation?_text="bp+bp"&_sort=_score&_total=accurate&_count=2
Observation?_content=glu&_summary=count
Observation?_content=x&_sort=_score&_count=2
Observation?code:text=pressure
Observation?patient._content=wang
Observation?encounter:Encounter._content=imp
Condition?patient._content=li&_content=i10,e11
?_type=Observation,Condition&_content=bp,i10&_sort=-_score&_count=2
Location?near=31|121|50&_sort=near
Encounter?location.near=31|121|50
Encounter?location.near=31|121|5000&_summary=count
Patient?_has:Encounter:patient:location.near=31|121|50&_total=accurate&_count=1
Patient?_list=l1
?_list=l1,l2&_count=1
Observation?subject:Patient._list=l1&_summary=count
Condition?_list=$current-problems&_count=1
_history?_list=l1
Patient/_history?_list=l2
List?item=Patient/p1
List?_include=List:item&_revinclude=*
AuditEvent?patient=nobody
Patient?spoken=li&_total=accurate
Patient?_sort=spoken&_count=1
Patient?_has:Observation:whom:code=bp
Patient?_revinclude=Observation:whom
Observation?whom.spoken=wang
Observation?whom=p2&_summary=count
Observation?_include=Observation:whom&_count=1
"""

_WORDS = ",".join(f"w{n}" for n in range(20))
_DAYS = ",".join(f"{year}-{month:02}" for year in (2019, 2024) for month in range(1, 13))
_PAIRS = ",".join(f"http://s{n}|c{n}" for n in range(20))
_LONG = f"""
Observation?patient.name=li,{_WORDS}
Observation?patient:Patient.identifier=http://id.example/card|310,{_PAIRS}
Observation?date={_DAYS}&_summary=count
Patient?_has:Observation:patient:date={_DAYS}
Patient?_has:Condition:subject:code=http://hl7.org/fhir/sid/icd-10|I10,{_PAIRS}
Observation?_content=pressure,{_WORDS}
Observation?patient._content=li,{_WORDS}
Observation?code:text=pressure,{_WORDS}&_total=accurate
Observation?code:not={_PAIRS}
Patient?_filter={"not+(" * 20}_has:Observation:patient:code+eq+bp{"+or+gender+eq+male)" * 20}
Observation?_filter={"patient.name+eq+x+or+(" * 20}patient.name+eq+li{"+and+status+ne+x)" * 20}
"""
"""Long lists and deep filters, which stores ask in ways of their own."""

SEARCHES = tuple(Ask("GET", path) for path in (*_SHAPES.split(), *_LONG.split()))
"""Every shape of search that there is."""


def _without_id(resource: Json) -> Json:
    return {name: value for name, value in resource.items() if name != "id"}


def _transaction(*entries: Json, type: str = "transaction") -> Json:
    return {"resourceType": "Bundle", "type": type, "entry": list(entries)}


def _entry(method: str, url: str, resource: Json | None = None, **request: str) -> Json:
    made: Json = {"request": {"method": method, "url": url, **request}}
    return made | ({"resource": resource} if resource else {})


def changes(world: World) -> list[Ask]:
    """Ask to change each record there is in A, and what a hidden one might collide with."""
    new = _without_id(patient("x", identifier="1"))
    criteria = "identifier=urn:s|1"
    by_key = [
        ask
        for made in world.items
        for ask in (
            Ask("PATCH", str(made.key), [{"op": "test", "path": "/id", "value": ""}], _PATCH),
            Ask("PUT", str(made.key), made.versions[0], (("If-Match", 'W/"9"'),)),
        )
        if made.key.id != "t1" or ask.method != "PUT"
    ]
    return [
        *by_key,
        Ask("PUT", "Patient/p2", patient("p2", "Neu")),
        Ask("DELETE", "Observation/o3"),
        Ask("DELETE", "Observation/nobody"),
        *(
            Ask("POST", "Condition", _without_id(condition("x", each)))
            for each in (*PATIENTS, "nobody")
        ),
        Ask("POST", "Group", _without_id(group("x", ("p1", "p2")))),
        Ask("POST", "Patient", new, (("If-None-Exist", criteria),)),
        Ask("POST", "Patient", new, (("If-None-Exist", "_has:Condition:subject:code=E11"),)),
        Ask("POST", "Patient", new, (("If-None-Exist", _HIDDEN_LINK),)),
        Ask("POST", "Patient", new, (("If-None-Exist", "general-practitioner.family=zhao"),)),
        Ask("PUT", "Patient?identifier=urn:s|2", _without_id(patient("x", "Neu", "2"))),
        Ask("PATCH", "Patient?family=Wang", [{"op": "test", "path": "/id", "value": ""}], _PATCH),
        Ask("DELETE", "Observation?code=glu"),
        Ask(
            "POST",
            "",
            _transaction(_entry("POST", "Condition", _with("Patient?identifier=urn:s|2"))),
        ),
        Ask("POST", "", _transaction(_entry("POST", "Patient", new, ifNoneExist=criteria))),
        *(
            Ask(
                "POST",
                "",
                _transaction(
                    _entry(method, f"Patient?{who}", body) | {"fullUrl": _URN},
                    _entry("POST", "Condition", _with(_URN)),
                    _entry("POST", "Condition", _with(f"Patient?{who}")),
                ),
            )
            for who in ("identifier=urn:s|1", "identifier=urn:s|2", "family=Wang")
            for method, body in (
                ("PUT", _without_id(patient("x", "Neu", who[-1]))),
                ("PATCH", _ACTIVE),
            )
        ),
        Ask(
            "POST",
            "",
            _transaction(
                *(_entry("GET", str(key)) for key in _all_keys(world)),
                *(_entry("GET", each.path) for each in SEARCHES[:30]),
                _entry("DELETE", "Observation/o2"),
                _entry("PUT", "Patient/p3", patient("p3", "Neu")),
                _entry("POST", "Patient", new, ifNoneExist=criteria),
                type="batch",
            ),
        ),
        *SEARCHES[:30],
    ]


_URN = "urn:uuid:00000000-0000-4000-8000-000000000001"
_ACTIVE: Json = {
    "resourceType": "Parameters",
    "parameter": [
        {
            "name": "operation",
            "part": [
                {"name": "type", "valueCode": "add"},
                {"name": "path", "valueString": "Patient"},
                {"name": "name", "valueString": "active"},
                {"name": "value", "valueBoolean": True},
            ],
        }
    ],
}
_HIDDEN_LINK = "family=Wang&_has:Condition:subject:code=J45"
_PATCH = (("Content-Type", "application/json-patch+json"),)


def _with(subject: str) -> Json:
    return _without_id(condition("x", "p1")) | {"subject": reference(subject)}
