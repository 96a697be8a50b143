"""All HTTP: the FHIR API, the admin API, the pages, health and metrics."""
