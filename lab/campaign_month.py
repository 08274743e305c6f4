"""A month of generated traffic for campaigns with goals: what the choice delivers of each, without a database.

The forecast knows the month before, and not this one: days are busier or quieter by chance, and one place falls silent.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

from ads.choice import DRAWS, Candidate, ChoiceTable, ImpressionContext, Pace
from ads.pacing import Goal, PacedPlace, plan

ZONE = "Europe/Paris"
FIRST = datetime(2026, 11, 30, 23, 0, tzinfo=UTC)
DAYS = 30
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
KINDS = ("station", "tram_stop", "square")
SHAPE = (1, 0, 0, 0, 0, 1, 3, 6, 8, 7, 6, 7, 9, 8, 6, 6, 7, 9, 9, 7, 5, 4, 3, 2)
PLAN_EVERY = timedelta(hours=3)
# Of the people who accept, those who go on for another break.
GO_ON = 0.4


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one campaign got of its goal, and the breaks that came in which it might have been shown."""

    name: str
    goal: int
    delivered: int
    breaks: int

    @property
    def has_inventory(self) -> bool:
        return self.goal <= self.breaks

    @property
    def error(self) -> float:
        """The part of the goal that is missing, or too much."""
        return (self.delivered - self.goal) / self.goal


@dataclass(frozen=True, slots=True)
class Wish:
    """A campaign of the month: how much of the breaks it may have it wants."""

    name: str
    part: float
    first_day: int = 0
    last_day: int = DAYS
    hours: str = "24/7"
    site_kinds: frozenset[str] = frozenset()
    sites: frozenset[str] = frozenset()
    languages: frozenset[str] = frozenset({"fr", "en"})
    messages: int = 2


WISHES = (
    Wish("everywhere", 0.20),
    Wish("everywhere, half of the month", 0.15, first_day=15),
    Wish("the first week", 0.25, last_day=7),
    Wish("stations", 0.35, site_kinds=frozenset({"station"})),
    Wish("mornings", 0.30, hours="Mo-Fr 07:00-10:00"),
    Wish("evenings at tram stops", 0.40, hours="17:00-21:00", site_kinds=frozenset({"tram_stop"})),
    Wish("weekends", 0.25, hours="Sa,Su 00:00-24:00"),
    Wish("one square", 0.30, sites=frozenset({"site-2"})),
    Wish("in English", 0.30, languages=frozenset({"en"})),
)
# Two that want more than there is.
TOO_MUCH = (
    Wish("more than one place has", 1.6, sites=frozenset({"site-5"})),
    Wish("all lunches", 1.2, hours="12:00-14:00"),
)


def simulate(wishes: Sequence[Wish], *, seed: int, sites: int = 12, days: int = DAYS) -> list[Outcome]:
    """Deliver the wishes over the month; what each got."""
    rng = Random(seed)
    busy = [rng.uniform(3.0, 14.0) for _ in range(sites)]
    places = [_place(number, busy[number]) for number in range(sites)]
    breaks = list(_month(rng, places, busy, days))
    candidates = [
        Candidate(
            creative_id=number * 10 + message,
            campaign_id=number,
            weight=1,
            starts_at=FIRST + wish.first_day * DAY,
            ends_at=FIRST + min(wish.last_day, days) * DAY,
            networks=frozenset(),
            sites=wish.sites,
            site_kinds=wish.site_kinds,
            languages=wish.languages,
            only_languages=wish.languages,
            hours=wish.hours,
        )
        for number, wish in enumerate(wishes)
        for message in range(wish.messages)
    ]
    candidates += [_filler(1000 + number) for number in range(3)]
    possible = _possible(breaks, candidates)
    goals = {number: max(1, int(possible[number] * wish.part)) for number, wish in enumerate(wishes)}
    delivered = _deliver(rng, breaks, candidates, goals, places)
    return [
        Outcome(wish.name, goals[number], delivered[number], possible[number])
        for number, wish in enumerate(wishes)
    ]


def _deliver(
    rng: Random,
    breaks: Sequence[ImpressionContext],
    candidates: Sequence[Candidate],
    goals: dict[int, int],
    places: Sequence[PacedPlace],
) -> Counter[int]:
    of_campaign = {number: tuple(c for c in candidates if c.campaign_id == number) for number in goals}
    campaign_of = {one.creative_id: one.campaign_id for one in candidates}
    table, delivered = ChoiceTable(candidates), Counter[int]()
    planned, spent, previous = FIRST - DAY, set[int](), None
    for moment in breaks:
        if moment.now >= planned + PLAN_EVERY:
            planned = moment.now
            running = [
                Goal(number, goals[number] - delivered[number], of_campaign[number])
                for number in goals
                if number not in spent and (of_campaign[number][0].ends_at or FIRST) > moment.now
            ]
            shares = plan(running, places, now=moment.now).shares
            table = table.paced(Pace(shares, frozenset(spent)))
        previous = previous if rng.random() < GO_ON else None
        chosen = table.options(moment).pick(int(rng.random() * DRAWS), previous=previous)
        if chosen is None:
            continue
        number = campaign_of[chosen]
        delivered[number] += 1
        previous = chosen
        if number in goals and delivered[number] >= goals[number]:
            spent.add(number)
            table = table.paced(Pace(table.pace.shares, frozenset(spent)))
    return delivered


def _place(number: int, busy: float) -> PacedPlace:
    day = [busy * part / 8 for part in SHAPE]
    usual = [[one * (0.7 if weekday > 4 else 1.0) for one in day] for weekday in range(7)]
    kind = KINDS[number % len(KINDS)]
    return PacedPlace("wifilib", f"site-{number}", kind, ZONE, usual, {"fr": 0.85, "en": 0.15})


def _month(
    rng: Random, places: Sequence[PacedPlace], busy: Sequence[float], days: int
) -> list[ImpressionContext]:
    found = []
    for number, place in enumerate(places):
        for day in range(days):
            mood = rng.uniform(0.7, 1.3)
            # One place falls silent for two days: a gateway without power.
            if number == 1 and day in (11, 12):
                continue
            for hour in range(24):
                begins = FIRST + day * DAY + hour * HOUR
                local = begins.astimezone(ZoneInfo(ZONE))
                expected = place.usual[local.weekday()][local.hour] * mood
                for _ in range(_poisson(rng, expected)):
                    at = begins + rng.random() * HOUR
                    language = "fr" if rng.random() < 0.85 else "en"
                    found.append(
                        ImpressionContext(
                            place.network, place.site, language, at, place.site_kind, place.zone
                        )
                    )
    return sorted(found, key=lambda one: one.now)


def _poisson(rng: Random, expected: float) -> int:
    if expected <= 0:
        return 0
    count, time = 0, rng.expovariate(expected)
    while time < 1.0:
        count += 1
        time += rng.expovariate(expected)
    return count


def _possible(breaks: Sequence[ImpressionContext], candidates: Sequence[Candidate]) -> Counter[int]:
    """How many breaks came in which each campaign might have been shown."""
    table, found = ChoiceTable(candidates), Counter[int]()
    campaign_of = {one.creative_id: one.campaign_id for one in candidates}
    for moment in breaks:
        found.update({campaign_of[one.creative_id] for one in table.options(moment).shares})
    return found


def _filler(number: int) -> Candidate:
    return Candidate(
        creative_id=number * 10,
        campaign_id=number,
        weight=1,
        starts_at=None,
        ends_at=None,
        networks=frozenset(),
        sites=frozenset(),
        languages=frozenset({"fr", "en"}),
    )
