"""Figures of what was shown: counted once each, kept as sums by day, billed by month."""
