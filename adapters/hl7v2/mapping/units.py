"""Units as laboratories write them, to UCUM.

https://ucum.org/ucum. A unit that is not in the table keeps its text and gets no code: a guess
would make two different quantities comparable. Keys are NFKC-normalised, without spaces.
"""

import unicodedata
from typing import Any

from adapters.hl7v2.message import Element
from adapters.hl7v2.source import Source

UCUM = "http://unitsofmeasure.org"

_SAME = """
% g/L g/dL mg/L mg/dL ug/L ug/mL ng/mL ng/L ng/dL pg/mL pg/dL mol/L mmol/L umol/L nmol/L pmol/L
mmol/mol mg/g mg/mmol ug/mg g mg ug ng pg kg kg/m2 m cm mm um nm L mL uL fL dL s ms min h d wk mo a
mm/h U/L kU/L U/mL mU/L mU/mL mL/min mm[Hg] kPa Pa Hz /min /uL /L Cel [pH] 10*9/L 10*12/L 10*6/L
10*3/uL 10*6/uL 10*6/mL g/mL mosm/kg [IU]/mL [IU]/L m[IU]/L m[IU]/mL u[IU]/mL k[IU]/L mg/(24.h)
g/(24.h) mmol/(24.h) /[HPF] /[LPF] L/min mL/min/{1.73_m2} ug/min ug/(24.h) meq/L
"""

UNITS = {unit: unit for unit in _SAME.split()} | {
    "10^9/L": "10*9/L",
    "10^12/L": "10*12/L",
    "10^6/L": "10*6/L",
    "10^3/uL": "10*3/uL",
    "10^6/uL": "10*6/uL",
    "10^6/mL": "10*6/mL",
    "x10^9/L": "10*9/L",
    "x10^12/L": "10*12/L",
    "×10^9/L": "10*9/L",
    "×10^12/L": "10*12/L",
    "*10^9/L": "10*9/L",
    "*10^12/L": "10*12/L",
    "10E9/L": "10*9/L",
    "10E12/L": "10*12/L",
    "G/L": "10*9/L",
    "T/L": "10*12/L",
    "μmol/L": "umol/L",
    "μg/L": "ug/L",
    "μg/mL": "ug/mL",
    "μg/min": "ug/min",
    "μL": "uL",
    "μg": "ug",
    "μIU/mL": "u[IU]/mL",
    "uIU/mL": "u[IU]/mL",
    "IU/mL": "[IU]/mL",
    "IU/L": "[IU]/L",
    "mIU/L": "m[IU]/L",
    "mIU/mL": "m[IU]/mL",
    "KIU/L": "k[IU]/L",
    "mmHg": "mm[Hg]",
    "cmH2O": "cm[H2O]",
    "°C": "Cel",
    "bpm": "/min",
    "次/分": "/min",
    "次/min": "/min",
    "次/分钟": "/min",
    "分": "min",
    "秒": "s",
    "sec": "s",
    "小时": "h",
    "天": "d",
    "周": "wk",
    "月": "mo",
    "岁": "a",
    "公斤": "kg",
    "千克": "kg",
    "厘米": "cm",
    "kg/m^2": "kg/m2",
    "Kg": "kg",
    "KG": "kg",
    "CM": "cm",
    "fl": "fL",
    "g/l": "g/L",
    "mg/l": "mg/L",
    "ml": "mL",
    "mmol/l": "mmol/L",
    "umol/l": "umol/L",
    "u/L": "U/L",
    "u/l": "U/L",
    "U/l": "U/L",
    "mm/1h": "mm/h",
    "mg/24h": "mg/(24.h)",
    "g/24h": "g/(24.h)",
    "mmol/24h": "mmol/(24.h)",
    "ml/min": "mL/min",
    "mL/min/1.73m2": "mL/min/{1.73_m2}",
    "ml/min/1.73m2": "mL/min/{1.73_m2}",
    "mL/min/1.73m^2": "mL/min/{1.73_m2}",
    "/HP": "/[HPF]",
    "/HPF": "/[HPF]",
    "个/HP": "/[HPF]",
    "/LP": "/[LPF]",
    "个/LP": "/[LPF]",
    "/ul": "/uL",
    "/μL": "/uL",
    "个/μL": "/uL",
    "个/uL": "/uL",
    "mEq/L": "meq/L",
    "mOsm/kg": "mosm/kg",
}


def unit_of(element: Element, source: Source) -> dict[str, Any]:
    """Return the unit part of a Quantity from OBX-6: its text, and its UCUM code where known."""
    shown = _shown(element)
    if not shown:
        return {}
    if element.text(3) == "UCUM":
        code: str | None = element.text(1)
    else:
        plain = "".join(unicodedata.normalize("NFKC", shown).split())
        code = source.units.get(shown) or source.units.get(plain) or UNITS.get(plain)
    return {"unit": shown, "system": UCUM, "code": code} if code else {"unit": shown}


def _shown(element: Element) -> str:
    code, text = element.text(1), element.text(2)
    if code in ("10", "x10", "*10", "×10") and text[:1].isdigit() and "/" in text:
        return f"{code}^{text}"  # 10^9/L sent without escaping its ^
    return code or text
