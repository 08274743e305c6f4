"""An access session and its first lease: one statement where the database can, sent with the commit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Executable, bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from db.engine import was_taken
from db.notify import NOTIFY
from db.prepared import Prepared, Reply
from db.session import driver_of
from db.statements import table_of
from gateways.types import Client
from sessions import leases, policy, port_blocks
from sessions.leases import OwnRates
from sessions.models import AccessSession, Lease
from sites.models import Feed, Gateway

Result = TypeVar("Result")


def write(
    db: Session,
    opened: Mapping[str, Any],
    *,
    own_rates: OwnRates,
    gateway: Gateway,
    client: Client,
    until: datetime,
    now: datetime,
) -> tuple[int | None, Reply]:
    """Insert the access session `opened`, by its columns, with a lease at `gateway` from now on.

    The session's id, where it is known already, and what gives the lease's id and the session's when it is asked. Where
    the client has an open session already, what carries it out raises `IntegrityError`, at the latest the commit:
    see `once_more`.
    """
    # SQLite changes one table with a statement, and has no round trips to spare. A block of ports is claimed for a
    # session that has its number.
    if gateway.ports_per_client or driver_of(db).writes.name != "postgresql":
        access_id: int = _OPEN.scalar(db, **opened)
        lease = leases.write(
            db,
            access_id=access_id,
            own_rates=own_rates,
            gateway=gateway,
            client=client,
            starts_at=now,
            until=until,
            now=now,
        )
        return access_id, lease
    down, up = leases.enforced_rates(own_rates, gateway)
    origin = port_blocks.shared(gateway)
    return None, _OPEN_AND_GRANT.later(
        db,
        **opened,
        lease_until=policy.in_steps(until, now=now, step=gateway.lease_step, reach=gateway.lease_reach),
        rate_down_kbps=down,
        rate_up_kbps=up,
        public_address=origin.address,
        port_first=origin.first,
        port_last=origin.last,
    )


def once_more(act: Callable[[], Result]) -> Result:
    """What a whole transaction that opens a session gives; once more where another let the same client in meanwhile.

    The second time it finds that one.
    """
    try:
        return act()
    except IntegrityError as error:
        if not was_taken(error):
            raise
        return act()


def _opening_and_granting() -> Executable:
    """The version is counted last, when the session is there: other leases of the gateway wait for that row."""
    opened = (
        insert(_accesses)
        .from_select(
            _OF_SESSION, select(*(bindparam(name, type_=_accesses.c[name].type) for name in _OF_SESSION))
        )
        .returning(_accesses.c.id, *(_accesses.c[name] for name in _KEPT), _accesses.c.started_at)
        .cte("opened")
    )
    stamped = (
        update(_feeds)
        .where(_feeds.c.gateway_id == opened.c.gateway_id)
        .values(version=_feeds.c.version + 1)
        .returning(_feeds.c.version, *opened.c)
        .cte("stamped")
    )
    granted = {
        "access_id": stamped.c.id,
        **{name: stamped.c[name] for name in ("version", *_KEPT)},
        "created_at": stamped.c.started_at,
        "starts_at": stamped.c.started_at,
        "until": bindparam("lease_until", type_=_leases.c.until.type),
        **{name: bindparam(name, type_=_leases.c[name].type) for name in _GIVEN},
    }
    return (
        insert(_leases)
        .from_select(list(granted), select(*granted.values()))
        .returning(_leases.c.id, _leases.c.access_id, NOTIFY)
    )


_accesses, _feeds, _leases = table_of(AccessSession), table_of(Feed), table_of(Lease)
_OF_SESSION = (
    *("entitlement_id", "subject", "method", "network_id", "gateway_id", "site_id", "mac", "address"),
    *("landed_at", "resume_digest", "started_at", "until", "last_seen_at", "previous_id"),
    *("terms_version", "terms_language", "terms_digest"),
)
# What a lease says as its session does, and what it says itself.
_KEPT = ("gateway_id", "site_id", "mac", "address")
_GIVEN = ("rate_down_kbps", "rate_up_kbps", "public_address", "port_first", "port_last")
_OPEN = Prepared(insert(_accesses).returning(_accesses.c.id))
_OPEN_AND_GRANT = Prepared(_opening_and_granting())
