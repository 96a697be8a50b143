"""The pages: server-rendered, Chinese first, every asset the hub's own, no script needed."""
