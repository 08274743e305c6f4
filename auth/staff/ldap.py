"""The town's own LDAP directory for staff (RFC 4511), asked by the machinery that asks the library's about cards."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from auth.errors import AuthError, DirectoryUnavailable, WrongCredentials
from auth.patrons.directory import DirectoryEntry
from auth.patrons.ldap.client import LdapDirectory
from auth.patrons.ldap.groups import ATTRIBUTES as GROUP_ATTRIBUTES
from auth.staff.directory_accounts import DirectoryPerson
from auth.staff.errors import DeclinedByDirectory, StaffDirectoryAway, WrongStaffCredentials
from config import LdapSettings

# What people are called, the likeliest first.
_NAMES = ("displayName", "cn")
LONGEST_SUBJECT = 255


class StaffLdap:
    """Safe with threads and over a fork; one for each process. `groups` are the DNs that have grants here."""

    def __init__(self, settings: LdapSettings, *, issuer: str) -> None:
        self.issuer = issuer
        self._directory = LdapDirectory(settings, further=(*GROUP_ATTRIBUTES, *_NAMES))

    def close(self) -> None:
        self._directory.close()

    def prove(self, login: str, password: str, groups: Iterable[str], *, today: date) -> DirectoryPerson:
        """The person whom this password opens.

        Raises `WrongStaffCredentials`, `DeclinedByDirectory` (right, but locked, ended or to be changed) and
        `StaffDirectoryAway`.
        """
        try:
            found = self._directory.find(login)
            proven = self._directory.prove(found, password, today=today)
            return self._person(found, proven.stable_id, self._directory.groups_of(found, groups))
        except WrongCredentials as error:
            raise WrongStaffCredentials from error
        except DirectoryUnavailable as error:
            raise StaffDirectoryAway(error.cause, error.retry_after_seconds) from error
        except AuthError as error:
            raise DeclinedByDirectory from error

    def look_up(self, subject: str, groups: Iterable[str], *, today: date) -> DirectoryPerson | None:
        """What the directory says of somebody now; None where it has nobody, or would let them in no more.

        Raises `StaffDirectoryAway`.
        """
        try:
            found = self._directory.find_by_id(subject)
            if found is None:
                return None
            self._directory.look_at(found, today=today)
            return self._person(found, subject, self._directory.groups_of(found, groups))
        except DirectoryUnavailable as error:
            raise StaffDirectoryAway(error.cause, error.retry_after_seconds) from error
        except AuthError:
            return None

    def _person(self, found: DirectoryEntry, subject: str, groups: frozenset[str]) -> DirectoryPerson:
        if len(subject) > LONGEST_SUBJECT:
            raise WrongCredentials
        names = [found.attributes.get(name.lower(), ()) for name in _NAMES]
        name = next((values[0].decode(errors="replace") for values in names if values), "")
        return DirectoryPerson(self.issuer, subject, found.login, name, groups)
