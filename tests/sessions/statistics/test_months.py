"""A month's devices: counted with a secret, and the secret destroyed with the month's end."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from sessions.statistics import building, months
from sessions.statistics.calendar import DAY, days_between
from sessions.statistics.models import DaySketch, FigureDay, FigureSalt, MonthSketch
from sessions.statistics.months import DestroyedSalt
from sessions.statistics.sketch import count, merged
from tests.sessions.statistics.rows import add_session, mac, set_salt
from tests.town import Town, build_town

FEBRUARY, MARCH = date(2026, 2, 1), date(2026, 3, 1)
NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)


@pytest.fixture
def town(db: Session) -> Town:
    """Every day of February: four devices that come again, and four of that day, half of them at either site."""
    town = build_town(db)
    for number, day in enumerate(days_between(FEBRUARY, MARCH - DAY)):
        noon = datetime(day.year, day.month, day.day, 12, 0, tzinfo=UTC)
        for device in [*range(4), *range(100 + 4 * number, 104 + 4 * number)]:
            add_session(db, (town.station, town.battant)[device % 2], device, at=noon)
    return town


def make_february(db: Session) -> None:
    while (day := building.due(db, now=NOW)) and day < MARCH:
        set_salt(db, FEBRUARY)
        assert building.store(db, building.make(db, day), now=NOW)


def test_a_month_is_closed_when_all_its_days_are_made(db: Session, town: Town) -> None:
    while day := building.due(db, now=NOW):
        if day == MARCH:
            break
        assert months.due(db) is None
        set_salt(db, FEBRUARY)
        building.store(db, building.make(db, day), now=NOW)
    assert months.due(db) == FEBRUARY
    assert months.close(db, FEBRUARY, now=NOW)
    assert months.due(db) is None


def test_days_months_and_both_sites_are_counted(db: Session, town: Town) -> None:
    make_february(db)
    head = db.get_one(FigureDay, FEBRUARY)
    assert head.devices == head.devices_by_network[str(town.free.id)] == 8
    months.close(db, FEBRUARY, now=NOW)
    sketches = months.month_sketches(db, FEBRUARY, FEBRUARY)
    by_site = {pair[1]: sketch.estimate() for _, pair, sketch in sketches}
    # Four that come again and four new ones on each of 28 days: 116 in all, 58 at either site.
    assert by_site[town.station.site_id] == pytest.approx(58, rel=0.05)
    assert by_site[town.battant.site_id] == pytest.approx(58, rel=0.05)
    everywhere, by_network = months.estimates((pair, sketch) for _, pair, sketch in sketches)
    assert everywhere == by_network[str(town.free.id)] == pytest.approx(116, rel=0.05)
    stored = db.scalars(select(MonthSketch.devices).where(MonthSketch.site_id == town.station.site_id)).one()
    assert stored == by_site[town.station.site_id]


def test_a_closed_month_has_neither_salt_nor_days(db: Session, town: Town) -> None:
    make_february(db)
    assert len(db.scalars(select(DaySketch)).all()) == 28 * 3
    months.close(db, FEBRUARY, now=NOW)
    assert db.scalars(select(DaySketch)).all() == []
    salt = db.scalars(select(FigureSalt)).one()
    assert (salt.salt, salt.destroyed_at) == (None, NOW)


def test_a_month_is_closed_once(db: Session, town: Town) -> None:
    make_february(db)
    assert months.close(db, FEBRUARY, now=NOW)
    kept = [row.sketch for row in db.scalars(select(MonthSketch))]
    assert not months.close(db, FEBRUARY, now=NOW + DAY)
    assert [row.sketch for row in db.scalars(select(MonthSketch))] == kept


def test_a_salt_is_made_once_and_stays(db: Session) -> None:
    months.make_salt(db, FEBRUARY)
    first = months.salt_of(db, FEBRUARY)
    months.make_salt(db, FEBRUARY)
    months.make_salt(db, MARCH)
    assert months.salt_of(db, FEBRUARY) == first != months.salt_of(db, MARCH)
    assert len(first) == 32


def test_a_destroyed_salt_is_not_made_again(db: Session, town: Town) -> None:
    make_february(db)
    months.close(db, FEBRUARY, now=NOW)
    months.make_salt(db, FEBRUARY)
    with pytest.raises(DestroyedSalt) as refused:
        months.salt_of(db, FEBRUARY)
    assert (refused.value.month, refused.value.destroyed_at) == (FEBRUARY, NOW)


def test_before_the_salt_is_gone_a_day_is_made_again_byte_for_byte(db: Session, town: Town) -> None:
    make_february(db)
    before = building.canonical(db, FEBRUARY)
    building.replace(db, building.rebuild(db, FEBRUARY))
    assert building.canonical(db, FEBRUARY) == before


def test_afterwards_its_devices_are_refused_and_the_rest_is_the_same(db: Session, town: Town) -> None:
    make_february(db)
    months.close(db, FEBRUARY, now=NOW)
    before = building.canonical(db, FEBRUARY)
    with pytest.raises(DestroyedSalt):
        building.rebuild(db, FEBRUARY)
    building.replace(db, building.rebuild(db, FEBRUARY, devices=False))
    assert building.canonical(db, FEBRUARY) == before


def test_nobody_who_knows_every_device_finds_one_in_what_is_left(db: Session, town: Town) -> None:
    """With the log at hand, and all that the database holds for a salt, one tries to place the devices of February."""
    make_february(db)
    true_salt = months.salt_of(db, FEBRUARY)
    months.close(db, FEBRUARY, now=NOW)
    sketches = [sketch for _, _, sketch in months.month_sketches(db, FEBRUARY, FEBRUARY)]
    kept = merged(sketches)
    of_february = [mac(number) for number in (*range(4), *range(100, 212))]
    guests, strangers = of_february[:100], [mac(number) for number in range(20_000, 20_100)]

    def fits(those: list[str], salt: bytes) -> int:
        stored = kept.to_bytes()
        return sum(merged([kept, count([one], salt=salt)]).to_bytes() == stored for one in those)

    # The attack is a good one: with the salt it places everybody.
    assert fits(guests, true_salt) == 100
    left = [value for row in db.scalars(select(FigureSalt)) for value in vars(row).values()]
    for guess in (b"", b"0" * 32, *(str(value).encode() for value in left)):
        assert abs(fits(guests, guess) - fits(strangers, guess)) < 15


def test_two_months_have_nothing_in_common(db: Session) -> None:
    """The same devices in two months look like twice as many: nobody is followed from one to the next."""
    months.make_salt(db, FEBRUARY)
    months.make_salt(db, MARCH)
    some = [mac(number) for number in range(200)]
    both = merged(count(some, salt=months.salt_of(db, month)) for month in (FEBRUARY, MARCH))
    assert both.estimate() == pytest.approx(400, rel=0.08)
