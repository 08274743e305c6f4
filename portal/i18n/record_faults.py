"""What is wrong with typed or imported records, in words: beside each field, and in a summary."""

from __future__ import annotations

from collections.abc import Sequence

from gateways.sentences import Sentence
from portal.i18n.translation import language, say_in
from sites.errors import ImportFault


def reason_in_words(fault: ImportFault) -> str:
    return in_words(fault.reason)


def told_faults(faults: Sequence[ImportFault]) -> list[tuple[ImportFault, str, str]]:
    """Each with where it stands and why, in words."""
    return [(fault, in_words(fault.where), reason_in_words(fault)) for fault in faults]


def in_words(text: str) -> str:
    """A sentence in the language of this request, with those that it holds; any other text as it is."""
    if not isinstance(text, Sentence):
        return text
    values = {
        name: in_words(value) if isinstance(value, str) else value for name, value in text.values.items()
    }
    return say_in(language(), text.message, **values)


def by_column(faults: Sequence[ImportFault]) -> dict[str, list[str]]:
    """The reasons by the column that they are about; those of no column under the empty name."""
    found: dict[str, list[str]] = {}
    for fault in faults:
        found.setdefault(fault.column or "", []).append(reason_in_words(fault))
    return found
