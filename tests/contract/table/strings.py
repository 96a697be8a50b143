"""Strings. https://hl7.org/fhir/R4/search.html#string"""

from tests.contract.table.row import Json, Section, about


def _named(id: str, *given: str, **more: object) -> Json:
    return {"resourceType": "Patient", "id": id, "name": [{"given": list(given), **more}]}


NAMES = Section(
    "names",
    [
        _named("eve", "Eve"),
        _named("evelyn", "Evelyn"),
        _named("severine", "Severine"),
        _named("EVE", "EVE"),
        _named("second", "Anna", "Eve"),
        _named("carreno", "Luis", family="Carreno Quiñones"),
        _named("muller", "Jörg", family="Müller-Lüdenscheidt"),
        _named("o", "Pat", family="O'Brien"),
        _named("zhang", "三", family="张"),
        _named("wide", "ＡＢＣ"),
        {"resourceType": "Patient", "id": "none"},
    ],
    about(
        "string",
        ("no modifier", "Patient?given=eve", "eve evelyn EVE second"),
        (":contains", "Patient?given:contains=eve", "eve evelyn severine EVE second"),
        (":exact", "Patient?given:exact=Eve", "eve second"),
        (":missing", "Patient?given:missing=true", "none"),
        ("accents", "Patient?family=Quinones", "carreno"),
        ("each word of a family name", "Patient?family=carreno", "carreno"),
        ("each word of a family name", "Patient?family=ludenscheidt", "muller"),
        (":exact", "Patient?family:exact=Quiñones", ""),
        (":exact", "Patient?family:exact=Carreno Quiñones", "carreno"),
        ("punctuation", "Patient?family=obrien", "o"),
        ("punctuation", "Patient?family=O'Brien", "o"),
        ("width", "Patient?given=abc", "wide"),
        ("Chinese", "Patient?family=张", "zhang"),
        ("Chinese, as it is spoken", "Patient?name=张三", "zhang"),
        ("all parts of a name", "Patient?name=luis", "carreno"),
        ("space", "Patient?family=carreno  quinones", "carreno"),
        ("OR list", "Patient?given=severine,evelyn", "severine evelyn"),
        ("and", "Patient?given=eve&given=anna", "second"),
        ("a modifier that it has not", "Patient?given:below=x", "400"),
    ),
)

ADDRESSES = Section(
    "addresses",
    [
        {
            "resourceType": "Patient",
            "id": "a",
            "address": [
                {"line": ["1 Main St, Apt 2"], "city": "Springfield", "postalCode": "1234"},
                {"text": "北京市朝阳区"},
            ],
        },
        {
            "resourceType": "Patient",
            "id": "b",
            "address": [{"city": "Boston", "country": "USA", "use": "home"}],
        },
    ],
    about(
        "string",
        ("all parts of an address", "Patient?address=springf", "a"),
        ("all parts of an address", "Patient?address=1 main st apt", "a"),
        ("all parts of an address", "Patient?address=北京", "a"),
        ("one part of an address", "Patient?address-country=usa", "b"),
        ("one part of an address", "Patient?address-city:exact=boston", ""),
        ("an escaped comma", "Patient?address:exact=1 Main St\\, Apt 2", "a"),
    ),
)

STRINGS = [NAMES, ADDRESSES]
