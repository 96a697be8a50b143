"""A model of one body: what a measurement would show, given the medicines and since when.

A medicine works up to its full share of the excess over normal as 1 - exp(-days / tau): blood
pressure with tau 10 days, fasting glucose 14, HbA1c 35 (it remembers the life of the red cells).
Fasting glucose follows HbA1c by the ADAG line, average = 1.59 A1c - 2.59 mmol/L (Nathan, Diabetes
Care 2008;31:1473), less 1.0 because fasting lies below the average.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from math import exp
from random import Random

from fhir_server.demo.drugs import DRUGS, Drug
from fhir_server.demo.person import Person

_PRESSURE_TAU, _GLUCOSE_TAU, _A1C_TAU, _FAT_TAU = 10.0, 14.0, 35.0, 20.0
_NORMAL_SYSTOLIC, _NORMAL_DIASTOLIC, _NORMAL_A1C = 114.0, 72.0, 5.5


@dataclass(frozen=True, slots=True)
class Therapy:
    """A medicine and the day of its first dose."""

    drug: str
    since: date


@dataclass(frozen=True, slots=True)
class Body:
    """What a body is like untreated: cm, kg/m², mmHg, /min, %, mmol/L, µmol/L."""

    height: float
    bmi: float
    systolic: float
    diastolic: float
    pulse: float
    a1c: float
    cholesterol: float
    triglyceride: float
    hdl: float
    creatinine: float
    haemoglobin: float

    @property
    def weight(self) -> float:
        """Kilograms."""
        return self.bmi * (self.height / 100) ** 2


def draw_body(person: Person, rng: Random) -> Body:
    """Draws an adult's body that fits the person's diseases."""
    diseases, male = person.profile.diseases, person.male
    systolic = rng.uniform(149, 176) if "I10" in diseases else rng.gauss(118, 5)
    diabetic, lipid = "E11.9" in diseases, "E78.5" in diseases or "I25.1" in diseases
    return Body(
        height=rng.gauss(169 if male else 158, 5),
        bmi=min(max(rng.gauss(25.4 if diseases else 22.6, 2.2), 18.6), 33.0),
        systolic=systolic,
        diastolic=0.45 * systolic + 22 + rng.gauss(0, 2),
        pulse=rng.gauss(74, 5),
        a1c=rng.uniform(7.3, 9.8) if diabetic else rng.gauss(5.4, 0.15),
        cholesterol=rng.gauss(6.1 if lipid else 4.7, 0.4),
        triglyceride=max(rng.gauss(2.1 if diabetic or lipid else 1.2, 0.3), 0.5),
        hdl=max(rng.gauss(1.25 if male else 1.4, 0.15), 0.8),
        creatinine=rng.gauss(76 if male else 58, 7),
        haemoglobin=rng.gauss(150 if male else 131, 6),
    )


Share = Callable[[Drug], float]


def _left(therapies: Iterable[Therapy], share: Share, tau: float, day: date) -> float:
    """Returns the part of the excess that the medicines have left on `day`: 1 to 0."""
    taken = sum(
        share(DRUGS[therapy.drug]) * (1 - exp(-max((day - therapy.since).days, 0) / tau))
        for therapy in therapies
    )
    return max(1.0 - taken, 0.0)


def _treated(untreated: float, normal: float, left: float) -> float:
    return normal + (untreated - normal) * left if untreated > normal else untreated


def pressure(body: Body, therapies: Iterable[Therapy], day: date) -> tuple[float, float]:
    """Returns the expected systolic and diastolic pressure, mmHg."""
    left = _left(therapies, lambda drug: drug.pressure, _PRESSURE_TAU, day)
    return (
        _treated(body.systolic, _NORMAL_SYSTOLIC, left),
        _treated(body.diastolic, _NORMAL_DIASTOLIC, left),
    )


def a1c(body: Body, therapies: Iterable[Therapy], day: date) -> float:
    """Returns the expected HbA1c, %."""
    return _treated(body.a1c, _NORMAL_A1C, _left(therapies, lambda drug: drug.sugar, _A1C_TAU, day))


def fasting_glucose(body: Body, therapies: Iterable[Therapy], day: date) -> float:
    """Returns the expected fasting glucose, mmol/L."""
    left = _left(therapies, lambda drug: drug.sugar, _GLUCOSE_TAU, day)
    return 1.59 * _treated(body.a1c, _NORMAL_A1C, left) - 3.59


def lipids(body: Body, therapies: Iterable[Therapy], day: date) -> tuple[float, float]:
    """Returns the expected total and LDL cholesterol, mmol/L."""
    ldl = body.cholesterol - body.hdl - body.triglyceride / 2.2  # Friedewald, mmol/L
    lowered = ldl * _left(therapies, lambda drug: drug.fat, _FAT_TAU, day)
    return body.cholesterol - ldl + lowered, lowered
