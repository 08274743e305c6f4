"""Vouchers: day passes, from the batch that is printed to totals that must add up."""
