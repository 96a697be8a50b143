"""Build: the table of types, from the StructureDefinitions that define them.

https://hl7.org/fhir/R4/structuredefinition.html
"""

from collections.abc import Iterator
from typing import Any

from conformance.valuesets import ValueSets

PROFILE = "http://hl7.org/fhir/StructureDefinition/"
FHIR_TYPE = PROFILE + "structuredefinition-fhir-type"
REGEX = PROFILE + "regex"
MAX_VALUE_SET = PROFILE + "elementdefinition-maxValueSet"

# Elements whose published type says less than the specification's text does.
CORRECTED = {"Resource.id": "id", "Element.id": "string", "Extension.url": "uri"}

# Types whose elements are defined in place: such an element's own path names its type.
INLINE = {"BackboneElement", "Element"}

Json = dict[str, Any]


def types_of(structures: list[Json], sets: ValueSets) -> Iterator[tuple[str, list[Any]]]:
    """`(name, [kind, base, abstract, regex, elements, invariants])` of each type.

    A backbone element is a type too, named by its path.
    """
    own = [each for each in structures if is_type(each)]
    build = Types({each["name"]: each["snapshot"]["element"] for each in own}, sets)
    for structure in own:
        name = structure["name"]
        base = structure.get("baseDefinition", "").removeprefix(PROFILE)
        for path, children in parents(build.snapshots[name]).items():
            within = base if path == name else build.element(name, path)["type"][0]["code"]
            yield (
                path,
                [
                    structure["kind"] if path == name else "backbone",
                    within,
                    structure["abstract"] and path == name,
                    regex_of(children),
                    build.own_elements(children, within),
                    build.own_invariants(build.element(name, path), {within}),
                ],
            )


class Types:
    """The snapshots of all types by name, and what each adds to its base."""

    def __init__(self, snapshots: dict[str, list[Json]], sets: ValueSets) -> None:
        self.snapshots = snapshots
        self._sets = sets
        self._by_path = {each["path"]: each for found in snapshots.values() for each in found}

    def element(self, name: str, path: str) -> Json:
        """The element of a type that has this path."""
        return next(each for each in self.snapshots[name] if each["path"] == path)

    def own_elements(self, children: list[Json], base: str) -> list[list[Any]]:
        """The records of elements that the base does not have alike."""
        inherited = children_of(base, self.snapshots)
        known = [self._record(each) for each in inherited if not hidden(each)]
        records = [self._record(child) for child in children if not hidden(child)]
        return [record for record in records if record not in known]

    def own_invariants(self, element: Json, types: set[str]) -> list[list[str]]:
        """`[key, severity, human, expression]` of each that none of the types brings along."""
        known = {
            constraint["key"]
            for name in types
            if name in self._by_path
            for constraint in self._by_path[name].get("constraint", ())
        }
        return [
            [each["key"], each["severity"], each["human"], each["expression"]]
            for each in element.get("constraint", ())
            if each["key"] not in known
        ]

    def _record(self, element: Json) -> list[Any]:
        types = type_codes(element)
        is_inline = types == [element["path"]]
        own = [] if is_inline else self.own_invariants(element, {*types, "Element"})
        record = element_record(element, types, self._sets)
        return shortened([*record, own, profiles_of(element)])


def shortened(record: list[Any]) -> list[Any]:
    """A record without the empty fields at its end, beyond the first seven."""
    while len(record) > 7 and not record[-1]:
        record.pop()
    return record


def is_type(structure: Json) -> bool:
    """Whether a StructureDefinition defines a type of its own, not a profile or extension."""
    return structure["kind"] != "logical" and structure.get("derivation") != "constraint"


def parents(elements: list[Json]) -> dict[str, list[Json]]:
    """The children of each element that has any, and of the root even if it has none."""
    found: dict[str, list[Json]] = {elements[0]["path"]: []}
    for element in elements[1:]:
        found.setdefault(element["path"].rpartition(".")[0], []).append(element)
    return found


def children_of(type_name: str, inherited: dict[str, list[Json]]) -> list[Json]:
    """The elements on the first level of a type; of no type, none."""
    elements = inherited.get(type_name)
    return parents(elements)[type_name] if elements else []


def hidden(element: Json) -> bool:
    """Whether this is the `value` of a primitive, which in JSON is the property itself."""
    return bool(element["path"].endswith(".value")) and "regex" in primitive_facts(element)


def primitive_facts(element: Json) -> dict[str, str]:
    """The FHIR type and the regular expression that extensions on a System type tell."""
    facts: dict[str, str] = {}
    for kind in element.get("type", []):
        if kind["code"].startswith("http://hl7.org/fhirpath/"):
            facts["regex"] = ""
            for extension in kind.get("extension", []):
                name = {FHIR_TYPE: "type", REGEX: "regex"}[extension["url"]]
                facts[name] = extension.get("valueUrl") or extension["valueString"]
    return facts


def regex_of(children: list[Json]) -> str:
    """The regular expression of a primitive type, or nothing."""
    values = [child for child in children if hidden(child)]
    return primitive_facts(values[0])["regex"] if values else ""


def element_record(element: Json, types: list[str], sets: ValueSets) -> list[Any]:
    """`[name, min, max, choice, types, targets, value set, flags, binding]`.

    max is null where unlimited. Flags: 1 modifier, 2 summary. A binding is
    `[strength, value set, max value set]`, or null.
    """
    name = element["path"].rpartition(".")[2]
    highest = None if element["max"] == "*" else int(element["max"])
    binding = binding_of(element.get("binding", {}))
    required = binding[1] if binding and binding[0] == "required" else ""
    return [
        name.removesuffix("[x]"),
        element["min"],
        highest,
        name.endswith("[x]"),
        types,
        targets_of(element),
        required if sets.expand(required) else "",
        element.get("isModifier", False) + 2 * element.get("isSummary", False),
        binding,
    ]


def binding_of(binding: Json) -> list[str] | None:
    """`[strength, value set, max value set]`; URLs without their version; None without any."""
    if "valueSet" not in binding:
        return None
    found = [binding["strength"], binding["valueSet"].partition("|")[0]]
    for extension in binding.get("extension", ()):
        if extension["url"] == MAX_VALUE_SET:
            found.append(extension["valueCanonical"].partition("|")[0])
    return found


def profiles_of(element: Json) -> dict[str, list[str]]:
    """Per type the profiles of which a value must meet one."""
    kinds = element.get("type", ())
    return {kind["code"]: kind["profile"] for kind in kinds if "profile" in kind}


def type_codes(element: Json) -> list[str]:
    """Names of the types that an element may have; a backbone element's type is its path."""
    path: str = element["path"]
    if "contentReference" in element:
        return [element["contentReference"].removeprefix("#")]
    if original := element.get("base", {}).get("path"):
        path = original if original in CORRECTED else path
    if path in CORRECTED:
        return [CORRECTED[path]]
    if system := primitive_facts(element).get("type"):
        return [system]
    codes = [kind["code"] for kind in element["type"]]
    return [path] if codes[0] in INLINE else codes


def targets_of(element: Json) -> dict[str, list[str]]:
    """Per type (Reference, canonical) the resource types that it may point to; absent: any."""
    found = {
        kind["code"]: [profile.removeprefix(PROFILE) for profile in kind["targetProfile"]]
        for kind in element.get("type", [])
        if "targetProfile" in kind
    }
    return {code: names for code, names in found.items() if "Resource" not in names}
