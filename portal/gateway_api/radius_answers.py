"""What FreeRADIUS is answered about a device: from the lease that it has, never from anything else."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import Any

from db.engine import reading
from gateways.radius import replies
from gateways.radius.attributes import Attributes
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
    confirm(gateway, lease)
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
    with reading(services().make_session) as db:
        lease = nas_signin.lease_of(db, gateway=gateway, number=number, now=services().clock())
        fault = "its session is over" if lease is None else ""
        if lease is not None and not _is_its_device(db, gateway, packet, lease):
            fault = "the session of another device"
    if lease is None or fault:
        return _refuse(gateway, packet, fault, say("Your time is over. Please sign in again."))
    known = radius_credentials.accepted(gateway, lease, user)
    password = packet.secret("User-Password")
    if password is None:
        # CHAP or MS-CHAP: FreeRADIUS compares, and asks `finish` where it was right.
        return accept(gateway, lease, {"Cleartext-Password": known.secret})
    if not hmac.compare_digest(password, known.secret.encode()):
        fault = "a wrong password" if _is_text(password) else "a garbled password: the shared secret differs"
        return _refuse(gateway, packet, fault, say("Please sign in on the first page."))
    confirm(gateway, lease)
    return accept(gateway, lease, {"Cleartext-Password": known.secret, "Arobase-Confirmed": 1})


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
    confirm(gateway, lease)
    return accept(gateway, lease, {"Auth-Type": "Accept", "Arobase-Confirmed": 1})


def _is_its_device(db: Any, gateway: Gateway, packet: Attributes, lease: HeldLease) -> bool:
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


def confirm(gateway: Gateway, lease: HeldLease) -> None:
    """The gateway lets the device pass. Of a repeat, nothing is written."""
    if lease.confirmed_at is not None:
        return
    with services().make_session.begin() as db:
        now = services().clock()
        confirm_some(db, gateway_id=gateway.id, numbers=[lease.access_id], now=now)
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
