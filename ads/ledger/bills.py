"""Monthly bills: issued once the month's figures are final, numbered without a gap, and never changed.

A bill adds up to the ledger: as long as the ledger's rows are kept, its lines can be made from them again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from ads.errors import NothingToBill, UnfinishedMonth
from ads.ledger.days import accepted_between
from ads.ledger.figures import cost_cents
from ads.ledger.models import Bill, BillYear
from ads.models import Advertiser, Campaign, Creative, CreativeDay, Impression
from auth.audit import log
from auth.audit.actions import BILL_ISSUED, ObjectKind
from auth.audit.actor import Actor
from sessions.statistics.calendar import DAY, first_of_month, next_month
from sessions.statistics.models import FigureDay


@dataclass(frozen=True, slots=True)
class BillLine:
    """One campaign of one month: the messages accepted and counted, the price of a thousand, and what that makes."""

    campaign: str
    name: str
    accepted: int
    price_cents: int
    cents: int


def issue(
    db: Session, advertiser: Advertiser, month: date, *, actor: Actor, zone: ZoneInfo, now: datetime
) -> Bill:
    """The bill of this advertiser for this month: the one that was issued, or else a new one.

    `zone` is the town's: the day of issue there gives the year. Raises `UnfinishedMonth` and `NothingToBill`.
    """
    month, year = first_of_month(month), now.astimezone(zone).year
    if (issued := of(db, advertiser, month)) is not None:
        return issued
    if not _is_final(db, month):
        raise UnfinishedMonth
    lines = _lines(_counted_by_day(db, advertiser, month))
    if not lines:
        raise NothingToBill
    number = _claim(db, year)
    # Whoever waited for the number may find that the bill was issued meanwhile.
    if (issued := of(db, advertiser, month)) is not None:
        db.execute(update(BillYear).where(BillYear.year == year).values(last=BillYear.last - 1))
        return issued
    payer = {"name": advertiser.name, "identity": advertiser.identity, "contact": advertiser.contact}
    bill = Bill(
        year=year,
        number=number,
        advertiser_id=advertiser.id,
        month=month,
        issued_at=now,
        issued_by=actor.name,
        payer=payer,
        lines=[asdict(line) for line in lines],
        total_cents=sum(line.cents for line in lines),
    )
    db.add(bill)
    db.flush()
    detail: log.Detail = {"bill": bill.name, "month": f"{month:%Y-%m}", "cents": bill.total_cents}
    log.append(
        db, BILL_ISSUED, ObjectKind.ADVERTISER.named(advertiser.slug), actor=actor, now=now, detail=detail
    )
    return bill


def of(db: Session, advertiser: Advertiser, month: date) -> Bill | None:
    """The bill that was issued for this month, if one was."""
    return db.scalars(
        select(Bill).where(Bill.advertiser_id == advertiser.id, Bill.month == first_of_month(month))
    ).first()


def every(db: Session, advertiser: Advertiser) -> Sequence[Bill]:
    """The bills of an advertiser, newest first."""
    return db.scalars(
        select(Bill).where(Bill.advertiser_id == advertiser.id).order_by(Bill.month.desc())
    ).all()


def lines_of(bill: Bill) -> list[BillLine]:
    """The lines as they were issued."""
    return [BillLine(**line) for line in bill.lines]


def rebuilt(db: Session, bill: Bill) -> list[BillLine]:
    """The lines of a bill made again from the ledger, row by row of it. Fewer rows make less than was billed.

    They are those that were issued, as long as none of the month's rows is erased.
    """
    prices = {line.campaign: line.price_cents for line in lines_of(bill)}
    counted: dict[str, tuple[str, int]] = {}
    last = next_month(bill.month) - DAY
    for within in accepted_between(db, bill.month, last):
        rows = db.execute(
            select(Campaign.slug, Campaign.name, func.count())
            .join(Creative, Creative.campaign_id == Campaign.id)
            .join(Impression, Impression.creative_id == Creative.id)
            .where(within, Impression.is_counted, Campaign.advertiser_id == bill.advertiser_id)
            .group_by(Campaign.slug, Campaign.name)
        )
        for slug, name, many in rows:
            counted[slug] = (name, counted.get(slug, ("", 0))[1] + many)
    return _lines(
        (slug, name, prices[slug], many) for slug, (name, many) in sorted(counted.items()) if slug in prices
    )


def _lines(counted: Iterator[tuple[str, str, int, int]]) -> list[BillLine]:
    return [
        BillLine(slug, name, many, price, cost_cents(many, price))
        for slug, name, price, many in counted
        if many
    ]


def _counted_by_day(db: Session, advertiser: Advertiser, month: date) -> Iterator[tuple[str, str, int, int]]:
    """Each campaign with a price, and what was counted of it in this month."""
    rows = db.execute(
        select(Campaign.slug, Campaign.name, Campaign.price_cents, func.sum(CreativeDay.accepted))
        .join(Creative, Creative.campaign_id == Campaign.id)
        .join(CreativeDay, CreativeDay.creative_id == Creative.id)
        .where(
            Campaign.advertiser_id == advertiser.id,
            Campaign.price_cents.is_not(None),
            CreativeDay.day >= month,
            CreativeDay.day < next_month(month),
        )
        .group_by(Campaign.slug, Campaign.name, Campaign.price_cents)
        .order_by(Campaign.slug)
    )
    for slug, name, price_cents, many in rows:
        assert price_cents is not None
        yield slug, name, price_cents, int(many)


def _is_final(db: Session, month: date) -> bool:
    """Whether the figures of all its days are made: days are made in their order."""
    last = db.scalar(select(func.max(FigureDay.day)))
    return last is not None and last >= next_month(month) - timedelta(days=1)


def _claim(db: Session, year: int) -> int:
    """The next number of the year. Its row is locked until the bill is there, or nothing is."""
    insert = postgresql.insert if db.get_bind().dialect.name == "postgresql" else sqlite.insert
    statement = insert(BillYear).values(year=year, last=1)
    number: int | None = db.scalar(
        statement.on_conflict_do_update(
            index_elements=[BillYear.year], set_={"last": BillYear.last + 1}
        ).returning(BillYear.last)
    )
    assert number is not None
    return number
