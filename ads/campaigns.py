"""The life of a campaign: drafted, proposed by one person and approved by another, paused, stopped, copied.

Who may be shown what is decided in `rules`; each deed is in the audit log.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select, update
from sqlalchemy.orm import Session, joinedload, selectinload

from ads import rules, slugs
from ads.errors import (
    ChangedCampaign,
    NothingToShow,
    SameApprover,
    TakenSlug,
    UnknownCampaign,
    WrongCampaignState,
)
from ads.media import store as media
from ads.models import Advertiser, Campaign, CampaignState, Creative, Election
from auth.audit import log
from auth.audit.actions import (
    ADVERTISER_MADE,
    CAMPAIGN_APPROVED,
    CAMPAIGN_CHANGED,
    CAMPAIGN_DRAFTED,
    CAMPAIGN_DUPLICATED,
    CAMPAIGN_PAUSED,
    CAMPAIGN_PROPOSED,
    CAMPAIGN_RESUMED,
    CAMPAIGN_STOPPED,
    ELECTION_NOTED,
    AuditAction,
    ObjectKind,
)
from auth.audit.actor import Actor

# What a copy takes over from its campaign; its dates, its approval and its name are its own.
COPIED = (
    *(
        "name",
        "advertiser_id",
        "category",
        "conditions",
        "hours",
        "weight",
        "networks",
        "sites",
        "site_kinds",
    ),
    *("languages", "goal", "daily_cap", "total_cap", "price_cents"),
)
LIVING = (CampaignState.DRAFT, CampaignState.PROPOSED, CampaignState.RUNNING, CampaignState.PAUSED)


def add_advertiser(db: Session, slug: str, *, actor: Actor, now: datetime, **fields: Any) -> Advertiser:
    """Write down who speaks and pays. Raises `IntegrityError` where the name is taken."""
    advertiser = Advertiser(slug=slug, **fields)
    db.add(advertiser)
    db.flush()
    log.append(db, ADVERTISER_MADE, ObjectKind.ADVERTISER.named(slug), actor=actor, now=now)
    return advertiser


def draft(
    db: Session,
    slug: str,
    advertiser: Advertiser,
    creatives: Collection[Creative],
    *,
    actor: Actor,
    now: datetime,
    **fields: Any,
) -> Campaign:
    """Save a new campaign. Raises `TakenSlug`, and what `rules.check` raises; nothing is saved then."""
    _demand_free(db, slug, creatives)
    campaign = Campaign(
        slug=slug, authored_by=actor.name, authored_at=now, state=CampaignState.DRAFT, **fields
    )
    campaign.advertiser = advertiser
    campaign.creatives = list(creatives)
    with db.no_autoflush:
        rules.check(campaign)
    db.add(campaign)
    db.flush()
    _note(db, CAMPAIGN_DRAFTED, campaign, actor=actor, now=now)
    return campaign


def redraft(
    db: Session,
    slug: str,
    advertiser: Advertiser,
    creatives: Collection[Creative],
    *,
    revision: int,
    actor: Actor,
    now: datetime,
    **fields: Any,
) -> Campaign:
    """Change a draft that was shown as it stood at `revision`. Creatives that are not named any more are deleted.

    Raises `ChangedCampaign`, `WrongCampaignState`, `TakenSlug`, and what `rules.check` raises.
    """
    campaign = by_slug(db, slug)
    values = {"authored_by": actor.name, "authored_at": now}
    if campaign.state is CampaignState.DRAFT and campaign.revision != revision:
        raise ChangedCampaign
    _move(db, campaign, (CampaignState.DRAFT,), CampaignState.DRAFT, values, revision=revision)
    kept = set(creatives)
    _demand_free(db, "", [one for one in creatives if one.id is None])
    for name, value in fields.items():
        setattr(campaign, name, value)
    campaign.advertiser = advertiser
    rules.check(campaign)
    for gone in [one for one in campaign.creatives if one not in kept]:
        media.forget(db, gone.slug)
        campaign.creatives.remove(gone)
        db.delete(gone)
    campaign.creatives.extend(one for one in creatives if one.id is None)
    db.flush()
    _note(db, CAMPAIGN_CHANGED, campaign, actor=actor, now=now)
    return campaign


def propose(db: Session, slug: str, *, actor: Actor, now: datetime) -> Campaign:
    """Hand a draft in. Raises `NothingToShow`, `WrongCampaignState`, and what `rules.check` and `media.check` raise."""
    campaign = by_slug(db, slug)
    rules.check(campaign)
    if not campaign.creatives:
        raise NothingToShow
    media.check(campaign.creatives)
    _move(db, campaign, (CampaignState.DRAFT,), CampaignState.PROPOSED, {"proposed_by": actor.name})
    _note(db, CAMPAIGN_PROPOSED, campaign, actor=actor, now=now)
    return campaign


def approve(db: Session, slug: str, *, actor: Actor, zone: ZoneInfo, now: datetime) -> Campaign:
    """Let a proposed campaign run: by another person than those who last wrote it and who proposed it.

    Raises `SameApprover`, `WrongCampaignState`, and what `rules.check_approval` raises. `zone` is the town's.
    """
    campaign = by_slug(db, slug)
    if campaign.state is CampaignState.PROPOSED and actor.name in (
        campaign.authored_by,
        campaign.proposed_by,
    ):
        raise SameApprover
    rules.check_approval(campaign, quiet_periods(db, zone), actor=actor, now=now)
    values = {"approved_by": actor.name, "approved_at": now}
    _move(db, campaign, (CampaignState.PROPOSED,), CampaignState.RUNNING, values)
    _note(db, CAMPAIGN_APPROVED, campaign, actor=actor, now=now)
    return campaign


def pause(db: Session, slug: str, *, actor: Actor, now: datetime) -> Campaign:
    """Show a running campaign no more, until it is resumed. Raises `WrongCampaignState`."""
    return _moved(
        db, slug, (CampaignState.RUNNING,), CampaignState.PAUSED, CAMPAIGN_PAUSED, actor=actor, now=now
    )


def resume(db: Session, slug: str, *, actor: Actor, now: datetime) -> Campaign:
    """Show a paused campaign again: it was approved before. Raises `WrongCampaignState`."""
    return _moved(
        db, slug, (CampaignState.PAUSED,), CampaignState.RUNNING, CAMPAIGN_RESUMED, actor=actor, now=now
    )


def stop(db: Session, slug: str, *, actor: Actor, now: datetime) -> Campaign:
    """Show a campaign never again. Raises `WrongCampaignState` where it was stopped before."""
    return _moved(
        db, slug, LIVING, CampaignState.STOPPED, CAMPAIGN_STOPPED, actor=actor, now=now, stopped_at=now
    )


def duplicate(db: Session, slug: str, new_slug: str, *, actor: Actor, now: datetime) -> Campaign:
    """A draft that says the same at the same places, without dates. Raises `TakenSlug`."""
    former = by_slug(db, slug)
    creatives = [
        Creative(
            slug=slugs.of_copy(one.slug, slug, new_slug),
            kind=one.kind,
            texts=one.texts,
            more=one.more,
            viewing_seconds=one.viewing_seconds,
        )
        for one in former.creatives
    ]
    _demand_free(db, new_slug, creatives)
    copy = Campaign(
        slug=new_slug,
        authored_by=actor.name,
        authored_at=now,
        creatives=creatives,
        **{name: getattr(former, name) for name in COPIED},
    )
    db.add(copy)
    for one, creative in zip(former.creatives, creatives, strict=True):
        creative.media = media.copy(db, one, creative.slug)
    db.flush()
    _note(db, CAMPAIGN_DUPLICATED, copy, actor=actor, now=now, former=slug)
    return copy


def by_slug(db: Session, slug: str) -> Campaign:
    """The campaign of that name, as the database has it now. Raises `UnknownCampaign`."""
    campaign = db.scalars(
        select(Campaign).where(Campaign.slug == slug), execution_options={"populate_existing": True}
    ).first()
    if campaign is None:
        raise UnknownCampaign(slug)
    return campaign


def every(db: Session) -> list[Campaign]:
    """All campaigns with their advertisers and creatives, the newest last."""
    return list(
        db.scalars(
            select(Campaign)
            .options(joinedload(Campaign.advertiser), selectinload(Campaign.creatives))
            .order_by(Campaign.id)
        )
    )


def state_at(campaign: Campaign, now: datetime) -> CampaignState:
    """Its state at an instant: over when its term has passed, unless it was stopped before."""
    is_past = campaign.ends_at is not None and campaign.ends_at <= now
    return CampaignState.OVER if is_past and campaign.state in LIVING else campaign.state


def note_election(db: Session, election: Election, *, actor: Actor, now: datetime) -> None:
    """Write an election down. Raises `IntegrityError` for a second one on that day, and for rounds out of order."""
    db.add(election)
    db.flush()
    log.append(
        db,
        ELECTION_NOTED,
        ObjectKind.ELECTION.named(election.first_round.isoformat()),
        actor=actor,
        now=now,
        detail={"name": election.name, "last_round": election.last_round.isoformat()},
    )


def elections(db: Session) -> list[Election]:
    return list(db.scalars(select(Election).order_by(Election.first_round)))


def quiet_periods(db: Session, zone: ZoneInfo) -> list[rules.QuietPeriod]:
    """When campaigns that elections bind are not shown, by the clocks of the town."""
    return [rules.quiet_period(election, zone) for election in elections(db)]


def _moved(
    db: Session,
    slug: str,
    from_states: Collection[CampaignState],
    to: CampaignState,
    action: AuditAction,
    *,
    actor: Actor,
    now: datetime,
    **values: datetime,
) -> Campaign:
    campaign = by_slug(db, slug)
    _move(db, campaign, from_states, to, values)
    _note(db, action, campaign, actor=actor, now=now)
    return campaign


def _move(
    db: Session,
    campaign: Campaign,
    from_states: Collection[CampaignState],
    to: CampaignState,
    values: Mapping[str, Any],
    *,
    revision: int | None = None,
) -> None:
    """Change the state once, however many ask at a time: from `revision`, where one is given.

    Raises `WrongCampaignState`.
    """
    seen = Campaign.revision if revision is None else revision
    changed = db.scalars(
        update(Campaign)
        .where(Campaign.id == campaign.id, Campaign.state.in_(from_states), Campaign.revision == seen)
        .values(state=to, revision=Campaign.revision + 1, **values)
        .returning(Campaign.id)
        .execution_options(synchronize_session=False)
    ).first()
    db.refresh(campaign)
    if changed is None:
        raise WrongCampaignState(campaign.state)


def _note(
    db: Session,
    action: AuditAction,
    campaign: Campaign,
    *,
    actor: Actor,
    now: datetime,
    **more: str,
) -> None:
    detail = {"category": campaign.category.value, "revision": campaign.revision, **more}
    log.append(db, action, ObjectKind.CAMPAIGN.named(campaign.slug), actor=actor, now=now, detail=detail)


def _demand_free(db: Session, slug: str, creatives: Collection[Creative]) -> None:
    """Raise `TakenSlug` for the first name that somebody has."""
    with db.no_autoflush:
        taken = set(db.scalars(select(Campaign.slug).where(Campaign.slug == slug)))
        names = [one.slug for one in creatives]
        taken |= set(db.scalars(select(Creative.slug).where(Creative.slug.in_(names))))
    if taken:
        raise TakenSlug(min(taken))
