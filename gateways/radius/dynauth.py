"""Disconnect-Request and CoA-Request: what the portal asks of a NAS about a session that runs there (RFC 5176).

Packets are built and verified by pyrad; sending is ours, so that one socket serves a batch and takes in answers from
the NAS's own address alone. A request carries a Message-Authenticator, and one in an answer is verified. An answer
without one is believed by its Response Authenticator, unless the operator demands more: whoever is between cannot put
bytes of their own into the request, as a forgery by collision needs it (CVE-2024-3596), for it is signed as a whole.
"""

from __future__ import annotations

import enum
import io
import secrets
import selectors
import socket
import struct
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pyrad import packet
from pyrad.dictionary import Dictionary

from gateways.radius.live_sessions import Request

# How many requests may wait for an answer at once: a small box reads its socket one by one.
AT_ONCE = 32
LARGEST_PACKET = 4096


class Outcome(enum.StrEnum):
    """What has become of a request. The four are told apart everywhere: only `DONE` is an end or a change."""

    DONE = "done"
    # The NAS has no such session: what was to end there has ended.
    UNKNOWN_SESSION = "unknown_session"
    REFUSED = "refused"
    # Nobody knows whether the NAS has had it.
    NO_ANSWER = "no_answer"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the NAS says. `words` are its reason for a refusal, as RFC 5176 section 3.5 names it, in English."""

    outcome: Outcome
    words: str = ""


@dataclass(frozen=True, slots=True)
class Peer:
    """Where a NAS takes requests, and the secret shared with it."""

    address: str
    port: int
    secret: bytes
    # Whether an answer without a Message-Authenticator is nobody's.
    demands_signed_answers: bool = False


def exchange(requests: Sequence[Request], peer: Peer, *, waits: Sequence[float]) -> list[Answer]:
    """Send `requests` and give an answer for each, in their order.

    Each is sent once for every one of `waits`, the same packet with the same identifier (RFC 5176 section 2.3), and
    its answer waited for so many seconds after that. Where a whole batch has no answer the rest is not sent. Raises
    ValueError for attributes that no packet can hold.
    """
    answers: list[Answer] = []
    for start in range(0, len(requests), AT_ONCE):
        batch = _build(requests[start : start + AT_ONCE], peer)
        _exchange_batch(batch, peer, waits)
        answers += [one.answer for one in batch]
        if all(one.answer.outcome is Outcome.NO_ANSWER for one in batch):
            break
    return answers + [Answer(Outcome.NO_ANSWER)] * (len(requests) - len(answers))


@dataclass(slots=True)
class _Pending:
    request: Request
    packet: packet.CoAPacket
    raw: bytes
    answer: Answer = field(default=Answer(Outcome.NO_ANSWER))

    @property
    def is_open(self) -> bool:
        return self.answer.outcome is Outcome.NO_ANSWER


def _build(requests: Iterable[Request], peer: Peer) -> list[_Pending]:
    """The packets of one batch, no two with one identifier. Raises ValueError for what no packet can hold."""
    first, built = secrets.randbelow(256), []
    for number, request in enumerate(requests):
        one = packet.CoAPacket(
            code=int(request.ask), id=(first + number) % 256, secret=peer.secret, dict=_dictionary
        )
        for name, value in request.attributes.items():
            one.AddAttribute(name, value)
        one.add_message_authenticator()
        built.append(_Pending(request, one, one.RequestPacket()))
    return built


def _exchange_batch(batch: Iterable[_Pending], peer: Peer, waits: Sequence[float]) -> None:
    by_id = {one.packet.id: one for one in batch}
    try:
        family = socket.getaddrinfo(peer.address, peer.port, type=socket.SOCK_DGRAM)[0][0]
        with socket.socket(family, socket.SOCK_DGRAM) as line, selectors.DefaultSelector() as selector:
            # Connected: the kernel hands over what comes from this address and port, and nothing else.
            line.connect((peer.address, peer.port))
            line.setblocking(False)
            selector.register(line, selectors.EVENT_READ)
            for seconds in waits:
                for one in by_id.values():
                    if one.is_open:
                        _send(line, one.raw)
                if _collect(line, selector, by_id, peer, until=time.monotonic() + seconds):
                    return
    except OSError:
        # No such address, no way there: as good as no answer.
        return


def _send(line: socket.socket, raw: bytes) -> None:
    try:
        line.send(raw)
    except (ConnectionRefusedError, BlockingIOError):
        # What came back for a packet before this one, or a full queue: the next sending is soon.
        return


def _collect(
    line: socket.socket,
    selector: selectors.BaseSelector,
    by_id: Mapping[int, _Pending],
    peer: Peer,
    *,
    until: float,
) -> bool:
    """Take in answers until all are there, or until that time; whether all are."""
    while any(one.is_open for one in by_id.values()):
        left = until - time.monotonic()
        if left <= 0 or not selector.select(left):
            return False
        try:
            raw = line.recv(LARGEST_PACKET)
        except BlockingIOError:
            continue
        except ConnectionRefusedError:
            # Its machine says that nobody listens there: nothing is to be waited for.
            return False
        one = by_id.get(raw[1]) if len(raw) > 1 else None
        if one is not None and one.is_open:
            one.answer = read_answer(raw, one.packet, one.request, peer) or one.answer
    return True


def read_answer(raw: bytes, asked: packet.CoAPacket, request: Request, peer: Peer) -> Answer | None:
    """What these bytes say to the request; None where they are not the NAS's answer to it."""
    try:
        reply = packet.CoAPacket(secret=peer.secret, dict=_dictionary, packet=raw)
        if not asked.VerifyReply(reply, raw):
            return None
    except (packet.PacketError, ValueError, IndexError, struct.error):
        return None
    if peer.demands_signed_answers and not reply.message_authenticator:
        return None
    if reply.code == request.ask + 1:
        return Answer(Outcome.DONE)
    if reply.code != request.ask + 2:
        return None
    cause = _cause(reply)
    if cause == _NO_SUCH_SESSION or (cause is None and request.bare_nak_is_unknown):
        return Answer(Outcome.UNKNOWN_SESSION)
    return Answer(Outcome.REFUSED, _CAUSES.get(cause, f"Error-Cause {cause}") if cause else "no reason given")


def _cause(reply: packet.CoAPacket) -> int | None:
    """The number of its Error-Cause; None where it has none, or none that can be read."""
    values: list[Any] = reply.get(101, [])
    return int.from_bytes(values[0], "big") if values and len(values[0]) == 4 else None


_NO_SUCH_SESSION = 503
# RFC 5176 section 3.5.
_CAUSES: dict[int, str] = {
    201: "residual session context removed",
    202: "invalid EAP packet",
    401: "unsupported attribute",
    402: "missing attribute",
    403: "NAS identification mismatch",
    404: "invalid request",
    405: "unsupported service",
    406: "unsupported extension",
    407: "invalid attribute value",
    501: "administratively prohibited",
    502: "request not routable",
    503: "session context not found",
    504: "session context not removable",
    505: "other proxy processing error",
    506: "resources unavailable",
    507: "request initiated",
    508: "multiple session selection unsupported",
}

# The attributes that requests are made of: RFC 2865, 2866, 2869, 5176, 6911 and those of vendors.
_dictionary = Dictionary(
    io.StringIO(
        """
ATTRIBUTE User-Name 1 string
ATTRIBUTE NAS-IP-Address 4 ipaddr
ATTRIBUTE Framed-IP-Address 8 ipaddr
ATTRIBUTE Session-Timeout 27 integer
ATTRIBUTE Calling-Station-Id 31 string
ATTRIBUTE NAS-Identifier 32 string
ATTRIBUTE Acct-Session-Id 44 string
ATTRIBUTE Event-Timestamp 55 integer
ATTRIBUTE Message-Authenticator 80 octets
ATTRIBUTE Error-Cause 101 integer
VENDOR WISPr 14122
BEGIN-VENDOR WISPr
ATTRIBUTE WISPr-Bandwidth-Max-Up 7 integer
ATTRIBUTE WISPr-Bandwidth-Max-Down 8 integer
END-VENDOR WISPr
VENDOR ChilliSpot 14559
BEGIN-VENDOR ChilliSpot
ATTRIBUTE ChilliSpot-Bandwidth-Max-Up 4 integer
ATTRIBUTE ChilliSpot-Bandwidth-Max-Down 5 integer
END-VENDOR ChilliSpot
VENDOR Mikrotik 14988
BEGIN-VENDOR Mikrotik
ATTRIBUTE Mikrotik-Rate-Limit 8 string
END-VENDOR Mikrotik
VENDOR Cisco 9
BEGIN-VENDOR Cisco
ATTRIBUTE Cisco-AVPair 1 string
END-VENDOR Cisco
"""
    )
)
