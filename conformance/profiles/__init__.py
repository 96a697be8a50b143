"""Profiles: what a StructureDefinition asks of a resource beyond its type, compiled to closures.

https://hl7.org/fhir/R4/profiling.html
"""
