"""The life of a campaign, and what the law has against one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ads import campaigns, rules
from ads.choice import ImpressionContext, eligible
from ads.errors import (
    ElectionPeriod,
    ForbiddenCategory,
    NothingToShow,
    SameApprover,
    TakenSlug,
    UndatedPolitical,
    UnidentifiedAdvertiser,
    UnknownCampaign,
    UnmetConditions,
    UnnamedApprover,
    WrongCampaignState,
)
from ads.models import Campaign, CampaignState, Category, Election
from ads.rules import FORBIDDEN, NoAds, no_ads
from ads.running import running, version
from auth.audit.actor import SYSTEM, Actor, command_line
from auth.audit.log import AuditEntry
from sites.limits import ads_shown
from sites.models import NetworkKind, SigninMethod, SiteKind
from tests.actors import person
from tests.ads.campaigns import APPROVER, AUTHOR, PARIS, make_advertiser, make_draft, run_campaign
from tests.clock import NOON
from tests.town import make_network, make_site

DAY = timedelta(days=1)


def actions_of(db: Session, slug: str) -> list[tuple[str, str]]:
    rows = db.scalars(
        select(AuditEntry).where(AuditEntry.object == f"campaign:{slug}").order_by(AuditEntry.number)
    )
    return [(one.action, one.actor) for one in rows]


def test_one_person_proposes_and_another_approves(db: Session) -> None:
    make_draft(db)
    assert running(db, PARIS) == {}
    campaigns.propose(db, "bread", actor=AUTHOR, now=NOON)
    assert running(db, PARIS) == {}
    with pytest.raises(SameApprover):
        campaigns.approve(db, "bread", actor=AUTHOR, zone=PARIS, now=NOON)
    approved = campaigns.approve(db, "bread", actor=APPROVER, zone=PARIS, now=NOON)
    assert (approved.state, approved.authored_by, approved.approved_by) == ("running", "ada", "bo")
    assert [one.campaign.slug for _, one in running(db, PARIS).values()] == ["bread"]
    assert actions_of(db, "bread") == [
        ("campaign drafted", "ada"),
        ("campaign proposed", "ada"),
        ("campaign approved", "bo"),
    ]


def test_whoever_wrote_it_does_not_approve_it_though_another_proposed_it(db: Session) -> None:
    make_draft(db)
    campaigns.propose(db, "bread", actor=APPROVER, now=NOON)
    for one in (AUTHOR, APPROVER):
        with pytest.raises(SameApprover):
            campaigns.approve(db, "bread", actor=one, zone=PARIS, now=NOON)
    third = campaigns.approve(db, "bread", actor=person("cy"), zone=PARIS, now=NOON)
    assert (third.authored_by, third.proposed_by, third.approved_by) == ("ada", "bo", "cy")


def test_it_is_paused_resumed_and_stopped_for_ever(db: Session) -> None:
    run_campaign(db)
    campaigns.pause(db, "bread", actor=AUTHOR, now=NOON)
    assert running(db, PARIS) == {}
    campaigns.resume(db, "bread", actor=AUTHOR, now=NOON)
    assert len(running(db, PARIS)) == 1
    campaigns.stop(db, "bread", actor=AUTHOR, now=NOON)
    assert running(db, PARIS) == {}
    for change in (campaigns.stop, campaigns.pause, campaigns.resume, campaigns.propose):
        with pytest.raises(WrongCampaignState):
            change(db, "bread", actor=AUTHOR, now=NOON)
    assert [action for action, _ in actions_of(db, "bread")][3:] == [
        "campaign paused",
        "campaign resumed",
        "campaign stopped",
    ]


def test_each_change_of_state_is_a_new_revision(db: Session) -> None:
    assert run_campaign(db).revision == 3
    assert campaigns.pause(db, "bread", actor=AUTHOR, now=NOON).revision == 4


def test_a_copy_is_a_draft_that_says_the_same(db: Session) -> None:
    run_campaign(db, messages=2, goal=100, sites=["battant"], starts_at=NOON, ends_at=NOON + DAY)
    copy = campaigns.duplicate(db, "bread", "cake", actor=APPROVER, now=NOON)
    assert (copy.state, copy.starts_at, copy.ends_at) == (CampaignState.DRAFT, None, None)
    assert (copy.goal, copy.sites, copy.authored_by, copy.approved_by) == (100, ["battant"], "bo", None)
    assert [one.slug for one in copy.creatives] == ["cake-1", "cake-2"]
    with pytest.raises(TakenSlug):
        campaigns.duplicate(db, "bread", "cake", actor=APPROVER, now=NOON)


def test_a_campaign_without_a_message_is_not_proposed(db: Session) -> None:
    make_draft(db, messages=0)
    with pytest.raises(NothingToShow):
        campaigns.propose(db, "bread", actor=AUTHOR, now=NOON)


def test_nobody_finds_a_campaign_that_is_not_there(db: Session) -> None:
    with pytest.raises(UnknownCampaign):
        campaigns.stop(db, "none", actor=AUTHOR, now=NOON)


def test_it_is_over_when_its_term_has_passed(db: Session) -> None:
    one = run_campaign(db, ends_at=NOON + DAY)
    assert campaigns.state_at(one, NOON) is CampaignState.RUNNING
    assert campaigns.state_at(one, NOON + DAY) is CampaignState.OVER
    campaigns.stop(db, "bread", actor=AUTHOR, now=NOON)
    assert campaigns.state_at(one, NOON + DAY) is CampaignState.STOPPED


@pytest.mark.parametrize("word", sorted(FORBIDDEN))
def test_what_the_law_forbids_is_no_category(db: Session, word: str) -> None:
    with pytest.raises(ForbiddenCategory) as caught:
        rules.category_of(word)
    assert caught.value.law.startswith("Code de la santé publique, art. L3")
    campaign = make_draft(db)
    # Not even past the code.
    with pytest.raises((IntegrityError, LookupError)):
        db.connection().exec_driver_sql(f"UPDATE campaigns SET category = '{word}' WHERE id = {campaign.id}")


@pytest.mark.parametrize("category", rules.CONDITIONAL)
def test_what_the_law_bounds_is_saved_only_with_its_conditions(db: Session, category: Category) -> None:
    with pytest.raises(UnmetConditions) as caught:
        make_draft(db, category=category)
    assert caught.value.law == rules.CONDITIONAL[category]
    assert db.scalar(select(func.count(Campaign.id))) == 0
    assert make_draft(db, category=category, conditions="Warning shown.").state is CampaignState.DRAFT


def test_an_advertiser_says_who_they_are_but_for_the_town(db: Session) -> None:
    with pytest.raises(UnidentifiedAdvertiser):
        make_draft(db, advertiser=make_advertiser(db, "nobody", identity=" "))
    make_draft(db, advertiser=make_advertiser(db, "town", identity="", is_town=True))


def test_a_political_campaign_has_dates_and_an_approver_with_a_name(db: Session) -> None:
    with pytest.raises(UndatedPolitical):
        make_draft(db, category=Category.POLITICAL, starts_at=NOON)
    make_draft(db, category=Category.POLITICAL, starts_at=NOON, ends_at=NOON + DAY)
    campaigns.propose(db, "bread", actor=AUTHOR, now=NOON)
    for nobody in (SYSTEM, command_line()):
        with pytest.raises(UnnamedApprover):
            campaigns.approve(db, "bread", actor=nobody, zone=PARIS, now=NOON)
    campaigns.approve(db, "bread", actor=command_line("bo"), zone=PARIS, now=NOON)


def test_the_months_before_an_election_are_quiet_until_its_last_round(db: Session) -> None:
    row = Election(name="municipal", first_round=date(2027, 3, 14), last_round=date(2027, 3, 21))
    campaigns.note_election(db, row, actor=AUTHOR, now=NOON)
    [period] = campaigns.quiet_periods(db, PARIS)
    assert period.since.astimezone(UTC) == datetime(2026, 8, 31, 22, 0, tzinfo=UTC)
    assert period.until.astimezone(UTC) == datetime(2027, 3, 21, 23, 0, tzinfo=UTC)
    for category in rules.BOUND_BY_ELECTIONS:
        make_draft(db, category, category=category, starts_at=NOON, ends_at=NOON + 300 * DAY)
        campaigns.propose(db, category, actor=AUTHOR, now=NOON)
        with pytest.raises(ElectionPeriod) as caught:
            campaigns.approve(db, category, actor=APPROVER, zone=PARIS, now=NOON)
        assert caught.value.until == period.until
        campaigns.approve(db, category, actor=APPROVER, zone=PARIS, now=period.until)
    run_campaign(db)


def test_an_election_ends_what_runs_already_until_its_last_round(db: Session) -> None:
    run_campaign(db, "record", category=Category.TOWN_RECORD)
    run_campaign(db)
    before = version(db)
    row = Election(name="municipal", first_round=date(2027, 3, 14), last_round=date(2027, 3, 21))
    campaigns.note_election(db, row, actor=AUTHOR, now=NOON)
    assert version(db) != before
    shown = running(db, PARIS)
    moment = ImpressionContext("wifilib", "battant", "fr", NOON)
    assert [one.campaign_id for one in eligible([each for each, _ in shown.values()], moment)] == [
        campaigns.by_slug(db, "bread").id
    ]
    after = ImpressionContext("wifilib", "battant", "fr", datetime(2027, 3, 21, 23, 0, tzinfo=UTC))
    assert len(eligible([each for each, _ in shown.values()], after)) == 2


@pytest.mark.parametrize(
    ("first_round", "since"),
    [(date(2026, 6, 1), date(2025, 12, 1)), (date(2026, 12, 31), date(2026, 6, 1))],
)
def test_the_period_begins_with_the_sixth_month_before(first_round: date, since: date) -> None:
    election = Election(name="one", first_round=first_round, last_round=first_round)
    assert rules.quiet_period(election, PARIS).since.date() == since


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({}, None),
        ({"ads": False}, NoAds.NETWORK),
        ({"ads_allowed": False}, NoAds.SITE),
        ({"eu_funded": True}, NoAds.EU_FUNDED),
        ({"site_kind": SiteKind.LIBRARY}, NoAds.LIBRARY),
        ({"network_kind": NetworkKind.LIBRARY}, NoAds.LIBRARY),
        ({"method": SigninMethod.PATRON}, NoAds.NOT_FREE),
        ({"method": SigninMethod.PASS}, NoAds.NOT_FREE),
        ({"is_minor": True}, NoAds.MINOR),
        ({"is_minor": True, "ads_allowed": False}, NoAds.SITE),
    ],
)
def test_one_reason_is_enough_to_be_shown_nothing(changes: dict[str, Any], why: NoAds | None) -> None:
    said = {
        "ads": True,
        "ads_allowed": True,
        "eu_funded": False,
        "site_kind": SiteKind.SQUARE,
        "network_kind": NetworkKind.PUBLIC,
        **changes,
    }
    network = make_network(ads=said["ads"], kind=said["network_kind"])
    site = make_site(
        "here", network, ads_allowed=said["ads_allowed"], eu_funded=said["eu_funded"], kind=said["site_kind"]
    )
    person_of = {"method": said.get("method", SigninMethod.FREE), "is_minor": said.get("is_minor", False)}
    assert no_ads(site, network, **person_of) is why
    # The map and the list of sites say the same of the place.
    assert ads_shown(site, network) is (no_ads(site, network) is None)


@pytest.mark.parametrize(
    ("actor", "is_named"),
    [
        (person("ada"), True),
        (command_line("ada"), True),
        (command_line(), False),
        (SYSTEM, False),
    ],
)
def test_who_has_a_name(actor: Actor, is_named: bool) -> None:
    assert rules.is_named(actor) is is_named


def test_a_second_approval_changes_nothing(db: Session) -> None:
    make_draft(db)
    campaigns.propose(db, "bread", actor=AUTHOR, now=NOON)
    campaigns.approve(db, "bread", actor=APPROVER, zone=PARIS, now=NOON)
    change: Callable[..., Campaign] = campaigns.approve
    with pytest.raises(WrongCampaignState) as caught:
        change(db, "bread", actor=person("cy"), zone=PARIS, now=NOON)
    assert caught.value.state == "running"
    assert campaigns.by_slug(db, "bread").approved_by == "bo"
