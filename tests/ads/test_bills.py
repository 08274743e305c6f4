"""Monthly bills: final figures alone, numbers without a gap, never changed, and made again from the ledger."""

from __future__ import annotations

import threading
from datetime import date, timedelta

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from ads.errors import NothingToBill, UnfinishedMonth
from ads.ledger import bills
from ads.ledger.bills import BillLine
from ads.ledger.figures import cost_cents
from ads.ledger.models import Bill, BillYear
from ads.models import Advertiser, Impression
from auth.audit.log import AuditEntry
from db.engine import SessionMaker
from sessions.statistics.models import FigureDay
from tests.actors import person
from tests.ads.campaigns import PARIS, accept, make_advertiser, run_campaign
from tests.clock import NOON
from tests.town import build_town

NOVEMBER = date(2026, 11, 1)
IN_DECEMBER = NOON + timedelta(days=20)


def make_final(db: Session, last: date = date(2026, 11, 30)) -> None:
    """The figures of this day are made, and so are those of all before it."""
    db.add(FigureDay(day=last, version="1", made_at=IN_DECEMBER, devices=0, devices_by_network={}))
    db.flush()


def issue(db: Session, payer: Advertiser, month: date = NOVEMBER) -> Bill:
    return bills.issue(db, payer, month, actor=person("ada"), zone=PARIS, now=IN_DECEMBER)


def sold(db: Session, *, slug: str = "bakery", many: int = 7, price_cents: int = 1250) -> Advertiser:
    """An advertiser with two campaigns accepted in November: one `many` times, the other once and for nothing."""
    town = build_town(db) if slug == "bakery" else None
    payer = make_advertiser(db, slug)
    paid = run_campaign(db, f"{slug}-paid", advertiser=payer, price_cents=price_cents)
    free = run_campaign(db, f"{slug}-free", advertiser=payer)
    if town is not None:
        for number in range(many):
            accept(db, town.station, paid.creatives[0].id, number)
        accept(db, town.station, free.creatives[0].id, 900)
        # Past midnight at the end of the month, in Paris.
        accept(db, town.station, paid.creatives[0].id, 901, now=NOON.replace(day=30, hour=23, minute=30))
    return payer


@pytest.mark.parametrize(
    ("accepted", "price", "cents"),
    [(0, 850, 0), (1, 499, 0), (1, 500, 1), (1000, 850, 850), (1234, 850, 1049), (3, 10_000_000, 30_000)],
)
def test_half_a_cent_is_a_cent(accepted: int, price: int, cents: int) -> None:
    assert cost_cents(accepted, price) == cents


def test_a_bill_has_the_months_counted_messages_and_its_own_number(db: Session) -> None:
    payer = sold(db)
    with pytest.raises(UnfinishedMonth):
        issue(db, payer)
    make_final(db)
    bill = issue(db, payer)
    assert (bill.name, bill.total_cents, bill.payer["name"]) == ("2026-0001", 9, "Bakery Ada")
    assert bills.lines_of(bill) == [BillLine("bakery-paid", "Bakery-Paid", 7, 1250, 9)]
    assert issue(db, payer) is bill
    assert bills.of(db, payer, NOVEMBER) is bill
    entries = db.scalars(select(AuditEntry.action).where(AuditEntry.action == "bill issued")).all()
    assert len(entries) == 1


def test_where_there_is_nothing_to_bill_no_number_is_used_up(db: Session) -> None:
    payer = sold(db)
    make_final(db)
    with pytest.raises(NothingToBill):
        issue(db, payer, date(2026, 10, 1))
    with pytest.raises(NothingToBill):
        issue(db, make_advertiser(db, "florist", name="Florist"))
    assert issue(db, payer).number == 1


def test_a_bill_is_never_changed(make_session: SessionMaker) -> None:
    with make_session.begin() as db:
        payer = sold(db)
        make_final(db)
        issue(db, payer)
    for change in (update(Bill).values(total_cents=0), delete(Bill)):
        with pytest.raises(DatabaseError, match="a bill is never changed"), make_session.begin() as db:
            db.execute(change.execution_options(synchronize_session=False))
    with make_session.begin() as db:
        # Neither by what comes later.
        db.execute(update(Advertiser).values(name="Another"))
        again = issue(db, db.scalars(select(Advertiser).where(Advertiser.slug == "bakery")).one())
        assert (again.number, again.total_cents, again.payer["name"]) == (1, 9, "Bakery Ada")


def test_bills_issued_at_once_have_one_number_each_and_none_is_left_out(make_session: SessionMaker) -> None:
    with make_session.begin() as db:
        town = build_town(db)
        payers = []
        for number in range(3):
            payer = make_advertiser(db, f"payer-{number}", name=f"Payer {number}")
            campaign = run_campaign(db, f"c-{number}", advertiser=payer, price_cents=1000)
            accept(db, town.station, campaign.creatives[0].id, number)
            payers.append(payer.id)
        make_final(db)
    barrier = threading.Barrier(9)

    def issue_one(payer_id: int) -> None:
        barrier.wait()
        with make_session.begin() as db:
            issue(db, db.get_one(Advertiser, payer_id))

    threads = [threading.Thread(target=issue_one, args=(payer_id,)) for payer_id in payers * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with make_session() as db:
        assert sorted(db.scalars(select(Bill.number))) == [1, 2, 3]
        assert db.scalars(select(BillYear.last)).one() == 3


def test_a_bill_is_made_again_from_the_ledger(db: Session) -> None:
    payer = sold(db, many=40)
    make_final(db)
    bill = issue(db, payer)
    assert bills.rebuilt(db, bill) == bills.lines_of(bill)
    lost = db.scalars(select(Impression.id).where(Impression.nonce == "n3")).one()
    db.execute(delete(Impression).where(Impression.id == lost))
    assert [line.accepted for line in bills.rebuilt(db, bill)] == [39]
