"""How fast a campaign with a goal is shown: its need, spread over the breaks it can still expect. Pure.

The plan is the "high water mark" one (P. Chen et al., Ad serving using a compact allocation plan, EC 2012): campaigns
claim in the order of how scarce their breaks are, each the same part of every break that it may have, as far as those
before left it. Planned anew every few minutes from what was really accepted, an error of the forecast corrects itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from ads.choice import Candidate, fits_here
from sites import opening_hours

# Plan to be done a little early: what is missing on the last evening cannot be made up for.
EAGERNESS = 1.03
# Beyond this nothing is planned by the day; a longer campaign aims at its part of the goal up to here.
HORIZON = timedelta(days=45)
HOUR = timedelta(hours=1)
# Weekday (Monday is 0), hour of the wall clock: breaks expected in that hour.
Week = Sequence[Sequence[float]]


@dataclass(frozen=True, slots=True)
class PacedPlace:
    """A network at a site that shows ads, what it usually has, and in which languages (parts of one)."""

    network: str
    site: str
    site_kind: str
    zone: str
    usual: Week
    languages: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Goal:
    """A running campaign with a goal: what is missing, and its creatives as they stand in the choice."""

    campaign_id: int
    missing: int
    candidates: tuple[Candidate, ...]


@dataclass(frozen=True, slots=True)
class Demand:
    """What a campaign still needs, and the breaks in each cell that it may have."""

    campaign_id: int
    need: float
    breaks: Mapping[tuple[int, date], float]


@dataclass(frozen=True, slots=True)
class PacingPlan:
    """Each campaign's share in the order of claims. `short` says how many accepted messages will be missing."""

    shares: tuple[tuple[int, float], ...]
    short: Mapping[int, float]


def plan(goals: Sequence[Goal], places: Sequence[PacedPlace], *, now: datetime) -> PacingPlan:
    """The shares from now on, by what is missing and what the places usually have."""
    if not goals:
        return PacingPlan((), {})
    last = max((_end(goal, now) for goal in goals), default=now)
    forecast = _Forecast(places, now, min(last, now + HORIZON))
    demands = [forecast.demand(goal) for goal in goals]
    return allocate(forecast.supply, demands)


def forecast(
    goal: Goal, places: Sequence[PacedPlace], begins: datetime, ends: datetime
) -> Mapping[tuple[int, date], float]:
    """The breaks in [begins, ends) that this campaign may have, by the number of the place and its local day."""
    return _Forecast(places, begins, ends).demand(goal).breaks


def allocate(supply: Mapping[tuple[int, date], float], demands: Sequence[Demand]) -> PacingPlan:
    """Divide the breaks of each cell among the demands, the scarcest first."""
    left = dict(supply)
    shares, short = [], {}
    for demand in sorted(demands, key=lambda one: (-_scarcity(one), one.campaign_id)):
        share = _level(demand, left)
        taken = 0.0
        for cell, breaks in demand.breaks.items():
            part = min(left[cell], breaks * share)
            left[cell] -= part
            taken += part
        shares.append((demand.campaign_id, round(share, 4)))
        if taken < demand.need - 0.5:
            short[demand.campaign_id] = demand.need - taken
    return PacingPlan(tuple(shares), short)


def _scarcity(demand: Demand) -> float:
    total = sum(demand.breaks.values())
    return demand.need / total if total else float("inf")


def _level(demand: Demand, left: Mapping[tuple[int, date], float]) -> float:
    """The least share at which the cells give what is needed; 1 where even all of them do not."""
    # Each cell gives `breaks * share`, until it gives all it has left.
    steps = sorted(
        (min(1.0, left[cell] / breaks), breaks, left[cell])
        for cell, breaks in demand.breaks.items()
        if breaks > 0
    )
    rising, full = sum(breaks for _, breaks, _ in steps), 0.0
    for limit, breaks, rest in steps:
        if full + rising * limit >= demand.need:
            break
        rising -= breaks
        full += min(rest, breaks)
    if rising <= 1e-9:
        return 1.0
    return min(1.0, max(0.0, (demand.need - full) / rising))


def _end(goal: Goal, now: datetime) -> datetime:
    ends = [one.ends_at or now + HORIZON for one in goal.candidates]
    return max(ends, default=now)


class _Forecast:
    """The breaks that may be expected at each place on each day from `now` to `until`, and who may have them."""

    def __init__(self, places: Sequence[PacedPlace], now: datetime, until: datetime) -> None:
        self._places, self._now, self._until = places, now, until
        self._opened: dict[tuple[str, str, datetime, datetime], dict[date, list[float]]] = {}
        self.supply = {
            (number, day): _breaks(place, day, parts)
            for number, place in enumerate(places)
            for day, parts in self._hours("24/7", place.zone, now, until).items()
        }

    def demand(self, goal: Goal) -> Demand:
        """What it needs up to the horizon, and where it may have it."""
        breaks: dict[tuple[int, date], float] = {}
        for number, place in enumerate(self._places):
            share = self._languages_of(goal, place)
            if share > 0 and goal.candidates:
                first = goal.candidates[0]
                begins = max(self._now, first.starts_at or self._now)
                ends = min(self._until, first.ends_at or self._until)
                for day, parts in self._hours(first.hours, place.zone, begins, ends).items():
                    found = _breaks(place, day, parts) * share
                    if found > 0:
                        breaks[number, day] = min(found, self.supply.get((number, day), 0.0))
        return Demand(goal.campaign_id, self._need(goal), breaks)

    def _need(self, goal: Goal) -> float:
        ends = _end(goal, self._now)
        if ends <= self._until:
            return goal.missing * EAGERNESS
        return goal.missing * ((self._until - self._now) / (ends - self._now))

    def _languages_of(self, goal: Goal, place: PacedPlace) -> float:
        """The part of the people here who read one of its creatives."""
        here = [one for one in goal.candidates if _is_for(one, place)]
        read = {code for one in here for code in one.languages & (one.only_languages or one.languages)}
        if not place.languages:
            return float(bool(read))
        return sum(share for code, share in place.languages.items() if code in read)

    def _hours(self, hours: str, zone: str, begins: datetime, ends: datetime) -> dict[date, list[float]]:
        """By day, the part of each hour of the wall clock that is open."""
        key = (hours, zone, begins, ends)
        if key not in self._opened:
            self._opened[key] = _open_parts(hours, ZoneInfo(zone), begins, ends) if begins < ends else {}
        return self._opened[key]


def _is_for(one: Candidate, place: PacedPlace) -> bool:
    """Whether it is for this place, in whatever language."""
    some = next(iter(one.only_languages), "")
    return fits_here(one, place.network, place.site, place.site_kind, some)


def _breaks(place: PacedPlace, day: date, parts: Sequence[float]) -> float:
    return sum(usual * part for usual, part in zip(place.usual[day.weekday()], parts, strict=True))


def _open_parts(hours: str, zone: ZoneInfo, begins: datetime, ends: datetime) -> dict[date, list[float]]:
    found: dict[date, list[float]] = {}
    for since, until in opening_hours.open_between(opening_hours.parse(hours), begins, ends, zone):
        at = since
        while at < until:
            local = at.astimezone(zone)
            # Hours of the wall clock begin with those of UTC, but for zones that are off by half an hour.
            past = timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
            next_hour = min(until, at + HOUR - past)
            parts = found.setdefault(local.date(), [0.0] * 24)
            parts[local.hour] = min(1.0, parts[local.hour] + (next_hour - at) / HOUR)
            at = next_hour
    return found
