"""Which creative is shown: by place, hour and language alone."""

from __future__ import annotations

import dataclasses
import random
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from ads.choice import DRAWS, Candidate, ChoiceTable, ImpressionContext, Pace, draw, eligible, options
from tests.clock import NOON

HERE = ImpressionContext("wifilib", "battant", "fr", NOON, site_kind="square", zone="Europe/Paris")
STEP = timedelta(hours=5)
EVEN = Pace()
EARLIER = NOON - timedelta(hours=1)


def candidate(number: int = 1, **fields: Any) -> Candidate:
    values: dict[str, Any] = {
        "creative_id": number,
        "campaign_id": number,
        "weight": 1,
        "starts_at": None,
        "ends_at": None,
        "networks": frozenset(),
        "sites": frozenset(),
        "languages": frozenset({"fr", "en"}),
    }
    return Candidate(**{**values, **fields})


@pytest.mark.parametrize(
    ("fields", "fits"),
    [
        ({}, True),
        ({"networks": frozenset({"wifilib"}), "sites": frozenset({"battant"})}, True),
        ({"networks": frozenset({"other"})}, False),
        ({"sites": frozenset({"citadelle"})}, False),
        ({"only_languages": frozenset({"fr"})}, True),
        ({"only_languages": frozenset({"en"})}, False),
        ({"site_kinds": frozenset({"square"})}, True),
        ({"site_kinds": frozenset({"station"})}, False),
        # It is noon in Paris, on a Tuesday.
        ({"hours": "Tu 12:00-13:00"}, True),
        ({"hours": "Tu 13:00-14:00"}, False),
        ({"hours": "We 12:00-13:00"}, False),
        ({"quiet": ((EARLIER, NOON + timedelta(seconds=1)),)}, False),
        ({"quiet": ((EARLIER, NOON),)}, True),
        ({"starts_at": NOON}, True),
        ({"starts_at": NOON + timedelta(seconds=1)}, False),
        ({"ends_at": NOON}, False),
        ({"ends_at": NOON + timedelta(seconds=1)}, True),
    ],
)
def test_it_shows_only_what_fits_here_and_now(fields: dict[str, Any], fits: bool) -> None:
    assert bool(eligible([candidate(**fields)], HERE)) is fits
    assert bool(ChoiceTable([candidate(**fields)]).options(HERE).shares) is fits


def test_what_is_eligible_holds_for_a_minute() -> None:
    late = candidate(starts_at=NOON + timedelta(seconds=1))
    for seconds, fits in ((59, False), (60, True)):
        moment = dataclasses.replace(HERE, now=NOON + timedelta(seconds=seconds))
        assert bool(eligible([late], moment)) is fits


def counts(
    pool: list[Candidate], pace: Pace = EVEN, *, previous: int | None = None
) -> dict[int | None, float]:
    """The part of each creative in choices over evenly spread draws."""
    found, many = options(pool, pace), 10_000
    picked = Counter(found.pick(number * DRAWS // many, previous=previous) for number in range(many))
    return {creative: times / many for creative, times in picked.items()}


def test_it_chooses_by_weight() -> None:
    assert counts([candidate(1, weight=3), candidate(2)]) == {1: 0.75, 2: 0.25}


def test_a_campaign_gets_no_more_for_having_more_creatives() -> None:
    pool = [candidate(1), candidate(2, campaign_id=1), candidate(3)]
    assert counts(pool) == pytest.approx({1: 0.25, 2: 0.25, 3: 0.5}, abs=0.001)


def test_campaigns_with_a_goal_take_their_part_first_in_the_order_of_their_claims() -> None:
    pool = [candidate(number) for number in (1, 2, 3)]
    assert counts(pool, Pace(((2, 0.3),))) == pytest.approx({2: 0.3, 1: 0.35, 3: 0.35}, abs=0.001)
    assert counts(pool, Pace(((2, 0.7), (1, 0.6)))) == pytest.approx({2: 0.7, 1: 0.3}, abs=0.001)


def test_what_has_had_all_it_may_have_is_not_shown() -> None:
    assert counts([candidate(1), candidate(2)], Pace((), frozenset({1}))) == {2: 1.0}


def test_where_only_paced_ones_are_eligible_the_rest_of_the_breaks_shows_nothing() -> None:
    assert counts([candidate(1)], Pace(((1, 0.4),))) == pytest.approx({1: 0.4, None: 0.6}, abs=0.001)


def test_not_the_same_one_twice_where_another_is_eligible() -> None:
    pool = [candidate(1, weight=8), candidate(2), candidate(3)]
    for previous in (1, 2, 3):
        assert previous not in counts(pool, previous=previous)
    assert counts(pool, previous=1) == pytest.approx({2: 0.5, 3: 0.5}, abs=0.001)
    assert counts([candidate(1)], previous=1) == {1: 1.0}
    assert counts(pool, previous=99) == counts(pool)


def test_of_nothing_it_chooses_nothing() -> None:
    assert options([], Pace()).pick(5) is None


def test_the_last_draw_falls_upon_something() -> None:
    pool = [candidate(number) for number in range(1, 8)]
    assert options(pool, Pace()).pick(DRAWS - 1) == 7


def test_a_table_says_the_same_as_the_rule_at_every_minute() -> None:
    rng = random.Random(7)
    hours = ("24/7", "Mo-Fr 07:00-10:00", "22:00-02:00", "Sa,Su 00:00-24:00")
    pool = [
        candidate(
            number,
            hours=rng.choice(hours),
            weight=rng.randint(1, 4),
            starts_at=NOON + rng.randint(-9, 9) * STEP,
        )
        for number in range(40)
    ]
    table = ChoiceTable(pool, Pace(((3, 0.2), (5, 0.1))))
    for number in range(300):
        moment = dataclasses.replace(HERE, now=NOON + number * STEP / 7)
        assert table.options(moment) == options(eligible(pool, moment), table.pace)


def test_what_is_hidden_is_drawn_again_and_the_number_alone_explains_it() -> None:
    found = options([candidate(number, weight=number) for number in (1, 2, 3)], EVEN)
    moment = dataclasses.replace(HERE, hidden=frozenset({3}))
    rng, counts = random.Random(7), Counter[int | None]()
    for _ in range(3000):
        number, previous = draw(found, moment, rng)
        assert number is not None
        counts[found.pick(number, previous=previous)] += 1
    assert counts.keys() == {1, 2}
    assert 0.28 < counts[1] / 3000 < 0.39


def test_the_only_one_that_is_not_hidden_is_shown_twice_running() -> None:
    found = options([candidate(1), candidate(2)], EVEN)
    number, previous = draw(
        found, dataclasses.replace(HERE, previous=1, hidden=frozenset({2})), random.Random(7)
    )
    assert previous is None and number is not None
    assert found.pick(number, previous=previous) == 1


def test_where_all_is_hidden_nothing_is_drawn() -> None:
    found = options([candidate(1), candidate(2)], EVEN)
    assert draw(found, dataclasses.replace(HERE, hidden=frozenset({1, 2})), random.Random(7)) == (None, None)
