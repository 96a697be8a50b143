"""The JSON API beside FHIR: login, accounts, the v2 inbox, who looked, metrics."""
