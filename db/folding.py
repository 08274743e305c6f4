"""Texts compared as people compare them: without accents and case."""

from __future__ import annotations

import unicodedata


def folded(text: str) -> str:
    """`text` without its accents, ligatures and case: "Musées" and "MUSEES" are one word."""
    apart = unicodedata.normalize("NFKD", text.replace("œ", "oe").replace("Œ", "OE").replace("æ", "ae"))
    return "".join(sign for sign in apart if not unicodedata.combining(sign)).casefold()


def has_words(words: str, *texts: str) -> bool:
    """Whether each of these words stands in the texts, also as a part of one: "musee art" in "Musée des Arts"."""
    within = folded(" ".join(texts))
    return all(word in within for word in folded(words).split())
