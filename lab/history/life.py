"""What happened, stay by stay, in the order in which it began. Rows come out; nothing is stored here."""

from __future__ import annotations

import heapq
import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from random import Random

from lab.history.habits import Place, beginnings, spread
from lab.history.outages import silences
from lab.history.people import Crowd, Device, mac_of, subject_of
from lab.history.scribe import HOSTS, Scribe
from lab.history.stays import Span, Stay, stay
from lab.history.store import Row
from lab.history.wish import Wish
from sessions.models import EndReason
from sites.models import SigninMethod

ROUND = 20_000
# Shares of stays: of people who were here before (on the free network, in a library), and others.
BACK_ON_FREE, BACK_IN_LIBRARY = 0.6, 0.85
WALKS, FAILS, WITH_PASS, FURTHER_DEVICE = 0.03, 0.05, 0.25, 0.15
FREE, PATRON, PASS = (method.value for method in (SigninMethod.FREE, SigninMethod.PATRON, SigninMethod.PASS))
# How each way of signing in fails, and how often against the others; who it was is known with some of them.
FAILURES = {
    FREE: (("expired_page", "too_early"), (3, 1)),
    PATRON: (("wrong_credentials", "expired_card", "too_many_attempts"), (8, 2, 1)),
    PASS: (("unknown_pass", "pass_in_use", "expired_pass"), (4, 2, 2)),
}
STEPS = {FREE: "pause", PATRON: "signin", PASS: "pass"}
NAMELESS = frozenset({"expired_page", "too_early", "unknown_pass"})


@dataclass(frozen=True, slots=True)
class Coming:
    """A stay that begins at `at`. `before` is the session whose time it takes over, until `until`."""

    at: float
    place: int
    device: Device | None = None
    before: int | None = None
    until: float | None = None


class Life:
    """A town's past, told once."""

    def __init__(
        self, wish: Wish, places: Sequence[Place], scribe: Scribe, rng: Random, *, first: int
    ) -> None:
        """`first` is the number of the first device that comes: none with a lower one comes again."""
        self._wish, self._places, self._scribe, self._rng = wish, places, scribe, rng
        self._now = wish.ends.timestamp()
        self._devices, self._turns = itertools.count(first), itertools.count()
        self._crowds = {place.network_id: Crowd(rng) for place in places}
        self._coming: list[tuple[float, int, Coming]] = []
        self._silences = silences(places, wish, rng)
        self._others = {
            place.network_id: [n for n, each in enumerate(places) if each.network_id == place.network_id]
            for place in places
        }

    def rounds(self) -> Iterator[dict[str, list[Row]]]:
        """The rows, some ten thousand sessions at a time."""
        for place, silence in zip(self._places, self._silences, strict=True):
            self._scribe.silence(place, silence, self._now)
        zone = self._places[0].zone
        last = self._wish.ends.astimezone(zone) - timedelta(microseconds=1)
        days = _days(self._wish.begins, last.date())
        for day, count in zip(days, spread(days, self._wish.sessions, self._rng), strict=True):
            midnight = datetime.combine(day, time(), zone).timestamp()
            for second, where in beginnings(self._places, day, count, self._rng):
                # Nobody signs in through a silent gateway: whoever still wants to does so afterwards.
                at = self._silences[where].over(midnight + second + self._rng.random())
                self._expect(Coming(at, where))
            yield from self._live_until(midnight + 86400.0)
            for crowd in self._crowds.values():
                crowd.forget_idle(midnight)
        yield from self._live_until(math.inf)
        yield self._scribe.take()

    def _expect(self, coming: Coming) -> None:
        heapq.heappush(self._coming, (coming.at, next(self._turns), coming))

    def _live_until(self, at: float) -> Iterator[dict[str, list[Row]]]:
        while self._coming and self._coming[0][0] < at:
            coming = heapq.heappop(self._coming)[2]
            if coming.at < self._now:
                self._come(coming)
            if self._scribe.sessions >= ROUND:
                yield self._scribe.take()

    def _come(self, coming: Coming) -> None:
        scribe, rng, place = self._scribe, self._rng, self._places[coming.place]
        device = coming.device or self._somebody(place, coming.at)
        gone = stay(place, device.method, coming.at, until=coming.until, now=self._now, rng=rng)
        if gone.reason is EndReason.EXPIRED and self._silences[coming.place].covers(gone.until):
            gone = replace(gone, reason=EndReason.GATEWAY_LOST)
        self._crowds[place.network_id].remember(device, gone.ended or gone.until)
        if coming.before is None and rng.random() < FAILS:
            self._fail(place, device, coming.at)
        walks = not place.is_library and gone.reason is not EndReason.MOVED and rng.random() < WALKS
        others = self._others[place.network_id]
        second = others[int(rng.random() * len(others))] if walks else coming.place
        access_id = scribe.next_id("access_sessions")
        scribe.access(access_id, place, self._places[second], device, gone, coming.before)
        self._lease(access_id, place, device, gone)
        if second == coming.place:
            self._count(access_id, second, gone, 1.0)
        else:
            self._walk(access_id, coming.place, second, device, gone)
        if gone.reason is EndReason.MOVED and gone.ended is not None:
            moved = replace(device, mac=mac_of(next(self._devices)))
            self._expect(Coming(gone.ended, coming.place, moved, access_id, gone.until))

    def _somebody(self, place: Place, at: float) -> Device:
        """Who begins a stay: somebody from before, a further device of such a person, or somebody new."""
        crowd, rng = self._crowds[place.network_id], self._rng
        device = crowd.back(at, BACK_IN_LIBRARY if place.is_library else BACK_ON_FREE)
        if device is not None and device.method != PASS:
            if device.method == FREE or rng.random() >= FURTHER_DEVICE:
                return device
            return replace(device, mac=mac_of(next(self._devices)))
        method = FREE if not place.is_library else PASS if rng.random() < WITH_PASS else PATRON
        entitlement_id = self._scribe.next_id("entitlements")
        subject = subject_of(entitlement_id, self._wish.seed)
        self._scribe.entitlement(entitlement_id, subject, place.network_id, method, at)
        mac = device.mac if device is not None else mac_of(next(self._devices))
        return Device(mac, subject, entitlement_id, method, int(rng.random() * HOSTS))

    def _fail(self, place: Place, device: Device, at: float) -> None:
        rules, weights = FAILURES[device.method]
        [rule] = self._rng.choices(rules, weights)
        before = at - 1.0 - 40.0 * self._rng.random()
        named = rule not in NAMELESS
        self._scribe.decision(place, device, before, rule=rule, step=STEPS[device.method], named=named)

    def _lease(self, access_id: int, place: Place, device: Device, gone: Stay) -> None:
        for span in gone.spans:
            released = gone.ended if gone.ended is not None and gone.ended < span.until else None
            lease_id = self._scribe.lease(access_id, place, device, span, released)
            if device.method == FREE:
                self._scribe.impression(access_id, lease_id, place, span)

    def _walk(self, access_id: int, first: int, second: int, device: Device, gone: Stay) -> None:
        """The second half of the stay was at another site of the network."""
        at = (gone.begins + gone.last_seen) / 2
        span = next((each for each in gone.spans if at < each.until), gone.spans[-1])
        released = gone.ended if gone.ended is not None and gone.ended < gone.until else None
        onward = Span(at, max(at, span.starts), gone.until)
        self._scribe.lease(access_id, self._places[second], device, onward, released)
        self._count(access_id, first, gone, 0.5)
        self._count(access_id, second, gone, 0.5)

    def _count(self, access_id: int, place: int, gone: Stay, share: float) -> None:
        seconds, until = (gone.last_seen - gone.begins) * share, gone.last_seen
        life = self._silences[place].life(gone.begins)
        self._scribe.usage(access_id, self._places[place], life, seconds, until)


def _days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]
