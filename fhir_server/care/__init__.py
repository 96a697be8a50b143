"""Programmes on top of the record: follow-up, chronic disease, risk, alerts (their place;
empty yet)."""
