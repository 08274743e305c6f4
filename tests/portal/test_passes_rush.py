"""Many phones type the same codes at the same instant, on four workers."""

from __future__ import annotations

from collections import Counter

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.services import Services
from sessions.models import AccessSession, Lease
from tests.portal.rush import Answers, Guest, rush
from tests.portal.visitors import issue, vouchers
from tests.town import Town

CLIENTS = 64


def guests_for(clients: dict[str, int]) -> list[Guest]:
    """So many phones for each code, numbered through, those of different codes mixed."""
    wanted = [code for code, count in clients.items() for _ in range(count)]
    return sorted(enumerate(wanted), key=lambda guest: (guest[0] * 37) % len(wanted))


def test_64_clients_at_once_get_exactly_the_places_there_are(
    services: Services, town: Town, database_url: str, db: Session
) -> None:
    """Nobody more than the plan allows, and no error page for the others."""
    single, triple = issue(services).codes[0], issue(services, plan="24h", devices=3).codes[0]
    answers = rush(database_url, guests_for({single: CLIENTS, triple: CLIENTS}))
    answer = Counter((code, status) for (_, code), status in answers.items())
    assert answer == {(single, 303): 1, (single, 409): 63, (triple, 303): 3, (triple, 409): 61}
    open_ones = select(func.count(AccessSession.id)).where(AccessSession.ended_at.is_(None))
    assert (db.scalar(open_ones), db.scalar(select(func.count(Lease.id)))) == (4, 4)
    assert all(voucher.used_at for voucher in vouchers(db))


def test_workers_killed_in_the_rush_give_no_place_twice_and_lose_none(
    services: Services, town: Town, database_url: str, db: Session
) -> None:
    """Whoever was told "you are in" is; whoever was told nothing asks again, and is in where it was let in
    before the kill."""
    plans = {"day": 1, "24h": 3, "2h": 2}
    few, some, many = (issue(services, plan=plan, devices=places).codes[0] for plan, places in plans.items())
    guests = guests_for({few: 2, some: 8, many: CLIENTS})
    answers: Answers = {}
    for killed_after in (1, 4, None):
        unanswered = [guest for guest in guests if guest not in answers]
        answers |= rush(database_url, unanswered, killed_after=killed_after)
    answer = Counter((code, status) for (_, code), status in answers.items())
    assert answer == {
        (few, 303): 1,
        (few, 409): 1,
        (some, 303): 3,
        (some, 409): 5,
        (many, 303): 2,
        (many, 409): 62,
    }
    online = db.scalars(select(AccessSession).where(AccessSession.ended_at.is_(None))).all()
    let_in = {f"02:00:00:01:00:{number:02x}" for (number, _), status in answers.items() if status == 303}
    assert {access.mac for access in online} == let_in
    leases = db.scalars(select(Lease.access_id)).all()
    assert sorted(leases) == sorted(access.id for access in online)
    assert all(voucher.used_at and voucher.until for voucher in vouchers(db))
