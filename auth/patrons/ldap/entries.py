"""Whose login it is when several entries were found: the entry that has it exactly wins over its twins.

A login is searched as it was typed and folded, all in one question, so that an unknown login and a known one cost the
same. ``marie-anne`` then finds ``marieanne`` too, and in a directory that minds case ``B00X7`` finds ``b00x7``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from auth.patrons.ldap.requests import Entry
from auth.patrons.login_names import spellings_of

# An assertion of a filter that holds the login and no asterisk: attribute, what stands before, what after.
_ASSERTION = re.compile(r"\(\s*([A-Za-z0-9.-]+)\s*~?=([^()*]*)\{login\}([^()*]*)\)")


@dataclass(frozen=True, slots=True)
class _Pattern:
    attribute: str
    before: str
    after: str

    def matches(self, entry: Entry, login: str, *, fold: bool) -> bool:
        wanted = f"{self.before}{login}{self.after}"
        texts = [value.decode(errors="replace") for value in entry.attributes.get(self.attribute.lower(), ())]
        if fold:
            return wanted.casefold() in [text.casefold() for text in texts]
        return wanted in texts


class Logins:
    """Reads in which attributes a filter looks for logins (RFC 4515)."""

    def __init__(self, user_filter: str) -> None:
        self._patterns = [_Pattern(*found) for found in _ASSERTION.findall(user_filter)]
        self.attributes = tuple(dict.fromkeys(pattern.attribute for pattern in self._patterns))

    def choose(self, entries: Sequence[Entry], typed: str) -> Entry | None:
        """The one entry that has the login in the spelling nearest to `typed`; None where no single one has."""
        if len(entries) <= 1:
            return entries[0] if entries else None
        for spelling in spellings_of(typed):
            for fold in (False, True):
                found = [entry for entry in entries if self._has(entry, spelling, fold=fold)]
                if found:
                    return found[0] if len(found) == 1 else None
        return None

    def _has(self, entry: Entry, login: str, *, fold: bool) -> bool:
        return any(pattern.matches(entry, login, fold=fold) for pattern in self._patterns)
