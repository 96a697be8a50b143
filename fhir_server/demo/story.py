"""The story that the hub exists for, played against a running hub on real sockets.

Every step sends the real requests, shows them with their answers, and fails loudly where the hub
does not do what the step says.
"""

from collections.abc import Callable
from dataclasses import dataclass

from fhir_server.demo import acts
from fhir_server.demo.scene import Stage


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the story: what it says in Chinese and English, and what it does."""

    number: str
    chinese: str
    english: str
    act: Callable[[Stage], None]


STEPS = (
    Step(
        "1.1",
        "医院 HIS 发来入院消息 ADT^A01",
        "The hospital's HIS sends ADT^A01",
        acts.admit,
    ),
    Step(
        "1.2",
        "检验科发来 ORU^R01（GB18030，中文姓名）",
        "The laboratory sends ORU^R01 (GB18030)",
        acts.results,
    ),
    Step(
        "1.3",
        "HIS 发来出院消息 ADT^A03",
        "The HIS sends ADT^A03",
        acts.discharge,
    ),
    Step(
        "1.4",
        "同一条消息重发：什么都不变，应答相同",
        "The same message again changes nothing",
        acts.again,
    ),
    Step(
        "1.5",
        "错误消息得到 AE，可查原因、改正并重放",
        "A broken message: AE, corrected, replayed",
        acts.broken,
    ),
    Step(
        "2.1",
        "医院医生查阅病历",
        "A hospital physician reads the record",
        acts.look,
    ),
    Step(
        "2.2",
        "社区医生问同样的问题：如同此人不存在",
        "A clinic doctor sees a world without the patient",
        acts.hidden,
    ),
    Step(
        "3.1",
        "医生开下转申请、任务和患者同意书",
        "The physician writes the down-referral",
        acts.write_referral,
    ),
    Step(
        "3.2",
        "发送：转诊资料包对社区开放",
        "Sending opens the package to the clinic",
        acts.send,
    ),
    Step(
        "4.1",
        "社区接收：两人同时点，只有一人成功",
        "The clinic accepts; of two at once one wins",
        acts.accept,
    ),
    Step(
        "4.2",
        "不合法的步骤得到 409，并说明可走的步骤",
        "An illegal step is a 409 that names the legal ones",
        acts.illegal,
    ),
    Step(
        "5.1",
        "社区记录一次就诊，医院医生看得到",
        "The clinic records a visit; the physician sees it",
        acts.visit,
    ),
    Step(
        "5.2",
        "患者查看谁看过病历，撤回同意",
        "The patient reads who looked, and withdraws",
        acts.withdraw,
    ),
    Step(
        "5.3",
        "社区完成任务，授权结束",
        "The clinic completes the Task; its grant ends",
        acts.complete,
    ),
    Step(
        "6",
        "审计员读到全部痕迹，别人读不到",
        "The auditor reads the whole trail; nobody else can",
        acts.audit,
    ),
)
