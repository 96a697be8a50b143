"""References and URIs. https://hl7.org/fhir/R4/search.html#reference"""

from tests.conftest import BASE
from tests.contract.table.row import Section, about, observation

REFERENCES = Section(
    "references",
    [
        {"resourceType": "Patient", "id": "p"},
        {"resourceType": "Group", "id": "p", "type": "person", "actual": True},
        observation("relative", subject={"reference": "Patient/p"}),
        observation("ours", subject={"reference": f"{BASE}/Patient/p"}),
        observation("versioned", subject={"reference": "Patient/p/_history/2"}),
        observation("group", subject={"reference": "Group/p"}),
        observation("theirs", subject={"reference": "http://else/fhir/Patient/p"}),
        observation("urn", subject={"reference": "urn:uuid:53fefa32-fcbb-4ff8-8a92-55ee120877b7"}),
        observation(
            "logical",
            subject={"identifier": {"system": "http://ids", "value": "7"}, "type": "Patient"},
        ),
        observation("none"),
    ],
    about(
        "reference",
        ("Type/id", "Observation?subject=Patient/p", "relative ours versioned"),
        ("id", "Observation?subject=p", "relative ours versioned group"),
        (
            "an absolute URL to us",
            f"Observation?subject={BASE}/Patient/p",
            "relative ours versioned",
        ),
        ("an absolute URL", "Observation?subject=http://else/fhir/Patient/p", "theirs"),
        ("a version", "Observation?subject=Patient/p/_history/2", "versioned"),
        ("urn", "Observation?subject=urn:uuid:53fefa32-fcbb-4ff8-8a92-55ee120877b7", "urn"),
        (":Type", "Observation?subject:Patient=p", "relative ours versioned"),
        (":Type", "Observation?subject:Group=p", "group"),
        (":Type", "Observation?subject:Practitioner=p", "400"),
        ("a narrower parameter", "Observation?patient=p", "relative ours versioned"),
        (":identifier", "Observation?subject:identifier=http://ids|7", "logical"),
        (":identifier", "Observation?subject:identifier=7", "logical"),
        (":missing", "Observation?subject:missing=true", "none"),
        ("OR list", "Observation?subject=Group/p,http://else/fhir/Patient/p", "group theirs"),
        ("unreadable", "Observation?subject=a/b/c", "400"),
        ("a type that there is not", "Observation?subject=Human/1", "400"),
    ),
)

CANONICALS = Section(
    "canonicals",
    [
        {
            "resourceType": "Library",
            "id": f"l{place}",
            "status": "draft",
            "type": {"text": "x"},
            "url": url,
            **({"version": version} if version else {}),
        }
        for place, (url, version) in enumerate(
            (
                ("http://acme.org/fhir/Library/1", "1.0"),
                ("http://acme.org/fhir/Library/1", "2.0"),
                ("http://acme.org/fhir/Library/1/2", ""),
                ("http://acme.org/fhir", ""),
                ("urn:oid:1.2.3", ""),
                ("urn:oid:1.2.3.4", ""),
            )
        )
    ]
    + [
        {
            "resourceType": "Measure",
            "id": id,
            "status": "draft",
            "library": [canonical],
            "meta": {"profile": [f"http://p/{id}|1"]},
        }
        for id, canonical in (
            ("exactly", "http://acme.org/fhir/Library/1|1.0"),
            ("any", "http://acme.org/fhir/Library/1"),
        )
    ],
    about(
        "uri",
        ("no modifier", "Library?url=http://acme.org/fhir/Library/1", "l0 l1"),
        ("url|version", "Library?url=http://acme.org/fhir/Library/1|2.0", "l1"),
        (":below", "Library?url:below=http://acme.org/fhir/Library/1", "l0 l1 l2"),
        (":below", "Library?url:below=http://acme.org/fhir/&_count=9", "l0 l1 l2"),
        (":below", "Library?url:below=http://acme.org/fhir/Lib", ""),
        (":above", "Library?url:above=http://acme.org/fhir/Library/1/2/3", "l0 l1 l2 l3"),
        ("urn", "Library?url=urn:oid:1.2.3", "l4"),
        (":below of an urn", "Library?url:below=urn:oid:1.2.3", "l4"),
        (":missing", "Library?url:missing=true", ""),
        ("case counts", "Library?url=http://ACME.org/fhir", ""),
    )
    + about(
        "reference",
        ("a canonical", "Measure?depends-on=http://acme.org/fhir/Library/1", "exactly any"),
        ("a canonical|version", "Measure?depends-on=http://acme.org/fhir/Library/1|1.0", "exactly"),
    )
    + about(
        "parameters of every type",
        ("_profile", "Measure?_profile=http://p/any", "any"),
        ("_profile", "Measure?_profile=http://p/any|1", "any"),
        ("_profile", "Measure?_profile=http://p/any|2", ""),
    ),
)
