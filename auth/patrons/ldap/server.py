"""One server of the directory: its address, and the connections that are kept to it.

A new TLS connection costs fifty times what a search on a kept one does. Two kinds are kept, because a bind
changes who a connection is: those of the service account, which search, and those on which people prove
their secret.
"""

from __future__ import annotations

import enum
import logging
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import urlsplit

from auth.patrons.ldap import requests
from auth.patrons.ldap.connection import BrokenConnection, DeadlineSocket, connect, explain
from config import LdapSettings
from config.authorities import read_authorities

log = logging.getLogger(__name__)

T = TypeVar("T")

# Servers and firewalls forget a silent connection, often without a word: better to open anew than to wait
# for it.
KEEP_IDLE_SECONDS = 50.0
WARN_DAYS = 14


class Purpose(enum.Enum):
    SEARCH = enum.auto()
    PROOF = enum.auto()


@dataclass(slots=True)
class _Kept:
    line: DeadlineSocket
    connection: requests.LdapConnection
    used_at: float


def make_context(settings: LdapSettings) -> ssl.SSLContext:
    """TLS 1.2 or newer; the certificate must be valid, from a known authority and for the right name."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if not settings.verify:
        log.warning("the directory's TLS certificate is not verified: every PIN can be intercepted")
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif settings.ca_file is not None:
        context.load_verify_locations(cadata=read_authorities(settings.ca_file))
    else:
        context.load_default_certs(ssl.Purpose.SERVER_AUTH)
    return context


class LdapServer:
    """Safe with threads. After a fork the child calls `forget` and opens its own connections."""

    def __init__(
        self, url: str, settings: LdapSettings, context: ssl.SSLContext, clock: Callable[[], float]
    ) -> None:
        parts = urlsplit(url)
        self.name = parts.netloc
        self.put_aside_until = 0.0
        # Of the last connection's certificate, in seconds since the epoch.
        self.certificate_ends: float | None = None
        self._tls = parts.scheme == "ldaps"
        self._host = parts.hostname or ""
        self._port = parts.port or (636 if self._tls else 389)
        self._settings = settings
        self._context = context
        self._clock = clock
        self.forget()

    def forget(self) -> None:
        """Drop all pooled connections without an unbind: after a fork they may be another process's."""
        self._lock = threading.Lock()
        self._kept: dict[Purpose, list[_Kept]] = {use: [] for use in Purpose}

    def close(self) -> None:
        with self._lock:
            kept = [one for pool in self._kept.values() for one in pool]
            self._kept = {use: [] for use in Purpose}
        for one in kept:
            one.line.close()

    def talk(self, use: Purpose, deadline: float, work: Callable[[requests.LdapConnection], T]) -> T:
        """Do `work` on a connection, all of it by `deadline`.

        A kept connection that turns out to be broken is replaced once. Raises `BrokenConnection`.
        """
        kept = self._take(use)
        if kept is not None:
            try:
                return self._work(kept, use, deadline, work)
            except BrokenConnection as broken:
                if broken.late:
                    raise
        return self._work(self._open(use, deadline), use, deadline, work)

    def _work(
        self, kept: _Kept, use: Purpose, deadline: float, work: Callable[[requests.LdapConnection], T]
    ) -> T:
        kept.line.allow(deadline)
        try:
            result = work(kept.connection)
        except BaseException as error:
            # An answer may still be on its way: the connection must not be reused.
            kept.line.close()
            if isinstance(error, BrokenConnection) or not isinstance(error, Exception):
                raise
            raise _cause(kept.line, error) from error
        self._keep(use, kept)
        return result

    def _open(self, use: Purpose, deadline: float) -> _Kept:
        line = connect(self._host, self._port, deadline)
        try:
            connection = self._greet(line)
            if use is Purpose.SEARCH:
                self._bind_service(connection)
        except BaseException as error:
            line.close()
            if isinstance(error, BrokenConnection) or not isinstance(error, Exception):
                raise
            raise _cause(line, error) from error
        return _Kept(line, connection, time.monotonic())

    def _greet(self, line: DeadlineSocket) -> requests.LdapConnection:
        """Nothing but StartTLS is ever said before TLS stands."""
        name = self._settings.server_name or self._host
        if self._tls:
            line.secure(self._context, name)
        else:
            requests.start_tls(line, self._context, name)
        ends = self.certificate_ends = line.certificate_ends()
        if ends is not None and ends - self._clock() < WARN_DAYS * 86400:
            days = int((ends - self._clock()) // 86400)
            log.warning("the certificate of the directory server %s ends in %d days", self.name, days)
        return requests.LdapConnection(line)

    def _bind_service(self, connection: requests.LdapConnection) -> None:
        secret = requests.prepare_secret(self._settings.bind_password.reveal())
        answer = requests.bind(connection, self._settings.bind_dn, secret)
        if answer.code != requests.SUCCESS:
            raise requests.explain_code("the service account's bind", answer.code, answer.description)

    def _take(self, use: Purpose) -> _Kept | None:
        now = time.monotonic()
        with self._lock:
            pool = self._kept[use]
            stale = [one for one in pool if now - one.used_at > KEEP_IDLE_SECONDS]
            self._kept[use] = pool = [one for one in pool if now - one.used_at <= KEEP_IDLE_SECONDS]
            kept = pool.pop() if pool else None
        for one in stale:
            one.line.close()
        return kept

    def _keep(self, use: Purpose, kept: _Kept) -> None:
        kept.used_at = time.monotonic()
        with self._lock:
            self._kept[use].append(kept)


def _cause(line: DeadlineSocket, error: Exception) -> BrokenConnection:
    """The line knows better than ldap3 why it broke."""
    if line.failure is not None:
        return explain(line.failure)
    if "TerminatedByServer" in type(error).__name__:
        return BrokenConnection("it closed the connection")
    return explain(error)
