"""A week of municipal traffic, by the services that the portal calls, with what goes wrong in a real one.

Windows are closed before the button, presses come twice, answers are lost and forms sent again, pictures are blocked,
gateways refuse, are silent for hours, and confirm late; the process that remembers what was served is killed.
"""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import select

from ads import acceptances
from ads.acceptances import ImpressionToken
from ads.errors import NotDue, SpentImpression
from ads.ledger import served
from ads.ledger.served import Served
from db.engine import SessionMaker
from sessions import end, feed
from sessions.arrival import Acceptance, Arrival
from sessions.models import AccessSession, EndReason
from sites.models import Gateway
from tests.ads.campaigns import PSEUDONYMS
from tests.town import make_client

# How much of a day's traffic comes in each hour of the wall clock.
BUSY = (1, 0, 0, 0, 0, 1, 3, 8, 9, 5, 5, 6, 9, 8, 5, 5, 7, 9, 8, 6, 4, 3, 2, 1)


class Killed(Exception):
    """The process ended within a transaction."""


@dataclass(slots=True)
class Week:
    """Traffic at these gateways, with these creatives. `known` are the nonces of what really happened."""

    make_session: SessionMaker
    gateways: list[Gateway]
    creatives: list[int]
    seed: int = 1
    known: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    _waiting: list[Served] = field(default_factory=list)
    _number: int = 0

    def run(self, start: datetime, *, days: int, visits: int) -> None:
        """So many visits a day from this local midnight on."""
        rng = random.Random(self.seed)
        for day in range(days):
            for hour, weight in enumerate(BUSY):
                at = start + timedelta(days=day, hours=hour)
                heard = [gateway for gateway in self.gateways if rng.random() < 0.85]
                for minute in sorted(rng.randrange(60) for _ in range(visits * weight // sum(BUSY))):
                    self._visit(rng, at + timedelta(minutes=minute))
                    if rng.random() < 0.5:
                        self._follow(rng, heard, at + timedelta(minutes=minute + 1))
                self._write(at + timedelta(minutes=59), is_killed=rng.random() < 0.1)

    def expected(self) -> dict[str, int]:
        """What the figures must say: all that was shown, but what was lost and never heard of again."""
        known = self.known
        heard = known["accepted"] | known["viewed"] | known["blocked"] | known["reported"]
        return {
            "served": len(known["shown"] - (known["lost"] - heard)),
            "viewed": len(known["viewed"] | known["accepted"]),
            "leases": len(known["accepted"]),
            "blocked": len(known["blocked"]),
            "reported": len(known["reported"]),
        }

    def _visit(self, rng: random.Random, now: datetime) -> None:
        self._number += 1
        gateway, creative = rng.choice(self.gateways), rng.choice(self.creatives)
        nonce = f"n{self.seed}-{self._number}"
        shown = served.of(gateway, nonce, creative, shown_at=now)
        self._waiting.append(shown)
        self.known["shown"].add(nonce)
        kind = rng.random()
        if rng.random() < 0.2:
            self._note(served.of(gateway, nonce, creative, shown_at=now, blocked=True), now)
        if rng.random() < 0.02:
            self._note(served.of(gateway, nonce, creative, shown_at=now, reported=True), now)
        if kind < 0.25:
            return
        if kind < 0.35:
            # Read, and left: with a script it is told, often twice.
            for _ in range(rng.choice((1, 2))):
                self._note(served.of(gateway, nonce, creative, shown_at=now, viewed=True), now)
            return
        mac = rng.randrange(60 + self._number // 4)
        press = now + timedelta(seconds=6)
        presses = rng.choices((1, 2, 4), (80, 15, 5))[0]
        for number in range(presses):
            is_killed = number == 0 and presses > 1 and rng.random() < 0.3
            self._accept(
                gateway, mac, ImpressionToken(nonce, creative, "fr", now), press, is_killed=is_killed
            )
        if rng.random() < 0.05:
            self._leave(press, mac)

    def _accept(
        self, gateway: Gateway, mac: int, token: ImpressionToken, now: datetime, *, is_killed: bool
    ) -> None:
        client = make_client(f"02:00:00:00:{mac >> 8:02x}:{mac & 255:02x}", f"10.66.{mac >> 8}.{mac & 255}")
        arrival = Arrival(gateway, client, Acceptance("1", "fr", ""))
        try:
            with self.make_session.begin() as db:
                acceptances.accept(db, arrival, ticket=token, pseudonyms=PSEUDONYMS, now=now)
                if is_killed:
                    raise Killed
        except (SpentImpression, NotDue, Killed) as error:
            self.known[type(error).__name__].add(token.nonce)
        else:
            self.known["accepted"].add(token.nonce)

    def _leave(self, now: datetime, mac: int) -> None:
        with self.make_session.begin() as db:
            mine = AccessSession.mac == f"02:00:00:00:{mac >> 8:02x}:{mac & 255:02x}"
            for access_id in db.scalars(
                select(AccessSession.id).where(mine, AccessSession.ended_at.is_(None))
            ).all():
                end.end(db, access_id, reason=EndReason.LEFT, now=now)

    def _note(self, entry: Served, now: datetime) -> None:
        for what in ("viewed", "blocked", "reported"):
            if getattr(entry, what):
                self.known[what].add(entry.nonce)
        with self.make_session.begin() as db:
            served.write(db, [entry], now=now)

    def _write(self, now: datetime, *, is_killed: bool) -> None:
        """What a process remembered is written, or lost with it."""
        if is_killed:
            self.known["lost"] |= {entry.nonce for entry in self._waiting}
        else:
            with self.make_session.begin() as db:
                served.write(db, self._waiting + self._waiting[:3], now=now)
        self._waiting = []
        with self.make_session.begin() as db:
            served.add_up(db, now=now)

    def _follow(self, rng: random.Random, heard: list[Gateway], now: datetime) -> None:
        """Those that are not silent this hour carry out their feed; some leases they refuse."""
        for gateway in heard:
            with self.make_session.begin() as db:
                version = feed.read(db, gateway_id=gateway.id, since=0, now=now).version
                waiting = db.scalars(
                    select(AccessSession.id).where(
                        AccessSession.gateway_id == gateway.id, AccessSession.until > now
                    )
                ).all()
                refused = {number: "no room" for number in waiting if rng.random() < 0.03}
                ids = feed.confirm(db, gateway_id=gateway.id, version=version, refused=refused, now=now)
                acceptances.confirm(db, ids, now=now)
