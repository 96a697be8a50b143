"""The reviewed tables: what a v2 code becomes in FHIR R4.

Sources: HL7 v2 tables (https://terminology.hl7.org/codesystems-v2.html), the v2-to-FHIR
implementation guide (https://hl7.org/fhir/uv/v2mappings/, CC0), GB/T 2261.1 and GB/T 2261.2.
Where the guide is silent or leaves a code out, the line is this project's decision.
"""

V3 = "http://terminology.hl7.org/CodeSystem/v3-"
ACT_CODE = V3 + "ActCode"
GB_SEX = "urn:oid:2.16.156.10011.2.3.3.4"
GB_MARITAL = "urn:oid:2.16.156.10011.2.3.3.5"

# PID-8, table 0001 and GB/T 2261.1; the exact ones lose nothing
GENDERS = {
    "M": "male",
    "F": "female",
    "O": "other",
    "U": "unknown",
    "A": "other",
    "N": "other",
    "0": "unknown",
    "1": "male",
    "2": "female",
    "5": "other",
    "6": "other",
    "9": "unknown",
    "男": "male",
    "女": "female",
    "男性": "male",
    "女性": "female",
    "未知": "unknown",
    "不详": "unknown",
    "未说明": "unknown",
}
GENDERS_EXACT = frozenset({"M", "F", "O", "U"})

# PID-16, table 0002 and GB/T 2261.2, to v3-MaritalStatus
MARITAL = {
    "S": "S",
    "M": "M",
    "D": "D",
    "W": "W",
    "A": "L",
    "P": "T",
    "I": "I",
    "N": "A",
    "T": "UNM",
    "10": "S",
    "20": "M",
    "21": "M",
    "22": "M",
    "23": "M",
    "30": "W",
    "40": "D",
    "未婚": "S",
    "已婚": "M",
    "丧偶": "W",
    "离婚": "D",
}

# PV1-2, table 0004, to v3-ActCode
CLASSES = {
    "I": ("IMP", "inpatient encounter"),
    "O": ("AMB", "ambulatory"),
    "E": ("EMER", "emergency"),
    "P": ("PRENC", "pre-admission"),
    "R": ("AMB", "ambulatory"),
    "B": ("IMP", "inpatient encounter"),
    "住院": ("IMP", "inpatient encounter"),
    "门诊": ("AMB", "ambulatory"),
    "急诊": ("EMER", "emergency"),
    "体检": ("AMB", "ambulatory"),
}

# Trigger event to Encounter.status and its rank: an encounter never goes back.
# A08 changes data, it never decides the status.
ENCOUNTER_STATUS = {
    "A04": ("arrived", 1),
    "A01": ("in-progress", 2),
    "A03": ("finished", 3),
}
ENCOUNTER_UNSAID = ("unknown", 0)

# PV1 fields that name people, to v3-ParticipationType
PARTICIPANTS = {
    7: ("ATND", "attender"),
    8: ("REF", "referrer"),
    9: ("CON", "consultant"),
    17: ("ADM", "admitter"),
}

# OBX-11, table 0085: Observation.status, rank, and whether the FHIR code says all of the v2 code
RESULT_STATUS = {
    "F": ("final", 2, True),
    "V": ("final", 2, False),
    "U": ("final", 2, False),
    "P": ("preliminary", 1, True),
    "S": ("preliminary", 1, False),
    "R": ("preliminary", 1, False),
    "I": ("registered", 0, True),
    "O": ("registered", 0, False),
    "C": ("corrected", 3, True),
    "A": ("amended", 3, True),
    "B": ("amended", 3, False),
    "D": ("entered-in-error", 3, False),
    "W": ("entered-in-error", 3, True),
    "X": ("cancelled", 3, True),
    "N": ("final", 2, False),
}
RESULT_UNSAID = ("unknown", 0, True)
RESULT_UNKNOWN = ("unknown", 0, False)
# OBX-11 codes that say why there is no value
RESULT_ABSENT = {"X": ("not-performed", "Not Performed"), "N": ("not-asked", "Not Asked")}

# OBR-25, table 0123, likewise for DiagnosticReport.status; Y and Z answer a query
# that nobody made
REPORT_STATUS = {
    "O": ("registered", 0, False),
    "I": ("registered", 0, True),
    "S": ("registered", 0, False),
    "N": ("registered", 0, False),
    "A": ("partial", 1, True),
    "R": ("partial", 1, False),
    "P": ("preliminary", 1, True),
    "F": ("final", 2, True),
    "C": ("corrected", 3, True),
    "M": ("amended", 3, True),
    "X": ("cancelled", 3, True),
}
REPORT_UNKNOWN = ("unknown", 0, False)
REPORT_REFUSED = frozenset({"Y", "Z"})
# OBR-25 where it is empty, from the least of its results; Observation.status where OBX-11 is empty
REPORT_OF_RANK = {0: "registered", 1: "preliminary", 2: "final", 3: "corrected"}
RESULT_OF_REPORT = {
    "registered": "registered",
    "partial": "preliminary",
    "preliminary": "preliminary",
    "final": "final",
    "corrected": "corrected",
    "amended": "amended",
    "cancelled": "cancelled",
}

# OBX-8, table 0078 and what Chinese analysers print, to v3-ObservationInterpretation
_V3_FLAGS = "L H LL HH < > N A AA U D B W S R I POS NEG IND DET ND RR WR NR"
INTERPRETATIONS = {
    **{code: code for code in _V3_FLAGS.split()},
    "↑": "H",
    "↓": "L",
    "↑↑": "HH",
    "↓↓": "LL",
    "偏高": "H",
    "偏低": "L",
    "高": "H",
    "低": "L",
    "正常": "N",
    "异常": "A",
    "危急": "AA",
    "阳性": "POS",
    "阴性": "NEG",
}

# OBR-24, table 0074, to observation-category; every other section is a laboratory's
_IMAGING = "CT CUS IMG NMR NMS OUS RAD RUS RX VUS XRC MRI US"
OBSERVATION_CATEGORIES = {
    **dict.fromkeys(
        ["CT", "CUS", "IMG", "NMR", "NMS", "OUS", "RAD", "RUS", "RX", "VUS", "XRC", "MRI", "US"],
        "imaging",
    ),
    **dict.fromkeys(["EC", "EN", "PF", "CTH", "VR"], "procedure"),
    **dict.fromkeys(["PHY", "OT", "PT", "OTH"], "exam"),
}

# Table 0074, all codes
SECTIONS = frozenset(
    """AU BG BLB CG CH CP CT CTH CUS EC EN GE HM ICU IMG IMM LAB MB MCB MYC NMR NMS NRS OSL OT OTH
    OUS PAR PAT PF PHR PHY PT RAD RC RT RUS RX SP SR TX URN VR VUS XRC""".split()  # noqa: SIM905
)

# LOINC codes that are vital signs whatever section reports them
# https://hl7.org/fhir/R4/observation-vitalsigns.html
_VITAL_SIGNS = """
85353-1 9279-1 8867-4 2708-6 59408-5 8310-5 8302-2 9843-4 29463-7 39156-5 85354-9 8480-6 8462-4
8478-0 8306-3 8287-5
"""
VITAL_SIGNS = frozenset(_VITAL_SIGNS.split())

# DG1-6, table 0052: Condition.verificationStatus, rank, and Encounter.diagnosis.use
DIAGNOSIS_TYPES = {
    "A": ("provisional", 1, "AD"),
    "W": ("provisional", 2, None),
    "F": ("confirmed", 3, "DD"),
}
DIAGNOSIS_UNSAID = ("unconfirmed", 0, None)

# AL1-2, table 0127; AL1-4, table 0128
ALLERGY_CATEGORIES = {
    "DA": "medication",
    "FA": "food",
    "EA": "environment",
    "PA": "environment",
    "AA": "environment",
    "LA": "environment",
}
CRITICALITIES = {"SV": "high", "MO": "low", "MI": "low", "U": "unable-to-assess"}
SEVERITIES = {"SV": "severe", "MO": "moderate", "MI": "mild"}

# NK1-3 relationships to table 0131 contact roles stay as they are sent; OBX-5 of type ED, OBX-5.2/3
MEDIA_TYPES = {
    "PDF": "application/pdf",
    "JPEG": "image/jpeg",
    "JPG": "image/jpeg",
    "PNG": "image/png",
    "BMP": "image/bmp",
    "GIF": "image/gif",
    "TIFF": "image/tiff",
    "RTF": "application/rtf",
    "HTML": "text/html",
    "XML": "text/xml",
    "DICOM": "application/dicom",
    "DCM": "application/dicom",
}
