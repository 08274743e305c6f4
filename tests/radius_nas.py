"""A NAS that listens for Disconnect-Request and CoA-Request on loopback (RFC 5176), and has its bad days."""

from __future__ import annotations

import io
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from pyrad import packet
from pyrad.dictionary import Dictionary

SECRET = b"abcdefghijklmnopqrstuvwxyz234567abcdefghijklmnopqrst"
NO_SUCH_SESSION = 503
# A dictionary of its own: what the portal sends is read by somebody else's book.
DICTIONARY = Dictionary(
    io.StringIO(
        """
ATTRIBUTE User-Name 1 string
ATTRIBUTE NAS-IP-Address 4 ipaddr
ATTRIBUTE Framed-IP-Address 8 ipaddr
ATTRIBUTE Session-Timeout 27 integer
ATTRIBUTE Calling-Station-Id 31 string
ATTRIBUTE NAS-Identifier 32 string
ATTRIBUTE Proxy-State 33 octets
ATTRIBUTE Acct-Session-Id 44 string
ATTRIBUTE Event-Timestamp 55 integer
ATTRIBUTE Message-Authenticator 80 octets
ATTRIBUTE Error-Cause 101 integer
"""
    )
)


@dataclass
class Session:
    """A session that the NAS holds. `timeout` is the last Session-Timeout it was told, at `told_at` by its clock."""

    user_name: str
    timeout: int = 0
    told_at: float = 0.0


# What the NAS sends for a request: datagrams made of its answer, none for a lost one.
Sending = Callable[[packet.CoAPacket, packet.CoAPacket], list[bytes]]


def as_it_is(_request: packet.CoAPacket, answer: packet.CoAPacket) -> list[bytes]:
    return [answer.ReplyPacket()]


def lost(_request: packet.CoAPacket, _answer: packet.CoAPacket) -> list[bytes]:
    """The NAS does what it is asked; its answer gets lost: a cut in one direction."""
    return []


@dataclass
class Nas:
    """Sessions by Acct-Session-Id, and every request that came in, in order.

    `datagrams` counts all that came, heard or not. `is_deaf`: requests get lost. `refuses_with`: the Error-Cause of
    each answer, the sessions left as they are. A request that comes again (its address, port and identifier: RFC 5176
    section 2.3) has the answer it had.
    """

    line: socket.socket
    secret: bytes = SECRET
    sessions: dict[str, Session] = field(default_factory=dict)
    requests: list[packet.CoAPacket] = field(default_factory=list)
    datagrams: int = 0
    is_deaf: bool = False
    refuses_with: int | None = None
    # Whether a session has to be named by its user; elsewhere its number is enough.
    needs_user: bool = True
    # When sessions were ended at a request, in seconds of `time.monotonic`.
    ended_at: dict[str, float] = field(default_factory=dict)
    sending: Sending = as_it_is
    clock: Callable[[], float] = time.time
    _came: threading.Condition = field(default_factory=threading.Condition)
    _answered: dict[tuple[str, int, int], packet.CoAPacket] = field(default_factory=dict)

    @property
    def port(self) -> int:
        return int(self.line.getsockname()[1])

    def hold(self, acct_session_id: str, user_name: str) -> Session:
        self.sessions[acct_session_id] = Session(user_name)
        return self.sessions[acct_session_id]

    def wait_for(self, count: int) -> None:
        """Until so many requests have come in."""
        with self._came:
            assert self._came.wait_for(lambda: len(self.requests) >= count, timeout=10)

    def serve(self) -> None:
        while True:
            raw, source = self.line.recvfrom(4096)
            if not raw:
                return
            self.datagrams += 1
            if self.is_deaf:
                continue
            request = packet.CoAPacket(secret=self.secret, dict=DICTIONARY, packet=raw)
            request.source = source
            # Silence for a wrong secret; without a Message-Authenticator it takes nothing.
            if not (
                request.VerifyCoARequest()
                and request.message_authenticator
                and request.verify_message_authenticator()
            ):
                continue
            with self._came:
                self.requests.append(request)
                self._came.notify_all()
            key = (source[0], source[1], request.id)
            answer = self._answered.setdefault(key, self._answer(request))
            for datagram in self.sending(request, answer):
                self.line.sendto(datagram, source)

    def _answer(self, request: packet.CoAPacket) -> packet.CoAPacket:
        cause = self.refuses_with
        if cause is None and not self._take(request):
            cause = NO_SUCH_SESSION
        answer = request.CreateReply()
        if cause is not None:
            answer.code = request.code + 2
            # 0: a NAK that gives no reason.
            if cause:
                answer.AddAttribute("Error-Cause", cause)
        return answer

    def _take(self, request: packet.CoAPacket) -> bool:
        """Do what is asked; False where no session is meant."""
        wanted = self._wanted(request)
        if request.code == packet.DisconnectRequest:
            for name in wanted:
                del self.sessions[name]
                self.ended_at[name] = time.monotonic()
        else:
            for name in wanted:
                self.sessions[name].timeout = request["Session-Timeout"][0]
                self.sessions[name].told_at = self.clock()
        return bool(wanted)

    def _wanted(self, request: Mapping[str, list[str]]) -> list[str]:
        user = request.get("User-Name", [None])[0]
        named = request.get("Acct-Session-Id", [None])[0]
        return [
            name
            for name, session in self.sessions.items()
            if (session.user_name == user or (not self.needs_user and user is None and named))
            and named in (None, name)
        ]


@contextmanager
def listening(*, secret: bytes = SECRET, address: str = "127.0.0.1", port: int = 0) -> Iterator[Nas]:
    """A NAS at a free port, or at this one."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as line:
        line.bind((address, port))
        nas = Nas(line, secret)
        thread = threading.Thread(target=nas.serve)
        thread.start()
        try:
            yield nas
        finally:
            with socket.socket(family, socket.SOCK_DGRAM) as stop:
                stop.sendto(b"", line.getsockname())
            thread.join()
