"""Profile compiler: the elements of a profile into closures, leaving out what its type asks anyway.

https://hl7.org/fhir/R4/profiling.html, https://hl7.org/fhir/R4/elementdefinition.html

An object is checked member by member, a member item by item; where a profile adds nothing, there is
nothing to call. Faults have paths from the object that is checked.
"""

from collections.abc import Callable
from typing import Any

from conformance.definitions import Binding, Definitions, Element, Invariant
from conformance.fhirpath import FHIRPathError, Services
from conformance.profiles import values
from conformance.profiles.catalog import CORE, Catalog
from conformance.profiles.discriminators import profiles, types
from conformance.profiles.items import Around, Item, items_of
from conformance.profiles.parts import (
    ItemCheck,
    has_pattern,
    is_fixed,
    is_no_longer,
    is_number,
    is_of_types,
    is_within,
    leads_to,
)
from conformance.profiles.slicing import Slice, matcher, sliced
from conformance.snapshot import MAX_VALUE_SET, Node, steps
from conformance.validation.bindings import Bindings, has_coding, is_among
from conformance.validation.faults import Fault, Faults, fault, under, warning
from conformance.validation.invariants import Invariants

Json = dict[str, Any]
ObjectCheck = Callable[[Json, Around], list[Fault]]
MemberCheck = Callable[[Json, Around], list[Fault]]

INLINE = ("BackboneElement", "Element")


class Compiler:
    """Compiles profiles of one catalog; each is kept once it was asked for."""

    def __init__(
        self,
        definitions: Definitions,
        catalog: Catalog,
        invariants: Invariants,
        bindings: Bindings,
    ) -> None:
        self._definitions = definitions
        self._catalog = catalog
        self._invariants = invariants
        self._bindings = bindings
        self._made: dict[str, ObjectCheck] = {}
        self._services = Services(member_of=self._is_member, conforms_to=self._conforms_alone)

    def profile(self, url: str) -> ObjectCheck | None:
        """The check of a profile; None where it is not known, or is a type of the specification.

        Raises SnapshotError where its elements cannot be told.
        """
        url = url.partition("|")[0]
        if url not in self._made:
            structure = self._catalog.structure(url)
            if structure is None or structure.get("derivation") != "constraint":
                return None
            self._made[url] = self._compile(structure)
        return self._made[url]

    def type_of(self, url: str) -> str:
        """The type that a profile is of, or that a URL of the specification names; '' for none."""
        structure = self._catalog.structure(url)
        return str(structure["type"]) if structure else ""

    def _compile(self, structure: Json) -> ObjectCheck:
        root = self._catalog.tree(structure)
        name = structure["type"]
        members = self.members(root, name, root)
        own = self._constraints(root.element, None, name)

        def check(value: Json, around: Around) -> list[Fault]:
            if value.get("resourceType", name) != name:
                found = value["resourceType"]
                return fault("structure", f"found {found}, expected {name}, as the profile says")
            faults = [each for member in members for each in member(value, around)]
            item = Item("", value, None, name)
            for constraint in own:
                faults += constraint(item, around) or []
            return faults

        return check

    def members(self, node: Node, type_name: str, root: Node) -> list[MemberCheck]:
        """The checks of the elements of an object."""
        known = self._definitions.elements(type_name)
        found = []
        for child in node.children.values():
            base = known.get(child.name.removesuffix("[x]"))
            if base is not None and (check := self._member(child, base, root)):
                found.append(check)
        return found

    def _member(self, node: Node, base: Element, root: Node) -> MemberCheck | None:
        item_check = self.item(node, base, root)
        cardinality = self._cardinality(node, base)
        slices = self._slices(node, base, root)
        if not item_check and not cardinality and not slices:
            return None

        def check(parent: Json, around: Around) -> list[Fault]:
            items = items_of(parent, base)
            found = cardinality(items) if cardinality else []
            if item_check:
                for item in items:
                    if given := item_check(item, around):
                        found = found + under(item.path, given)
            return found + slices(items, around) if slices else found

        return check

    def _cardinality(self, node: Node, base: Element) -> Callable[[list[Item]], list[Fault]] | None:
        least = node.element.get("min", 0)
        text = str(node.element.get("max", "*"))
        most = None if text == "*" else int(text)
        if least <= base.min and (most is None or (base.max is not None and base.max <= most)):
            return None
        name = base.name

        def check(items: list[Item]) -> list[Fault]:
            count = len(items)
            if count < least:
                said = f"found {count or 'no'} {name}, expected at least {least} (profile)"
                return fault("required", said)
            if most is not None and count > most:
                said = f"found {count} {name}, expected {most or 'none'} (profile)"
                return under(items[most].path, fault("structure", said))
            return []

        return check

    def _slices(
        self, node: Node, base: Element, root: Node
    ) -> Callable[[list[Item], Around], list[Fault]] | None:
        if not node.slices:
            return None
        slicing = node.element.get("slicing", {})
        found = []
        for name, each in node.slices.items():
            match = matcher(each, slicing, self._definitions, self._catalog, self.conforms)
            item_check = self.item(each, base, root)
            nested = self._slices(each, base, root)
            found.append(Slice(name, each.element, match, item_check, nested))
        return sliced(base.name, slicing, found)

    def conforms(self, value: Any, url: str, around: Around) -> bool:
        """Whether a value meets a profile; of one that is not known, its type decides."""
        check = self.profile(url)
        if check is None:
            structure = self._catalog.structure(url)
            name = structure["type"] if structure else url.rpartition("/")[2]
            return bool(value.get("resourceType", name) == name)
        inside = around._replace(resource=value) if "resourceType" in value else around
        return all(each.severity != "error" for each in check(value, inside))

    def _conforms_alone(self, _: str, value: Any, url: str) -> bool | None:
        if value.__class__ is not dict or self._catalog.structure(url) is None:
            return None
        return self.conforms(value, url, Around(value, lambda _: None))

    def _is_member(self, _: str, value: Any, url: str) -> bool | None:
        codes = self._catalog.codes(url)
        if not codes:
            return None
        if value.__class__ is dict:
            return is_among(value, codes) or has_coding(value, codes)
        return any(value in each for each in codes.values())

    def item(self, node: Node, base: Element, root: Node) -> ItemCheck | None:
        """The check of one item of an element, or of a slice of it."""
        parts = [
            *self._values(node.element),
            *self._lengths(node.element),
            *self._types(node, base),
            *self._bound(node.element, base),
            *self._constraints(node.element, base, ""),
            *self._profiled(node, base),
            *self._targets(node, base),
            *self._inside(node, base, root),
        ]
        if not parts:
            return None

        def check(item: Item, around: Around) -> Faults:
            found: list[Fault] = []
            for part in parts:
                if given := part(item, around):
                    found += given
            return found or None

        return check

    def _values(self, element: Json) -> list[ItemCheck]:
        found = []
        if (fixed := values.stated(element, "fixed")) is not None:
            found.append(is_fixed(fixed))
        if (pattern := values.stated(element, "pattern")) is not None:
            found.append(has_pattern(pattern))
        return found

    def _lengths(self, element: Json) -> list[ItemCheck]:
        longest = element.get("maxLength")
        lowest = values.stated(element, "minValue")
        highest = values.stated(element, "maxValue")
        return [
            *([is_no_longer(longest)] if longest is not None else []),
            *([is_within(lowest, is_lowest=True)] if is_number(lowest) else []),
            *([is_within(highest, is_lowest=False)] if is_number(highest) else []),
        ]

    def _types(self, node: Node, base: Element) -> list[ItemCheck]:
        allowed = frozenset(types(node))
        if not base.choice or not allowed or allowed.issuperset(base.types):
            return []
        return [is_of_types(allowed)]

    def _bound(self, element: Json, base: Element) -> list[ItemCheck]:
        said = element.get("binding", {})
        if "valueSet" not in said:
            return []
        url = said["valueSet"].partition("|")[0]
        highest = [
            each.get("valueCanonical", "").partition("|")[0]
            for each in said.get("extension", ())
            if each.get("url") == MAX_VALUE_SET
        ]
        binding = Binding(said["strength"], url, highest[0] if highest else "")
        if binding == base.binding:
            return []
        by_type = {name: self._bindings.check(binding, name) for _, name in base.properties()}
        checks = {name: check for name, check in by_type.items() if check}

        def check(item: Item, _: Around) -> Faults:
            made = checks.get(item.type)
            return made(item.value) if made and item.value is not None else None

        return [check] if checks else []

    def _constraints(self, element: Json, base: Element | None, root: str) -> list[ItemCheck]:
        names = [root] if base is None else [name for _, name in base.properties()]
        known = {each.key for name in names for each in self._definitions.invariants(name)}
        known |= {each.key for each in base.invariants} if base else set()
        found = []
        for each in element.get("constraint", ()):
            if each["key"] in known or "expression" not in each:
                continue
            severity, human = each.get("severity", "error"), each.get("human", "")
            invariant = Invariant(each["key"], severity, human, each["expression"])
            if self._invariants.is_wanted(invariant):
                found.append(self._constraint(invariant, names))
        return found

    def _constraint(self, invariant: Invariant, names: list[str]) -> ItemCheck:
        made: dict[str, Callable[..., Faults]] = {}

        def check(item: Item, around: Around) -> Faults:
            name = item.type
            if name not in made:
                others = [each for each in names if each != name]
                try:
                    rule = self._invariants.rule(invariant, [name, *others], self._services)
                    made[name] = rule.check
                except FHIRPathError as error:
                    text = f"{invariant.key} of the profile cannot be evaluated: {error}"
                    made[name] = lambda *_: warning("not-supported", text)
            return made[name](item.value, around.resource, around.resolve)

        return check

    def _profiled(self, node: Node, base: Element) -> list[ItemCheck]:
        urls = [url for url in profiles(node) if url not in base.profiles.get(types(node)[0], ())]
        wanted = [url for url in urls if self._is_profile(url)]
        if not wanted or len(wanted) < len(urls):
            return []  # one that is not known may be met

        def check(item: Item, around: Around) -> Faults:
            if item.value.__class__ is not dict:
                return None
            if len(wanted) == 1:
                made = self.profile(wanted[0])
                return made(item.value, around) if made else None
            if any(self.conforms(item.value, url, around) for url in wanted):
                return None
            return fault("structure", f"found a value that meets none of {', '.join(wanted)}")

        return [check]

    def _is_profile(self, url: str) -> bool:
        structure = self._catalog.structure(url)
        return structure is not None and structure.get("derivation") == "constraint"

    def _targets(self, node: Node, base: Element) -> list[ItemCheck]:
        urls = [
            url
            for kind in node.element.get("type", ())
            if kind["code"] == "Reference"
            for url in kind.get("targetProfile", ())
        ]
        named = {url.removeprefix(CORE) for url in urls}
        given = set(base.targets.get("Reference", ()))
        if not urls or named == given or "Resource" in named:
            return []
        return [leads_to(urls, self._types_of(urls), self.conforms)]

    def _types_of(self, urls: list[str]) -> frozenset[str]:
        """The resource types of profiles; none where one of them is not known."""
        found = [self._catalog.structure(url) for url in urls]
        return frozenset(each["type"] for each in found if each) if all(found) else frozenset()

    def _inside(self, node: Node, base: Element, root: Node) -> list[ItemCheck]:
        if not node.children and "contentReference" in node.element:
            return self._referred(node.element["contentReference"].partition("#")[2], root)
        kinds = types(node)
        if not node.children or len(kinds) > 1:
            return []
        name = base.types[0] if not kinds or kinds[0] in INLINE else kinds[0]
        if name not in self._definitions.types:
            return []
        members = self.members(node, name, root)
        if not members:
            return []

        def check(item: Item, around: Around) -> Faults:
            if name not in (item.type, "Resource", "DomainResource"):
                return None
            source = item.value if item.value.__class__ is dict else item.extra
            inside = source if source.__class__ is dict else {}
            return [each for member in members for each in member(inside, around)]

        return [check]

    def _referred(self, id_: str, root: Node) -> list[ItemCheck]:
        """The check of an element that is defined elsewhere in the profile, made when needed."""
        target: Node | None = root
        for name, _ in steps(id_):
            target = target.children.get(name) if target else None
        parent, _, name = id_.rpartition(".")
        if target is None or parent not in self._definitions.types:
            return []
        node, base = target, self._definitions.elements(parent)[name]
        made: list[ItemCheck | None] = []

        def check(item: Item, around: Around) -> Faults:
            if not made:
                made.append(self.item(node, base, root))
            return made[0](item, around) if made[0] else None

        return [check]
