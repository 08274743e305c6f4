"""Translations: the catalogues, and how times and numbers are told."""
