"""Names of the fields of the segments we read, for people who look at a message.

HL7 v2.5.1, from the version tables of hl7apy 1.3.5 (MIT, https://pypi.org/project/hl7apy/).
"""

_NAMES = {
    "MSH": (
        "Field Separator; Encoding Characters; Sending Application; Sending Facility; Receiving"
        " Application; Receiving Facility; Date Time of Message; Security; Message Type; "
        "Message Control ID; Processing ID; Version ID; Sequence Number; Continuation Pointer; "
        "Accept Acknowledgment Type; Application Acknowledgment Type; Country Code; Character "
        "Set; Principal Language of Message; Alternate Character Set Handling Scheme; Message "
        "Profile Identifier"
    ),
    "EVN": (
        "Event Type Code; Recorded Date Time; Date Time Planned Event; Event Reason Code; "
        "Operator ID; Event Occurred; Event Facility"
    ),
    "PID": (
        "Set ID; Patient ID; Patient Identifier List; Alternate Patient ID Pid; Patient Name; "
        "Mother S Maiden Name; Date Time of Birth; Administrative Sex; Patient Alias; Race; "
        "Patient Address; County Code; Phone Number Home; Phone Number Business; Primary "
        "Language; Marital Status; Religion; Patient Account Number; SSN Number Patient; Driver"
        " S License Number Patient; Mother S Identifier; Ethnic Group; Birth Place; Multiple "
        "Birth Indicator; Birth Order; Citizenship; Veterans Military Status; Nationality; "
        "Patient Death Date and Time; Patient Death Indicator; Identity Unknown Indicator; "
        "Identity Reliability Code; Last Update Date Time; Last Update Facility; Species Code; "
        "Breed Code; Strain; Production Class Code; Tribal Citizenship"
    ),
    "NK1": (
        "Set ID; Name; Relationship; Address; Phone Number; Business Phone Number; Contact "
        "Role; Start Date; End Date; Next of Kin Associated Parties Job Title; Next of Kin "
        "Associated Parties Job Code Class; Next of Kin Associated Parties Employee Number; "
        "Organization Name Nk1; Marital Status; Administrative Sex; Date Time of Birth; Living "
        "Dependency; Ambulatory Status; Citizenship; Primary Language; Living Arrangement; "
        "Publicity Code; Protection Indicator; Student Indicator; Religion; Mother S Maiden "
        "Name; Nationality; Ethnic Group; Contact Reason; Contact Person S Name; Contact Person"
        " S Telephone Number; Contact Person S Address; Next of Kin Associated Party S "
        "Identifiers; Job Status; Race; Handicap; Contact Person Social Security Number; Next "
        "of Kin Birth Place; VIP Indicator"
    ),
    "PV1": (
        "Set ID; Patient Class; Assigned Patient Location; Admission Type; Preadmit Number; "
        "Prior Patient Location; Attending Doctor; Referring Doctor; Consulting Doctor; "
        "Hospital Service; Temporary Location; Preadmit Test Indicator; Re Admission Indicator;"
        " Admit Source; Ambulatory Status; VIP Indicator; Admitting Doctor; Patient Type; Visit"
        " Number; Financial Class; Charge Price Indicator; Courtesy Code; Credit Rating; "
        "Contract Code; Contract Effective Date; Contract Amount; Contract Period; Interest "
        "Code; Transfer to Bad Debt Code; Transfer to Bad Debt Date; Bad Debt Agency Code; Bad "
        "Debt Transfer Amount; Bad Debt Recovery Amount; Delete Account Indicator; Delete "
        "Account Date; Discharge Disposition; Discharged to Location; Diet Type; Servicing "
        "Facility; Bed Status; Account Status; Pending Location; Prior Temporary Location; "
        "Admit Date Time; Discharge Date Time; Current Patient Balance; Total Charges; Total "
        "Adjustments; Total Payments; Alternate Visit ID; Visit Indicator; Other Healthcare "
        "Provider"
    ),
    "PV2": (
        "Prior Pending Location; Accommodation Code; Admit Reason; Transfer Reason; Patient "
        "Valuables; Patient Valuables Location; Visit User Code; Expected Admit Date Time; "
        "Expected Discharge Date Time; Estimated Length of Inpatient Stay; Actual Length of "
        "Inpatient Stay; Visit Description; Referral Source Code; Previous Service Date; "
        "Employment Illness Related Indicator; Purge Status Code; Purge Status Date; Special "
        "Program Code; Retention Indicator; Expected Number of Insurance Plans; Visit Publicity"
        " Code; Visit Protection Indicator; Clinic Organization Name; Patient Status Code; "
        "Visit Priority Code; Previous Treatment Date; Expected Discharge Disposition; "
        "Signature On File Date; First Similar Illness Date; Patient Charge Adjustment Code; "
        "Recurring Service Code; Billing Media Code; Expected Surgery Date and Time; Military "
        "Partnership Code; Military Non Availability Code; Newborn Baby Indicator; Baby "
        "Detained Indicator; Mode of Arrival Code; Recreational Drug Use Code; Admission Level "
        "of Care Code; Precaution Code; Patient Condition Code; Living Will Code; Organ Donor "
        "Code; Advance Directive Code; Patient Status Effective Date; Expected Loa Return Date "
        "Time; Expected Pre Admission Testing Date Time; Notify Clergy Code"
    ),
    "DG1": (
        "Set ID; Diagnosis Coding Method; Diagnosis Code Dg1; Diagnosis Description; Diagnosis "
        "Date Time; Diagnosis Type; Major Diagnostic Category; Diagnostic Related Group; Drg "
        "Approval Indicator; Drg Grouper Review Code; Outlier Type; Outlier Days; Outlier Cost;"
        " Grouper Version and Type; Diagnosis Priority; Diagnosing Clinician; Diagnosis "
        "Classification; Confidential Indicator; Attestation Date Time; Diagnosis Identifier; "
        "Diagnosis Action Code"
    ),
    "AL1": (
        "Set ID; Allergen Type Code; Allergen Code Mnemonic Description; Allergy Severity Code;"
        " Allergy Reaction Code; Identification Date"
    ),
    "ORC": (
        "Order Control; Placer Order Number; Filler Order Number; Placer Group Number; Order "
        "Status; Response Flag; Quantity Timing; Parent; Date Time of Transaction; Entered By; "
        "Verified By; Ordering Provider; Enterer S Location; Call Back Phone Number; Order "
        "Effective Date Time; Order Control Code Reason; Entering Organization; Entering "
        "Device; Action By; Advanced Beneficiary Notice Code; Ordering Facility Name; Ordering "
        "Facility Address; Ordering Facility Phone Number; Ordering Provider Address; Order "
        "Status Modifier; Advanced Beneficiary Notice Override Reason; Filler S Expected "
        "Availability Date Time; Confidentiality Code; Order Type; Enterer Authorization Mode; "
        "Parent Universal Service Identifier"
    ),
    "OBR": (
        "Set ID; Placer Order Number; Filler Order Number; Universal Service Identifier; "
        "Priority Obr; Requested Date Time; Observation Date Time; Observation End Date Time; "
        "Collection Volume; Collector Identifier; Specimen Action Code; Danger Code; Relevant "
        "Clinical Information; Specimen Received Date Time; Specimen Source; Ordering Provider;"
        " Order Callback Phone Number; Placer Field 1; Placer Field 2; Filler Field 1; Filler "
        "Field 2; Results Rpt Status Chng Date Time; Charge to Practice; Diagnostic Serv Sect "
        "ID; Result Status; Parent Result; Quantity Timing; Result Copies to; Parent; "
        "Transportation Mode; Reason for Study; Principal Result Interpreter; Assistant Result "
        "Interpreter; Technician; Transcriptionist; Scheduled Date Time; Number of Sample "
        "Containers; Transport Logistics of Collected Sample; Collector S Comment; Transport "
        "Arrangement Responsibility; Transport Arranged; Escort Required; Planned Patient "
        "Transport Comment; Procedure Code; Procedure Code Modifier; Placer Supplemental "
        "Service Information; Filler Supplemental Service Information; Medically Necessary "
        "Duplicate Procedure Reason; Result Handling; Parent Universal Service Identifier"
    ),
    "OBX": (
        "Set ID; Value Type; Observation Identifier; Observation Sub ID; Observation Value; "
        "Units; References Range; Abnormal Flags; Probability; Nature of Abnormal Test; "
        "Observation Result Status; Effective Date of Reference Range Values; User Defined "
        "Access Checks; Date Time of the Observation; Producer S Reference; Responsible "
        "Observer; Observation Method; Equipment Instance Identifier; Date Time of the "
        "Analysis; Performing Organization Name; Performing Organization Address; Performing "
        "Organization Medical Director; Performing Organization Name; Performing Organization "
        "Address; Performing Organization Medical Director"
    ),
    "NTE": ("Set ID; Source of Comment; Comment; Comment Type"),
    "SPM": (
        "Set ID; Specimen ID; Specimen Parent Ids; Specimen Type; Specimen Type Modifier; "
        "Specimen Additives; Specimen Collection Method; Specimen Source Site; Specimen Source "
        "Site Modifier; Specimen Collection Site; Specimen Role; Specimen Collection Amount; "
        "Grouped Specimen Count; Specimen Description; Specimen Handling Code; Specimen Risk "
        "Code; Specimen Collection Date Time; Specimen Received Date Time; Specimen Expiration "
        "Date Time; Specimen Availability; Specimen Reject Reason; Specimen Quality; Specimen "
        "Appropriateness; Specimen Condition; Specimen Current Quantity; Number of Specimen "
        "Containers; Container Type; Container Condition; Specimen Child Role"
    ),
    "MSA": (
        "Acknowledgment Code; Message Control ID; Text Message; Expected Sequence Number; "
        "Delayed Acknowledgment Type; Error Condition"
    ),
    "ERR": (
        "Error Code and Location; Error Location; Hl7 Error Code; Severity; Application Error "
        "Code; Application Error Parameter; Diagnostic Information; User Message; Inform Person"
        " Indicator; Override Type; Override Reason Code; Help Desk Contact Point"
    ),
}
FIELD_NAMES = {name: tuple(text.split("; ")) for name, text in _NAMES.items()}
