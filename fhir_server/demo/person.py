"""A person of the demo city and the Patient resource that says who it is.

https://hl7.org/fhir/R4/patient.html
"""

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from fhir_server.demo.cast import CITY, NAMED_PATIENTS, PLACE, Named, patient_id
from fhir_server.demo.identity import phone_of, resident_number_of
from fhir_server.demo.names import Name, Style, draw_name, human_names
from fhir_server.demo.shapes import Json, coding, concept, reference
from fhir_server.demo.systems import (
    IDENTIFIER_TYPE,
    MARITAL_STATUS,
    RELATIONSHIP,
    RESIDENT_ID,
    numbers,
)

BORN_BEFORE = 2026  # ages in the table below are reached in this year, whatever "today" is


@dataclass(frozen=True, slots=True)
class Profile:
    """What kind of life a person has: age at most and least, long-term diseases by ICD-10."""

    youngest: int
    oldest: int
    diseases: tuple[str, ...] = ()


_BOTH = Profile(46, 79, ("I10", "E11.9"))
_HYPERTENSION = Profile(40, 82, ("I10",))
_DIABETES = Profile(38, 76, ("E11.9",))
_HEART = Profile(58, 82, ("I10", "I25.1"))
_HEALTHY = Profile(20, 62)
_CHILD = Profile(3, 12)

# Every twenty patients: ten hypertensives, five diabetics (three are both), two children.
PROFILES = (
    _BOTH, _HYPERTENSION, _DIABETES, _CHILD, _HYPERTENSION,
    _HEALTHY, _BOTH, _HYPERTENSION, Profile(35, 70, ("E78.5",)), _HEALTHY,
    _HEART, _HYPERTENSION, _DIABETES, _HEALTHY, Profile(25, 60, ("E03.9",)),
    _CHILD, _BOTH, _HYPERTENSION, Profile(60, 82, ("J44.9",)), _HYPERTENSION,
)  # fmt: skip
_HOMES = ("hospital", "clinic-east", "clinic-west", "hospital", "clinic-east", "clinic-west")
_GP = {"clinic-east": "role-east-gp", "clinic-west": "role-west-gp"}
_DISTRICTS = {"clinic-east": "东堤区", "clinic-west": "西苑区", "hospital": "城中区"}
_STREETS = ("书院街", "榕树里", "望江路", "石桥巷", "槐安路", "听潮街", "稻香路", "北渡口")


@dataclass(frozen=True, slots=True)
class Person:
    """Who a patient is, before anything has happened to them."""

    index: int
    name: Name
    male: bool
    birth: date
    home: str  # where the chronic care is: hospital, clinic-east or clinic-west
    profile: Profile
    address: str

    @property
    def id(self) -> str:
        """The Patient's id."""
        return patient_id(self.index)

    @property
    def district(self) -> str:
        """The district of the city that the person lives in."""
        return _DISTRICTS[self.home]

    def age(self, day: date) -> int:
        """Returns completed years on `day`."""
        return (
            day.year - self.birth.year - ((day.month, day.day) < (self.birth.month, self.birth.day))
        )


def draw_person(index: int, rng: Random) -> Person:
    """Draws the person `index`; the cast's own patients keep their names whatever is drawn."""
    profile = PROFILES[(index - 1) % len(PROFILES)]
    named = NAMED_PATIENTS.get(index) or _draw_named(index, profile, rng)
    street = f"{rng.choice(_STREETS)}{rng.randrange(1, 199)}号{rng.randrange(1, 30)}室"
    return Person(index, named.name, named.male, named.birth, named.home, profile, street)


def _draw_named(index: int, profile: Profile, rng: Random) -> Named:
    male = rng.random() < 0.5
    age = rng.randint(profile.youngest, profile.oldest)
    birth = date(BORN_BEFORE - age, 1, 1) + timedelta(days=rng.randrange(365))
    style: Style = "young" if age < 30 else "male" if male else "female"
    return Named(draw_name(rng, style), male, birth, _HOMES[index % len(_HOMES)])


def patient(person: Person, rng: Random) -> Json:
    """Returns the Patient: names, numbers, telephone, address, family and family doctor."""
    found: Json = {
        "resourceType": "Patient",
        "id": person.id,
        "identifier": _identifiers(person),
        "active": True,
        "name": human_names(person.name),
        "telecom": [{"system": "phone", "value": phone_of(person.index), "use": "mobile"}],
        "gender": "male" if person.male else "female",
        "birthDate": person.birth.isoformat(),
        "address": [_address(person)],
        "communication": [{"language": concept("中文", coding("urn:ietf:bcp:47", "zh-CN"))}],
        "managingOrganization": reference(f"Organization/{person.home}", PLACE[person.home].name),
    }
    if person.profile is _CHILD:
        found["contact"] = [_mother(person, rng)]
    elif person.profile is not _HEALTHY:
        found["maritalStatus"] = concept("已婚", coding(MARITAL_STATUS, "M"))
    if person.home in _GP:
        found["generalPractitioner"] = [reference(f"PractitionerRole/{_GP[person.home]}")]
    return found


def _identifiers(person: Person) -> list[Json]:
    found = [
        {
            "use": "official",
            "type": concept("居民身份证号", coding(IDENTIFIER_TYPE, "NI")),
            "system": RESIDENT_ID,
            "value": resident_number_of(person.index, person.birth, person.male),
        },
        _record_number("hospital", "病案号", f"H{person.index:08d}"),
    ]
    if person.home != "hospital":
        found.append(_record_number(person.home, "健康档案编号", f"C{person.index:08d}"))
    return found


def _record_number(owner: str, text: str, value: str) -> Json:
    return {
        "use": "usual",
        "type": concept(text, coding(IDENTIFIER_TYPE, "MR")),
        "system": numbers(owner, "patient"),
        "value": value,
        "assigner": reference(f"Organization/{owner}", PLACE[owner].name),
    }


def _address(person: Person) -> Json:
    return {
        "use": "home",
        "text": f"{CITY}{person.district}{person.address}",
        "line": [person.address],
        "city": CITY,
        "district": person.district,
        "country": "CN",
    }


def _mother(person: Person, rng: Random) -> Json:
    name = draw_name(rng, "female")
    return {
        "relationship": [concept("母亲", coding(RELATIONSHIP, "N"))],
        "name": human_names(name)[0],
        "telecom": [{"system": "phone", "value": phone_of(person.index), "use": "mobile"}],
        "gender": "female",
    }
