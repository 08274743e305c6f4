"""Plans: when a pass ends and where it holds. Pure, but for the plans that every town begins with."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from auth.audit import log
from auth.audit.actions import PLAN_CHANGED, PLAN_MADE, ObjectKind
from auth.audit.actor import Actor
from auth.vouchers.errors import UnknownPlan
from auth.vouchers.models import Plan, PlanKind
from sites import opening_hours
from sites.opening_hours import Hours

# slug, kind, length, grace and least duration in minutes, names.
FIRST_PLANS = (
    ("day", PlanKind.UNTIL_MIDNIGHT, 0, 0, 120, {"fr": "Journée", "en": "Day"}),
    ("24h", PlanKind.ROLLING_HOURS, 24 * 60, 0, 0, {"fr": "24 heures", "en": "24 hours"}),
    ("closing", PlanKind.UNTIL_CLOSING, 0, 15, 30, {"fr": "Jusqu’à la fermeture", "en": "Until closing"}),
    ("2h", PlanKind.FIXED_MINUTES, 120, 0, 0, {"fr": "2 heures", "en": "2 hours"}),
)


class PlanTerms(Protocol):
    """What a plan says of a pass: the plan itself, or a pass that was looked up with it."""

    @property
    def kind(self) -> PlanKind: ...
    @property
    def length_minutes(self) -> int: ...
    @property
    def grace_minutes(self) -> int: ...
    @property
    def least_minutes(self) -> int: ...
    @property
    def ends_at(self) -> datetime | None: ...
    @property
    def networks(self) -> list[str]: ...
    @property
    def sites(self) -> list[str]: ...


def until(plan: PlanTerms, *, now: datetime, zone: ZoneInfo, hours: Hours) -> datetime:
    """When a pass of `plan` ends (UTC) that is first used `now` at a place with these opening hours.

    Hours and minutes are real ones: 24 hours from a noon before the clocks change are not at noon. A pass first used
    late lasts `least_minutes` all the same, past midnight or closing if need be. The calendar end stands above all,
    and may make the result lie before `now`.
    """
    # Adding to an instant in another zone would follow the wall clock there.
    now = now.astimezone(UTC)
    match plan.kind:
        case PlanKind.UNTIL_MIDNIGHT:
            end = opening_hours.next_midnight(now, zone)
        case PlanKind.ROLLING_HOURS | PlanKind.FIXED_MINUTES:
            end = now + timedelta(minutes=plan.length_minutes)
        case PlanKind.UNTIL_CLOSING:
            end = _closing(now, zone, hours) + timedelta(minutes=plan.grace_minutes)
    end = max(end, now + timedelta(minutes=plan.least_minutes))
    return end if plan.ends_at is None else min(end, plan.ends_at)


def holds(plan: PlanTerms, *, network: str, site: str) -> bool:
    """Whether passes of `plan` are good on this network at this site (slugs)."""
    return (not plan.networks or network in plan.networks) and (not plan.sites or site in plan.sites)


def by_slug(db: Session, slug: str) -> Plan:
    """The plan of that name; raises `UnknownPlan`."""
    plan = db.scalars(select(Plan).where(Plan.slug == slug)).first()
    if plan is None:
        raise UnknownPlan(slug)
    return plan


def every(db: Session) -> list[Plan]:
    """All plans, in the order in which they were made."""
    return list(db.scalars(select(Plan).order_by(Plan.id)))


def put(db: Session, slug: str, fields: Mapping[str, Any], *, actor: Actor, now: datetime) -> bool:
    """Make the plan of that name, or change it; whether it was made. Passes that are in use keep the end they have.

    Raises `IntegrityError` where the plan makes no sense.
    """
    plan = db.scalars(select(Plan).where(Plan.slug == slug)).first()
    action = PLAN_MADE if plan is None else PLAN_CHANGED
    plan = plan or Plan(slug=slug)
    for name, value in fields.items():
        setattr(plan, name, value)
    db.add(plan)
    db.flush()
    log.append(db, action, ObjectKind.PLAN.named(slug), actor=actor, now=now)
    return action is PLAN_MADE


def add_first_plans(db: Session) -> int:
    """Make the plans that a town begins with, where it has none; how many."""
    if every(db):
        return 0
    for slug, kind, length, grace, least, names in FIRST_PLANS:
        db.add(
            Plan(
                slug=slug,
                kind=kind,
                names=names,
                length_minutes=length,
                grace_minutes=grace,
                least_minutes=least,
            )
        )
    db.flush()
    return len(FIRST_PLANS)


def _closing(now: datetime, zone: ZoneInfo, hours: Hours) -> datetime:
    """The next closing of a day of opening that has begun or will begin before midnight; else midnight."""
    midnight = opening_hours.next_midnight(now, zone)
    opens = now if opening_hours.is_open(hours, now, zone) else opening_hours.opening(hours, now, zone)
    if opens is None or opens >= midnight:
        return midnight
    return opening_hours.closing(hours, opens, zone) or midnight
