"""Rules of R4 that no table states: each checks objects of one type, as a whole.

https://hl7.org/fhir/R4/validation.html
"""
