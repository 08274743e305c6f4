"""Which creative is shown: by place, minute and language alone. Nothing is known of the person. Pure.

A choice is explained by four things that the ledger keeps: the candidates, their pace, the number drawn, and what this
client was shown the time before.
"""

from __future__ import annotations

import random
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import accumulate
from zoneinfo import ZoneInfo

from sites import opening_hours

# The draw is a whole number below this.
DRAWS = 2**32
# How often it is drawn again at most, where a client has hidden something.
MOST_DRAWS = 100
ALWAYS = "24/7"
# What has no end in sight is looked at again after this.
FAR = timedelta(days=1)
# Network, site, kind of site, language.
Here = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A creative of a running campaign, with what limits it (sets that are empty limit nothing) and what it speaks."""

    creative_id: int
    campaign_id: int
    weight: int
    starts_at: datetime | None
    ends_at: datetime | None
    networks: frozenset[str]
    sites: frozenset[str]
    languages: frozenset[str]
    site_kinds: frozenset[str] = frozenset()
    hours: str = ALWAYS
    # For guests in these languages alone.
    only_languages: frozenset[str] = frozenset()
    # Stretches [since, until) in which the law forbids it.
    quiet: tuple[tuple[datetime, datetime], ...] = ()


@dataclass(frozen=True, slots=True)
class ImpressionContext:
    """Where and when somebody is about to be shown something, in which language, and what they saw the time before."""

    network: str
    site: str
    language: str
    now: datetime
    site_kind: str = ""
    zone: str = "UTC"
    previous: int | None = None
    # What this client does not want to see again.
    hidden: frozenset[int] = frozenset()

    @property
    def here(self) -> Here:
        return self.network, self.site, self.site_kind, self.language

    @property
    def minute(self) -> datetime:
        """What is eligible is decided for a minute, by its beginning."""
        return self.now.replace(second=0, microsecond=0)


@dataclass(frozen=True, slots=True)
class Pace:
    """How the campaigns with a goal take part now (`ads.pacing`), and which have had all they may have.

    `shares` has the part of all breaks that each campaign takes where it is eligible, in the order of their claims:
    the first that are eligible take theirs, up to the whole.
    """

    shares: tuple[tuple[int, float], ...] = ()
    spent: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Share:
    """The part of the breaks here and now in which this creative is shown."""

    creative_id: int
    share: float


@dataclass(frozen=True, slots=True)
class Options:
    """What may be shown at one place in one minute. The shares may leave a rest in which nothing is.

    `bounds` are the sums of the shares up to each, `places` where each creative stands.
    """

    shares: tuple[Share, ...] = ()
    bounds: tuple[float, ...] = ()
    places: Mapping[int, int] = field(default_factory=dict)

    def pick(self, draw: int, *, previous: int | None = None) -> int | None:
        """The creative that this draw below `DRAWS` falls upon; not `previous` where there is another."""
        drawn = draw / DRAWS
        place = None if previous is None else self.places.get(previous)
        if place is not None and len(self.shares) > 1:
            start = self.bounds[place - 1] if place else 0.0
            left_out = self.shares[place].share
            drawn *= 1.0 - left_out
            if drawn >= start:
                drawn += left_out
        found = bisect_right(self.bounds, drawn)
        return self.shares[found].creative_id if found < len(self.shares) else None


def draw(options: Options, moment: ImpressionContext, rng: random.Random) -> tuple[int | None, int | None]:
    """The number that chooses, and what it may not fall upon for having been seen the time before.

    One that falls upon a hidden creative is drawn again: so the ledger explains the choice without knowing what
    anybody has hidden. None where all that may be shown is hidden.
    """
    if not moment.hidden:
        return rng.randrange(DRAWS), moment.previous
    left = options.places.keys() - moment.hidden
    previous = None if left == {moment.previous} else moment.previous
    draws = (rng.randrange(DRAWS) for _ in range(MOST_DRAWS if left else 0))
    chosen = next((one for one in draws if options.pick(one, previous=previous) not in moment.hidden), None)
    return chosen, previous


def eligible(candidates: Sequence[Candidate], moment: ImpressionContext) -> list[Candidate]:
    """The candidates that may be shown here, in this minute: those in this language, else those in any."""
    at, zone = moment.minute, moment.zone
    fitting = [
        one for one in candidates if fits_here(one, *moment.here) and _fits_now(one, at, zone, _is_open)
    ]
    return _spoken(fitting, moment.language)


def options(candidates: Sequence[Candidate], pace: Pace) -> Options:
    """How often each of these eligible candidates is shown: first what campaigns with a goal take, then by weight.

    A campaign's part is divided among its creatives. Those with a share of nothing are left out.
    """
    of_campaign: defaultdict[int, list[Candidate]] = defaultdict(list)
    for one in candidates:
        if one.campaign_id not in pace.spent:
            of_campaign[one.campaign_id].append(one)
    left, parts = 1.0, []
    paced = set()
    for campaign_id, share in pace.shares:
        paced.add(campaign_id)
        taken = min(left, share)
        if campaign_id in of_campaign and taken > 0:
            parts.append((campaign_id, taken))
            left -= taken
    rest = [(campaign_id, of_campaign[campaign_id][0].weight) for campaign_id in of_campaign.keys() - paced]
    total = sum(weight for _, weight in rest)
    if left > 0:
        parts += [(campaign_id, left * weight / total) for campaign_id, weight in sorted(rest)]
    shares = tuple(
        Share(one.creative_id, part / len(of_campaign[campaign_id]))
        for campaign_id, part in parts
        for one in of_campaign[campaign_id]
    )
    bounds = list(accumulate(one.share for one in shares))
    if total and bounds and left > 0:
        # The rest is divided whole: what rounding leaves over is the last one's.
        bounds[-1] = 1.0
    places = {one.creative_id: place for place, one in enumerate(shares)}
    return Options(shares, tuple(bounds), places)


@dataclass(slots=True)
class ChoiceTable:
    """Candidates with their pace, arranged so that a choice costs the same with ten campaigns and with ten thousand.

    What may be shown at a place is worked out once, and stands until a candidate's time begins or ends.
    """

    candidates: Sequence[Candidate]
    pace: Pace = field(default_factory=Pace)
    _here: dict[Here, list[Candidate]] = field(default_factory=dict, init=False)
    # Each with the stretch of time in which it stands.
    _now: dict[tuple[Here, str], tuple[datetime, datetime, Options]] = field(default_factory=dict, init=False)
    _open: dict[tuple[str, str], tuple[datetime, datetime, bool]] = field(default_factory=dict, init=False)

    def options(self, moment: ImpressionContext) -> Options:
        """What may be shown at this moment."""
        key, at = (moment.here, moment.zone), moment.minute
        found = self._now.get(key)
        if found is None or not found[0] <= at < found[1]:
            chosen, until = self._eligible(moment.here, moment.zone, at)
            found = self._now[key] = (at, until, options(chosen, self.pace))
        return found[2]

    def paced(self, pace: Pace) -> ChoiceTable:
        """The same candidates at another pace."""
        other = ChoiceTable(self.candidates, pace)
        other._here, other._open = self._here, self._open
        return other

    def _eligible(self, here: Here, zone: str, at: datetime) -> tuple[list[Candidate], datetime]:
        """The eligible candidates, and until when it is these."""
        found = self._here.get(here)
        if found is None:
            found = self._here[here] = [one for one in self.candidates if fits_here(one, *here)]
        changes = {one for each in found for one in _instants(each)}
        changes |= {self._opening(hours, zone, at)[1] for hours in {one.hours for one in found} - {ALWAYS}}
        until = min((one for one in changes if one > at), default=at + FAR)
        fitting = [one for one in found if _fits_now(one, at, zone, self._is_open)]
        return _spoken(fitting, here[-1]), until

    def _is_open(self, hours: str, zone: str, at: datetime) -> bool:
        return self._opening(hours, zone, at)[2]

    def _opening(self, hours: str, zone: str, at: datetime) -> tuple[datetime, datetime, bool]:
        found = self._open.get((hours, zone))
        if found is None or not found[0] <= at < found[1]:
            found = self._open[hours, zone] = _open_until(hours, zone, at)
        return found


def fits_here(one: Candidate, network: str, site: str, site_kind: str, language: str) -> bool:
    """Whether it is for this place and for guests in this language, at whatever hour."""
    return (
        (not one.networks or network in one.networks)
        and (not one.sites or site in one.sites)
        and (not one.site_kinds or site_kind in one.site_kinds)
        and (not one.only_languages or language in one.only_languages)
    )


def _spoken(fitting: list[Candidate], language: str) -> list[Candidate]:
    """Those in this language; where there is none, all: the page says that there is no translation."""
    return [one for one in fitting if language in one.languages] or fitting


def _fits_now(one: Candidate, at: datetime, zone: str, is_open: Callable[[str, str, datetime], bool]) -> bool:
    begun = one.starts_at is None or one.starts_at <= at
    over = one.ends_at is not None and one.ends_at <= at
    return (
        begun
        and not over
        and not any(since <= at < until for since, until in one.quiet)
        and (one.hours == ALWAYS or is_open(one.hours, zone, at))
    )


def _is_open(hours: str, zone: str, at: datetime) -> bool:
    return opening_hours.is_open(opening_hours.parse(hours), at, ZoneInfo(zone))


def _instants(one: Candidate) -> Iterator[datetime]:
    """When its own limits change what is eligible."""
    yield from (at for at in (one.starts_at, one.ends_at) if at is not None)
    for period in one.quiet:
        yield from period


def _open_until(hours: str, zone: str, at: datetime) -> tuple[datetime, datetime, bool]:
    """From this instant on, until when, and whether these hours hold."""
    rules, where = opening_hours.parse(hours), ZoneInfo(zone)
    is_open = opening_hours.is_open(rules, at, where)
    change = opening_hours.closing(rules, at, where) if is_open else opening_hours.opening(rules, at, where)
    return at, change or at + FAR, is_open
