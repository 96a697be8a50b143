"""The medicines of the demo city and, for its model of the body, how much each one does.

Codes: WHO ATC (https://www.whocc.no/atc_ddd_index/). A share says which part of the excess over
normal a medicine takes away in the model; shares make plausible curves and advise nobody.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Drug:
    """A medicine as it is prescribed: one dose, how often a day, and its modelled effect."""

    atc: str
    english: str
    chinese: str
    dose: str
    unit: str
    daily: int
    pressure: float = 0.0
    sugar: float = 0.0
    fat: float = 0.0

    @property
    def text(self) -> str:
        """The order in a line: 氨氯地平片 5mg 每日1次."""
        return f"{self.chinese} {self.dose}{self.unit} 每日{self.daily}次"


DRUGS = {
    "amlodipine": Drug("C08CA01", "amlodipine", "氨氯地平片", "5", "mg", 1, pressure=0.42),
    "valsartan": Drug("C09CA03", "valsartan", "缬沙坦胶囊", "80", "mg", 1, pressure=0.28),
    "indapamide": Drug("C03BA11", "indapamide", "吲达帕胺片", "2.5", "mg", 1, pressure=0.18),
    "metformin": Drug("A10BA02", "metformin", "二甲双胍片", "500", "mg", 2, sugar=0.40),
    "acarbose": Drug("A10BF01", "acarbose", "阿卡波糖片", "50", "mg", 3, sugar=0.22),
    "gliclazide": Drug("A10BB09", "gliclazide", "格列齐特缓释片", "30", "mg", 1, sugar=0.24),
    "atorvastatin": Drug("C10AA05", "atorvastatin", "阿托伐他汀钙片", "20", "mg", 1, fat=0.42),
    "aspirin": Drug("B01AC06", "acetylsalicylic acid", "阿司匹林肠溶片", "100", "mg", 1),
    "levothyroxine": Drug("H03AA01", "levothyroxine sodium", "左甲状腺素钠片", "50", "ug", 1),
    "tiotropium": Drug("R03BB04", "tiotropium bromide", "噻托溴铵吸入粉雾剂", "18", "ug", 1),
    "amoxicillin": Drug("J01CA04", "amoxicillin", "阿莫西林胶囊", "500", "mg", 3),
    "cefuroxime": Drug("J01DC02", "cefuroxime", "头孢呋辛酯片", "250", "mg", 2),
    "omeprazole": Drug("A02BC01", "omeprazole", "奥美拉唑肠溶胶囊", "20", "mg", 1),
    "loratadine": Drug("R06AX13", "loratadine", "氯雷他定片", "10", "mg", 1),
    "ibuprofen": Drug("M01AE01", "ibuprofen", "布洛芬缓释胶囊", "300", "mg", 2),
    "paracetamol": Drug("N02BE01", "paracetamol", "对乙酰氨基酚片", "500", "mg", 3),
}

# What is added, in this order, while the disease is not controlled.
LADDERS = {
    "I10": ("amlodipine", "valsartan", "indapamide"),
    "E11.9": ("metformin", "acarbose", "gliclazide"),
    "E78.5": ("atorvastatin",),
    "I25.1": ("aspirin", "atorvastatin"),
    "E03.9": ("levothyroxine",),
    "J44.9": ("tiotropium",),
}
