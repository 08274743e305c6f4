"""Alerts sent: what they say, and the two ways they leave the house."""
