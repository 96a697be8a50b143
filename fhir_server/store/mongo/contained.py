"""Predicates on contained resources as a MongoDB filter.

An index leads to containers in which something of the type says it; that all of it is said by one
and the same, an element of `k`, is then asked of each.
"""

from fhir_server.search.contained import leading
from fhir_server.search.tree import Contained
from fhir_server.store.mongo.condition import NEVER, Filter
from fhir_server.store.mongo.filter import Scope, compiled
from fhir_server.store.mongo.logic import both, entry
from fhir_server.store.mongo.reader import Reader


async def containing(r: Reader, type: str, node: Contained) -> Filter:
    """Return the filter on the records of a type; NEVER where none ever contained the like."""
    there = both(({"t": {"$eq": type}}, entry(f"#{node.type}:_id", {})))
    if not await r.count(there, "value", 1):
        return NEVER
    scope = Scope(type, r.now)
    one: Filter = {"t": node.type, **({"r": node.param} if node.param else {})}
    said = both((one, compiled(node.where, scope)))
    return both((compiled(leading(node), scope), {"k": {"$elemMatch": said}}))
