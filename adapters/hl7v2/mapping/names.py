"""Names, addresses and telephone numbers (XPN, XAD, XTN).

https://hl7.org/fhir/R4/datatypes.html#HumanName
"""

import re
from typing import Any

from adapters.hl7v2.message import Element

_REPRESENTATION = "http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation"
_REPRESENTATIONS = {"A": "ABC", "I": "IDE", "P": "SYL"}  # table 0465
# HL7 table 0200 to http://hl7.org/fhir/name-use
_NAME_USES = {
    "L": "official",
    "B": "official",
    "D": "usual",
    "A": "anonymous",
    "S": "anonymous",
    "M": "maiden",
    "N": "nickname",
    "C": "usual",
    "K": "temp",
    "TEMP": "temp",
    "BAD": "old",
}
# HL7 table 0190 to http://hl7.org/fhir/address-use; P is the permanent address
_ADDRESS_USES = {
    "H": "home",
    "P": "home",
    "L": "home",
    "C": "temp",
    "B": "work",
    "O": "work",
    "BI": "billing",
    "BA": "old",
}
# HL7 tables 0201 and 0202
_CONTACT_USES = {"PRN": "home", "ORN": "home", "VHN": "home", "WPN": "work", "PRS": "mobile"}
_CONTACT_SYSTEMS = {
    "PH": "phone",
    "CP": "phone",
    "FX": "fax",
    "BP": "pager",
    "Internet": "email",
    "X.400": "email",
    "SMS": "sms",
}
_HAN = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff]+")
_COMPOUND_SURNAMES = (
    "欧阳 太史 端木 上官 司马 东方 独孤 南宫 万俟 闻人 夏侯 诸葛 尉迟 公羊 赫连 澹台 皇甫 宗政 "
    "濮阳 公冶 太叔 申屠 公孙 慕容 仲孙 钟离 长孙 宇文 司徒 鲜于 司空 闾丘 子车 亓官 司寇 "
    "颛孙 巫马 公西 漆雕 乐正 壤驷 公良 拓跋 夹谷 宰父 谷梁 段干 百里 东郭 南门 呼延 "
    "歐陽 司馬 諸葛 尉遲 東方 獨孤 長孫"
)
_COMPOUND = frozenset(_COMPOUND_SURNAMES.split())


def human_name(element: Element) -> dict[str, Any] | None:
    """Return an XPN; a Chinese name in one component is split after its surname.

    A name that cannot be split with certainty (four characters without a compound surname, a name
    with a middle dot) keeps its text alone.
    """
    family = element.text(1)
    given = [part for part in (element.text(2), *element.text(3).split()) if part]
    if not family and not given:
        return None
    found: dict[str, Any] = {"text": _spelled(family, given)}
    if not given:
        family, given = split_chinese(family)
    code = _REPRESENTATIONS.get(element.text(8))
    said = {
        "use": _NAME_USES.get(element.text(7)),
        "family": family,
        "given": given,
        "prefix": [element.text(5)] if element.text(5) else None,
        "suffix": [element.text(4)] if element.text(4) else None,
        "extension": [{"url": _REPRESENTATION, "valueCode": code}] if code else None,
    }
    return found | {name: value for name, value in said.items() if value}


def split_chinese(name: str) -> tuple[str, list[str]]:
    """Return surname and given name of a name in Chinese characters, empty ones where in doubt.

    >>> split_chinese("欧阳建国"), split_chinese("王芳")
    (('欧阳', ['建国']), ('王', ['芳']))
    """
    if not _HAN.fullmatch(name):
        return "", []
    if len(name) > 2 and name[:2] in _COMPOUND:
        return name[:2], [name[2:]]
    if len(name) in (2, 3):
        return name[0], [name[1:]]
    return "", []


def address(element: Element) -> dict[str, Any] | None:
    """Return an XAD; FHIR has no element for what lies beyond its nine first components."""
    lines = [line for n in (1, 2) if (line := element.text(n))]
    rest = {
        "city": element.text(3),
        "state": element.text(4),
        "postalCode": element.text(5),
        "country": element.text(6),
        "district": element.text(9),
    }
    said = {"use": _ADDRESS_USES.get(element.text(7), ""), **rest}
    places: dict[str, Any] = {name: value for name, value in said.items() if value}
    if lines and not any(rest.values()):
        return places | {"text": " ".join(lines)}
    if lines:
        places["line"] = lines
    return places if lines or any(rest.values()) else None


def contact_point(element: Element, use: str) -> dict[str, Any] | None:
    """Return an XTN; `use` is the field's own where the repetition does not say."""
    number = element.text(1) or _spelled_number(element)
    email = element.text(4)
    kind = _CONTACT_SYSTEMS.get(element.text(3), "phone")
    if not number and email:
        number, kind = email, "email"
    if not number:
        return None
    if element.text(3) == "CP":
        use = "mobile"
    return {"system": kind, "value": number, "use": _CONTACT_USES.get(element.text(2), use)}


def _spelled(family: str, given: list[str]) -> str:
    if not given or not family:
        return family or " ".join(given)
    if _HAN.fullmatch(family + "".join(given)):
        return family + "".join(given)
    return " ".join((*given, family))


def _spelled_number(element: Element) -> str:
    country, area, local, extension = (element.text(n) for n in (5, 6, 7, 8))
    if not local:
        return element.text(12)
    number = " ".join(part for part in (f"+{country}" if country else "", area, local) if part)
    return f"{number} ext. {extension}" if extension else number
