"""How many messages are chosen in a second, and how near to their goals campaigns come in a month."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from ads.choice import DRAWS, Candidate, ChoiceTable, ImpressionContext, Pace
from lab.bench.figures import Figure
from lab.campaign_month import TOO_MUCH, WISHES, Outcome, simulate

CAMPAIGNS = (10, 1_000, 10_000)
SITES, KINDS, LANGUAGES = 50, ("station", "tram_stop", "square"), ("fr", "en")
HOURS = ("24/7", "24/7", "Mo-Fr 07:00-10:00", "17:00-21:00", "Sa,Su 00:00-24:00")
NOON = datetime(2026, 11, 24, 11, 0, tzinfo=UTC)
DAY = timedelta(days=1)
# So many choices come in a minute of the clock that moves on: 100 a second.
A_MINUTE = 6_000


def measure(_: Path, *, seconds: float, seeds: int) -> Iterator[Figure]:
    """Choices a second on one processor, and the campaigns of `seeds` generated months."""
    for many in CAMPAIGNS:
        aim = {1_000: ">= 5,000/s", 10_000: "at most twice the cost of 1,000"}.get(many, "")
        yield Figure(f"choices among {many} campaigns", _rate(many, seconds), "1/s", aim)
    outcomes = [one for seed in range(1, seeds + 1) for one in simulate((*WISHES, *TOO_MUCH), seed=seed)]
    yield from delivery(outcomes)


def delivery(outcomes: Sequence[Outcome]) -> Iterator[Figure]:
    """The worst of those that had enough breaks, and each that had not."""
    able = [one for one in outcomes if one.has_inventory]
    worst = max(able, key=lambda one: abs(one.error))
    name = f"worst delivery of a goal in a month ({worst.name})"
    yield Figure(name, 100 * worst.error, "%", "within 2 % of the goal")
    for one in outcomes:
        if not one.has_inventory:
            name = f"delivery without enough breaks ({one.name}: {one.breaks} for {one.goal})"
            yield Figure(name, 100 * one.delivered / one.breaks, "% of the breaks")


def _rate(many: int, seconds: float) -> float:
    """With the places at hand, as they are two minutes after a campaign has changed."""
    rng = Random(many)
    table = ChoiceTable([_candidate(number, rng) for number in range(many)], _pace(many))
    places = [(f"site-{number}", KINDS[number % len(KINDS)]) for number in range(SITES)]
    for site, kind in places:
        for language in LANGUAGES:
            table.options(ImpressionContext("wifilib", site, language, NOON, kind, "Europe/Paris"))
    done, began = 0, time.perf_counter()
    while time.perf_counter() - began < seconds:
        for _ in range(200):
            site, kind = places[done % SITES]
            now = NOON + timedelta(minutes=done // A_MINUTE)
            moment = ImpressionContext(
                "wifilib", site, LANGUAGES[done % 7 == 0], now, kind, "Europe/Paris", previous=done % many
            )
            table.options(moment).pick(rng.randrange(DRAWS), previous=moment.previous)
            done += 1
    return done / (time.perf_counter() - began)


def _pace(many: int) -> Pace:
    return Pace(tuple((number, 0.5 / many) for number in range(0, many, 5)))


def _candidate(number: int, rng: Random) -> Candidate:
    sites = {f"site-{rng.randrange(SITES)}" for _ in range(3)} if number % 3 else set[str]()
    return Candidate(
        creative_id=number,
        campaign_id=number,
        weight=rng.randint(1, 5),
        starts_at=NOON - rng.randint(0, 30) * DAY,
        ends_at=NOON + rng.randint(1, 30) * DAY,
        networks=frozenset(),
        sites=frozenset(sites),
        site_kinds=frozenset({rng.choice(KINDS)}) if number % 4 == 0 else frozenset(),
        languages=frozenset(LANGUAGES),
        hours=rng.choice(HOURS),
    )
