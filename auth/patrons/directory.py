"""The port for directories of patrons, LDAP or the portal's own table: found by login, proven by secret.

The two steps are apart so that the caller can charge the limit against guessing on the person's stable id
in between. An unknown login gives an entry without an id: the same path goes on, and no secret opens it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Patron:
    """One person, proven. `stable_id` never changes; it is kept nowhere but as a pseudonym."""

    stable_id: str
    category: str | None
    expires_on: date | None
    blocked: bool


@dataclass(frozen=True, slots=True)
class DirectoryEntry:
    """A login that was looked up. `stable_id` is None for an unknown login; `login` is the folded form, for limits.

    What the secret will be tried on (`verifier`: a DN, or a hash) and the raw attributes show in no `repr`.
    """

    login: str
    stable_id: str | None
    verifier: str = field(repr=False)
    attributes: Mapping[str, tuple[bytes, ...]] = field(default_factory=dict, repr=False)
    spent_seconds: float = field(default=0.0, repr=False)


class Directory(Protocol):
    def find(self, login: str) -> DirectoryEntry:
        """Look `login` up. Raises `WrongCredentials` (no login at all) and `DirectoryUnavailable`."""

    def prove(self, found: DirectoryEntry, secret: str, *, today: date) -> Patron:
        """Try `secret`. Raises `WrongCredentials`, then, only for a right secret, `BlockedCard`,
        `ExpiredCard`, `PasswordToChange` or `WrongPlace`; and `DirectoryUnavailable`.
        """

    def look_at(self, found: DirectoryEntry, *, today: date) -> Patron:
        """What the directory says of a card whose secret was proven before, to the portal alone.

        Raises as `prove` does, but for what only a secret brings out: that it has to be changed first, and a lock that
        no attribute tells.
        """
