"""Audit log: who did what to what, and when; chained, signed, and written with the deed."""
