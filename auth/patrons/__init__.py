"""Patrons: people with a library card, found and proven by a directory."""
