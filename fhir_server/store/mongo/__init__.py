"""The scale-out store: a MongoDB replica set or sharded cluster. docs/store.md says how."""
