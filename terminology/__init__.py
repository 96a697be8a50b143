"""CodeSystem, ValueSet, ConceptMap and UCUM; knows no server (its place; empty yet)."""
