"""Messages accepted at the portal: from the press to the committed lease, on either database."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from sqlalchemy import func, select, update

from ads.demo import load_announcements
from ads.models import Creative, CreativeDay
from lab.bench.figures import Figure, percentile
from lab.bench.load import SpoiltRun
from lab.bench.phones import count_leases, form, let_in, mac_of
from lab.bench.portal import RunningPortal, database, running_portal
from lab.bench.processor import seconds_of
from lab.doors import STATION
from lab.hotspot import now
from sites.models import Network

WARMING = 200


def measure(folder: Path, *, count: int) -> Iterator[Figure]:
    """Acceptances a second, each of another phone, sixteen at a time."""
    for kind in ("sqlite", "postgresql"):
        with database(kind, folder) as url, running_portal(folder / kind, url) as portal:
            yield from _accept(portal, kind, count)


def _accept(portal: RunningPortal, kind: str, count: int) -> Iterator[Figure]:
    """Everybody's first message, and then the next one, which renews."""
    creative_id = _creative(portal)
    leases = 0
    for name in ("messages accepted to a lease", "renewals"):
        forms = [_form(portal, number, creative_id) for number in range(WARMING + count)]
        let_in(portal, forms[:WARMING])
        before = seconds_of(portal.process.pid)
        accepted = let_in(portal, forms[WARMING:])
        processor = (seconds_of(portal.process.pid) - before) / count
        leases += len(forms) - accepted.errors
        count_leases(portal.services.make_session, leases)
        _assert_counted(portal, leases)
        yield Figure(f"{name}, {kind}", len(accepted.waits) / accepted.seconds, "1/s")
        yield Figure(f"{name}, {kind}, p50", percentile(accepted.waits, 50) * 1000, "ms")
        yield Figure(f"{name}, {kind}, p99", percentile(accepted.waits, 99) * 1000, "ms")
        yield Figure(f"{name}, {kind}, processor time in the portal", processor * 1000, "ms")
        yield Figure(f"{name}, {kind}, errors", accepted.errors, "", "0")


def _form(portal: RunningPortal, number: int, creative_id: int) -> bytes:
    ticket = _ticket(portal, number, creative_id)
    return form(portal, "/pause", number, {"ticket": ticket}, gateway=STATION.identity)


def _creative(portal: RunningPortal) -> int:
    with portal.services.make_session.begin() as db:
        load_announcements(db, now=now())
        # So that whoever is online may renew at once, by a message of a minute ago.
        db.execute(update(Network).values(renewal_seconds=Network.lease_seconds + 120))
        return db.scalars(select(Creative.id).order_by(Creative.id)).first() or 0


def _ticket(portal: RunningPortal, number: int, creative_id: int) -> str:
    """As the page had it that this phone was shown a minute ago."""
    shown = now() - timedelta(minutes=1)
    claims = {
        "gw": STATION.identity,
        "mac": mac_of(number),
        "creative": creative_id,
        "lang": "fr",
        "shown": shown.timestamp(),
        "why": (None, None, None),
    }
    return portal.services.tokens.sign(
        "ticket", claims, now=now(), life=timedelta(minutes=30), not_before=shown
    )


def _assert_counted(portal: RunningPortal, leases: int) -> None:
    with portal.services.make_session() as db:
        counted = db.scalar(select(func.sum(CreativeDay.accepted))) or 0
    if counted != leases:
        raise SpoiltRun(f"{counted} messages counted, where {leases} leases were given")
