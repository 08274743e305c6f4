"""Redeeming: what a pass allows, from its first use to its end."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from auth.models import Entitlement
from auth.vouchers import issuing, plans, redeeming, voiding
from auth.vouchers.errors import (
    EarlyVoucher,
    ExpiredVoucher,
    ForeignVoucher,
    NoDayBetween,
    SpentVoucher,
    SuspendedVoucher,
    UnknownVoucher,
    VoidVoucher,
)
from auth.vouchers.issuing import IssuedBatch, Order
from auth.vouchers.keys import VoucherKeys
from auth.vouchers.models import Voucher
from config import Secret
from sites.models import Gateway, SigninMethod
from tests.actors import TESTER
from tests.auth.vouchers import KEYS, issue, redeem
from tests.clock import NOON

MIDNIGHT = NOON + timedelta(hours=12)


def test_the_first_use_fixes_the_end(db: Session, bayle: Gateway) -> None:
    code = issue(db, "2h").codes[0]
    later = NOON + timedelta(hours=1)
    first, again = redeem(db, code, bayle), redeem(db, code, bayle, now=later)
    assert first.until == again.until == NOON + timedelta(hours=2)
    [voucher] = db.query(Voucher)
    db.refresh(voucher)
    assert (voucher.used_at, voucher.until) == (NOON, NOON + timedelta(hours=2))


def test_the_allowance_is_what_the_plan_says(db: Session, bayle: Gateway) -> None:
    code = issue(db, devices=3, rate_down_kbps=2000).codes[0]
    allowance = redeem(db, code, bayle)
    assert (allowance.method, allowance.until) == (SigninMethod.PASS, MIDNIGHT)
    assert (allowance.devices, allowance.rate_down_kbps, allowance.rate_up_kbps) == (3, 2000, None)


def test_the_subject_is_the_pass_under_a_pseudonym(db: Session, bayle: Gateway) -> None:
    one, other = issue(db, count=2).codes
    subject = redeem(db, one, bayle).subject
    assert len(subject) == 32
    assert subject == redeem(db, one, bayle).subject != redeem(db, other, bayle).subject


def test_the_site_decides_zone_and_hours(db: Session, bayle: Gateway) -> None:
    # The library closes at 18:00, that is 17:00 UTC; the plan adds a quarter of an hour.
    assert redeem(db, issue(db, "closing").codes[0], bayle).until == NOON + timedelta(hours=6, minutes=15)
    bayle.site.zone = "Indian/Reunion"
    assert redeem(db, issue(db).codes[0], bayle).until == NOON + timedelta(hours=9)


def test_a_batch_that_ends_before_the_plan_would_ends_its_passes(db: Session, bayle: Gateway) -> None:
    order = Order(1, ends_at=NOON + timedelta(hours=3))
    plan = plans.by_slug(db, "day")
    code = issuing.issue(db, keys=KEYS, plan=plan, order=order, actor=TESTER, now=NOON).codes[0]
    assert redeem(db, code, bayle).until == NOON + timedelta(hours=3)


def test_it_refuses_an_unknown_code(db: Session, bayle: Gateway) -> None:
    issue(db)
    with pytest.raises(UnknownVoucher):
        redeem(db, "23456789Q", bayle)


def test_another_installations_key_knows_no_code_of_ours(db: Session, bayle: Gateway) -> None:
    code = issue(db).codes[0]
    foreign = VoucherKeys(Secret("another-0123456789abcdefghijklmnopqrstuvwxyz"))
    with pytest.raises(UnknownVoucher):
        redeeming.redeem(db, keys=foreign, code=code, gateway=bayle, now=NOON)


def test_the_names_of_passes_never_change() -> None:
    """Tickets in drawers outlive upgrades: these values were taken down when the first were printed."""
    assert KEYS.digest("7K2M9QXAH") == "6b5afaead176724d21880931967a3bc97b99532194b8ccb4faa5c129fa168c66"
    assert KEYS.subject(1) == "e0a499116092b0094b65ab62392cfffe"


def test_it_refuses_a_spent_voucher_from_its_last_instant_on(db: Session, bayle: Gateway) -> None:
    code = issue(db).codes[0]
    redeem(db, code, bayle)
    redeem(db, code, bayle, now=MIDNIGHT - timedelta(microseconds=1))
    with pytest.raises(SpentVoucher) as caught:
        redeem(db, code, bayle, now=MIDNIGHT)
    assert caught.value.until == MIDNIGHT


def test_it_refuses_an_expired_voucher_from_its_last_instant_on(db: Session, bayle: Gateway) -> None:
    end = NOON + timedelta(days=1)
    one, other = issue(db, count=2, ends_at=end).codes
    redeem(db, one, bayle, now=end - timedelta(seconds=1))
    with pytest.raises(ExpiredVoucher) as caught:
        redeem(db, other, bayle, now=end)
    assert caught.value.until == end


def test_it_refuses_a_voucher_until_the_midnight_that_begins_its_first_day(
    db: Session, bayle: Gateway
) -> None:
    def order(starts_at: datetime) -> IssuedBatch:
        wanted = Order(1, starts_at=starts_at, ends_at=MIDNIGHT + timedelta(days=1))
        plan = plans.by_slug(db, "day")
        return issuing.issue(db, keys=KEYS, plan=plan, order=wanted, actor=TESTER, now=NOON)

    (code,) = order(MIDNIGHT).codes
    with pytest.raises(EarlyVoucher) as caught:
        redeem(db, code, bayle, now=MIDNIGHT - timedelta(microseconds=1))
    assert caught.value.starts_at == MIDNIGHT
    redeem(db, code, bayle, now=MIDNIGHT)
    # A first day that has begun says nothing, and one after the last leaves no day at all.
    assert order(NOON).batch.starts_at is None
    with pytest.raises(NoDayBetween):
        order(MIDNIGHT + timedelta(days=1))


def test_it_refuses_a_void_voucher_with_its_mark(db: Session, bayle: Gateway) -> None:
    batch = issue(db, count=3)
    voiding.revoke(db, voiding.of_batch(batch.batch.id), actor=TESTER, now=NOON)
    with pytest.raises(VoidVoucher) as caught:
        redeem(db, batch.codes[2], bayle)
    assert caught.value.mark == batch.tickets[2].mark == f"{batch.batch.id}-3"


def test_it_refuses_a_suspended_batch(db: Session, bayle: Gateway) -> None:
    batch = issue(db)
    voiding.suspend(db, batch.batch.id, actor=TESTER, now=NOON)
    with pytest.raises(SuspendedVoucher):
        redeem(db, batch.codes[0], bayle)


def test_it_refuses_a_pass_of_another_place(db: Session, bayle: Gateway) -> None:
    code = issue(db, networks=["wifilib"]).codes[0]
    with pytest.raises(ForeignVoucher):
        redeem(db, code, bayle)


def test_a_refused_pass_stays_unused(db: Session, bayle: Gateway) -> None:
    batch = issue(db, networks=["wifilib"])
    with pytest.raises(ForeignVoucher):
        redeem(db, batch.codes[0], bayle)
    voucher = redeeming.find(db, keys=KEYS, code=batch.codes[0])
    assert voucher is not None
    assert voucher.used_at is None


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"voided_at": NOON, "void_reason": "revoked"}, VoidVoucher),
        ({"used_at": NOON - timedelta(hours=2), "until": NOON}, SpentVoucher),
    ],
    ids=["voided", "spent"],
)
def test_what_changes_between_the_look_and_the_claim_counts(
    db: Session, bayle: Gateway, change: dict[str, object], refusal: type[Exception]
) -> None:
    """The claim is a condition of its statement, not of the look before it."""
    batch = issue(db)
    seen = redeeming.look_up(redeeming.ask(db, keys=KEYS, code=batch.codes[0]), gateway=bayle, now=NOON)
    db.execute(update(Voucher).values(change))
    with pytest.raises(refusal):
        redeeming.use(db, seen, keys=KEYS, gateway=bayle, now=NOON)
    with pytest.raises(refusal):
        redeeming.use_and_claim(db, seen, keys=KEYS, gateway=bayle, now=NOON)[1]()
    assert db.scalars(select(Entitlement)).all() == []


def test_a_use_claims_the_entitlement_until_the_end_of_the_first(db: Session, bayle: Gateway) -> None:
    code = issue(db, "2h").codes[0]
    seen = redeeming.look_up(redeeming.ask(db, keys=KEYS, code=code), gateway=bayle, now=NOON)
    for now in (NOON, NOON + timedelta(hours=1)):
        allowance, claimed = redeeming.use_and_claim(db, seen, keys=KEYS, gateway=bayle, now=now)
        assert claimed().until == NOON + timedelta(hours=2)
        assert (claimed().subject, claimed().method) == (allowance.subject, SigninMethod.PASS)
    [voucher] = db.query(Voucher)
    db.refresh(voucher)
    assert (voucher.used_at, voucher.until) == (NOON, NOON + timedelta(hours=2))


@pytest.mark.parametrize(
    "mark", ["", "-", "1", "1-", "-1", "1-99", "99-1", "x-y", "1-1-1", "²-1", "9" * 40 + "-1"]
)
def test_a_mark_that_nothing_has_finds_nothing(db: Session, bayle: Gateway, mark: str) -> None:
    issue(db)
    assert redeeming.find_by_mark(db, mark) is None


def test_a_mark_finds_its_pass(db: Session, bayle: Gateway) -> None:
    batch = issue(db, count=3)
    found = redeeming.find_by_mark(db, batch.tickets[1].mark)
    assert found is not None
    assert found.number == 2
    assert found.batch.plan.slug == "day"
