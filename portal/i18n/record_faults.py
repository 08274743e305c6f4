"""What is wrong with typed or imported records, in words: beside each field, and in a summary."""

from __future__ import annotations

from collections.abc import Sequence

from portal.i18n.translation import say
from sites.errors import ImportFault


def reason_in_words(fault: ImportFault) -> str:
    return say(fault.reason)


def by_column(faults: Sequence[ImportFault]) -> dict[str, list[str]]:
    """The reasons by the column that they are about; those of no column under the empty name."""
    found: dict[str, list[str]] = {}
    for fault in faults:
        found.setdefault(fault.column or "", []).append(reason_in_words(fault))
    return found
