"""Side effects that follow the change feed: outbox, worker, notices (their place; nothing
uses it yet)."""
