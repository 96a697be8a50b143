"""Chinese names: how often a surname is met, and how names are written in pinyin.

https://hl7.org/fhir/R4/datatypes.html#HumanName
"""

from dataclasses import dataclass
from itertools import accumulate
from random import Random
from typing import Literal

from fhir_server.demo.shapes import Json

# (surname, pinyin, weight). Readings that differ as a surname: 单 仇 曾 查 翟 解 朴 区 尉迟.
SURNAMES = (
    ("王", "Wang", 72), ("李", "Li", 71), ("张", "Zhang", 67), ("刘", "Liu", 54),
    ("陈", "Chen", 45), ("杨", "Yang", 31), ("黄", "Huang", 22), ("赵", "Zhao", 21),
    ("吴", "Wu", 20), ("周", "Zhou", 19), ("徐", "Xu", 15), ("孙", "Sun", 15), ("马", "Ma", 13),
    ("朱", "Zhu", 13), ("胡", "Hu", 12), ("郭", "Guo", 11), ("何", "He", 11), ("林", "Lin", 11),
    ("高", "Gao", 10), ("罗", "Luo", 10), ("郑", "Zheng", 9), ("梁", "Liang", 9),
    ("谢", "Xie", 8), ("宋", "Song", 8), ("唐", "Tang", 7), ("许", "Xu", 7), ("韩", "Han", 7),
    ("冯", "Feng", 6), ("邓", "Deng", 6), ("曹", "Cao", 6), ("彭", "Peng", 6), ("曾", "Zeng", 6),
    ("吕", "Lyu", 5), ("苏", "Su", 5), ("卢", "Lu", 5), ("蒋", "Jiang", 5), ("蔡", "Cai", 5),
    ("单", "Shan", 1), ("仇", "Qiu", 1), ("翟", "Zhai", 1), ("查", "Zha", 1), ("解", "Xie", 1),
    ("朴", "Piao", 1), ("区", "Ou", 1), ("欧阳", "Ouyang", 2), ("司马", "Sima", 1),
    ("诸葛", "Zhuge", 1), ("上官", "Shangguan", 1), ("尉迟", "Yuchi", 1), ("皇甫", "Huangfu", 1),
    ("慕容", "Murong", 1), ("令狐", "Linghu", 1),
)  # fmt: skip

_MALE = (
    "建jian 国guo 志zhi 强qiang 伟wei 军jun 勇yong 杰jie 明ming 辉hui 斌bin 鹏peng 涛tao 刚gang "
    "平ping 文wen 德de 华hua 金jin 福fu 庆qing 海hai 山shan 林lin 生sheng 东dong 亮liang 永yong "
    "新xin 利li 祥xiang 荣rong 根gen 松song 柏bo 宏hong 家jia 良liang 瑞rui 昌chang 毅yi 坤kun"
)
_FEMALE = (
    "秀xiu 英ying 兰lan 芳fang 丽li 娟juan 静jing 敏min 玲ling 艳yan 红hong 梅mei 桂gui 珍zhen "
    "凤feng 霞xia 萍ping 琴qin 素su 云yun 莲lian 玉yu 淑shu 惠hui 珠zhu 翠cui 雪xue 琳lin "
    "洁jie 颖ying 婷ting 慧hui 倩qian 岚lan 菊ju 春chun 月yue 彩cai 香xiang 美mei 佩pei 蓉rong"
)
_YOUNG = (
    "子zi 涵han 宇yu 轩xuan 欣xin 怡yi 梓zi 睿rui 浩hao 然ran 诺nuo 思si 语yu 嘉jia 俊jun "
    "熙xi 沐mu 晨chen 依yi 可ke 乐le 一yi 安an 宁ning 若ruo 瑶yao 昞bing 东dong 洋yang 艺yi"
)


def _letters(table: str) -> tuple[tuple[str, str], ...]:
    return tuple((word[0], word[1:]) for word in table.split())


_GIVEN = {"male": _letters(_MALE), "female": _letters(_FEMALE), "young": _letters(_YOUNG)}
_TOTALS = tuple(accumulate(weight for _, _, weight in SURNAMES))


Style = Literal["male", "female", "young"]


@dataclass(frozen=True, slots=True)
class Name:
    """A name in characters and, each part capitalised, in pinyin."""

    family: str
    given: str
    family_pinyin: str
    given_pinyin: str

    @property
    def text(self) -> str:
        """The name as it is written and called."""
        return self.family + self.given


def draw_name(rng: Random, style: Style) -> Name:
    """Draws a name: the surname by frequency, one or two characters of the given name."""
    [(family, pinyin, _)] = rng.choices(SURNAMES, cum_weights=_TOTALS)
    given = rng.sample(_GIVEN[style], 1 if rng.random() < 0.15 else 2)
    letters = "".join(letter for letter, _ in given)
    return Name(family, letters, pinyin, "".join(sound for _, sound in given).capitalize())


_WRITTEN = "http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation"


def human_names(name: Name) -> list[Json]:
    """Returns two HumanNames: ideographic (official) and pinyin, marked by EN-representation."""
    return [
        {
            "extension": [{"url": _WRITTEN, "valueCode": "IDE"}],
            "use": "official",
            "text": name.text,
            "family": name.family,
            "given": [name.given],
        },
        {
            "extension": [{"url": _WRITTEN, "valueCode": "SYL"}],
            "use": "usual",
            "text": f"{name.family_pinyin} {name.given_pinyin}",
            "family": name.family_pinyin,
            "given": [name.given_pinyin],
        },
    ]
