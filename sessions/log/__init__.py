"""The log as a tool: what was decided, what a session's story is, who may see what of it."""
