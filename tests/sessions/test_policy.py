"""How long, and whether again: pure rules."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sessions import policy
from sessions.policy import LeaseBounds
from tests.clock import NOON

HALF_HOUR = timedelta(minutes=30)
WINDOW = timedelta(minutes=5)


def minutes(number: float) -> timedelta:
    return timedelta(minutes=number)


def test_a_first_lease_ends_with_whatever_is_first() -> None:
    assert policy.first_until(LeaseBounds(HALF_HOUR), now=NOON) == NOON + HALF_HOUR
    assert policy.first_until(LeaseBounds(HALF_HOUR, NOON + minutes(20)), now=NOON) == NOON + minutes(20)
    bounded = LeaseBounds(HALF_HOUR, NOON + minutes(20), NOON + minutes(10))
    assert policy.first_until(bounded, now=NOON) == NOON + minutes(10)


@pytest.mark.parametrize(
    ("pressed", "ends"),
    [(25, 60), (29.9, 60), (30, 60), (31, 61), (45, 75)],
)
def test_a_renewal_counts_from_the_old_deadline_and_after_it_from_now(pressed: float, ends: float) -> None:
    until = policy.renewed_until(LeaseBounds(HALF_HOUR), now=NOON + minutes(pressed), until=NOON + HALF_HOUR)
    assert until == NOON + minutes(ends)


def test_a_renewal_never_passes_the_closing() -> None:
    terms = LeaseBounds(HALF_HOUR, closing=NOON + minutes(40))
    assert policy.renewed_until(terms, now=NOON + minutes(26), until=NOON + HALF_HOUR) == NOON + minutes(40)


@pytest.mark.parametrize(("at", "may"), [(0, False), (24.99, False), (25, True), (30, True), (100, True)])
def test_renewal_opens_in_the_last_five_minutes(at: float, may: bool) -> None:
    assert policy.may_renew(now=NOON + minutes(at), until=NOON + HALF_HOUR, window=WINDOW) is may


@pytest.mark.parametrize(("silent", "idle", "gone"), [(29, 30, False), (30, 30, True), (9999, 0, False)])
def test_a_silent_client_is_gone_after_the_idle_time(silent: float, idle: float, gone: bool) -> None:
    seen = NOON - minutes(silent)
    assert policy.is_idle(now=NOON, last_seen_at=seen, idle=minutes(idle)) is gone


@pytest.mark.parametrize(
    ("length", "step", "reach", "kept"),
    [
        (timedelta(minutes=30), timedelta(minutes=1), 0, timedelta(minutes=30)),
        (timedelta(minutes=29, seconds=59), timedelta(minutes=1), 0, timedelta(minutes=29)),
        (timedelta(minutes=30), timedelta(minutes=1), 15, timedelta(minutes=29, seconds=15)),
        (timedelta(seconds=75), timedelta(minutes=1), 15, timedelta(seconds=75)),
        (timedelta(seconds=74), timedelta(minutes=1), 15, timedelta(seconds=74)),
        (timedelta(seconds=40), timedelta(minutes=1), 0, timedelta(seconds=40)),
        (timedelta(seconds=40.5), timedelta(seconds=1), 0, timedelta(seconds=40.5)),
    ],
)
def test_a_lease_ends_on_a_step_of_its_gateway_and_never_late(
    length: timedelta, step: timedelta, reach: int, kept: timedelta
) -> None:
    terms = LeaseBounds(HALF_HOUR, closing=NOON + length, step=step, reach=timedelta(seconds=reach))
    assert policy.first_until(terms, now=NOON) == NOON + kept
