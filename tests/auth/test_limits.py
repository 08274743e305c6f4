"""Budgets against guessing."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from auth import rate_limits
from auth.errors import TooManyAttempts
from auth.rate_limits import RateLimit
from db.engine import SessionMaker
from tests.clock import NOON

FIVE = RateLimit("test", most=5)


def test_it_refuses_the_sixth_attempt_and_says_until_when(db: Session) -> None:
    for minute in range(5):
        rate_limits.take(db, FIVE, now=NOON + timedelta(minutes=minute))
    with pytest.raises(TooManyAttempts) as caught:
        rate_limits.take(db, FIVE, now=NOON + timedelta(minutes=5))
    assert caught.value.until == NOON + timedelta(minutes=4 + 15)


def test_a_refused_attempt_does_not_keep_the_budget_closed(db: Session) -> None:
    for _ in range(5):
        rate_limits.take(db, FIVE, now=NOON)
    for minute in range(1, 15):
        with pytest.raises(TooManyAttempts):
            rate_limits.take(db, FIVE, now=NOON + timedelta(minutes=minute))
    rate_limits.take(db, FIVE, now=NOON + timedelta(minutes=15))


def test_never_more_than_the_budget_in_any_window(db: Session) -> None:
    taken = []
    for minute in range(120):
        now = NOON + timedelta(minutes=minute)
        try:
            rate_limits.take(db, FIVE, now=now)
        except TooManyAttempts:
            continue
        taken.append(minute)
    assert all(sum(start <= other < start + 15 for other in taken) <= 5 for start in taken)


def test_a_refund_gives_one_back(db: Session) -> None:
    for _ in range(5):
        rate_limits.take(db, FIVE, now=NOON)
    rate_limits.refund(db, FIVE)
    rate_limits.take(db, FIVE, now=NOON)
    with pytest.raises(TooManyAttempts):
        rate_limits.take(db, FIVE, now=NOON)


def test_a_refund_never_makes_a_credit(db: Session) -> None:
    rate_limits.refund(db, FIVE)
    rate_limits.take(db, FIVE, now=NOON)
    for _ in range(3):
        rate_limits.refund(db, FIVE)
    for _ in range(5):
        rate_limits.take(db, FIVE, now=NOON)
    with pytest.raises(TooManyAttempts):
        rate_limits.take(db, FIVE, now=NOON)


def test_check_takes_nothing(db: Session) -> None:
    for _ in range(20):
        rate_limits.check(db, [FIVE], now=NOON)
    for _ in range(5):
        rate_limits.take(db, FIVE, now=NOON)
    with pytest.raises(TooManyAttempts):
        rate_limits.check(db, [FIVE], now=NOON)


def test_parallel_attempts_do_not_pass_the_budget(make_session: SessionMaker) -> None:
    barrier = threading.Barrier(10)
    let_through: list[int] = []

    def rush(number: int) -> None:
        barrier.wait()
        with make_session.begin() as db:
            try:
                rate_limits.take(db, FIVE, now=NOON)
            except TooManyAttempts:
                return
        let_through.append(number)

    threads = [threading.Thread(target=rush, args=(number,)) for number in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(let_through) == 5


def test_stale_budgets_are_forgotten(db: Session) -> None:
    rate_limits.take(db, FIVE, now=NOON)
    assert rate_limits.forget(db, before=NOON) == 0
    assert rate_limits.forget(db, before=NOON + timedelta(seconds=1)) == 1
