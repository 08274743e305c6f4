"""What FreeRADIUS is answered about a device: from the lease that it has, never from anything else."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy.orm import Session

from db.engine import reading
from gateways.radius import replies
from gateways.radius.attributes import Attributes, MalformedRequest
from gateways.radius.profile import RadiusProfile
from gateways.registry import kind_of
from gateways.types import Client, MacAddress
from portal.gateway_api import radius_credentials
from portal.gateway_api.confirmation import confirm_some
from portal.gateway_api.radius_callers import tell
from portal.i18n.translation import say
from portal.services import services
from sessions import nas_signin
from sessions.nas_signin import HeldLease
from sites.models import Gateway


@dataclass(frozen=True, slots=True)
class Answer:
    is_accepted: bool
    body: dict[str, Any]


def authorize(gateway: Gateway, packet: Attributes) -> Answer:
    """Answer an Access-Request. Raises MalformedRequest."""
    user = packet.text("User-Name") or ""
    number = radius_credentials.number_of(gateway, user)
    if number is not None:
        return _of_session(gateway, packet, user=user, number=number)
    mac = _asked_by_mac(_profile(gateway), packet)
    if mac is not None:
        return _of_device(gateway, packet, mac)
    return _refuse(gateway, packet, "a user that is none of ours", say("Please sign in on the first page."))


def finish(gateway: Gateway, packet: Attributes) -> bool:
    """Whether a password that FreeRADIUS has compared lets somebody in; then the lease is confirmed.

    Raises MalformedRequest.
    """
    user = packet.text("User-Name") or ""
    number = radius_credentials.number_of(gateway, user)
    if packet.word("Arobase-Outcome") != "accept" or number is None:
        tell(gateway, f"Access-Request for {user or 'nobody'}", "refused: the password was wrong")
        return False
    with reading(services().make_session) as db:
        lease = nas_signin.lease_of(db, gateway=gateway, number=number, now=services().clock())
    if lease is None:
        return False
    confirm(gateway, [lease])
    return True


def unsigned(gateway: Gateway, packet: Attributes) -> None:
    """Tell the operator of a request without a Message-Authenticator, which FreeRADIUS drops."""
    source = packet.text("Arobase-Source") or "an unknown address"
    password = packet.secret("User-Password")
    if password is not None and not _is_text(password):
        why = "dropped: the shared secret differs from the one set in the gateway"
    else:
        why = "dropped: it bears no Message-Authenticator; switch that on in the gateway"
    tell(gateway, f"Access-Request from {source}", why)


def _of_session(gateway: Gateway, packet: Attributes, *, user: str, number: int) -> Answer:
    """The answer to a guest whose browser has brought the credentials of a session."""
    try:
        with reading(services().make_session) as db:
            lease = nas_signin.lease_of(db, gateway=gateway, number=number, now=services().clock())
            known = _proven(db, gateway, packet, lease, user=user)
    except Refused as refusal:
        return _refuse(gateway, packet, refusal.fault, refusal.message)
    if known.is_compared:
        confirm(gateway, [known.lease])
    return accept(gateway, known.lease, known.control)


def answer_together(gateway: Gateway, packets: Sequence[Attributes]) -> list[Answer | None]:
    """Answer the Access-Requests of one gateway that have come together; None for each that is not simply let in."""
    named = [_named(gateway, packet) for packet in packets]
    numbers = {one.number for one in named if one is not None}
    with reading(services().make_session) as db:
        leases = nas_signin.leases_of(db, gateway=gateway, numbers=numbers, now=services().clock())
        found = [
            None if one is None else _proven_or_none(db, gateway, packet, leases.get(one.number), one.user)
            for packet, one in zip(packets, named, strict=True)
        ]
    confirm(gateway, [known.lease for known in found if known is not None and known.is_compared])
    return [None if known is None else accept(gateway, known.lease, known.control) for known in found]


class _Named(NamedTuple):
    """A user of ours, and the access session that it names."""

    user: str
    number: int


def _named(gateway: Gateway, packet: Attributes) -> _Named | None:
    """Whose credentials these are; None where they are of no session."""
    try:
        user = packet.text("User-Name") or ""
    except MalformedRequest:
        return None
    number = radius_credentials.number_of(gateway, user)
    return None if number is None else _Named(user, number)


def _proven_or_none(
    db: Session, gateway: Gateway, packet: Attributes, lease: HeldLease | None, user: str
) -> Known | None:
    try:
        return _proven(db, gateway, packet, lease, user=user)
    except (Refused, MalformedRequest):
        return None


class Refused(Exception):
    """This guest is not let in: why, and what the guest is told."""

    def __init__(self, fault: str, message: str) -> None:
        super().__init__(fault)
        self.fault, self.message = fault, message


@dataclass(frozen=True, slots=True)
class Known:
    """A guest who may pass by this lease. Of CHAP and MS-CHAP, FreeRADIUS compares the password, and asks `finish`
    where it was right."""

    lease: HeldLease
    secret: str
    is_compared: bool

    @property
    def control(self) -> dict[str, int | str]:
        compared = {"Arobase-Confirmed": 1} if self.is_compared else {}
        return {"Cleartext-Password": self.secret, **compared}


def _proven(
    db: Session, gateway: Gateway, packet: Attributes, lease: HeldLease | None, *, user: str
) -> Known:
    """Whether the packet has the credentials of this lease's session. Raises `Refused`."""
    if lease is None:
        raise Refused("its session is over", say("Your time is over. Please sign in again."))
    if not _is_its_device(db, gateway, packet, lease):
        raise Refused("the session of another device", say("Your time is over. Please sign in again."))
    secret = radius_credentials.accepted(gateway, lease, user).secret
    password = packet.secret("User-Password")
    if password is not None and not hmac.compare_digest(password, secret.encode()):
        fault = "a wrong password" if _is_text(password) else "a garbled password: the shared secret differs"
        raise Refused(fault, say("Please sign in on the first page."))
    return Known(lease, secret, is_compared=password is not None)


def _of_device(gateway: Gateway, packet: Attributes, mac: MacAddress) -> Answer:
    """The answer to a gateway that asks for a device by its MAC address: a known one goes on without a page."""
    address = packet.address("Framed-IP-Address")
    here = (address,) if address is not None and gateway.holds(address) else ()
    with services().make_session.begin() as db:
        now = services().clock()
        lease = nas_signin.known_device(db, gateway=gateway, client=Client(mac, here), now=now)
    if lease is None:
        # Each device that comes near: nothing that staff would want to read.
        return Answer(False, replies.refuse())
    confirm(gateway, [lease])
    return accept(gateway, lease, {"Auth-Type": "Accept", "Arobase-Confirmed": 1})


def _is_its_device(db: Session, gateway: Gateway, packet: Attributes, lease: HeldLease) -> bool:
    mac, address = packet.mac("Calling-Station-Id"), packet.address("Framed-IP-Address")
    if mac is not None:
        return mac == lease.mac
    if address is not None:
        return nas_signin.is_at(db, lease, address)
    return not _profile(gateway).names_clients


def _asked_by_mac(profile: RadiusProfile, packet: Attributes) -> MacAddress | None:
    """The device that the gateway itself asks for: its User-Name is its own MAC address."""
    mac = packet.mac("User-Name")
    service = packet.word("Service-Type")
    if profile.mac_service_types is not None and service not in profile.mac_service_types:
        return None
    return mac if mac is not None and mac == packet.mac("Calling-Station-Id") else None


def accept(gateway: Gateway, lease: HeldLease, control: dict[str, int | str]) -> Answer:
    """The rest of the lease, never its whole length: a gateway may ask again at any time."""
    # A gateway that looks at the clock now and then ends access that much too late.
    late = gateway.capabilities.finest_seconds - 1
    left = int((lease.until - services().clock()).total_seconds()) - late
    if left < 1:
        return Answer(False, replies.refuse(say("Your time is over. Please sign in again.")))
    reply = replies.accept(
        _profile(gateway),
        seconds=left,
        interim_seconds=int(gateway.option("interim_seconds")),
        idle_seconds=gateway.network.idle_seconds,
        down_kbps=lease.rate_down_kbps,
        up_kbps=lease.rate_up_kbps,
        number=lease.access_id,
    )
    return Answer(True, replies.in_list("control", control) | reply)


def _refuse(gateway: Gateway, packet: Attributes, fault: str, message: str) -> Answer:
    mac = packet.mac("Calling-Station-Id") or "an unknown device"
    tell(gateway, f"Access-Request of {mac}", f"refused: {fault}")
    return Answer(False, replies.refuse(message))


def confirm(gateway: Gateway, leases: Sequence[HeldLease]) -> None:
    """The gateway lets the devices of these leases pass. Of a repeat, nothing is written."""
    fresh = {lease.access_id: lease for lease in leases if lease.confirmed_at is None}
    if not fresh:
        return
    with services().make_session.begin() as db:
        confirm_some(db, gateway_id=gateway.id, numbers=sorted(fresh), now=services().clock())
    for lease in fresh.values():
        tell(gateway, f"Access-Request of {lease.mac}", f"accepted: session {lease.access_id}")


def _profile(gateway: Gateway) -> RadiusProfile:
    profile = kind_of(gateway.kind).radius
    assert profile is not None
    return profile


def _is_text(password: bytes) -> bool:
    try:
        return password.decode("utf-8").isprintable()
    except UnicodeDecodeError:
        return False
