"""Issuing passes and taking them back."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from auth.vouchers import codes, issuing, plans, rate_limits, redeeming, voiding
from auth.vouchers.errors import (
    EndedPlan,
    ImpossibleCount,
    ImprudentBatch,
    Irreplaceable,
    SpentVoucher,
    VoidVoucher,
)
from auth.vouchers.issuing import IssuedBatch, Order
from auth.vouchers.models import Batch, VoidReason, Voucher
from sites.models import Gateway
from tests.actors import TESTER
from tests.auth.vouchers import KEYS, issue, redeem
from tests.clock import NOON

MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)


def all_vouchers(db: Session) -> list[Voucher]:
    query = select(Voucher).order_by(Voucher.id)
    return list(db.scalars(query, execution_options={"populate_existing": True}))


def first_id(db: Session, batch: IssuedBatch) -> int:
    voucher = redeeming.find_by_mark(db, batch.tickets[0].mark)
    assert voucher is not None
    return voucher.id


@pytest.mark.usefixtures("bayle")
def test_a_batch_remembers_who_asked_for_it_where_and_why(db: Session) -> None:
    order = Order(3, desk_site="pierre-bayle", note="lost cards", event="Livres dans la Boucle")
    issued = issuing.issue(db, keys=KEYS, plan=plans.by_slug(db, "day"), order=order, actor=TESTER, now=NOON)
    db.expire_all()
    batch = db.get_one(Batch, issued.batch.id)
    assert (batch.count, batch.issued_by, batch.desk_site) == (3, "tests", "pierre-bayle")
    assert (batch.note, batch.event, batch.issued_at) == ("lost cards", "Livres dans la Boucle", NOON)
    assert [ticket.mark for ticket in issued.tickets] == [f"{batch.id}-{n}" for n in (1, 2, 3)]


@pytest.mark.usefixtures("bayle")
def test_only_keyed_hashes_are_kept(db: Session) -> None:
    issued = issue(db, count=50)
    kept = {voucher.digest for voucher in all_vouchers(db)}
    assert kept == {KEYS.digest(code) for code in issued.codes}
    assert all(len(digest) == 64 for digest in kept)
    assert not any(code in repr(issued) for code in issued.codes)


@pytest.mark.usefixtures("bayle")
def test_a_code_that_exists_already_is_drawn_again(db: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    taken = issue(db).codes[0]
    drawn = iter([taken, "23456789Q", "23456789Q", "ZZZZZZZZF"])
    monkeypatch.setattr(codes, "make", lambda: next(drawn))
    assert issue(db, count=2).codes == ["ZZZZZZZZF", "23456789Q"]
    assert db.scalar(select(func.count(Voucher.id))) == 3


@pytest.mark.usefixtures("bayle")
def test_ten_thousand_are_issued_and_all_are_different(db: Session) -> None:
    issued = issue(db, count=10_000)
    assert len(set(issued.codes)) == 10_000
    assert db.scalar(select(func.count(Voucher.id))) == 10_000


@pytest.mark.usefixtures("bayle")
@pytest.mark.parametrize("count", [0, -1, 10_001])
def test_it_refuses_an_impossible_count(db: Session, count: int) -> None:
    with pytest.raises(ImpossibleCount):
        issue(db, count=count)


@pytest.mark.usefixtures("bayle")
def test_it_refuses_passes_that_could_never_be_used(db: Session) -> None:
    with pytest.raises(EndedPlan):
        issue(db, ends_at=NOON)


@pytest.mark.usefixtures("bayle")
def test_it_refuses_so_many_codes_that_guessing_would_pay(
    db: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The expected lucky guesses a day, at the throttles in force, with the arithmetic."""
    issue(db, count=9)
    monkeypatch.setattr(rate_limits, "guesses_per_day", lambda: codes.POSSIBLE // 500)
    issue(db, count=1)
    with pytest.raises(ImprudentBatch) as caught:
        issue(db, count=1)
    error = caught.value
    assert (error.live, error.count, error.most) == (10, 1, 0.02)
    assert error.expected == pytest.approx((10 + 1) * error.guesses / error.possible)


@pytest.mark.usefixtures("bayle")
def test_dead_codes_are_no_target(db: Session, bayle: Gateway) -> None:
    issue(db, count=1)
    revoked = issue(db, count=2)
    voiding.revoke(db, voiding.of_batch(revoked.batch.id), actor=TESTER, now=NOON)
    redeem(db, issue(db, "2h").codes[0], bayle)
    issue(db, ends_at=NOON + timedelta(hours=3))
    assert issuing.live_codes(db, now=NOON) == 3
    assert issuing.live_codes(db, now=NOON + timedelta(hours=2)) == 2
    assert issuing.live_codes(db, now=NOON + timedelta(hours=3)) == 1


def test_at_the_throttles_in_force_a_town_may_have_a_hundred_thousand_live_codes() -> None:
    expected = 100_000 * rate_limits.guesses_per_day() / codes.POSSIBLE
    assert expected < issuing.MOST_LUCKY_GUESSES_PER_DAY


# Replacing


def test_a_replaced_pass_dies_and_the_new_one_lives(db: Session, bayle: Gateway) -> None:
    batch = issue(db, count=2)
    old = first_id(db, batch)
    ticket = issuing.replace(db, keys=KEYS, voucher_id=old, actor=TESTER, now=NOON)
    assert ticket.mark == f"{batch.batch.id}-3"
    with pytest.raises(VoidVoucher):
        redeem(db, batch.codes[0], bayle)
    assert redeem(db, ticket.code, bayle).until == NOON + timedelta(hours=12)
    first, _, third = all_vouchers(db)
    assert (first.void_reason, first.voided_by, third.replaces_id) == (VoidReason.REPLACED, "tests", old)


def test_a_replacement_adds_no_time(db: Session, bayle: Gateway) -> None:
    batch = issue(db, "2h")
    redeem(db, batch.codes[0], bayle)
    later = NOON + timedelta(hours=1)
    ticket = issuing.replace(db, keys=KEYS, voucher_id=first_id(db, batch), actor=TESTER, now=later)
    assert redeem(db, ticket.code, bayle, now=later).until == NOON + timedelta(hours=2)
    with pytest.raises(SpentVoucher):
        redeem(db, ticket.code, bayle, now=NOON + timedelta(hours=2))


def test_what_is_dead_cannot_be_replaced(db: Session, bayle: Gateway) -> None:
    batch = issue(db, "2h")
    old = first_id(db, batch)
    redeem(db, batch.codes[0], bayle)
    with pytest.raises(Irreplaceable):
        issuing.replace(db, keys=KEYS, voucher_id=old, actor=TESTER, now=NOON + timedelta(hours=2))
    issuing.replace(db, keys=KEYS, voucher_id=old, actor=TESTER, now=NOON)
    with pytest.raises(Irreplaceable):
        issuing.replace(db, keys=KEYS, voucher_id=old, actor=TESTER, now=NOON)
    with pytest.raises(Irreplaceable):
        issuing.replace(db, keys=KEYS, voucher_id=999_999, actor=TESTER, now=NOON)


@pytest.mark.usefixtures("bayle")
def test_a_pass_of_a_batch_that_is_over_cannot_be_replaced(db: Session) -> None:
    batch = issue(db, ends_at=NOON + MINUTE)
    with pytest.raises(Irreplaceable):
        issuing.replace(db, keys=KEYS, voucher_id=first_id(db, batch), actor=TESTER, now=NOON + MINUTE)


# Void, revoke, undo, suspend


def test_void_takes_only_what_nobody_used(db: Session, bayle: Gateway) -> None:
    batch = issue(db, count=3)
    redeem(db, batch.codes[1], bayle)
    which = voiding.of_batch(batch.batch.id)
    taken = voiding.void(db, which, reason=VoidReason.UNUSED, actor=TESTER, now=NOON)
    assert len(taken) == 2
    assert [voucher.void_reason for voucher in all_vouchers(db)] == [
        VoidReason.UNUSED,
        None,
        VoidReason.UNUSED,
    ]
    assert voiding.void(db, which, reason=VoidReason.LOST, actor=TESTER, now=NOON) == []
    redeem(db, batch.codes[1], bayle)


def test_revoke_takes_used_ones_too_and_undo_gives_all_back(db: Session, bayle: Gateway) -> None:
    batch = issue(db, count=2)
    redeem(db, batch.codes[0], bayle)
    which = voiding.of_batch(batch.batch.id)
    assert len(voiding.revoke(db, which, actor=TESTER, now=NOON).voucher_ids) == 2
    for code in batch.codes:
        with pytest.raises(VoidVoucher):
            redeem(db, code, bayle)
    assert len(voiding.undo(db, which, actor=TESTER, now=NOON + MINUTE - SECOND)) == 2
    for code in batch.codes:
        assert redeem(db, code, bayle).until == NOON + timedelta(hours=12)


@pytest.mark.usefixtures("bayle")
def test_after_a_minute_there_is_no_undo(db: Session) -> None:
    which = voiding.of_batch(issue(db).batch.id)
    voiding.revoke(db, which, actor=TESTER, now=NOON)
    assert voiding.undo(db, which, actor=TESTER, now=NOON + MINUTE) == []


@pytest.mark.usefixtures("bayle")
def test_undo_takes_the_last_deed_back_and_never_a_replacement(db: Session) -> None:
    batch = issue(db, count=3)
    ids = [voucher.id for voucher in all_vouchers(db)]
    voiding.void(db, voiding.of_ids(ids[:1]), reason=VoidReason.SPOILED, actor=TESTER, now=NOON)
    issuing.replace(db, keys=KEYS, voucher_id=ids[1], actor=TESTER, now=NOON)
    voiding.revoke(db, voiding.of_ids(ids[2:3]), actor=TESTER, now=NOON + SECOND)
    every = voiding.of_batch(batch.batch.id)
    assert voiding.undo(db, every, actor=TESTER, now=NOON + SECOND) == [ids[2]]
    assert voiding.undo(db, every, actor=TESTER, now=NOON + SECOND) == [ids[0]]


@pytest.mark.usefixtures("bayle")
def test_a_batch_is_suspended_and_resumed_once(db: Session) -> None:
    batch_id = issue(db).batch.id
    assert voiding.suspend(db, batch_id, actor=TESTER, now=NOON)
    assert not voiding.suspend(db, batch_id, actor=TESTER, now=NOON + MINUTE)
    assert db.get_one(Batch, batch_id).suspended_at == NOON
    assert voiding.resume(db, batch_id, actor=TESTER, now=NOON)
    assert not voiding.resume(db, batch_id, actor=TESTER, now=NOON)
    assert not voiding.suspend(db, 999, actor=TESTER, now=NOON)


@pytest.mark.usefixtures("bayle")
def test_batches_are_listed_the_newest_first(db: Session) -> None:
    ids = [issue(db).batch.id for _ in range(3)]
    assert [batch.id for batch in issuing.batches(db, most=2)] == ids[:0:-1]
