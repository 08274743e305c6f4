"""The plans, desks and batches within a staff account's networks.

A plan belongs to the networks that it names; one that names none belongs to every desk. A batch belongs to the
networks of its plan, or else to those of the desk that issued it. One that was made on the command line for all
networks belongs to those who work for all.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session, joinedload, selectinload

from auth.staff.roles import Authority, covers
from auth.vouchers import plans
from auth.vouchers.models import Batch, Plan, Voucher
from db.folding import folded
from sites.models import Network, SigninMethod, Site


@dataclass(frozen=True, slots=True)
class BatchQuery:
    """Which batches are wanted: issued since, by words in note or event, older than `before` (an id)."""

    since: datetime | None = None
    words: str = ""
    before: int | None = None
    most: int = 50


def desks(db: Session, authority: Authority) -> list[Site]:
    """The sites where this person may hand out passes: those with a network of theirs that takes passes."""
    found = db.scalars(select(Site).options(selectinload(Site.networks)).order_by(Site.name, Site.slug))
    return [site for site in found if pass_networks(site, authority)]


def pass_networks(site: Site, authority: Authority) -> list[Network]:
    """The networks at a site that take passes and that this person works for."""
    return [
        network
        for network in site.networks
        if network.allows(SigninMethod.PASS) and covers(authority, network.slug)
    ]


def network_for(plan: Plan, site: Site, authority: Authority) -> Network | None:
    """The network at a site on which passes of this plan are good, among this person's; None where there is none."""
    fit = (
        one for one in pass_networks(site, authority) if plans.holds(plan, network=one.slug, site=site.slug)
    )
    return next(fit, None)


def offered_plans(db: Session, authority: Authority) -> list[Plan]:
    """The plans that this person may issue."""
    return [plan for plan in plans.every(db) if plan.is_offered and may_offer(authority, plan)]


def may_offer(authority: Authority, plan: Plan) -> bool:
    return not plan.networks or any(covers(authority, slug) for slug in plan.networks)


def networks_of(db: Session, batch: Batch) -> frozenset[str]:
    """The networks that a batch belongs to; none means all of them."""
    if batch.plan.networks:
        return frozenset(batch.plan.networks)
    site = db.scalar(select(Site).where(Site.slug == batch.desk_site).options(selectinload(Site.networks)))
    return frozenset(network.slug for network in site.networks) if site is not None else frozenset()


def home_network(db: Session, batch: Batch, networks: frozenset[str]) -> str | None:
    """The network under which the audit log has a batch, as seen by staff of `networks` (none: all); None: none."""
    mine = sorted(slug for slug in networks_of(db, batch) if not networks or slug in networks)
    return mine[0] if mine else None


def touches(db: Session, batch: Batch, authority: Authority) -> bool:
    """Whether a batch is of a network of this authority."""
    return not authority.networks or home_network(db, batch, authority.networks) is not None


def find_batch(db: Session, batch_id: int, authority: Authority) -> Batch | None:
    """The batch with its plan, if it is within this person's networks."""
    batch = db.scalar(select(Batch).where(Batch.id == batch_id).options(joinedload(Batch.plan)))
    return batch if batch is not None and touches(db, batch, authority) else None


def find_pass(db: Session, voucher_id: int, authority: Authority) -> Voucher | None:
    """The pass with its batch and plan, if it is within this person's networks."""
    voucher = db.scalar(
        select(Voucher)
        .where(Voucher.id == voucher_id)
        .options(joinedload(Voucher.batch).joinedload(Batch.plan))
    )
    return voucher if voucher is not None and touches(db, voucher.batch, authority) else None


def find_batches(db: Session, query: BatchQuery, authority: Authority) -> list[Batch]:
    """The newest batches that match and are within this person's networks, with their plans."""
    statement = select(Batch).options(joinedload(Batch.plan)).order_by(Batch.id.desc()).limit(query.most)
    if query.since is not None:
        statement = statement.where(Batch.issued_at >= query.since)
    if query.before is not None:
        statement = statement.where(Batch.id < query.before)
    if query.words.split():
        statement = statement.where(Batch.id.in_(_with_words(db, query.words)))
    return list(db.scalars(statement.where(_within(db, authority)) if authority.networks else statement))


def used_and_issued(db: Session, *, since: datetime, authority: Authority) -> tuple[int, int]:
    """How many passes of this person's networks were used for the first time, and how many were issued, since then."""
    within = [_within(db, authority)] if authority.networks else []
    counted = select(func.count(Voucher.id)).join(Batch, Batch.id == Voucher.batch_id).where(*within)
    used = db.scalar(counted.where(Voucher.used_at >= since)) or 0
    return used, db.scalar(counted.where(Voucher.issued_at >= since)) or 0


def _with_words(db: Session, words: str) -> list[int]:
    """The batches whose note and event have all of these words, accents or not: no database of ours compares so."""
    wanted = [folded(word) for word in words.split()]
    descriptions = select(Batch.id, Batch.note, Batch.event).where(or_(Batch.note != "", Batch.event != ""))
    return [
        row.id
        for row in db.execute(descriptions)
        if all(word in folded(f"{row.note} {row.event}") for word in wanted)
    ]


def _within(db: Session, authority: Authority) -> ColumnElement[bool]:
    """`touches`, as a condition. Plans and sites are few, so that their lists are compared here."""
    every = plans.every(db)
    mine = [plan.id for plan in every if plan.networks and may_offer(authority, plan)]
    open_to_all = [plan.id for plan in every if not plan.networks]
    sites = db.scalars(select(Site).options(selectinload(Site.networks)))
    here = [site.slug for site in sites if any(covers(authority, one.slug) for one in site.networks)]
    return or_(Batch.plan_id.in_(mine), and_(Batch.plan_id.in_(open_to_all), Batch.desk_site.in_(here)))
