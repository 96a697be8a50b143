"""The embedded store: one SQLite file. docs/store.md tells why it is as it is."""
