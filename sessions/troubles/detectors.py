"""The detectors that need nothing but the database. Each is apart, so that one that fails hides no other."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from auth.audit.actions import PAST_DIRECTORY
from auth.audit.log import AuditEntry
from auth.denials import REASONS
from gateways.faults import FaultCode
from sessions.gateway_health.overview import GatewayHealth, look
from sessions.managed import troubles as devices
from sessions.models import AccessSession, Decision, Usage
from sessions.retention import clock_check, holds, purge
from sessions.retention.models import LegalHold, PurgeRun, TermChange
from sessions.statistics.definitions import LEAST_BYTES_FOR_A_RATE
from sessions.troubles import kinds
from sessions.troubles.service import Detector, Found
from sites.checks import GatewayState
from sites.models import Gateway, Network, SigninMethod, Site, SiteState

# A change is confirmed within seconds; by then somebody has waited in vain.
BEHIND_AFTER = timedelta(minutes=2)
# Twice a day is usual.
PURGE_LATE_AFTER = timedelta(days=2)
# Refusals of one reason on one network: at least so many in an hour, and more than twice what is usual, which is the
# median over seven days of each day's busiest hour. One bad day does not make the next one usual.
LEAST_REFUSALS = 10
TIMES_USUAL = 2
HOUR, USUAL_DAYS = timedelta(hours=1), 7
# A place is slow when at least so many devices loaded enough to tell (as in the usage report), and not half of them
# ever reached half of the rate that is wanted for their network.
LEAST_DEVICES = 5
# Who is signed in there reaches nothing.
CUT_OFF = {FaultCode.BLOCKED_4, FaultCode.NO_ROUTE_4}

# Somebody has looked by then, or has had a day to.
PAST_DIRECTORY_TOLD = timedelta(days=1)

OF_A_GATEWAY = {
    GatewayState.SILENT: kinds.GATEWAY_SILENT,
    GatewayState.FAULTY: kinds.GATEWAY_FAULTY,
    GatewayState.DRIFTING: kinds.GATEWAY_DRIFTING,
    GatewayState.BEHIND: kinds.GATEWAY_BEHIND,
    GatewayState.CLOCK_OFF: kinds.GATEWAY_CLOCK,
}


def gateways(db: Session, now: datetime) -> Iterator[Found]:
    """Gateways that are not well, at sites that are in service."""
    sites = {site.slug: site for site in db.scalars(select(Site))}
    for one in look(db, now=now):
        site = sites[one.check.site]
        if site.state in (SiteState.PLANNED, SiteState.CLOSED) or one.verdict not in OF_A_GATEWAY:
            continue
        since = _since(one, now)
        if one.verdict is GatewayState.BEHIND and since > now - BEHIND_AFTER:
            continue
        kind = OF_A_GATEWAY[one.verdict]
        if CUT_OFF.intersection(fault.code for fault in one.check.faults) and kind is kinds.GATEWAY_FAULTY:
            kind = kinds.GATEWAY_CUT_OFF
        detail = {"site": site.name, "site_slug": site.slug}
        yield Found(kind, one.check.identity, since, networks=(one.check.network,), detail=detail)


def _since(one: GatewayHealth, now: datetime) -> datetime:
    """Since when it is so, as far as that is known: else the moment at which it is noticed."""
    if one.verdict is GatewayState.SILENT:
        return one.silent_since or one.check.seen_at or now
    if one.verdict is GatewayState.BEHIND and one.unconfirmed_since is not None:
        return now - one.unconfirmed_since
    return now


def refusals(db: Session, now: datetime) -> Iterator[Found]:
    """Reasons for which a network refuses people far more often than it does."""
    counted = (
        select(
            Network.slug,
            Network.name,
            Decision.network_id,
            Decision.rule,
            func.count(),
            func.min(Decision.at),
        )
        .join(Network, Network.id == Decision.network_id)
        .where(Decision.at > now - HOUR, Decision.at <= now)
        .group_by(Network.slug, Network.name, Decision.network_id, Decision.rule)
        .having(func.count() >= LEAST_REFUSALS)
    )
    for slug, name, number, rule, count, first in db.execute(counted).all():
        usual = _usual(db, number, rule, now=now)
        if count > TIMES_USUAL * usual:
            detail = {
                "network": slug,
                "network_name": name,
                "reason": rule,
                # By steps, so that a number that grows by one is no change.
                "count": count if count < 100 else count // 10 * 10,
                "usual": usual,
                "is_ours": (reason := REASONS.find(rule)) is not None and reason.status >= 500,
            }
            yield Found(kinds.REFUSALS, f"{slug}/{rule}", first, networks=(slug,), detail=detail)


def _usual(db: Session, network_id: int | None, rule: str, *, now: datetime) -> int:
    """The median of the busiest hours of the seven days before the last hour."""
    end = now - HOUR
    instants = db.scalars(
        select(Decision.at).where(
            Decision.network_id == network_id,
            Decision.rule == rule,
            Decision.at > end - timedelta(days=USUAL_DAYS),
            Decision.at <= end,
        )
    )
    hours = Counter((end - at) // HOUR for at in instants)
    days = [max((hours[24 * day + hour] for hour in range(24)), default=0) for day in range(USUAL_DAYS)]
    return int(statistics.median(days))


def slow_sites(db: Session, now: datetime) -> Iterator[Found]:
    """Places at which most devices that loaded a lot were slow."""
    devices: dict[int, list[bool]] = {}
    networks: dict[int, set[str]] = {}
    for site_id, slug, wanted, best in _rates(db, now):
        devices.setdefault(site_id, []).append(best >= wanted / 2)
        networks.setdefault(site_id, set()).add(slug)
    for site in db.scalars(select(Site).where(Site.id.in_(devices))):
        count, fast = len(devices[site.id]), sum(devices[site.id])
        if site.state is SiteState.LIVE and count >= LEAST_DEVICES and fast < count / 2:
            detail = {"site": site.name, "site_slug": site.slug, "devices": count, "fast": fast}
            yield Found(kinds.SITE_SLOW, site.slug, now, tuple(sorted(networks[site.id])), detail)


def _rates(db: Session, now: datetime) -> Iterator[tuple[int, str, int, int]]:
    """Site, network, the rate wanted and the best one reached, for each guest of the last hour who loaded a lot."""
    statement = (
        select(
            Gateway.site_id,
            Network.slug,
            func.max(Network.rate_wanted_kbps),
            func.sum(Usage.bytes_down),
            func.max(Usage.best_down_kbps),
        )
        .join(AccessSession, AccessSession.id == Usage.access_id)
        .join(Gateway, Gateway.id == Usage.gateway_id)
        .join(Network, Network.id == AccessSession.network_id)
        .where(Network.rate_wanted_kbps > 0, AccessSession.method != SigninMethod.MANAGED)
        .group_by(Usage.access_id, Gateway.site_id, Network.slug)
    )
    # Each half by an index of its own.
    for half in (AccessSession.ended_at.is_(None), AccessSession.ended_at > now - HOUR):
        for site_id, slug, wanted, down, best in db.execute(statement.where(half)):
            if int(down) >= LEAST_BYTES_FOR_A_RATE:
                yield site_id, slug, int(wanted), int(best or 0)


def purges(db: Session, now: datetime) -> Iterator[Found]:
    """Purges that were refused, that do not come to an end, that do not add up."""
    last, finished = purge.last_run(db), purge.last_finished(db)
    if last is None:
        return
    if last.refused is not None:
        after = select(func.min(PurgeRun.as_of)).where(
            PurgeRun.refused.is_not(None), PurgeRun.id > (finished.id if finished else 0)
        )
        since = db.scalar(after) or last.as_of
        yield Found(kinds.PURGE_REFUSED, last.refused.value, since)
    elif last.finished_at is None and last.as_of < now - PURGE_LATE_AFTER:
        yield Found(kinds.PURGE_LATE, "", last.as_of)
    elif last.finished_at is not None and last.finished_at < now - PURGE_LATE_AFTER:
        yield Found(kinds.PURGE_LATE, "", last.finished_at)
    if finished is not None and finished.adds_up is False:
        yield Found(kinds.PURGE_UNBALANCED, str(finished.id), finished.finished_at or finished.as_of)


def second_persons(db: Session, now: datetime) -> Iterator[Found]:
    """Holds, their lifting and shorter terms that take two people, of whom one has acted."""
    slugs = {row.id: row.slug for row in db.execute(select(Network.id, Network.slug))}
    for hold in holds.active(db, now=now):
        networks = (slugs[hold.network_id],) if hold.network_id else ()
        if hold.confirmed_at is None:
            yield Found(kinds.HOLD_WAITING, str(hold.id), hold.created_at, networks, _of_hold(hold))
        elif hold.lift_asked_at is not None:
            detail = {"reference": hold.reference, "by": hold.lift_asked_by}
            yield Found(kinds.LIFT_WAITING, str(hold.id), hold.lift_asked_at, networks, detail)
    asked = select(TermChange).where(TermChange.confirmed_at.is_(None), TermChange.ended_at.is_(None))
    for change in db.scalars(asked):
        yield Found(
            kinds.TERM_WAITING, change.data_class.value, change.asked_at, detail={"by": change.asked_by}
        )


def _of_hold(hold: LegalHold) -> dict[str, object]:
    until = min(hold.created_at + holds.TO_CONFIRM, hold.expires_at)
    return {"reference": hold.reference, "by": hold.created_by, "until": until.isoformat()}


def past_directory(db: Session, now: datetime) -> Iterator[Found]:
    """Staff who signed in past the directory within a day; each is told once, however often they did."""
    entries = db.execute(
        select(AuditEntry.actor, func.min(AuditEntry.at), func.max(AuditEntry.at))
        .where(AuditEntry.at > now - PAST_DIRECTORY_TOLD, AuditEntry.at <= now)
        .where(AuditEntry.action == PAST_DIRECTORY.key)
        .group_by(AuditEntry.actor)
    )
    for login, first, last in entries:
        yield Found(kinds.PAST_DIRECTORY, login, first, detail={"last": last.isoformat()})


def clock(db: Session, now: datetime) -> Iterator[Found]:
    """Whether the sweep doubts the clock."""
    doubted_from = clock_check.doubted_from(db)
    if doubted_from is not None:
        yield Found(kinds.CLOCK_DOUBTED, "", min(doubted_from, now))


DETECTORS = (
    Detector("gateways", (*OF_A_GATEWAY.values(), kinds.GATEWAY_CUT_OFF), gateways),
    Detector("rates", (kinds.SITE_SLOW,), slow_sites, every=timedelta(minutes=2)),
    Detector("refusals", (kinds.REFUSALS,), refusals),
    Detector("purge", (kinds.PURGE_REFUSED, kinds.PURGE_LATE, kinds.PURGE_UNBALANCED), purges),
    Detector("holds", (kinds.HOLD_WAITING, kinds.LIFT_WAITING, kinds.TERM_WAITING), second_persons),
    Detector("local_accounts", (kinds.PAST_DIRECTORY,), past_directory),
    Detector("clock", (kinds.CLOCK_DOUBTED,), clock),
    *devices.DETECTORS,
)
