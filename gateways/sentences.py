"""Sentences about what somebody typed, which the portal says in the language of whoever reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Self


class Sentence(str):
    """A sentence in English that keeps what it is made of.

    `message` goes into the catalogues and names its `values` as gettext does, ``%(text)s``; a value may be a sentence
    itself. To the command line it is the text that it is.
    """

    message: str
    values: Mapping[str, object]

    def __new__(cls, message: str, /, **values: object) -> Self:
        made = super().__new__(cls, message % values if values else message)
        made.message, made.values = message, values
        return made


def reason_of(error: Exception) -> Sentence:
    """The sentence that an error was raised with; what a library says is kept as it says it."""
    first = error.args[0] if error.args else ""
    return first if isinstance(first, Sentence) else Sentence(str(error))


def all_of(sentences: Sequence[Sentence]) -> Sentence:
    """Several as one, with semicolons between them."""
    names = [f"s{number}" for number in range(len(sentences))]
    message = "; ".join(f"%({name})s" for name in names)
    return Sentence(message, **dict(zip(names, sentences, strict=True)))
