"""The books always add up."""

from __future__ import annotations

import contextlib
import random
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from auth.vouchers import issuing, plans, totals, voiding
from auth.vouchers.errors import ExpiredVoucher, Irreplaceable, SpentVoucher, VoidVoucher
from auth.vouchers.issuing import IssuedBatch, Order
from auth.vouchers.models import VoidReason, Voucher
from auth.vouchers.totals import Books
from sites.models import Gateway
from tests.actors import TESTER
from tests.auth.vouchers import KEYS, issue, redeem
from tests.clock import NOON

PARIS = ZoneInfo("Europe/Paris")
DAY = timedelta(days=1)


def adds_up(books: Books) -> bool:
    return books.printed == books.used + books.void + books.expired + books.left


def ids(db: Session, batch: IssuedBatch) -> list[int]:
    query = select(Voucher.id).where(Voucher.batch_id == batch.batch.id).order_by(Voucher.number)
    return list(db.scalars(query))


def spoil(db: Session, batch: IssuedBatch, *places: int, now: datetime = NOON) -> None:
    chosen = [ids(db, batch)[place] for place in places]
    voiding.void(db, voiding.of_ids(chosen), reason=VoidReason.SPOILED, actor=TESTER, now=now)


def test_every_pass_is_in_exactly_one_of_four(db: Session, bayle: Gateway) -> None:
    batch = issue(db, count=10, ends_at=NOON + 2 * DAY)
    for code in batch.codes[:3]:
        redeem(db, code, bayle)
    spoil(db, batch, 3, 4)
    at = totals.books(db, batch.batch.id, at=NOON)
    assert at == Books(printed=10, used=3, void=2, expired=0, left=5)
    later = totals.books(db, batch.batch.id, at=NOON + 2 * DAY)
    assert later == Books(printed=10, used=3, void=2, expired=5, left=0)


def test_a_used_pass_stays_used_whatever_becomes_of_it(db: Session, bayle: Gateway) -> None:
    batch = issue(db, count=2)
    redeem(db, batch.codes[0], bayle)
    voiding.revoke(db, voiding.of_batch(batch.batch.id), actor=TESTER, now=NOON)
    books = totals.books(db, batch.batch.id, at=NOON + 9 * DAY)
    assert books == Books(printed=2, used=1, void=1)


def test_a_replacement_is_one_more_printed_and_one_void(db: Session, bayle: Gateway) -> None:
    batch = issue(db, count=5)
    issuing.replace(db, keys=KEYS, voucher_id=ids(db, batch)[0], actor=TESTER, now=NOON)
    assert totals.books(db, batch.batch.id, at=NOON) == Books(printed=6, void=1, left=5)


def test_a_replacement_whose_time_went_by_unused_has_expired(db: Session, bayle: Gateway) -> None:
    batch = issue(db, "2h")
    redeem(db, batch.codes[0], bayle)
    issuing.replace(db, keys=KEYS, voucher_id=ids(db, batch)[0], actor=TESTER, now=NOON)
    books = totals.books(db, batch.batch.id, at=NOON + timedelta(hours=2))
    assert books == Books(printed=2, used=1, expired=1)


def test_all_batches_in_one_query(db: Session, bayle: Gateway) -> None:
    first, second = issue(db, count=2), issue(db, count=3)
    redeem(db, first.codes[0], bayle)
    asked: list[str] = []

    def listener(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        asked.append(statement)

    event.listen(db.get_bind(), "before_cursor_execute", listener)
    every = totals.every_books(db, at=NOON)
    event.remove(db.get_bind(), "before_cursor_execute", listener)
    assert every == {first.batch.id: Books(2, used=1, left=1), second.batch.id: Books(3, left=3)}
    assert len(asked) == 1


@pytest.mark.usefixtures("bayle")
def test_a_batch_that_does_not_exist_has_empty_books(db: Session) -> None:
    assert totals.books(db, 99, at=NOON) == Books()
    assert totals.daily_books(db, 99, zone=PARIS, now=NOON) == {}


def test_the_books_of_a_day_are_those_of_its_last_instant(db: Session, bayle: Gateway) -> None:
    # Noon in Besançon on the 24th; midnight is twelve hours later.
    batch = issue(db, count=6, ends_at=NOON + 2 * DAY)
    midnight = NOON + timedelta(hours=12)
    redeem(db, batch.codes[0], bayle)
    redeem(db, batch.codes[1], bayle, now=midnight)
    spoil(db, batch, 2, now=midnight + DAY)
    daily = totals.daily_books(db, batch.batch.id, zone=PARIS, now=NOON + 3 * DAY)
    assert daily == {
        date(2026, 11, 24): Books(6, used=1, left=5),
        date(2026, 11, 25): Books(6, used=2, left=4),
        date(2026, 11, 26): Books(6, used=2, void=1, expired=3),
        date(2026, 11, 27): Books(6, used=2, void=1, expired=3),
    }


@pytest.mark.usefixtures("bayle")
def test_days_of_23_and_25_hours_are_one_day_each(db: Session) -> None:
    start = datetime(2026, 10, 24, 12, tzinfo=PARIS)
    order = Order(1)
    batch = issuing.issue(
        db, keys=KEYS, plan=plans.by_slug(db, "day"), order=order, actor=TESTER, now=start
    ).batch
    daily = totals.daily_books(db, batch.id, zone=PARIS, now=datetime(2026, 10, 26, 0, 30, tzinfo=PARIS))
    assert list(daily) == [date(2026, 10, 24), date(2026, 10, 25), date(2026, 10, 26)]


@pytest.mark.usefixtures("bayle")
def test_years_of_days_are_answered_with_the_last_ones(db: Session) -> None:
    batch = issue(db).batch
    daily = totals.daily_books(db, batch.id, zone=PARIS, now=NOON + 1000 * DAY)
    assert len(daily) == totals.MOST_DAYS


@pytest.mark.parametrize("seed", range(4))
def test_whatever_a_desk_does_the_books_add_up(db: Session, bayle: Gateway, seed: int) -> None:
    rng = random.Random(seed)
    batch = issue(db, "2h", count=12, ends_at=NOON + timedelta(hours=20))
    codes, now = list(batch.codes), NOON
    for _ in range(40):
        now += timedelta(minutes=rng.randrange(0, 60))
        chosen = rng.choice(ids(db, batch))
        which = voiding.of_ids([chosen])
        match rng.choice(["use", "use", "void", "revoke", "undo", "replace"]):
            case "use":
                with contextlib.suppress(VoidVoucher, SpentVoucher, ExpiredVoucher):
                    redeem(db, rng.choice(codes), bayle, now=now)
            case "void":
                voiding.void(db, which, reason=VoidReason.LOST, actor=TESTER, now=now)
            case "revoke":
                voiding.revoke(db, which, actor=TESTER, now=now)
            case "undo":
                voiding.undo(db, which, actor=TESTER, now=now)
            case "replace":
                with contextlib.suppress(Irreplaceable):
                    codes.append(
                        issuing.replace(db, keys=KEYS, voucher_id=chosen, actor=TESTER, now=now).code
                    )
        books = totals.books(db, batch.batch.id, at=now)
        assert books.printed == len(codes)
        assert adds_up(books)
    daily = totals.daily_books(db, batch.batch.id, zone=PARIS, now=now)
    assert all(map(adds_up, daily.values()))
