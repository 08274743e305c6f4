"""The incident code on a refusal's page: what is written down of this request when somebody stays outside.

Where the database is away or busy, the page has no code; that it is shown never depends on it.
"""

from __future__ import annotations

import re
from typing import Any

from flask import g, request
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from ads.ledger import NotDue, SpentImpression
from auth.errors import (
    BlockedCard,
    DirectoryUnavailable,
    ExpiredCard,
    PasswordToChange,
    TooManyAttempts,
    WrongCredentials,
    WrongPlace,
)
from auth.tokens import EarlyToken, ExpiredToken, InvalidToken
from auth.vouchers import codes, redeeming
from auth.vouchers.errors import (
    AlreadyUsed,
    ExpiredVoucher,
    ForeignVoucher,
    SpentVoucher,
    SuspendedVoucher,
    UnknownVoucher,
    VoidVoucher,
)
from db.engine import reading
from gateways.landing_token import ExpiredLanding, ForeignLanding
from portal.http.clients import ClientContext, ForeignClient, gateways_here, remote_address
from portal.services import services
from sessions.log.denials import Refused, Rule, Step, show_code
from sites.models import Gateway

RULES: tuple[tuple[type[Exception], Rule], ...] = (
    (WrongCredentials, Rule.WRONG_CREDENTIALS),
    (ExpiredCard, Rule.EXPIRED_CARD),
    (BlockedCard, Rule.BLOCKED_CARD),
    (PasswordToChange, Rule.PASSWORD_TO_CHANGE),
    (WrongPlace, Rule.WRONG_PLACE),
    (TooManyAttempts, Rule.TOO_MANY_ATTEMPTS),
    (DirectoryUnavailable, Rule.DIRECTORY_AWAY),
    (codes.UnreadableCode, Rule.UNREADABLE_CODE),
    (UnknownVoucher, Rule.UNKNOWN_PASS),
    (SpentVoucher, Rule.SPENT_PASS),
    (ExpiredVoucher, Rule.EXPIRED_PASS),
    (VoidVoucher, Rule.VOID_PASS),
    (SuspendedVoucher, Rule.SUSPENDED_PASS),
    (ForeignVoucher, Rule.FOREIGN_PASS),
    (AlreadyUsed, Rule.PASS_IN_USE),
    (EarlyToken, Rule.TOO_EARLY),
    (NotDue, Rule.NOT_DUE),
    (SpentImpression, Rule.SPENT_TICKET),
    (ExpiredLanding, Rule.EXPIRED_PAGE),
    (ExpiredToken, Rule.EXPIRED_PAGE),
    (ForeignClient, Rule.FOREIGN_PAGE),
    (ForeignLanding, Rule.FOREIGN_PAGE),
    (InvalidToken, Rule.FOREIGN_PAGE),
    (OperationalError, Rule.BUSY),
    (PoolTimeout, Rule.BUSY),
)
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
    "guests.opening": Step.OPENING,
    "guests.status": Step.STATUS,
    "guests.leave": Step.LEAVE,
    "guests.resume": Step.RESUME,
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


def note(rule: Rule, visit: ClientContext | None = None, **detail: Any) -> str | None:
    """Write down that this request was refused by `rule`; the code for its page, as the guest reads it."""
    visit = visit or g.get("visit")
    gateway = visit.gateway if visit else _gateway_here()
    address = visit.address if visit else remote_address()
    device = device_in(request.user_agent.string)
    refused = Refused(
        rule,
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


def note_error(error: Exception, visit: ClientContext | None = None) -> str | None:
    """The same, by the rule that this exception stands for."""
    return note(rule_of(error), visit, **detail_of(error))


def rule_of(error: Exception) -> Rule:
    return next((rule for kind, rule in RULES if isinstance(error, kind)), Rule.FAULT)


def detail_of(error: Exception) -> dict[str, Any]:
    """What the rule went by. Never what was typed."""
    match error:
        case TooManyAttempts() | SpentVoucher() | ExpiredVoucher():
            return {"until": error.until.isoformat()}
        case ExpiredCard():
            return {"on": error.on.isoformat()}
        case VoidVoucher():
            return {"mark": error.mark}
        case NotDue():
            return {"opens_at": error.opens_at.isoformat()}
        case EarlyToken():
            return {"opens_at": error.at.isoformat()}
        case codes.TooShort():
            return {"fault": "too short", "missing": error.missing}
        case codes.TooLong():
            return {"fault": "too long", "surplus": error.surplus}
        case codes.LookAlike():
            return {"fault": "look-alike", "position": error.position}
        case codes.FailedCheck():
            return {"fault": "check symbol"}
        case codes.UnreadableCode():
            return {"fault": "no code"}
        case OperationalError() | PoolTimeout():
            return {}
        case _ if rule_of(error) is Rule.FAULT:
            return {"fault": type(error).__name__}
    return {}


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
