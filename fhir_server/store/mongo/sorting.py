"""The order of results along indexes, or computed where there is none.

`store.order` says what the order is.

1. The default order, `_id`, `_lastUpdated` and the main date of a type (table MAIN) are walked
   along an index, from the place where the page before ended.
2. Any other order, and any of several keys, is computed for all that match and cut off: its cost
   grows with the matches, and the deadline of the query bounds it.
3. So is every order of what a condition that is few leads to.
"""

from collections.abc import AsyncGenerator, Mapping

from fhir_server.model import Query, Sort, Value
from fhir_server.store import order
from fhir_server.store.mongo.condition import NEVER, Filter
from fhir_server.store.mongo.documents import Doc
from fhir_server.store.mongo.logic import both, either
from fhir_server.store.mongo.measure import measured
from fhir_server.store.mongo.plan import DEFAULT, Plan
from fhir_server.store.mongo.reader import Keys, Reader

MAIN: Mapping[str, str] = {
    "AllergyIntolerance": "date",
    "Appointment": "date",
    "AuditEvent": "date",
    "CarePlan": "date",
    "Claim": "created",
    "ClinicalImpression": "date",
    "Communication": "sent",
    "CommunicationRequest": "authored",
    "Composition": "date",
    "Condition": "recorded-date",
    "Consent": "date",
    "DeviceRequest": "authored-on",
    "DiagnosticReport": "date",
    "DocumentReference": "date",
    "Encounter": "date",
    "EpisodeOfCare": "date",
    "ExplanationOfBenefit": "created",
    "Flag": "date",
    "Goal": "start-date",
    "ImagingStudy": "started",
    "Immunization": "date",
    "List": "date",
    "Media": "created",
    "MedicationAdministration": "effective-time",
    "MedicationDispense": "whenhandedover",
    "MedicationRequest": "authoredon",
    "MedicationStatement": "effective",
    "Observation": "date",
    "Patient": "birthdate",
    "Procedure": "date",
    "Provenance": "recorded",
    "QuestionnaireResponse": "authored",
    "RiskAssessment": "date",
    "Schedule": "date",
    "ServiceRequest": "authored",
    "Slot": "start",
    "Specimen": "collected",
    "Task": "authored-on",
    "audit": "date",
}
"""Type -> the one parameter by which its records are kept in order."""

_INDEXES = {None: DEFAULT, "_id": "_id_", "at": "updated", "lo": "lowest", "hi": "highest"}
_LOWEST_NUMBER = float("-inf")


def field_of(main: str | None, sort: Sort) -> str | None:
    """Return the indexed field that a key sorts along; None: there is none."""
    if sort.by:
        return None
    match sort.param:
        case "_id":
            return "_id"
        case "_lastUpdated":
            return "at"
        case param if param == main:
            return "hi" if sort.descending else "lo"
    return None


class Ordered:
    """Streams the records of a query in its order, behind the place where it begins."""

    def __init__(self, query: Query, main: str | None, *, collects: bool = False) -> None:
        """Take the query, and the main date of its type; where it `collects`, no index of another
        order than the default one is gone along."""
        self._query = query
        self._fields = [field_of(main, sort) for sort in query.sort]
        down = bool(query.sort and query.sort[0].descending)
        self._sign = -1 if down != query.back else 1
        self._is_computed = len(self._fields) > 1 or None in self._fields
        self._is_computed = self._is_computed or (collects and bool(self._fields))

    @property
    def index(self) -> str | None:
        """The index that is in this order; None: it is computed."""
        return None if self._is_computed else _INDEXES[self._fields[0] if self._fields else None]

    async def stream(
        self, r: Reader, plan: Plan, fields: Doc, limit: int
    ) -> AsyncGenerator[Doc, None]:
        """Yield the records that satisfy the plan, at most `limit` of them if it is not 0."""
        field = self._fields[0] if self._fields else None
        if self._is_computed or (field and plan.lead is not None and plan.lead.is_few):
            cursor = await r.aggregate(self._computed(plan.where, fields, limit), plan.hint)
            async for doc in cursor:
                yield doc
            return
        shown = fields if field is None else {**fields, field: 1}
        sent = 0
        for part in self._parts(field):
            cut = limit - sent if limit else 0
            found = both((plan.where, part))
            order = self._keys(field)
            async for doc in r.find(found, shown, order=order, limit=cut, hint=plan.hint):
                sent += 1
                yield doc
            if limit and sent >= limit:
                return

    def place(self, doc: Doc) -> order.Place:
        """Return the place of a record that was streamed."""
        values: list[Value | None] = []
        for n, (sort, name) in enumerate(zip(self._query.sort, self._fields, strict=True)):
            value = doc.get(f"k{n}", doc.get(name) if name else None)
            values.append(doc["_id"].partition("/")[2] if sort.param == "_id" else value)
        return tuple(_plain(value) for value in (*values, doc["pid"], doc["n"]))

    def _keys(self, field: str | None) -> Keys:
        names = ("pid", "n") if field is None else (field, "pid", "n")
        return [("_id", self._sign)] if field == "_id" else [(name, self._sign) for name in names]

    def _parts(self, field: str | None) -> list[Filter]:
        """Return stretches of the index, one after the other, that are all behind `after`."""
        after, up = self._query.after, self._sign > 0
        if field is None:
            return [{}] if after is None else _behind(*after, up=up)
        if field == "_id":
            return self._ids(after)
        back = self._query.back
        nothing, something = {field: {"$eq": None}}, {field: {"$ne": None}}
        if after is None:
            return [nothing, something] if back else [something, nothing]
        value, *rest = after
        same: Filter = {field: {"$eq": value}}
        parts = [both((same, part)) for part in _behind(*rest, up=up)]
        if value is None:
            return [*parts, something] if back else parts
        return [*parts, *_beyond(field, value, up=up), *([] if back else [nothing])]

    def _ids(self, after: order.Place | None) -> list[Filter]:
        type, up = self._query.type, self._sign > 0
        low, high = f"{type}/", f"{type}0"  # '0' comes right behind '/'
        if after is None:
            return [{"_id": {"$gt": low, "$lt": high}}]
        value, pid, n = after
        place = f"{type}/{value}"
        # The place may be right beside a record, or that of an equal id of another type.
        same = both(({"_id": {"$eq": place}}, either(_behind(pid, n, up=up))))
        return [same, {"_id": {"$gt": place, "$lt": high} if up else {"$gt": low, "$lt": place}}]

    def _computed(self, where: Filter, fields: Doc, limit: int) -> list[Doc]:
        sorts = self._query.sort
        keys: Doc = {}
        order: Doc = {}
        for n, (sort, name) in enumerate(zip(sorts, self._fields, strict=True)):
            keys[f"k{n}"] = {"$ifNull": [f"${name}" if name else _value(sort), None]}
            down = sort.descending != self._query.back
            order |= {f"none{n}": -1 if self._query.back else 1, f"k{n}": -1 if down else 1}
        nones = {f"none{n}": {"$eq": [f"$k{n}", None]} for n in range(len(sorts))}
        stages: list[Doc] = [{"$match": where}, {"$set": keys}]
        if self._query.after is not None:
            stages.append({"$match": _later(self._query, self._query.after, self._sign > 0)})
        stages += [{"$set": nones}, {"$sort": {**order, "pid": self._sign, "n": self._sign}}]
        stages += [{"$limit": limit}] if limit else []
        return [*stages, {"$project": {**fields, **dict.fromkeys(keys, 1)}}]


def _plain(value: Value | None) -> Value | None:
    # Long integers come as a class of the driver's own, which no encoder knows.
    return int(value) if isinstance(value, int) else value


def _behind(pid: Value | None, n: Value | None, *, up: bool) -> list[Filter]:
    more = "$gt" if up else "$lt"
    return [{"pid": {"$eq": pid}, "n": {more: n}}, {"pid": {more: pid}}]


def _beyond(field: str, value: Value, *, up: bool) -> list[Filter]:
    """Return what lies beyond a value, in order: MongoDB compares within one kind alone."""
    text = isinstance(value, str)
    if up:
        return [{field: {"$gt": value}}, *([] if text else [{field: {"$gte": ""}}])]
    return [{field: {"$lt": value}}, *([{field: {"$gte": _LOWEST_NUMBER}}] if text else [])]


def _later(query: Query, after: order.Place, up: bool) -> Filter:
    """Return the condition that a computed place comes after `after`."""
    *values, pid, n = after
    condition = either(_behind(pid, n, up=up))
    for place, (sort, given) in reversed(list(enumerate(zip(query.sort, values, strict=True)))):
        field, beyond = f"k{place}", NEVER
        value = f"{query.type}/{given}" if sort.param == "_id" else given
        if value is not None:
            farther = _beyond(field, value, up=sort.descending == query.back)
            beyond = either([*farther, *([] if query.back else [{field: {"$eq": None}}])])
        elif query.back:
            beyond = {field: {"$ne": None}}
        condition = either([beyond, both([{field: {"$eq": value}}, condition])])
    return condition


def _value(sort: Sort) -> Doc:
    """Return a record's value under a key; the parameter's name stands as text, never as a path."""
    if sort.by:
        return measured(sort.by)
    mine = {"$in": ["$$each.p", {"$literal": list(sort.params)}]}
    if sort.written:
        mine = {"$and": [mine, {"$gt": ["$$each.w", ""]}]}
    found = {"$filter": {"input": "$e", "as": "each", "cond": mine}}
    return {"$max" if sort.descending else "$min": {
        "$map": {"input": found, "as": "each", "in": "$$each.v"}
    }}  # fmt: skip
