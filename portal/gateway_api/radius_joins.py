"""A device that joins with its certificate (EAP-TLS): asked by the server `arobase-device` of FreeRADIUS's
configuration, after the device has shown that it has the certificate's key."""

from __future__ import annotations

from auth.denials import Denial
from auth.errors import AuthError, DirectoryUnavailable
from gateways.radius import replies
from gateways.radius.attributes import Attributes, MalformedRequest
from gateways.registry import kind_of
from gateways.types import MacAddress
from portal.gateway_api.radius_answers import Answer, accept, confirm
from portal.gateway_api.radius_callers import tell
from portal.services import services
from sessions import joining
from sessions.joining import Joining
from sessions.log.denials import LoggedDenial, Step
from sites.models import Gateway

# The name stands in deploy/freeradius/site.conf. rlm_rest says by it on whose behalf it asks, and no packet can.
SERVER = "arobase-device"


def authorize(gateway: Gateway, packet: Attributes) -> Answer:
    """Answer whether this device may join now. Raises MalformedRequest."""
    serial, mac = packet.text("TLS-Client-Cert-Serial"), packet.mac("Calling-Station-Id")
    profile = kind_of(gateway.kind).radius
    if not serial or mac is None:
        raise MalformedRequest("a device that joins names its certificate and its card")
    if profile is None or not profile.joins_by_certificate:
        tell(gateway, f"{mac} joins with a certificate", "refused: not at a gateway of this kind")
        return Answer(False, replies.refuse())
    service = services()
    try:
        lease = joining.join(
            service.make_session,
            Joining(gateway, mac, serial),
            directory=service.directory,
            pseudonyms=service.pseudonyms,
            tokens=service.encrypted_tokens,
            now=service.clock(),
        )
    except AuthError as error:
        return _refuse(gateway, mac, error)
    if lease is None:
        return Answer(False, replies.refuse())
    confirm(gateway, [lease])
    return accept(gateway, lease, {"Auth-Type": "Accept"})


def _refuse(gateway: Gateway, mac: MacAddress, error: AuthError) -> Answer:
    """The refusal, in the log as one of a page is: the person can ask why, and only staff can tell."""
    detail = {name: str(error.facts[name]) for name in error.reason.facts if name in error.facts}
    refused = LoggedDenial(
        error.reason, Step.JOIN, gateway=gateway, mac=mac, subject=error.subject, detail=detail
    )
    services().recorder.write(refused, now=services().clock())
    tell(gateway, f"{mac} joins with a certificate", f"refused: {_why(error)}")
    return Answer(False, replies.refuse())


def _why(error: Denial) -> str:
    return f"the directory is away: {error}" if isinstance(error, DirectoryUnavailable) else error.reason.code
