"""An Accounting-Request (RFC 2866) as a value: what happened to which session, and what its counters say."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from gateways.radius.attributes import Attributes, MalformedRequest
from gateways.radius.replies import number_in
from gateways.types import IpAddress, MacAddress

# A record may wait in a gateway that has lost its server; one that waited longer is not believed.
LONGEST_DELAY_SECONDS = 86_400
CLIENTS_VIEW, NAS_VIEW = "client", "nas"
# CoovaChilli says with each packet whose view its counters have (VSA 14559/10): 1 the NAS's, 2 the client's.
_VIEW_POINTS = {"1": NAS_VIEW, "2": CLIENTS_VIEW, "0x00000001": NAS_VIEW, "0x00000002": CLIENTS_VIEW}


class Status(enum.StrEnum):
    START = "start"
    STOP = "stop"
    INTERIM = "interim"
    # The box has started or is about to stop: whatever was open there is not any more.
    RESTART = "restart"


_STATUSES = {
    **dict.fromkeys(("Start", "1"), Status.START),
    **dict.fromkeys(("Stop", "2"), Status.STOP),
    **dict.fromkeys(("Interim-Update", "Alive", "3"), Status.INTERIM),
    **dict.fromkeys(("Accounting-On", "Accounting-Off", "7", "8"), Status.RESTART),
}


class Counter(NamedTuple):
    """A counter of one session, cumulative. `is_whole`: it has its upper 32 bits too (Acct-*-Gigawords)."""

    value: int = 0
    is_whole: bool = False


class Counters(NamedTuple):
    """Up is what came from the client, down what went to it."""

    bytes_up: Counter = Counter()
    bytes_down: Counter = Counter()
    packets_up: Counter = Counter()
    packets_down: Counter = Counter()


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """How the box names itself and the session, in its own words: they are said back to it (RFC 5176 section 3)."""

    nas_identifier: str = ""
    nas_address: str = ""
    user: str = ""
    station: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One Accounting-Request. `seconds` is the session's age, `at` when it happened by the box's own clock, and `delay`
    for how long the box has tried to send it. `number` is the access session that its Class names."""

    status: Status
    nas: str
    session_id: str = ""
    mac: MacAddress | None = None
    address: IpAddress | None = None
    number: int | None = None
    seconds: int | None = None
    at: datetime | None = None
    delay: int = 0
    counters: Counters | None = None
    cause: str = ""
    names: Names = Names()


def read(packet: Attributes, *, counts_by: str, default_view: str) -> Record | None:
    """The record in a packet; None for a status that says nothing of a session (Tunnel-Start, Failed, …).

    `counts_by` is the option of the gateway's record, `default_view` what its kind does where nobody says. Raises
    MalformedRequest.
    """
    status = _STATUSES.get(packet.word("Acct-Status-Type") or "")
    if status is None:
        return None
    names = Names(
        nas_identifier=packet.text("NAS-Identifier") or "",
        nas_address=str(packet.address("NAS-IP-Address") or packet.address("NAS-IPv6-Address") or ""),
        user=packet.text("User-Name") or "",
        station=packet.text("Calling-Station-Id") or "",
    )
    nas = names.nas_identifier or names.nas_address or packet.text("Arobase-Source") or ""
    delay = min(packet.number("Acct-Delay-Time") or 0, LONGEST_DELAY_SECONDS)
    at = packet.instant("Event-Timestamp")
    if status is Status.RESTART:
        return Record(status=status, nas=nas, at=at, delay=delay, names=names)
    session_id = packet.text("Acct-Session-Id")
    if not session_id:
        raise MalformedRequest("no Acct-Session-Id")
    return Record(
        status=status,
        nas=nas,
        session_id=session_id,
        mac=packet.mac("Calling-Station-Id"),
        address=packet.address("Framed-IP-Address"),
        number=number_in(packet.octets("Class")),
        seconds=0 if status is Status.START else packet.number("Acct-Session-Time"),
        at=at,
        delay=delay,
        counters=_counters(packet, _view(packet, counts_by, default_view)),
        cause=packet.word("Acct-Terminate-Cause") or "",
        names=names,
    )


def _view(packet: Attributes, counts_by: str, default: str) -> str:
    """Whose view the counters have. By RFC 2866 section 5.3 Input is what the port received; CoovaChilli's is not."""
    if counts_by in (CLIENTS_VIEW, NAS_VIEW):
        return counts_by
    said = packet.word("ChilliSpot-Acct-View-Point") or packet.word("Attr-26.14559.10") or ""
    return _VIEW_POINTS.get(said, default)


def _counters(packet: Attributes, view: str) -> Counters | None:
    """The counters that the packet has; None where it has none: a Start, or a box that counts nothing."""
    if "Acct-Input-Octets" not in packet and "Acct-Output-Octets" not in packet:
        return None
    octets = {way: _octets(packet, way) for way in ("Input", "Output")}
    packets = {way: Counter(packet.number(f"Acct-{way}-Packets") or 0) for way in ("Input", "Output")}
    up, down = ("Input", "Output") if view == NAS_VIEW else ("Output", "Input")
    return Counters(octets[up], octets[down], packets[up], packets[down])


def _octets(packet: Attributes, way: str) -> Counter:
    low, high = packet.number(f"Acct-{way}-Octets") or 0, packet.number(f"Acct-{way}-Gigawords", most=2**24)
    # Some boxes always send 0 gigawords, and let 32 bits go round all the same.
    return Counter((high or 0) * 2**32 + low, bool(high))
