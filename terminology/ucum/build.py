"""Build: turns the official UCUM table, ucum-essence.xml, into `units.tsv`.

https://ucum.org/ucum (version 2.2; notice in `NOTICE`). Usage:

    python -m terminology.ucum.build ucum-essence.xml
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

TABLE = Path(__file__).parent / "units.tsv"
SPACE = {"u": "http://unitsofmeasure.org/ucum-essence"}
HEADER = "kind\tcode\tname\tmetric\tvalue\tunit\tfunction"


def main(arguments: list[str]) -> None:
    """Write the table made from the file at the path given."""
    [path] = arguments
    TABLE.write_text(build(Path(path).read_bytes()), encoding="utf-8", newline="\n")


def build(essence: bytes) -> str:
    """The text of the table: a row for each prefix, base unit and unit, in the order of UCUM."""
    rows = ("\t".join(row) for row in rows_of(ElementTree.fromstring(essence)))
    return "\n".join([HEADER, *rows, ""])


def rows_of(root: ElementTree.Element) -> Iterator[tuple[str, ...]]:
    """`kind, code, name, metric, value, unit, function` of each entry.

    Kind is prefix, base, unit, arbitrary or special. The value is in the unit given; of a special
    unit, it is what its function counts in.
    """
    for entry in root:
        value = entry.find("u:value", SPACE)
        function = entry.find("u:value/u:function", SPACE)
        stated = value if function is None else function
        attributes = {} if stated is None else stated.attrib
        yield (
            kind_of(entry),
            entry.attrib["Code"],
            entry.findtext("u:name", "", SPACE),
            "metric" if entry.get("isMetric") == "yes" or "base" in entry.tag else "",
            attributes.get("value", ""),
            attributes.get("Unit", ""),
            "" if function is None else function.attrib["name"],
        )


def kind_of(entry: ElementTree.Element) -> str:
    """What an entry of the table is."""
    if entry.get("isSpecial") == "yes":
        return "special"
    if entry.get("isArbitrary") == "yes":
        return "arbitrary"
    return entry.tag.rpartition("}")[2].removesuffix("-unit")


if __name__ == "__main__":
    main(sys.argv[1:])
