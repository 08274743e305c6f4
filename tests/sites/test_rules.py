"""What follows from two records together."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from sites.limits import Rates, ads_shown, may_serve, rates, state_at
from sites.models import NetworkKind, SiteKind, SiteState
from tests.sites.places import public_network, viotte

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
EVENING = NOON + timedelta(hours=6)
MOMENT = timedelta(microseconds=1)


def test_a_site_has_the_rates_of_the_network() -> None:
    assert rates(viotte(), public_network()) == Rates(55000, 15000)


def test_a_site_overrides_each_rate_by_itself() -> None:
    assert rates(viotte(rate_down_kbps=20000), public_network()) == Rates(20000, 15000)
    assert rates(viotte(rate_up_kbps=5000), public_network()) == Rates(55000, 5000)


def test_a_site_may_lift_the_ceiling() -> None:
    assert rates(viotte(rate_down_kbps=0, rate_up_kbps=0), public_network()) == Rates(0, 0)


@pytest.mark.parametrize("network_ads", [True, False])
@pytest.mark.parametrize("ads_allowed", [True, False])
@pytest.mark.parametrize("eu_funded", [True, False])
def test_ads_are_shown_only_where_every_record_agrees(
    network_ads: bool, ads_allowed: bool, eu_funded: bool
) -> None:
    shown = ads_shown(viotte(ads_allowed=ads_allowed, eu_funded=eu_funded), public_network(ads=network_ads))
    assert shown is ((network_ads, ads_allowed, eu_funded) == (True, True, False))


def test_the_database_refuses_ads_on_european_money(db: Session) -> None:
    db.add(viotte(ads_allowed=True, eu_funded=True))
    with pytest.raises(IntegrityError):
        db.flush()


def test_a_library_network_serves_libraries_only() -> None:
    assert may_serve(NetworkKind.LIBRARY, SiteKind.LIBRARY)
    assert may_serve(NetworkKind.PUBLIC, SiteKind.LIBRARY)
    assert may_serve(NetworkKind.PUBLIC, SiteKind.SQUARE)
    assert not may_serve(NetworkKind.LIBRARY, SiteKind.SQUARE)


def test_a_state_without_dates_always_holds() -> None:
    assert state_at(viotte(state=SiteState.OUTAGE), NOON) is SiteState.OUTAGE


@pytest.mark.parametrize(
    ("state", "before", "after"),
    [
        (SiteState.PLANNED, SiteState.PLANNED, SiteState.LIVE),
        (SiteState.LIVE, SiteState.PLANNED, SiteState.CLOSED),
        (SiteState.OUTAGE, SiteState.LIVE, SiteState.LIVE),
        (SiteState.CLOSED, SiteState.LIVE, SiteState.LIVE),
    ],
)
def test_a_state_holds_from_its_first_moment_to_before_its_last(
    state: SiteState, before: SiteState, after: SiteState
) -> None:
    site = viotte(state=state, state_since=NOON, state_until=EVENING)
    assert state_at(site, NOON - MOMENT) is before
    assert state_at(site, NOON) is state
    assert state_at(site, EVENING - MOMENT) is state
    assert state_at(site, EVENING) is after
