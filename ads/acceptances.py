"""One accepted message is one lease, once. The ledger row ties creative, acceptance, lease and confirmation."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Executable,
    ScalarSelect,
    bindparam,
    case,
    func,
    insert,
    literal_column,
    select,
    update,
)
from sqlalchemy.orm import Session

from ads import counting
from ads.counting import Capped
from ads.errors import NotDue, SpentImpression
from ads.models import Campaign, Creative, Impression
from auth.blocks import service as blocks
from auth.entitlements import Allowance
from auth.pseudonyms import Pseudonyms
from db.prepared import Prepared
from db.statements import ForEither, table_of
from sessions import feed, policy, present, renewal, start
from sessions.arrival import Arrival
from sessions.clients import SeenAccess
from sessions.models import Lease
from sessions.present import Present
from sessions.start import Opened
from sites.models import Gateway, SigninMethod


@dataclass(frozen=True, slots=True)
class ImpressionToken:
    """What a page showed: the creative (None where none was eligible), to whom, when. Its nonce is used once.

    The rest is what it was chosen by (`ads.models.Impression`).
    """

    nonce: str
    creative_id: int | None
    language: str
    shown_at: datetime
    draw: int | None = None
    previous: int | None = None
    choice_digest: str | None = None


class Further(NamedTuple):
    """Where there is more to read of a message (`Creative.more`), and the words of the message."""

    id: int
    texts: dict[str, dict[str, str]]
    more: str


def accept(
    db: Session,
    arrival: Arrival,
    *,
    ticket: ImpressionToken,
    pseudonyms: Pseudonyms,
    now: datetime,
) -> Opened:
    """Count the acceptance and give the lease that it earns: the first one, or a renewal when that is due.

    No person is known here: the entitlement is the device's, on this network alone.

    Raises `SpentImpression`, `NotDue`, `ManagedDevice`, `BlockedDevice` and `BlockedPerson`; nothing has changed then
    (the caller rolls back). It comes `sessions.first_leases.once_more`: of one ticket that is used twice at once, the
    second is found to be spent by the latest at the commit.
    """
    gateway, client = arrival.gateway, arrival.client
    ((spent_by, *found),) = _LOOK_UP.all(
        db,
        nonce=ticket.nonce,
        creative=ticket.creative_id,
        network=gateway.network_id,
        client=client.mac,
    )
    if spent_by is not None:
        raise SpentImpression
    campaign, own = Capped._make(found[:3]), found[3:]
    online = None if own[0] is None else present.if_open(db, Present._make(own), now=now)
    if online is None:
        device = pseudonyms.of("device", f"{gateway.network.slug} {client.mac}")
        allowance = Allowance(device, SigninMethod.FREE, None, devices=1)
        opened = start.open_access(db, arrival, allowance=allowance, now=now)
    else:
        start.refuse_managed(online)
        # Asked together with the renewal, which goes back with the transaction where there is a block.
        blocked = blocks.ask(
            db, mac=client.mac, subject=online.subject, network_id=gateway.network_id, now=now
        )
        # A ticket from before was saved up while something else was accepted: nobody has looked at it for this renewal.
        is_due = ticket.shown_at >= _opens_at(online.until, gateway) and policy.may_renew(
            now=now, until=online.until, window=gateway.renewal_window
        )
        lease = renewal.renew(db, online, gateway=gateway, client=client, now=now) if is_due else None
        blocks.refuse(blocked)
        if not is_due:
            raise NotDue(_opens_at(online.until, gateway))
        opened = Opened(db, online.id, lease, online.gateway_id)
    if opened.lease is None:
        raise NotDue(_opens_at(opened.access.until, gateway))
    # Last: the row of a campaign with a cap is one for the whole town, and stays locked until the commit.
    creative_id = ticket.creative_id
    is_counted = creative_id is None or counting.count(db, creative_id, campaign, gateway=gateway, now=now)
    _earn(db, ticket, gateway, is_counted=is_counted, now=now)
    return opened


def may_renew(access: SeenAccess, gateway: Gateway, *, now: datetime) -> bool:
    """Whether this session may be renewed by an accepted message now."""
    return gateway.network.allows(SigninMethod.FREE) and policy.may_renew(
        now=now, until=access.until, window=gateway.renewal_window
    )


def confirm(db: Session, lease_ids: Collection[int], *, now: datetime) -> None:
    """The gateway has confirmed these leases: so are the acceptances that earned them."""
    if len(lease_ids) <= feed.FEW:
        for lease_id in lease_ids:
            _CONFIRM.run(db, lease=lease_id, at=now)
    else:
        db.execute(
            update(Impression)
            .where(Impression.lease_id.in_(list(lease_ids)), Impression.confirmed_at.is_(None))
            .values(confirmed_at=now)
            .execution_options(synchronize_session=False)
        )


def of_access(db: Session, access_id: int) -> list[tuple[Impression, Lease]]:
    """The acceptances of one access session, each with the lease it earned, oldest first."""
    rows = db.execute(
        select(Impression, Lease)
        .join(Lease, Lease.id == Impression.lease_id)
        .where(Impression.access_id == access_id)
        .order_by(Impression.id)
    )
    return [(impression, lease) for impression, lease in rows]


def further_of(access_id: ColumnElement[int]) -> ScalarSelect[int | None]:
    """The id of the message that this session was opened or renewed with last, where it has something further to read,
    as part of a statement.
    """
    return (
        select(case((_creatives.c.more != "", _creatives.c.id)))
        .join(_impressions, _impressions.c.creative_id == _creatives.c.id)
        .where(_impressions.c.access_id == access_id)
        .order_by(_impressions.c.id.desc())
        .limit(1)
        .scalar_subquery()
    )


def further(db: Session, creative_id: int) -> Further | None:
    """What there is further to read of a message."""
    row = _FURTHER.first(db, creative=creative_id)
    return None if row is None else Further._make(row)


def of_sessions(db: Session, access_ids: Collection[int]) -> list[Impression]:
    """The acceptances of these access sessions."""
    return list(db.scalars(select(Impression).where(Impression.access_id.in_(access_ids))))


def _earn(db: Session, ticket: ImpressionToken, gateway: Gateway, *, is_counted: bool, now: datetime) -> None:
    """Tie the ticket to the lease that was just written."""
    _EARN.later(
        db,
        nonce=ticket.nonce,
        creative_id=ticket.creative_id,
        network_id=gateway.network_id,
        site_id=gateway.site_id,
        language=ticket.language,
        shown_at=ticket.shown_at,
        accepted_at=now,
        is_counted=is_counted,
        draw=ticket.draw,
        previous_id=ticket.previous,
        choice_digest=ticket.choice_digest,
    )


def _opens_at(until: datetime, gateway: Gateway) -> datetime:
    return policy.renewal_opens(until, window=gateway.renewal_window)


def _earning(just_written: Any) -> Executable:
    of_lease = {"access_id": _leases.c.access_id, "lease_id": _leases.c.id}
    given = [bindparam(name, type_=_impressions.c[name].type) for name in _GIVEN]
    lease = select(*given, *of_lease.values()).where(_leases.c.id == just_written)
    return insert(_impressions).from_select([*_GIVEN, *of_lease], lease)


_impressions, _leases = table_of(Impression), table_of(Lease)
_campaigns, _creatives = table_of(Campaign), table_of(Creative)
_FURTHER = Prepared(
    select(*(_creatives.c[name] for name in Further._fields)).where(_creatives.c.id == bindparam("creative"))
)
# A row in any case: of a ticket the acceptance that used it, of its creative the campaign, and the client's open
# session, where there is one.
_ticket = (
    select(literal_column("1"))
    .subquery("ticket")
    .outerjoin(_impressions, _impressions.c.nonce == bindparam("nonce"))
    .outerjoin(_creatives, _creatives.c.id == bindparam("creative"))
    .outerjoin(_campaigns, _campaigns.c.id == _creatives.c.campaign_id)
)
_CAPPED = (_campaigns.c.id, _campaigns.c.daily_cap, _campaigns.c.total_cap)
_LOOK_UP = Prepared(
    select(_impressions.c.id, *_CAPPED, *present.COLUMNS).select_from(present.beside(_ticket))
)
_GIVEN = (
    *("nonce", "creative_id", "network_id", "site_id", "language", "shown_at", "accepted_at", "is_counted"),
    *("draw", "previous_id", "choice_digest"),
)
# Of this transaction: SQLite has one at a time, and PostgreSQL knows the last number that a connection has drawn. As a
# question of its own, or it would be asked for each lease.
_EARN = Prepared(
    ForEither(
        sqlite=_earning(select(func.max(_leases.c.id)).scalar_subquery()),
        postgresql=_earning(select(func.currval(literal_column("'leases_id_seq'"))).scalar_subquery()),
    )
)
_CONFIRM = Prepared(
    update(_impressions)
    .where(_impressions.c.lease_id == bindparam("lease"), _impressions.c.confirmed_at.is_(None))
    .values(confirmed_at=bindparam("at"))
)
