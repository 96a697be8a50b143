"""The cast of the demo city: organizations, staff, the two patients who log in, and all users.

City, people and institutions are invented; any likeness to real ones is accidental.
"""

from dataclasses import dataclass
from datetime import date

from fhir_server.demo.names import Name

CITY = "云汀市"


@dataclass(frozen=True, slots=True)
class Place:
    """An organization or department, with its one service and the room where it is given."""

    id: str
    name: str
    alias: str
    kind: str  # organization-type: prov, dept, govt
    owner: str  # the organization that writes the records made here
    part_of: str | None = None
    service: str | None = None

    @property
    def reference(self) -> str:
        """`Organization/id`."""
        return f"Organization/{self.id}"

    @property
    def room(self) -> str:
        """`Location/id` of the place itself."""
        return f"Location/loc-{self.id}"


PLACES = (
    Place("hub-office", "云汀市卫生健康信息中心", "Information Centre", "govt", "hub-office"),
    Place("hospital", "云汀市第一人民医院", "Yunting First People's Hospital", "prov", "hospital"),
    Place("dept-cardiology", "心内科", "Cardiology", "dept", "hospital",
          "hospital", "心血管内科门诊"),
    Place("dept-endocrinology", "内分泌科", "Endocrinology", "dept", "hospital",
          "hospital", "内分泌科门诊"),
    Place("dept-health", "健康管理中心", "Health Management", "dept", "hospital",
          "hospital", "健康体检"),
    Place("dept-laboratory", "检验科", "Laboratory", "dept", "hospital", "hospital", "临床检验"),
    Place("dept-emergency", "急诊科", "Emergency", "dept", "hospital", "hospital", "急诊"),
    Place("clinic-east", "东堤社区卫生服务中心", "Dongdi Community Health Centre", "prov",
          "clinic-east", None, "慢性病管理与家庭医生签约"),
    Place("clinic-west", "西苑社区卫生服务中心", "Xiyuan Community Health Centre", "prov",
          "clinic-west", None, "慢性病管理与家庭医生签约"),
)  # fmt: skip
PLACE = {place.id: place for place in PLACES}


@dataclass(frozen=True, slots=True)
class Staff:
    """A person who works at a place in one role; `role_code` is a code of the hub's staff roles."""

    id: str
    name: Name
    male: bool
    role_id: str
    role_code: str
    title: str
    place: str

    @property
    def role(self) -> str:
        """`PractitionerRole/id`."""
        return f"PractitionerRole/{self.role_id}"


STAFF = (
    Staff("dr-he", Name("何", "静仪", "He", "Jingyi"), False,
          "role-cardiologist", "physician", "主任医师", "dept-cardiology"),
    Staff("dr-qiu", Name("仇", "明远", "Qiu", "Mingyuan"), True,
          "role-endocrinologist", "physician", "副主任医师", "dept-endocrinology"),
    Staff("dr-zhai", Name("翟", "慧敏", "Zhai", "Huimin"), False,
          "role-hm-physician", "hm-physician", "主治医师", "dept-health"),
    Staff("lab-fang", Name("方", "昞", "Fang", "Bing"), True,
          "role-lab", "lab", "主管技师", "dept-laboratory"),
    Staff("dr-luo", Name("骆", "海峰", "Luo", "Haifeng"), True,
          "role-emergency", "physician", "主治医师", "dept-emergency"),
    Staff("nurse-cao", Name("曹", "玉洁", "Cao", "Yujie"), False,
          "role-ward-nurse", "nurse", "主管护师", "dept-cardiology"),
    Staff("dr-ouyang", Name("欧阳", "晓岚", "Ouyang", "Xiaolan"), False,
          "role-east-gp", "gp", "全科主治医师", "clinic-east"),
    Staff("nurse-bai", Name("白", "雪梅", "Bai", "Xuemei"), False,
          "role-east-nurse", "nurse", "护师", "clinic-east"),
    Staff("dr-zeng", Name("曾", "凡", "Zeng", "Fan"), True,
          "role-west-gp", "gp", "全科主治医师", "clinic-west"),
    Staff("nurse-shan", Name("单", "丽", "Shan", "Li"), False,
          "role-west-nurse", "nurse", "护师", "clinic-west"),
    Staff("it-cha", Name("查", "理文", "Zha", "Liwen"), True,
          "role-integrator", "integrator", "集成工程师", "hub-office"),
    Staff("op-piao", Name("朴", "英哲", "Piao", "Yingzhe"), True,
          "role-operator", "operator", "平台管理员", "hub-office"),
    Staff("audit-xie", Name("解", "正清", "Xie", "Zhengqing"), False,
          "role-auditor", "auditor", "安全审计员", "hub-office"),
)  # fmt: skip
STAFF_BY_ROLE = {staff.role_id: staff for staff in STAFF}


@dataclass(frozen=True, slots=True)
class Named:
    """A patient of the city whose person is fixed, whatever the seed."""

    name: Name
    male: bool
    birth: date
    home: str


NAMED_PATIENTS = {
    1: Named(Name("王", "建国", "Wang", "Jianguo"), True, date(1958, 3, 12), "clinic-east"),
    2: Named(Name("李", "秀兰", "Li", "Xiulan"), False, date(1965, 11, 2), "hospital"),
    3: Named(Name("欧阳", "文博", "Ouyang", "Wenbo"), True, date(1971, 6, 24), "clinic-west"),
}


@dataclass(frozen=True, slots=True)
class User:
    """Someone who logs in to the demo: staff (`role_id`) or a patient (`patient_id`)."""

    login: str
    password: str
    name: str
    role: str
    organization: str | None = None
    role_id: str | None = None
    practitioner_id: str | None = None
    patient_id: str | None = None


_LOGINS = {
    "cardiologist": "role-cardiologist",
    "endocrinologist": "role-endocrinologist",
    "hm-physician": "role-hm-physician",
    "lab": "role-lab",
    "emergency": "role-emergency",
    "ward-nurse": "role-ward-nurse",
    "east-gp": "role-east-gp",
    "east-nurse": "role-east-nurse",
    "west-gp": "role-west-gp",
    "west-nurse": "role-west-nurse",
    "integrator": "role-integrator",
    "operator": "role-operator",
    "auditor": "role-auditor",
}
_PATIENT_LOGINS = {"patient-wang": 1, "patient-li": 2}


def _staff_user(login: str, role_id: str) -> User:
    staff = STAFF_BY_ROLE[role_id]
    organization = PLACE[staff.place].owner
    return User(
        login, f"demo-{login}", staff.name.text, staff.role_code, organization, role_id, staff.id
    )


def _patient_user(login: str, index: int) -> User:
    name = NAMED_PATIENTS[index].name.text
    return User(login, f"demo-{login}", name, "patient", patient_id=patient_id(index))


def patient_id(index: int) -> str:
    """Returns the id of the patient `index`, counted from 1: `patient-0001`."""
    return f"patient-{index:04d}"


USERS = (
    *(_staff_user(login, role_id) for login, role_id in _LOGINS.items()),
    *(_patient_user(login, index) for login, index in _PATIENT_LOGINS.items()),
)
USER = {user.login: user for user in USERS}
