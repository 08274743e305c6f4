"""Translations: the catalogues, and the formats of times and numbers."""
