"""What is measured in the demo city: LOINC code, UCUM unit, digits and reference interval.

https://loinc.org (this material contains content from LOINC, © Regenstrief Institute, used under
the LOINC licence); https://ucum.org. Intervals as Chinese laboratory reports print them:
WS/T 404.3-2012 (potassium), WS/T 404.5-2015 (creatinine),
WS/T 405-2012 (blood count), Chinese adult lipid guideline 2016.
"""

from dataclasses import dataclass

from fhir_server.demo.systems import EXAM, LOINC

Range = tuple[str | None, str | None]


@dataclass(frozen=True, slots=True)
class Measure:
    """A quantity: `male` and `female` are the reference interval, where the report prints one."""

    code: str
    english: str
    chinese: str
    unit: str
    ucum: str
    digits: int
    male: Range = (None, None)
    female: Range = (None, None)


def _both(
    code: str, english: str, chinese: str, unit: str, digits: int, interval: Range = (None, None)
) -> Measure:
    return Measure(code, english, chinese, unit, unit, digits, interval, interval)


MEASURES = {
    "systolic": Measure("8480-6", "Systolic blood pressure", "收缩压", "mmHg", "mm[Hg]", 0),
    "diastolic": Measure("8462-4", "Diastolic blood pressure", "舒张压", "mmHg", "mm[Hg]", 0),
    "pulse": Measure("8867-4", "Heart rate", "心率", "次/分", "/min", 0),
    "breaths": Measure("9279-1", "Respiratory rate", "呼吸频率", "次/分", "/min", 0),
    "temperature": Measure("8310-5", "Body temperature", "体温", "℃", "Cel", 1),
    "oxygen": _both("2708-6", "Oxygen saturation in Arterial blood", "血氧饱和度", "%", 0),
    "height": _both("8302-2", "Body height", "身高", "cm", 1),
    "weight": _both("29463-7", "Body weight", "体重", "kg", 1),
    "bmi": _both("39156-5", "Body mass index (BMI) [Ratio]", "体质指数", "kg/m2", 1),
    "waist": _both("8280-0", "Waist Circumference at umbilicus by Tape measure", "腰围", "cm", 0),
    "glucose": _both("14771-0", "Fasting glucose [Moles/volume] in Serum or Plasma",
                     "空腹血糖", "mmol/L", 2, ("3.90", "6.10")),
    "capillary": _both("14770-2", "Fasting glucose [Moles/volume] in Capillary blood by "
                       "Glucometer", "空腹指尖血糖", "mmol/L", 1, ("3.9", "6.1")),
    "a1c": _both("4548-4", "Hemoglobin A1c/Hemoglobin.total in Blood",
                 "糖化血红蛋白", "%", 1, ("4.0", "6.0")),
    "cholesterol": _both("14647-2", "Cholesterol [Moles/volume] in Serum or Plasma",
                         "总胆固醇", "mmol/L", 2, (None, "5.20")),
    "triglyceride": _both("14927-8", "Triglyceride [Moles/volume] in Serum or Plasma",
                          "甘油三酯", "mmol/L", 2, (None, "1.70")),
    "hdl": _both("14646-4", "Cholesterol in HDL [Moles/volume] in Serum or Plasma",
                 "高密度脂蛋白胆固醇", "mmol/L", 2, ("1.00", None)),
    "ldl": _both("22748-8", "Cholesterol in LDL [Moles/volume] in Serum or Plasma",
                 "低密度脂蛋白胆固醇", "mmol/L", 2, (None, "3.40")),
    "creatinine": Measure("14682-9", "Creatinine [Moles/volume] in Serum or Plasma", "肌酐",
                          "μmol/L", "umol/L", 0, ("57", "111"), ("41", "81")),
    "potassium": _both("2823-3", "Potassium [Moles/volume] in Serum or Plasma",
                       "血钾", "mmol/L", 2, ("3.50", "5.30")),
    "leukocytes": _both("6690-2", "Leukocytes [#/volume] in Blood by Automated count",
                        "白细胞计数", "10*9/L", 2, ("3.50", "9.50")),
    "haemoglobin": Measure("718-7", "Hemoglobin [Mass/volume] in Blood", "血红蛋白",
                           "g/L", "g/L", 0, ("130", "175"), ("115", "150")),
    "platelets": _both("777-3", "Platelets [#/volume] in Blood by Automated count",
                       "血小板计数", "10*9/L", 0, ("125", "350")),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Panel:
    """What the laboratory is asked for in one order and answers in one report."""

    system: str
    code: str
    chinese: str
    measures: tuple[str, ...]


PANELS = {
    "count": Panel(LOINC, "58410-2", "血常规", ("leukocytes", "haemoglobin", "platelets")),
    "diabetes": Panel(EXAM, "diabetes", "糖尿病确诊检验", ("glucose", "a1c", "creatinine")),
    "chronic": Panel(EXAM, "chronic-year", "慢病年度生化",
                     ("glucose", "a1c", "cholesterol", "ldl", "creatinine")),
    "exam": Panel(EXAM, "exam-chemistry", "体检生化",
                  ("glucose", "cholesterol", "triglyceride", "hdl", "ldl", "creatinine")),
}  # fmt: skip
