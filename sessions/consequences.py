"""Consequences: which sessions a change of a record would end, said before it is made and ended with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from http import HTTPStatus

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from auth.audit.actor import Actor
from auth.denials import N_, Denial, Plural, declare
from auth.fixed_devices.contracts import end_of
from auth.fixed_devices.models import DeviceState, FixedDevice
from auth.fixed_devices.records import reaches_as_before
from auth.records import RecordKind, preview, take_in
from sessions import end
from sessions.models import AccessSession, EndReason
from sites.import_export.records import Change, ImportResult, Values
from sites.import_export.rows import Row
from sites.limits import state_at, state_of
from sites.models import Gateway, SigninMethod, Site, SiteState
from sites.opening_hours import is_open, parse


@dataclass(eq=False)
class WouldDisconnect(Denial):
    """The change ends `count` sessions, and nobody has agreed to that yet."""

    reason = declare(
        "would_disconnect",
        HTTPStatus.CONFLICT,
        Plural(
            "This would disconnect %(n)s device.",
            "This would disconnect %(n)s devices.",
            count="count",
        ),
        N_("Nothing was changed yet. Send it again to do both."),
    )
    count: int


def carry_out(
    db: Session,
    kind: RecordKind,
    content: bytes | Sequence[Row],
    *,
    actor: Actor,
    now: datetime,
    agreed: bool,
    undoes: int | None = None,
) -> ImportResult:
    """Import records and end the sessions that they leave no place for, with an audit entry for each of both.

    Raises `WouldDisconnect` where that would end any and it is not `agreed`; `RefusedImport`.
    """
    changes = preview(db, kind, content, networks=actor.networks)
    ended = ended_by(db, kind.name, changes, now=now)
    if ended and not agreed:
        raise WouldDisconnect(len(ended))
    # First: what the register wants of a device that was moved begins with the record.
    end.end_all_by(db, ended, actor=actor, now=now)
    return take_in(db, kind, content, actor=actor, now=now, undoes=undoes)


def ended_by(db: Session, kind: str, changes: Sequence[Change], *, now: datetime) -> list[int]:
    """The open sessions that these changes of records of one kind would end."""
    find = _BY_KIND.get(kind)
    return find(db, changes, now) if find else []


def enforce(db: Session, *, now: datetime) -> list[int]:
    """End the open sessions at places whose wifi is closed now, as a closure that was planned has come, and at
    gateways that are retired; their ids."""
    maybe = select(Site).where(
        (Site.state == SiteState.CLOSED) | ((Site.state == SiteState.LIVE) & (Site.state_until <= now))
    )
    slugs = [site.slug for site in db.scalars(maybe) if state_at(site, now) is SiteState.CLOSED]
    over = [*_online(db, slugs, now), *_at(db, Gateway.is_retired.is_(True), now)]
    return [one for one in over if end.end(db, one, reason=EndReason.POLICY, now=now)]


def _of_sites(db: Session, changes: Sequence[Change], now: datetime) -> list[int]:
    """Places whose wifi closes now."""
    closing = [
        change.key
        for change in changes
        if change.before is not None and _is_closed(change.after, now) and not _is_closed(change.before, now)
    ]
    return _online(db, closing, now)


def _of_gateways(db: Session, changes: Sequence[Change], now: datetime) -> list[int]:
    """Gateways that are retired or moved now, with what registers keep online there."""
    leaving = [change.key for change in changes if _was_in_use(change) and _leaves(change)]
    return _at(db, Gateway.identity.in_(leaving), now)


def _of_devices(db: Session, changes: Sequence[Change], now: datetime) -> list[int]:
    """Fixed devices that their record keeps off from now on, moves to another door, or keeps from where they go."""
    zones = {site.slug: site for site in db.scalars(select(Site))}
    cut = [change.key for change in changes if _is_cut(change, zones, now)]
    subjects = [each.subject for each in db.scalars(select(FixedDevice).where(FixedDevice.slug.in_(cut)))]
    online = select(AccessSession.id).where(
        AccessSession.subject.in_(subjects), AccessSession.ended_at.is_(None), AccessSession.until > now
    )
    return list(db.scalars(online.order_by(AccessSession.id)))


def _is_cut(change: Change, sites: Mapping[str, Site], now: datetime) -> bool:
    before, after = change.before, change.after
    if before is None:
        return False
    site = sites[after["site"]]
    return (
        after["state"] is not DeviceState.ACTIVE
        or any(before[name] != after[name] for name in ("site", "network", "mac"))
        or end_of(date.fromisoformat(after["contract_end"]), site.tzinfo) <= now
        or not is_open(parse(after["hours"], site.school_zone), now, site.tzinfo)
        or not reaches_as_before(before, after)
    )


# What a stay at a gateway was granted by.
_PLACE_OF_GATEWAY = ("kind", "site", "network")


def _leaves(change: Change) -> bool:
    """Whether a gateway is not any more where those behind it were let in: by whom, on what terms and until when."""
    before = change.before or change.after
    return change.after["is_retired"] or any(before[name] != change.after[name] for name in _PLACE_OF_GATEWAY)


def _was_in_use(change: Change) -> bool:
    return change.before is not None and not change.before["is_retired"]


def _at(db: Session, which: ColumnElement[bool], now: datetime) -> list[int]:
    """The open sessions at these gateways."""
    there = (
        select(AccessSession.id)
        .join(Gateway, Gateway.id == AccessSession.gateway_id)
        .where(which, AccessSession.ended_at.is_(None), AccessSession.until > now)
    )
    return list(db.scalars(there.order_by(AccessSession.id)))


def _is_closed(values: Values, now: datetime) -> bool:
    return state_of(values["state"], values["state_since"], values["state_until"], now) is SiteState.CLOSED


def _online(db: Session, sites: Sequence[str], now: datetime) -> list[int]:
    """The open sessions at these places, but for devices that a register keeps online."""
    if not sites:
        return []
    there = (
        select(AccessSession.id)
        .join(Site, Site.id == AccessSession.site_id)
        .where(
            Site.slug.in_(sites),
            AccessSession.ended_at.is_(None),
            AccessSession.until > now,
            AccessSession.method != SigninMethod.MANAGED,
        )
        .order_by(AccessSession.id)
    )
    return list(db.scalars(there))


# By kind of record; a kind that is not here ends nothing.
_BY_KIND: dict[str, Callable[[Session, Sequence[Change], datetime], list[int]]] = {
    "sites": _of_sites,
    "gateways": _of_gateways,
    "devices": _of_devices,
}
