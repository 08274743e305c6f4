"""Session log: what was decided, what a session's story is, who may see what of it."""
