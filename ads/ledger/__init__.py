"""Ledger: what was served, viewed and accepted, counted once each; kept as sums by day and billed by month."""
