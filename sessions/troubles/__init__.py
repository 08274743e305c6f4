"""Troubles: what is broken or waits for somebody now, and since when."""
