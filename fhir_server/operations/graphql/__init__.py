"""`$graphql`: FHIR through GraphQL. https://hl7.org/fhir/R4/graphql.html"""
