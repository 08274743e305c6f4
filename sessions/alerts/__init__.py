"""Alerts: who is told of troubles, at which hours, and what has been told."""
