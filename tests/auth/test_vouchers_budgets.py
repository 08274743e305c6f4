"""Budgets against guessing: they hold whatever address a guesser takes, and let a right code through."""

from __future__ import annotations

import itertools
import logging
import threading
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from auth import rate_limits as windows
from auth.errors import TooManyAttempts
from auth.models import Attempt
from auth.rate_limits import RateLimit
from auth.vouchers import codes, rate_limits
from auth.vouchers.errors import UnknownVoucher
from auth.vouchers.rate_limits import ALL, MINUTE, RedeemAttempt
from db.engine import SessionMaker
from sessions.sweep import ATTEMPT_LIFE
from tests.actors import TESTER
from tests.clock import NOON
from tests.town import make_gateway, make_library_network, make_site

BAYLE = "gw-bayle"


def guesser(number: int, gateway: str = BAYLE, site: str = "pierre-bayle") -> RedeemAttempt:
    """A client with an address of its own."""
    return RedeemAttempt(gateway, site, f"02:00:00:00:{number >> 8:02x}:{number & 255:02x}")


def miss(db: Session, guess: RedeemAttempt, *, now: datetime = NOON) -> bool:
    """Try a code that does not exist; whether it was looked up and answered."""
    try:
        rate_limits.admit(db, guess, now=now)
    except TooManyAttempts:
        return False
    return isinstance(rate_limits.charge(db, guess, now=now), UnknownVoucher)


def may_try(db: Session, guess: RedeemAttempt, *, now: datetime = NOON) -> bool:
    """Whether a right code of this client is looked up."""
    try:
        rate_limits.admit(db, guess, now=now)
    except TooManyAttempts:
        return False
    return True


def close(db: Session, *budgets: RateLimit) -> None:
    """Spend budgets to the end."""
    for budget in budgets:
        for _ in range(budget.most):
            windows.count(db, budget, now=NOON)


def test_one_client_has_five_misses(db: Session) -> None:
    assert [miss(db, guesser(1)) for _ in range(7)] == [True] * 5 + [False] * 2
    assert miss(db, guesser(1), now=NOON + timedelta(minutes=15))


def test_a_right_code_costs_nothing(db: Session) -> None:
    assert all(may_try(db, guesser(1)) for _ in range(50))
    assert db.scalars(select(Attempt).where(Attempt.count > 0)).all() == []


def test_a_right_code_does_not_prolong_the_wait_for_the_wrong_ones(db: Session) -> None:
    assert [miss(db, guesser(1)) for _ in range(4)] == [True] * 4
    assert may_try(db, guesser(1), now=NOON + timedelta(minutes=10))
    assert [miss(db, guesser(1), now=NOON + timedelta(minutes=15)) for _ in range(6)] == [True] * 5 + [False]


@pytest.mark.parametrize("number", [0, 1, 2], ids=["gateway", "site", "all"])
def test_when_a_broad_budget_is_spent_only_clients_without_a_miss_are_heard(db: Session, number: int) -> None:
    assert miss(db, guesser(1))
    close(db, guesser(1).broad[number])
    assert not may_try(db, guesser(1))
    assert may_try(db, guesser(2))
    assert miss(db, guesser(2))
    assert not may_try(db, guesser(2))


@pytest.mark.parametrize("number", [0, 1], ids=["gateway", "all"])
def test_when_a_reserve_is_spent_too_everybody_is_heard_again_within_the_minute(
    db: Session, number: int
) -> None:
    close(db, ALL, guesser(1).reserve(NOON)[number])
    with pytest.raises(TooManyAttempts) as refused:
        rate_limits.admit(db, guesser(2), now=NOON)
    assert refused.value.until == NOON + MINUTE
    assert may_try(db, guesser(3), now=refused.value.until)


def test_six_hundred_cards_that_guess_close_a_gateway_for_no_longer_than_a_minute(db: Session) -> None:
    """A card is a number that anybody can make up: nobody's pass may fail for a day because of them."""
    for number in range(630):
        miss(db, guesser(number), now=NOON + timedelta(seconds=number // 10))
    assert may_try(db, guesser(1000), now=NOON + timedelta(minutes=2))
    assert may_try(db, guesser(1001, "gw-other", "battant"), now=NOON + timedelta(seconds=63))


def test_somebody_at_the_desk_can_open_a_gateway_again(db: Session) -> None:
    first = guesser(1)
    close(db, *first.broad[:2], first.client, first.reserve(NOON)[0])
    assert not may_try(db, guesser(2))
    other = guesser(1, "gw-bayle-2", "pierre-bayle-2")
    close(db, other.client)
    network = make_library_network()
    gateway = make_gateway(first.gateway, make_site(first.site, network, ads_allowed=False), network)
    assert rate_limits.open_again(db, [gateway], actor=TESTER, now=NOON) >= 4
    assert may_try(db, first)
    assert not may_try(db, other), "another gateway's clients keep their failures"


def test_a_client_of_another_gateway_is_heard_while_one_is_attacked(db: Session) -> None:
    close(db, *guesser(1).broad, guesser(1).reserve(NOON)[0])
    assert not may_try(db, guesser(2))
    assert may_try(db, guesser(3, "gw-other", "battant"))


def test_five_thousand_guesses_of_five_hundred_addresses_spend_their_budget_and_no_more(db: Session) -> None:
    """With an innocent client beside them."""
    answered = sum(miss(db, guesser(number % 500)) for number in range(5_000))
    first = guesser(0)
    assert answered <= first.broad[0].most + first.reserve(NOON)[0].most
    assert may_try(db, guesser(501), now=NOON + MINUTE)


def test_no_day_answers_more_than_the_arithmetic_says(db: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """Addresses that nobody has seen, behind three gateways, all day; the budgets are small to be spent."""
    monkeypatch.setattr(rate_limits, "ALL", RateLimit("guess:all", most=3, window=timedelta(hours=1)))
    monkeypatch.setattr(rate_limits, "RESERVE_OF_ALL", 2)
    monkeypatch.setattr(rate_limits, "IN_FLIGHT", 0)
    numbers = itertools.count()
    answered = sum(
        miss(
            db,
            guesser(next(numbers), f"gw-{gateway}", f"site-{gateway}"),
            now=NOON + timedelta(minutes=minute),
        )
        for minute in range(0, 24 * 60, 10)
        for gateway in range(3)
    )
    assert 60 < answered <= rate_limits.guesses_per_day() == 3 * 24 + 2 * 24 * 60


def test_a_year_of_guessing_at_the_full_rate_finds_less_than_one_of_a_thousand_open_passes() -> None:
    expected = rate_limits.guesses_per_day() * 365 * 1000 / codes.POSSIBLE
    assert expected < 0.3


def test_budgets_outlive_the_sweep() -> None:
    assert max(budget.window for budget in [*guesser(1).broad, *guesser(1).reserve(NOON)]) < ATTEMPT_LIFE


def test_a_spent_budget_is_an_alert(db: Session, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    for number in range(40):
        miss(db, guesser(number))
    assert caplog.text.count("rate limit guess:gateway:gw-bayle is reached") == 1


def test_parallel_guesses_of_one_client_are_one_after_the_other(make_session: SessionMaker) -> None:
    barrier = threading.Barrier(12)
    answered: list[bool] = []

    def rush() -> None:
        barrier.wait()
        with make_session.begin() as db:
            answered.append(miss(db, guesser(1)))

    threads = [threading.Thread(target=rush) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answered) == [False] * 7 + [True] * 5


def test_parallel_guesses_of_many_clients_never_answer_more_than_the_budget(
    make_session: SessionMaker,
) -> None:
    with make_session.begin() as db:
        close(db, *guesser(1).reserve(NOON))
    barrier = threading.Barrier(12)
    answered: list[bool] = []

    def rush(worker: int) -> None:
        barrier.wait()
        for number in range(5):
            with make_session.begin() as db:
                answered.append(miss(db, guesser(worker * 100 + number)))

    threads = [threading.Thread(target=rush, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answered) == 60
    assert sum(answered) == guesser(1).broad[0].most
