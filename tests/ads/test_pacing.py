"""How fast campaigns with a goal are shown, and what comes of it in a month."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ads.choice import Candidate
from ads.pacing import EAGERNESS, Demand, Goal, PacedPlace, allocate, plan
from lab.campaign_month import TOO_MUCH, WISHES, simulate
from tests.clock import NOON

DAY = timedelta(days=1)
CELLS = {(0, NOON.date()): 100.0, (1, NOON.date()): 100.0}
FIRST, SECOND = CELLS


def demand(number: int, need: float, *cells: tuple) -> Demand:
    return Demand(number, need, {cell: CELLS[cell] for cell in cells})


def test_a_need_is_spread_evenly_over_what_may_be_expected() -> None:
    assert allocate(CELLS, [demand(1, 50, FIRST, SECOND)]).shares == ((1, 0.25),)


def test_who_can_go_elsewhere_leaves_the_place_to_who_cannot() -> None:
    plan = allocate(CELLS, [demand(1, 100, FIRST, SECOND), demand(2, 80, FIRST)])
    # The second one claims first; what is left to the first is 20 here, and 80 there.
    assert plan.shares == ((2, 0.8), (1, 0.8))
    assert plan.short == {}


def test_what_cannot_be_had_is_said() -> None:
    plan = allocate(CELLS, [demand(1, 150, FIRST), demand(2, 90, FIRST)])
    assert plan.shares == ((1, 1.0), (2, 1.0))
    assert plan.short == pytest.approx({1: 50.0, 2: 90.0})


def test_what_may_be_shown_nowhere_is_short_of_all() -> None:
    assert allocate(CELLS, [Demand(1, 5, {})]).short == {1: 5}


def place(site: str = "battant", *, per_hour: float = 2.0) -> PacedPlace:
    return PacedPlace(
        "wifilib", site, "square", "Europe/Paris", [[per_hour] * 24] * 7, {"fr": 0.8, "en": 0.2}
    )


def goal(missing: int, **fields: object) -> Goal:
    values = {
        "creative_id": 1,
        "campaign_id": 1,
        "weight": 1,
        "starts_at": None,
        "ends_at": NOON + DAY,
        "networks": frozenset(),
        "sites": frozenset(),
        "languages": frozenset({"fr", "en"}),
    }
    return Goal(1, missing, (Candidate(**{**values, **fields}),))


@pytest.mark.parametrize(
    ("fields", "breaks"),
    [
        ({}, 48 * 2),
        ({"sites": frozenset({"battant"})}, 48),
        ({"languages": frozenset({"en"})}, 48 * 2 * 0.2),
        # Noon is 13:00 in Paris: the rest of today, and tomorrow up to then.
        ({"hours": "10:00-14:00"}, 4 * 2 * 2),
        ({"ends_at": NOON + DAY / 2}, 24 * 2),
        ({"starts_at": NOON + DAY / 2}, 24 * 2),
    ],
)
def test_the_share_is_what_is_missing_of_what_is_left(fields: dict[str, object], breaks: float) -> None:
    [(_, share)] = plan([goal(8, **fields)], [place(), place("gare")], now=NOON).shares
    assert share == pytest.approx(8 * EAGERNESS / breaks, rel=0.01)


def test_a_long_campaign_aims_at_its_part() -> None:
    [(_, share)] = plan([goal(4800, ends_at=NOON + 100 * DAY)], [place()], now=NOON).shares
    assert share == pytest.approx(1.0, rel=0.01)
    [(_, share)] = plan([goal(2400, ends_at=NOON + 100 * DAY)], [place()], now=NOON).shares
    assert share == pytest.approx(0.5, rel=0.01)


def test_without_goals_there_is_no_plan() -> None:
    assert plan([], [place()], now=NOON).shares == ()


def test_a_month_delivers_each_goal_within_two_hundredths() -> None:
    outcomes = simulate(WISHES, seed=1, sites=5)
    assert len(outcomes) == len(WISHES)
    missed = {one.name: one.error for one in outcomes if abs(one.error) > 0.02}
    assert missed == {}


def test_where_there_is_not_enough_all_there_is_goes_to_it() -> None:
    outcomes = simulate(TOO_MUCH[:1], seed=1, sites=6, days=10)
    [one] = outcomes
    assert not one.has_inventory
    assert one.delivered > 0.98 * one.breaks
