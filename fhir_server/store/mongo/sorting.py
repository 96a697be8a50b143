"""The order of results along indexes, or computed where there is none.

`store.order` says what the order is.

1. The default order, `_id`, `_lastUpdated` and the main date of a type (table MAIN) are walked
   along an index, from the place where the page before ended.
2. Any other order, and any of several keys, is computed for all that match and cut off. So is
   every order of what a condition that is few leads to.
3. Where too many match for that, what comes first under the first key is computed, segment by
   segment (`segments`). What is alike under that key, or measured, is all computed: its cost grows,
   and the deadline of the query bounds it.
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

from fhir_server.model import Query, Sort, Value
from fhir_server.store import order
from fhir_server.store.mongo.computed import behind, beyond, stages
from fhir_server.store.mongo.condition import Filter
from fhir_server.store.mongo.documents import Doc
from fhir_server.store.mongo.logic import both, either
from fhir_server.store.mongo.plan import DEFAULT, Plan, is_much, led_by
from fhir_server.store.mongo.reader import Keys, Reader
from fhir_server.store.mongo.segments import is_cut, sampled, segments

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


@dataclass(frozen=True, slots=True)
class _Computed:
    """What satisfies `where` besides, and of which the first key satisfies `within`, sorted."""

    where: Filter = field(default_factory=dict)
    within: Filter = field(default_factory=dict)


_Stretch = Filter | _Computed
"""What is found after what comes before it: along an index, or computed."""

_INDEXES = {None: DEFAULT, "_id": "_id_", "at": "updated", "lo": "lowest", "hi": "highest"}


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
        sent = 0
        for part in await self._stretches(r, plan):
            cut = limit - sent if limit else 0
            async with aclosing(self._found(r, plan, fields, cut, part)) as docs:
                async for doc in docs:
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

    async def _stretches(self, r: Reader, plan: Plan) -> Sequence[_Stretch]:
        """Return the stretches that together are everything, in their order."""
        is_few = plan.lead is not None and plan.lead.is_few
        if not self._is_computed and not (is_few and self._fields):
            return self._parts(self._fields[0] if self._fields else None)
        sort, after, back = self._query.sort[0], self._query.after, self._query.back
        if is_few or not is_cut(sort) or not await is_much(r, self._query.type, plan):
            return (_Computed(),)
        params = {"p": {"$in": list(sort.params)}}
        nothing = self._valueless({"$nor": [{"e": {"$elemMatch": params}}]})
        if after is not None and after[0] is None and not back:
            return nothing
        down = sort.descending != back
        sample, share = await sampled(r, self._query.type, sort)
        cut = segments(sample, share, down=down)
        if after is not None and after[0] is not None:
            cut = [each for each in cut if each.may_follow(after[0], down=down)]
            nothing = () if back else nothing
        found = [
            _Computed({"e": {"$elemMatch": {**params, "v": each.condition}}}, each.condition)
            for each in cut
        ]
        return [*nothing, *found] if back else [*found, *nothing]

    def _valueless(self, nothing: Filter) -> Sequence[_Stretch]:
        """Return the stretches of what has no value under the first key."""
        if len(self._query.sort) > 1:
            return (_Computed(nothing),)
        after = self._query.after
        if after is None or after[0] is not None:
            return (nothing,)
        return [both((nothing, part)) for part in behind(*after[1:], up=self._sign > 0)]

    def _found(
        self, r: Reader, plan: Plan, fields: Doc, limit: int, part: _Stretch
    ) -> AsyncGenerator[Doc, None]:
        """Yield the records of one stretch."""
        if isinstance(part, _Computed):
            return self._computed(r, led_by(plan, part.where), fields, limit, part.within)
        return self._along(r, led_by(plan, part), fields, limit)

    async def _computed(
        self, r: Reader, plan: Plan, fields: Doc, limit: int, within: Filter
    ) -> AsyncGenerator[Doc, None]:
        found = stages(self._query, self._fields, plan.where, within, limit)
        keys = {f"k{n}": 1 for n in range(len(self._fields))}
        cursor = await r.aggregate([*found, {"$project": {**fields, **keys}}], plan.hint)
        async for doc in cursor:
            yield doc

    async def _along(
        self, r: Reader, plan: Plan, fields: Doc, limit: int
    ) -> AsyncGenerator[Doc, None]:
        name = None if self._is_computed or not self._fields else self._fields[0]
        shown = fields if name is None else {**fields, name: 1}
        order = self._keys(name)
        async for doc in r.find(plan.where, shown, order=order, limit=limit, hint=plan.hint):
            yield doc

    def _keys(self, field: str | None) -> Keys:
        names = ("pid", "n") if field is None else (field, "pid", "n")
        return [("_id", self._sign)] if field == "_id" else [(name, self._sign) for name in names]

    def _parts(self, field: str | None) -> list[Filter]:
        """Return stretches of the index, one after the other, that are all behind `after`."""
        after, up = self._query.after, self._sign > 0
        if field is None:
            return [{}] if after is None else behind(*after, up=up)
        if field == "_id":
            return self._ids(after)
        back = self._query.back
        nothing, something = {field: {"$eq": None}}, {field: {"$ne": None}}
        if after is None:
            return [nothing, something] if back else [something, nothing]
        value, *rest = after
        same: Filter = {field: {"$eq": value}}
        parts = [both((same, part)) for part in behind(*rest, up=up)]
        if value is None:
            return [*parts, something] if back else parts
        return [*parts, *beyond(field, value, up=up), *([] if back else [nothing])]

    def _ids(self, after: order.Place | None) -> list[Filter]:
        type, up = self._query.type, self._sign > 0
        low, high = f"{type}/", f"{type}0"  # '0' comes right behind '/'
        if after is None:
            return [{"_id": {"$gt": low, "$lt": high}}]
        value, pid, n = after
        place = f"{type}/{value}"
        # The place may be right beside a record, or that of an equal id of another type.
        same = both(({"_id": {"$eq": place}}, either(behind(pid, n, up=up))))
        return [same, {"_id": {"$gt": place, "$lt": high} if up else {"$gt": low, "$lt": place}}]


def _plain(value: Value | None) -> Value | None:
    # Long integers come as a class of the driver's own, which no encoder knows.
    return int(value) if isinstance(value, int) else value
