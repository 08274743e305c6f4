"""Caches: rows and pages that a process remembers for two seconds."""
