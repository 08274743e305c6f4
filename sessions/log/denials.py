"""The log of denials: the reason of each and the facts it was decided on. The guest is shown its code.

A device that runs into the same rule again within a minute meets the same code, and only so many are written for one
site in an hour: a flood of refusals fills no disk.
"""

from __future__ import annotations

import enum
import secrets
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import Executable, bindparam, func, select
from sqlalchemy.orm import Session

from auth.denials import DenialReason
from auth.vouchers import codes
from db.base import UtcDateTime
from db.statements import Insert, for_either, table_of
from sessions.models import Decision
from sites.models import Gateway, Network

SYMBOLS = 6
AGAIN, HOUR = timedelta(minutes=1), timedelta(hours=1)
# Of one site; and of all who are behind no gateway of ours, who may be anybody on the Internet.
MOST_AN_HOUR, MOST_FROM_NOWHERE = 1_000, 300
Choose = Callable[[str], str]


class Step(enum.StrEnum):
    """Where on the way in it happened, in the words that `Decision.step` holds."""

    LANDING = "landing"
    SIGNIN = "signin"
    PASS = "pass"
    PAUSE = "pause"
    OPENING = "opening"
    STATUS = "status"
    LEAVE = "leave"
    RESUME = "resume"
    # A device by its certificate, without a page.
    JOIN = "join"
    PROFILE = "profile"
    PAGE = "page"


# At these steps somebody asked to be let in.
SIGNIN_STEPS = frozenset({Step.SIGNIN, Step.PASS, Step.PAUSE, Step.JOIN})


@dataclass(frozen=True, slots=True)
class LoggedDenial:
    """One refusal. What is not known is empty: the device of somebody who came by no gateway, the person before a PIN.

    `gateway` comes with its site and network. `detail` holds plain values that the rule went by, and never what was
    typed.
    """

    reason: DenialReason
    step: Step
    gateway: Gateway | None = None
    mac: str | None = None
    address: str | None = None
    subject: str | None = None
    voucher_id: int | None = None
    access_id: int | None = None
    landed_at: datetime | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)


def note(db: Session, refused: LoggedDenial, *, now: datetime, choose: Choose = secrets.choice) -> str | None:
    """Write a refusal down; its code (six symbols), or None where this hour's refusals are too many already."""
    known = _of_this_minute(db, refused, now=now)
    if known is not None:
        return known
    if _are_too_many(db, refused, now=now):
        return None
    gateway = refused.gateway
    values = {
        "at": now,
        "rule": refused.reason.code,
        "step": refused.step.value,
        "network_id": gateway.network_id if gateway else None,
        "site_id": gateway.site_id if gateway else None,
        "gateway_id": gateway.id if gateway else None,
        "mac": refused.mac,
        "address": refused.address,
        "subject": refused.subject,
        "voucher_id": refused.voucher_id,
        "access_id": refused.access_id,
        "landed_at": refused.landed_at,
        "detail": dict(refused.detail),
    }
    # Two of a thousand million codes are the same now and then; three times in a row they are not.
    for _ in range(3):
        code: str | None = db.scalars(_NOTE.on(db), {**values, "code": make_code(choose)}).first()
        if code is not None:
            return code
    return None


def find(db: Session, code: str) -> Decision | None:
    """The refusal that has this code, as `read_code` gives it."""
    return db.scalars(select(Decision).where(Decision.code == code)).first()


def count_since(db: Session, *, since: datetime, networks: Collection[str] = ()) -> int:
    """How many were refused since then on these networks (slugs; none named: all)."""
    counted = select(func.count(Decision.id)).where(Decision.at >= since)
    if networks:
        mine = select(Network.id).where(Network.slug.in_(sorted(networks)))
        counted = counted.where(Decision.network_id.in_(mine))
    return db.scalar(counted) or 0


def make_code(choose: Choose = secrets.choice) -> str:
    """A new code, without an obscene word in it."""
    while True:
        code = "".join(choose(codes.ALPHABET) for _ in range(SYMBOLS))
        if not codes.is_obscene(code):
            return code


def show_code(code: str) -> str:
    """The code as the guest reads it: ``K7Q-4MX``."""
    return f"{code[:3]}-{code[3:]}"


def read_code(text: str) -> str | None:
    """The code in what somebody typed, whatever its case, spaces and dashes; None where it cannot be one."""
    bare = "".join(sign for sign in text.upper() if sign.isascii() and sign.isalnum())
    bare = bare.removeprefix("INCIDENT")
    return bare if len(bare) == SYMBOLS and set(bare) <= set(codes.ALPHABET) else None


def _of_this_minute(db: Session, refused: LoggedDenial, *, now: datetime) -> str | None:
    """The code that this device has for this rule already. Who has no device here is known by the address."""
    if refused.mac is None and refused.address is None:
        return None
    asked = _BY_ADDRESS if refused.mac is None else _BY_MAC
    found: str | None = db.scalars(
        asked,
        {
            "mac": refused.mac,
            "address": refused.address,
            "rule": refused.reason.code,
            "step": refused.step.value,
            "since": now - AGAIN,
        },
    ).first()
    return found


def _are_too_many(db: Session, refused: LoggedDenial, *, now: datetime) -> bool:
    """Whether this site has had all the refusals of an hour: the one that many back is not an hour old."""
    gateway = refused.gateway
    site_id, most = (gateway.site_id, MOST_AN_HOUR) if gateway else (None, MOST_FROM_NOWHERE)
    here = _decisions.c.site_id.is_(None) if site_id is None else _decisions.c.site_id == site_id
    recent = select(_decisions.c.at).where(here).order_by(_decisions.c.at.desc())
    that_many_back = db.scalar(recent.offset(most - 1).limit(1))
    return that_many_back is not None and that_many_back > now - HOUR


def _note(insert: Insert) -> Executable:
    fresh = insert(_decisions)
    return cast(
        Executable,
        fresh.on_conflict_do_nothing(index_elements=[_decisions.c.code]).returning(_decisions.c.code),
    )


_decisions = table_of(Decision)
_NOTE = for_either(_note)
_LATELY = (
    select(_decisions.c.code)
    .where(
        _decisions.c.rule == bindparam("rule"),
        _decisions.c.step == bindparam("step"),
        _decisions.c.at > bindparam("since", type_=UtcDateTime()),
    )
    .order_by(_decisions.c.at.desc())
    .limit(1)
)
_BY_MAC = _LATELY.where(_decisions.c.mac == bindparam("mac"))
_BY_ADDRESS = _LATELY.where(_decisions.c.mac.is_(None), _decisions.c.address == bindparam("address"))
