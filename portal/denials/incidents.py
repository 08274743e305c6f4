"""The incident code on a refusal's page: what is recorded of a denied request.

Where the database is away or busy, the page has no code; that it is shown never depends on it.
"""

from __future__ import annotations

import re
from typing import Any

from flask import g, request
from sqlalchemy.exc import SQLAlchemyError

from auth.denials import Denial, DenialReason
from auth.vouchers import redeeming
from db.engine import reading
from portal.denials.rendering import facts_to_keep
from portal.http.clients import ClientContext, gateways_here, remote_address
from portal.services import services
from sessions.log.denials import LoggedDenial, Step, show_code
from sites.models import Gateway

# Pages are ours; what machines ask is answered to machines.
_OF_MACHINES = ("/gateways/", "/capport/", "/healthz", "/metrics")
_STEPS = {
    "guests.landing": Step.LANDING,
    "guests.signin_page": Step.SIGNIN,
    "guests.signin": Step.SIGNIN,
    "guests.pass_page": Step.PASS,
    "guests.redeem_pass": Step.PASS,
    "guests.pause_page": Step.PAUSE,
    "guests.pause": Step.PAUSE,
    "guests.pressed": Step.PAUSE,
    "guests.opening": Step.OPENING,
    "guests.status": Step.STATUS,
    "guests.leave": Step.LEAVE,
    "guests.resume": Step.RESUME,
    "guests.resume_page": Step.RESUME,
    "guests.profile_page": Step.PROFILE,
    "guests.make_profile": Step.PROFILE,
}
# The kind of device, as its owner names it. No more of the browser's word is kept.
_DEVICES = (
    ("iphone", re.compile(r"iPhone|iPod|CaptiveNetworkSupport")),
    ("ipad", re.compile(r"iPad")),
    ("android", re.compile(r"Android")),
    ("windows", re.compile(r"Windows")),
    ("mac", re.compile(r"Macintosh")),
    ("linux", re.compile(r"Linux|CrOS")),
)


def note(reason: DenialReason, visit: ClientContext | None = None, **detail: Any) -> str | None:
    """Write down that this request was denied for `reason`; the code for its page, as the guest reads it."""
    visit = visit or g.get("visit")
    gateway = visit.gateway if visit else _gateway_here()
    address = visit.address if visit else remote_address()
    device = device_in(request.user_agent.string)
    refused = LoggedDenial(
        reason,
        _STEPS.get(request.endpoint or "", Step.PAGE),
        gateway=gateway,
        mac=visit.mac if visit else None,
        address=str(address) if address else None,
        landed_at=visit.landed_at if visit else None,
        detail={"device": device, **detail} if device else detail,
        **g.get("concerning", {}),
    )
    service = services()
    code = service.recorder.write(refused, now=service.clock())
    return show_code(code) if code else None


def note_error(error: Denial, visit: ClientContext | None = None) -> str | None:
    """The same, for what was raised: with the facts that its reason keeps, and never with what was typed."""
    return note(error.reason, visit, **facts_to_keep(error.reason, error.facts))


def concerning(
    *, subject: str | None = None, voucher_id: int | None = None, access_id: int | None = None
) -> None:
    """Remember whom this request turned out to be about, for a refusal that may follow."""
    g.concerning = {"subject": subject, "voucher_id": voucher_id, "access_id": access_id}


def about_pass(code: str) -> None:
    """The same for the pass with this code, where there is one."""
    service = services()
    try:
        with reading(service.make_session) as db:
            voucher = redeeming.find(db, keys=service.voucher_keys, code=code)
    except SQLAlchemyError:
        return
    if voucher is not None:
        concerning(subject=service.voucher_keys.subject(voucher.id), voucher_id=voucher.id)


def device_in(user_agent: str) -> str | None:
    """The kind of device that a browser says it is on: one of six words."""
    return next((word for word, pattern in _DEVICES if pattern.search(user_agent[:400])), None)


def is_written_down() -> bool:
    """Whether a refusal of this request is one of a guest's page."""
    return not request.path.startswith(_OF_MACHINES)


def _gateway_here() -> Gateway | None:
    """The gateway that an unknown device is behind, where its address leaves no choice."""
    try:
        here = gateways_here()
    except SQLAlchemyError:
        return None
    return here[0] if len(here) == 1 else None
