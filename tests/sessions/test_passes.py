"""Passes taken back while somebody is online with them; places of one ticket on several networks."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import event, select, update
from sqlalchemy.orm import Session

from auth.vouchers import issuing, plans, redeeming, voiding
from auth.vouchers.errors import AlreadyUsed
from auth.vouchers.issuing import IssuedBatch, Order
from auth.vouchers.keys import VoucherKeys
from auth.vouchers.models import Voucher
from config import Secret
from sessions import roaming, start
from sessions import vouchers as passes
from sessions.arrival import Acceptance, Arrival
from sessions.models import AccessSession, EndReason, Lease
from sessions.start import Opened, WhenFull
from sites.models import Gateway
from tests.actors import TESTER
from tests.clock import NOON
from tests.town import ADA_PHONE, ADA_TABLET, BO_PHONE, Town, build_town, make_client

KEYS = VoucherKeys(Secret("0123456789abcdefghijklmnopqrstuvwxyzABCDEF"))
TERMS = Acceptance("2026-1", "fr", "0" * 64)


@pytest.fixture
def town(db: Session) -> Town:
    plans.add_first_plans(db)
    return build_town(db)


def issue(db: Session, count: int = 1, **fields: object) -> IssuedBatch:
    plan = plans.by_slug(db, "day")
    for name, value in fields.items():
        setattr(plan, name, value)
    return issuing.issue(db, keys=KEYS, plan=plan, order=Order(count), actor=TESTER, now=NOON)


def enter(
    db: Session,
    code: str,
    gateway: Gateway,
    mac: str = ADA_PHONE,
    *,
    now: datetime = NOON,
    when_full: WhenFull = WhenFull.REFUSE,
) -> Opened:
    allowance = redeeming.redeem(db, keys=KEYS, code=code, gateway=gateway, now=now)
    return start.open_access(
        db, Arrival(gateway, make_client(mac), TERMS), allowance=allowance, now=now, when_full=when_full
    )


def reasons(db: Session) -> list[EndReason | None]:
    return list(db.scalars(select(AccessSession.end_reason).order_by(AccessSession.id)))


def test_a_pass_runs_to_its_own_end_past_lease_length_and_closing(db: Session, town: Town) -> None:
    # The library's leases are four hours long, and it closes at 18:00.
    access = enter(db, issue(db).codes[0], town.pierre_bayle).access
    assert access.until == NOON + timedelta(hours=12)
    assert db.scalars(select(Lease.until)).one() == access.until


def test_a_pass_walks_into_a_library_past_its_closing(db: Session, town: Town) -> None:
    access = enter(db, issue(db).codes[0], town.pierre_bayle).access
    roaming.walk(db, access, gateway=town.pierre_bayle, client=make_client(ADA_PHONE), now=NOON)
    assert access.until == NOON + timedelta(hours=12)
    assert set(db.scalars(select(Lease.until))) == {NOON + timedelta(hours=12)}


def test_whoever_comes_late_is_refused_before_the_pass_is_locked(db: Session, town: Town) -> None:
    """Only other devices take places away, and only those that are online."""
    batch = issue(db, devices=2)

    def late(mac: str, gateway: Gateway = town.pierre_bayle, now: datetime = NOON) -> None:
        client = make_client(mac)
        voucher = redeeming.look_up(redeeming.ask(db, keys=KEYS, code=batch.codes[0]), gateway=None, now=NOON)
        passes.refuse_when_full(db, voucher, keys=KEYS, gateway=gateway, client=client, now=now)

    late(BO_PHONE)
    enter(db, batch.codes[0], town.pierre_bayle)
    late(BO_PHONE)
    enter(db, batch.codes[0], town.pierre_bayle, ADA_TABLET)
    for gateway in (town.pierre_bayle, town.station):
        with pytest.raises(AlreadyUsed):
            late(BO_PHONE, gateway)
    with pytest.raises(AlreadyUsed):
        late(ADA_PHONE, town.station)
    late(ADA_PHONE)
    late(BO_PHONE, now=NOON + timedelta(hours=12))
    db.execute(update(AccessSession).where(AccessSession.mac == ADA_PHONE).values(ended_at=NOON))
    late(BO_PHONE)


class CountingKeys(VoucherKeys):
    """Counts the pseudonyms that are made."""

    made = 0

    def subject(self, voucher_id: int) -> str:
        self.made += 1
        return super().subject(voucher_id)


def test_the_pass_of_a_session_is_found_without_trying_every_pass(db: Session, town: Town) -> None:
    codes = issue(db, 30, devices=2).codes
    for number, code in enumerate(codes):
        enter(
            db, code, town.pierre_bayle, f"02:00:00:00:01:{number:02x}", now=NOON + timedelta(minutes=number)
        )
    later = enter(db, codes[20], town.pierre_bayle, ADA_TABLET, now=NOON + timedelta(hours=1)).access
    keys = CountingKeys(Secret("0123456789abcdefghijklmnopqrstuvwxyzABCDEF"))
    assert passes.mark_of(db, later, keys=keys) == "1-21"
    assert keys.made == 1
    # Without its first session, as after a purge, it is still found; and no other key finds it.
    db.execute(update(AccessSession).where(AccessSession.id == 21).values(subject="purged"))
    assert passes.mark_of(db, later, keys=keys) == "1-21"
    other = VoucherKeys(Secret("FEDCBAzyxwvutsrqponmlkjihgfedcba9876543210"))
    assert passes.mark_of(db, later, keys=other) is None


def test_its_rate_goes_with_it_to_every_further_lease(db: Session, town: Town) -> None:
    code = issue(db, rate_down_kbps=3_000, rate_up_kbps=0).codes[0]
    access = enter(db, code, town.station).access
    roaming.walk(db, access, gateway=town.battant, client=make_client(ADA_PHONE), now=NOON)
    leases = db.execute(select(Lease.rate_down_kbps, Lease.rate_up_kbps)).all()
    assert leases == [(3_000, 0), (3_000, 0)]


def test_the_last_place_is_refused_where_that_is_asked(db: Session, town: Town) -> None:
    code = issue(db).codes[0]
    enter(db, code, town.pierre_bayle)
    with pytest.raises(AlreadyUsed):
        enter(db, code, town.pierre_bayle, ADA_TABLET)
    assert reasons(db) == [None]


def test_the_oldest_gives_way_where_that_is_asked(db: Session, town: Town) -> None:
    code = issue(db, devices=2).codes[0]
    for minute, mac in enumerate([ADA_PHONE, ADA_TABLET, BO_PHONE]):
        now = NOON + timedelta(minutes=minute)
        enter(db, code, town.pierre_bayle, mac, now=now, when_full=WhenFull.REPLACE)
    assert reasons(db) == [EndReason.DEVICE_LIMIT, None, None]


def test_a_place_is_one_on_all_networks_together(db: Session, town: Town) -> None:
    code = issue(db).codes[0]
    enter(db, code, town.pierre_bayle)
    with pytest.raises(AlreadyUsed):
        enter(db, code, town.station, ADA_TABLET)
    enter(db, code, town.station, ADA_TABLET, when_full=WhenFull.REPLACE)
    assert reasons(db) == [EndReason.DEVICE_LIMIT, None]


def test_a_device_that_is_gone_leaves_its_place(db: Session, town: Town) -> None:
    code = issue(db).codes[0]
    first = enter(db, code, town.pierre_bayle).access
    start.end.end(db, first.id, reason=EndReason.IDLE, now=NOON)
    later = NOON + timedelta(hours=1)
    assert enter(db, code, town.pierre_bayle, ADA_TABLET, now=later).access.until == NOON + timedelta(
        hours=12
    )


def test_revoking_ends_every_session_of_those_passes_and_no_other(db: Session, town: Town) -> None:
    batch, other = issue(db, 3), issue(db)
    enter(db, batch.codes[0], town.pierre_bayle, ADA_PHONE)
    enter(db, batch.codes[1], town.pierre_bayle, ADA_TABLET)
    enter(db, other.codes[0], town.pierre_bayle, BO_PHONE)
    which = voiding.of_batch(batch.batch.id)
    revoked = passes.revoke(db, which, keys=KEYS, actor=TESTER, now=NOON)
    assert (len(revoked.voucher_ids), revoked.sessions) == (3, 2)
    assert reasons(db) == [EndReason.STAFF, EndReason.STAFF, None]
    assert db.scalars(select(Lease.released_at).order_by(Lease.id)).all() == [NOON, NOON, None]


def test_revoking_thousands_asks_about_the_used_ones_alone(db: Session, town: Town) -> None:
    batch = issue(db, 3_000)
    enter(db, batch.codes[7], town.pierre_bayle)
    asked: list[str] = []
    listener = lambda _c, _u, statement, *_: asked.append(statement)  # noqa: E731
    event.listen(db.get_bind(), "before_cursor_execute", listener)
    revoked = passes.revoke(db, voiding.of_batch(batch.batch.id), keys=KEYS, actor=TESTER, now=NOON)
    event.remove(db.get_bind(), "before_cursor_execute", listener)
    assert (len(revoked.voucher_ids), revoked.sessions) == (3_000, 1)
    # With those of the entry in the audit log.
    assert len(asked) < 16


def test_replacing_cuts_the_old_ticket_off(db: Session, town: Town) -> None:
    batch = issue(db)
    enter(db, batch.codes[0], town.pierre_bayle)
    [old] = db.scalars(select(Voucher.id))
    ticket = passes.replace(db, keys=KEYS, voucher_id=old, actor=TESTER, now=NOON)
    assert reasons(db) == [EndReason.STAFF]
    enter(db, ticket.code, town.pierre_bayle)
    assert reasons(db) == [EndReason.STAFF, None]
