"""Experiments: what the town wants to learn, by which figures it will judge, and what it said on the way."""
