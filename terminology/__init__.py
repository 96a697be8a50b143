"""CodeSystem, ValueSet, ConceptMap and UCUM; knows no server.

https://hl7.org/fhir/R4/terminology-module.html
"""
