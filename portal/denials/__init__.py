"""Denials: each denied request told to guests, staff, programs and reports, and kept under an incident code."""
