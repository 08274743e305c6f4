"""The directory behind LDAP (RFC 4511): `auth.patrons.directory.Directory` over a few lines that stay open."""

from __future__ import annotations

import logging
import os
import time
import uuid
import weakref
from collections.abc import Callable, Iterable
from datetime import date
from typing import TypeVar

from auth.bulkhead import Breaker, Bulkhead, FullBulkhead, OpenBreaker
from auth.errors import (
    AuthError,
    BlockedCard,
    DirectoryUnavailable,
    ExpiredCard,
    PasswordToChange,
    WrongCredentials,
    WrongPlace,
)
from auth.patrons.directory import DirectoryEntry, Patron
from auth.patrons.ldap import requests
from auth.patrons.ldap import responses as answers
from auth.patrons.ldap.connection import BrokenConnection
from auth.patrons.ldap.entries import Logins
from auth.patrons.ldap.groups import ATTRIBUTES as GROUP_ATTRIBUTES
from auth.patrons.ldap.groups import Membership, common_base
from auth.patrons.ldap.messages import login_filter
from auth.patrons.ldap.responses import BindResult
from auth.patrons.ldap.server import LdapServer, Purpose, make_context
from auth.patrons.login_names import check_login, check_secret, normalise_login, spellings_of
from config import LdapSettings

log = logging.getLogger(__name__)

T = TypeVar("T")

ASIDE_SECONDS = 30.0
NOBODY = "cn=arobase-nobody"


class LdapDirectory:
    """The directory behind LDAP. Safe with threads and over a fork; one for each process.

    `find` and `prove` together talk for at most `settings.timeout_seconds`. `clock` gives seconds since the
    epoch.
    """

    def __init__(
        self,
        settings: LdapSettings,
        *,
        clock: Callable[[], float] = time.time,
        further: tuple[str, ...] = (),
    ) -> None:
        self._settings = settings
        # Attributes that are read beside those that the settings name.
        self._further = further
        context = make_context(settings)
        self._logins = Logins(settings.user_filter)
        self._membership = membership_of(settings)
        self._servers = [LdapServer(url, settings, context, clock) for url in settings.urls]
        self._start_anew()
        _live.add(self)

    def _start_anew(self) -> None:
        """Locks and connections of the process that we were forked from are not ours."""
        self._bulkhead = Bulkhead(slots=self._settings.slots, queue=4 * self._settings.slots)
        self._breaker = Breaker("the directory")
        for server in self._servers:
            server.forget()

    def close(self) -> None:
        for server in self._servers:
            server.close()

    def find(self, login: str) -> DirectoryEntry:
        typed = check_login(login)
        started = time.monotonic()
        with _Telling("find"):
            answer = self._talk(Purpose.SEARCH, self._settings.timeout_seconds, self._search_for(typed))
            return self._found(typed, answer, started)

    def prove(self, found: DirectoryEntry, secret: str, *, today: date) -> Patron:
        octets = requests.prepare_secret(check_secret(secret))
        left = self._settings.timeout_seconds - found.spent_seconds
        deadline = time.monotonic() + left
        with _Telling("prove"):
            answer = self._talk(Purpose.PROOF, left, lambda wire: requests.bind(wire, found.verifier, octets))
            proof = answers.judge_bind(answer.code, answer.message, answer.policy)
            if proof is BindResult.UNKNOWN:
                broken = requests.explain_code("the bind of a person", answer.code, answer.description)
                raise DirectoryUnavailable(broken.reason)
            if proof is BindResult.WRONG or found.stable_id is None:
                raise WrongCredentials
            patron = self._patron(found, found.stable_id, proof)
            _refuse_by_state(patron, proof, today)
            self._check_group(found, deadline)
            return patron

    def look_at(self, found: DirectoryEntry, *, today: date) -> Patron:
        deadline = time.monotonic() + self._settings.timeout_seconds - found.spent_seconds
        with _Telling("look"):
            if found.stable_id is None:
                raise WrongCredentials
            patron = self._patron(found, found.stable_id, BindResult.RIGHT)
            _refuse_by_state(patron, BindResult.RIGHT, today)
            self._check_group(found, deadline)
            return patron

    def find_by_id(self, stable_id: str) -> DirectoryEntry | None:
        """Look a person up by what never changes about them; None where there is nobody. Raises
        `DirectoryUnavailable`."""
        ours, started = self._settings, time.monotonic()
        asked = id_filter(ours.id_attribute, stable_id)
        wanted = (
            *(ours.id_attribute, ours.category_attribute, ours.expiry_attribute, ours.lock_attribute),
            *self._further,
        )

        def search(wire: requests.LdapConnection) -> requests.SearchAnswer:
            attributes = tuple(name for name in wanted if name)
            return requests.search(
                wire, ours.base_dn, asked, attributes=attributes, seconds=ours.timeout_seconds
            )

        with _Telling("find by id"):
            answer = self._talk(Purpose.SEARCH, ours.timeout_seconds, search)
            if answer.code != requests.SUCCESS:
                broken = requests.explain_code("the search for a person", answer.code, answer.description)
                raise DirectoryUnavailable(broken.reason)
        if len(answer.entries) != 1:
            return None
        (entry,) = answer.entries
        return DirectoryEntry("", stable_id, entry.dn, entry.attributes, time.monotonic() - started)

    def groups_of(self, found: DirectoryEntry, groups: Iterable[str]) -> frozenset[str]:
        """Those of `groups` (DNs) that this person is in, directly or through others. Raises
        `DirectoryUnavailable`."""
        ours = self._settings
        seconds = ours.timeout_seconds
        deadline = time.monotonic() + seconds

        def ask(wire: requests.LdapConnection) -> frozenset[str]:
            return frozenset(
                group
                for group in groups
                if Membership(
                    group, ours.group_base_dn or common_base(group, ours.base_dn), ours.nested_groups
                ).holds(wire, found.verifier, found.attributes, deadline=deadline)
            )

        with _Telling("groups"):
            return self._talk(Purpose.SEARCH, seconds, ask)

    def _search_for(self, typed: str) -> Callable[[requests.LdapConnection], requests.SearchAnswer]:
        ours = self._settings
        wanted = (
            ours.id_attribute,
            ours.category_attribute,
            ours.expiry_attribute,
            ours.lock_attribute,
            *self._logins.attributes,
            *(GROUP_ATTRIBUTES if self._membership else ()),
            *self._further,
        )
        attributes = tuple(dict.fromkeys(name for name in wanted if name))

        def search(wire: requests.LdapConnection) -> requests.SearchAnswer:
            asked = login_filter(ours.user_filter, spellings_of(typed))
            seconds = ours.timeout_seconds
            return requests.search(wire, ours.base_dn, asked, attributes=attributes, seconds=seconds)

        return search

    def _found(self, typed: str, answer: requests.SearchAnswer, started: float) -> DirectoryEntry:
        if answer.code not in (requests.SUCCESS, requests.SIZE_LIMIT_EXCEEDED):
            broken = requests.explain_code("the search for a person", answer.code, answer.description)
            raise DirectoryUnavailable(broken.reason)
        login, spent = normalise_login(typed), time.monotonic() - started
        entry = self._logins.choose(answer.entries, typed) if answer.code == requests.SUCCESS else None
        if entry is None:
            if answer.entries:
                log.warning("a login matches several entries: AROBASE_LDAP_USER_FILTER must name one")
            elif answer.referrals:
                log.warning("the directory answered a login with a referral: referrals are not followed")
            return DirectoryEntry(login, None, f"{NOBODY},{self._settings.base_dn}", spent_seconds=spent)
        name = self._settings.id_attribute
        stable_id = _read(lambda: answers.read_id(name, entry.attributes.get(name.lower(), ())))
        return DirectoryEntry(login, stable_id, entry.dn, entry.attributes, spent)

    def _patron(self, found: DirectoryEntry, stable_id: str, proof: BindResult) -> Patron:
        def values(name: str | None) -> tuple[bytes, ...]:
            return found.attributes.get(name.lower(), ()) if name else ()

        ours = self._settings
        expiry, lock = ours.expiry_attribute or "", ours.lock_attribute or ""
        return Patron(
            stable_id=stable_id,
            category=answers.read_text(values(ours.category_attribute)),
            expires_on=_read(lambda: answers.read_expiry(expiry, values(expiry))),
            blocked=_read(lambda: answers.read_lock(lock, values(lock))) or proof is BindResult.BLOCKED,
        )

    def _check_group(self, found: DirectoryEntry, deadline: float) -> None:
        membership = self._membership
        if membership is None:
            return
        left = deadline - time.monotonic()

        def ask(wire: requests.LdapConnection) -> bool:
            return membership.holds(wire, found.verifier, found.attributes, deadline=deadline)

        if not self._talk(Purpose.SEARCH, left, ask):
            raise WrongPlace

    def _talk(self, use: Purpose, seconds: float, work: Callable[[requests.LdapConnection], T]) -> T:
        """Do `work` behind both guards. Raises `DirectoryUnavailable`."""
        deadline = time.monotonic() + seconds
        try:
            with self._bulkhead.slot():
                self._breaker.admit()
                return self._ask_servers(use, deadline, work)
        except FullBulkhead:
            raise DirectoryUnavailable(
                "every slot is taken: the directory is slow", retry_after_seconds=2
            ) from None
        except OpenBreaker as error:
            retry = max(1, round(error.seconds))
            raise DirectoryUnavailable(
                "it failed several times in a row", retry_after_seconds=retry
            ) from None
        except BrokenConnection as broken:
            self._breaker.failed(broken.reason)
            raise DirectoryUnavailable(broken.reason) from broken

    def _ask_servers(self, use: Purpose, deadline: float, work: Callable[[requests.LdapConnection], T]) -> T:
        """The first answer, servers in their order, those that failed lately last."""
        reasons = []
        now = time.monotonic()
        servers = sorted(self._servers, key=lambda server: server.put_aside_until > now)
        for tried, server in enumerate(servers):
            now = time.monotonic()
            # A silent server may use only its share of the time, so that the next one can still answer.
            share = now + (deadline - now) / (len(servers) - tried)
            try:
                answer = server.talk(use, share, work)
            except BrokenConnection as broken:
                server.put_aside_until = time.monotonic() + ASIDE_SECONDS
                reasons.append(f"{server.name}: {broken.reason}")
            else:
                server.put_aside_until = 0.0
                self._breaker.succeeded()
                return answer
        raise BrokenConnection("; ".join(reasons))


def id_filter(attribute: str, stable_id: str) -> str:
    """The filter for what `auth.patrons.ldap.responses.read_id` has read."""
    if attribute.lower() == "objectguid":
        escaped = "".join("\\" + f"{octet:02x}" for octet in uuid.UUID(stable_id).bytes_le)
        return f"({attribute}={escaped})"
    return f"({attribute}={requests.escape(stable_id)})"


def membership_of(settings: LdapSettings) -> Membership | None:
    """Which group people must be in, if any."""
    if settings.required_group is None:
        return None
    base = settings.group_base_dn or common_base(settings.required_group, settings.base_dn)
    return Membership(settings.required_group, base, settings.nested_groups)


def _refuse_by_state(patron: Patron, proof: BindResult, today: date) -> None:
    ended = patron.expires_on is not None and patron.expires_on < today
    # A directory that says "expired" without a date that agrees leaves nothing to tell but "ask the desk".
    if patron.blocked or (proof is BindResult.EXPIRED and not ended):
        raise BlockedCard
    if patron.expires_on is not None and ended:
        raise ExpiredCard(patron.expires_on)
    if proof is BindResult.TO_CHANGE:
        raise PasswordToChange


def _read(reading: Callable[[], T]) -> T:
    try:
        return reading()
    except answers.UnreadableAttribute as error:
        raise DirectoryUnavailable(str(error)) from error


class _Telling:
    """Logs one line for an operation, the block of a ``with``: its outcome and duration; never a login, a DN or a
    secret.
    """

    __slots__ = ("_operation", "_started")

    def __init__(self, operation: str) -> None:
        self._operation = operation

    def __enter__(self) -> None:
        self._started = time.monotonic()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _trace: object) -> None:
        if kind is None and not log.isEnabledFor(logging.INFO):
            return
        outcome, reason, level = "answered" if kind is None else kind.__name__, None, logging.INFO
        if isinstance(error, DirectoryUnavailable):
            reason, level = error.reason, logging.WARNING
        elif error is not None and not isinstance(error, AuthError):
            level = logging.ERROR
        milliseconds = round((time.monotonic() - self._started) * 1000, 1)
        extra = {
            "operation": self._operation,
            "outcome": outcome,
            "reason": reason,
            "duration_ms": milliseconds,
        }
        text = f"directory {self._operation}: {outcome}" + (f" ({reason})" if reason else "")
        log.log(level, "%s in %s ms", text, milliseconds, extra=extra)


_live: weakref.WeakSet[LdapDirectory] = weakref.WeakSet()


def _after_fork() -> None:
    for directory in list(_live):
        directory._start_anew()


os.register_at_fork(after_in_child=_after_fork)
