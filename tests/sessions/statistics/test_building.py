"""A day's figures: what is counted where, when they are made, and that they can be made again, byte for byte."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from db.engine import SessionMaker, make_engine
from sessions.models import AccessSession, Decision, EndReason, Lease, Outage, Usage
from sessions.statistics import building
from sessions.statistics.building import Made, MissingRows
from sessions.statistics.calendar import first_of_month, span_of
from sessions.statistics.definitions import GRACE, RATE_CLASSES, rate_class
from sessions.statistics.models import DayFigures, FigureDay, FigureSalt
from sites.models import Gateway, SigninMethod, SiteState
from tests.sessions.statistics.rows import DAY, add_refusal, add_session, set_salt
from tests.town import Town, build_town

TUESDAY = date(2026, 11, 24)
FINAL = span_of(TUESDAY, "Europe/Paris").end + GRACE
# The clock is put forward and back on these days.
SPRING, AUTUMN = date(2026, 3, 29), date(2026, 10, 25)


def make(db: Session, day: date = TUESDAY) -> Made:
    set_salt(db, first_of_month(day))
    return building.make(db, day)


def figures(db: Session, gateway: Gateway, day: date = TUESDAY) -> dict[str, object]:
    return make(db, day).figures[gateway.network_id, gateway.site_id]


def at(hour: int, minute: int = 0, day: date = TUESDAY) -> datetime:
    """By the clock of the town, in winter."""
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC) - timedelta(hours=1)


def test_a_session_counts_where_and_when_it_began(db: Session) -> None:
    town = build_town(db)
    add_session(db, town.station, at=at(23, 50), minutes=30, walks=((town.battant, 20),))
    station, battant = figures(db, town.station), figures(db, town.battant)
    assert (station["sessions"], battant["sessions"]) == (1, 0)
    assert (station["visits"], battant["visits"]) == (1, 0)
    assert station["methods"] == {"free": 1}
    assert station["connected_seconds"] == 600
    following = make(db, TUESDAY + timedelta(days=1))
    assert {
        pair: (own["sessions"], own["visits"], own["connected_seconds"])
        for pair, own in following.figures.items()
    } == {
        (town.free.id, town.station.site_id): (0, 0, 600),
        (town.free.id, town.battant.site_id): (0, 1, 600),
        (town.library.id, town.pierre_bayle.site_id): (0, 0, 0),
    }


def test_a_session_that_no_gateway_let_pass_is_none(db: Session) -> None:
    town = build_town(db)
    add_session(db, town.station, confirmed=False)
    assert figures(db, town.station)["sessions"] == 0


def test_a_device_of_the_town_is_in_no_figure(db: Session) -> None:
    town = build_town(db)
    add_session(db, town.station, at=at(10), used=(1000, 50_000_000), method=SigninMethod.MANAGED)
    assert figures(db, town.station)["visits"] == 0
    assert figures(db, town.station)["sessions"] == 0
    assert figures(db, town.station)["bytes_down"] == 0


def test_a_renewal_is_the_same_stay(db: Session) -> None:
    town = build_town(db)
    add_session(db, town.station, minutes=60, walks=((town.station, 27),))
    found = figures(db, town.station)
    assert (found["sessions"], found["visits"], found["connected_seconds"]) == (1, 1, 3600)


def test_a_device_that_goes_on_under_a_new_address_is_the_same_visitor(db: Session) -> None:
    town = build_town(db)
    first = add_session(db, town.station, 1, at=at(10), minutes=10, end_reason=EndReason.MOVED)
    add_session(db, town.station, 2, at=at(10, 10), minutes=20, previous_id=first.id)
    made = make(db)
    found = made.figures[town.free.id, town.station.site_id]
    assert (found["sessions"], found["visits"], found["reattached"]) == (2, 1, 1)
    assert made.sketches is not None
    assert made.sketches[town.free.id, town.station.site_id].estimate() == 1


def test_a_device_that_took_another_ones_place_is_a_visitor_of_its_own(db: Session) -> None:
    town = build_town(db)
    first = add_session(db, town.station, 1, at=at(10), minutes=10, end_reason=EndReason.DEVICE_LIMIT)
    add_session(db, town.station, 2, at=at(10, 10), minutes=20, previous_id=first.id)
    assert figures(db, town.station)["visits"] == 2


def test_made_up_addresses_are_counted(db: Session) -> None:
    town = build_town(db)
    add_session(db, town.station, 1)
    add_session(db, town.station, 2, random=False)
    assert figures(db, town.station)["random_address"] == 1


def test_volume_counts_on_the_day_the_session_ended(db: Session) -> None:
    town = build_town(db)
    add_session(db, town.station, at=at(23, 50), minutes=30, used=(5, 70))
    assert figures(db, town.station)["bytes_down"] == 0
    following = figures(db, town.station, TUESDAY + timedelta(days=1))
    assert (following["bytes_up"], following["bytes_down"]) == (5, 70)


def test_a_rate_is_told_by_sessions_that_took_enough(db: Session) -> None:
    town = build_town(db)
    add_session(db, town.station, 1, used=(0, 9_999_999), best=40_000)
    add_session(db, town.station, 2, used=(0, 10_000_000), best=20_000)
    rates = [0] * len(RATE_CLASSES)
    rates[rate_class(20_000)] = 1
    assert figures(db, town.station)["rates"] == rates


def test_refusals_are_counted_by_rule(db: Session) -> None:
    town = build_town(db)
    for rule in ("wrong_credentials", "expired_card", "wrong_credentials"):
        add_refusal(db, town.station, rule)
    add_refusal(db, town.station, "expired_card", at=at(0) - timedelta(seconds=1))
    assert figures(db, town.station)["failures"] == {"expired_card": 1, "wrong_credentials": 2}


def test_an_outage_counts_while_the_place_is_open(db: Session) -> None:
    """Pierre-Bayle is open from 10 to 18 on Tuesdays."""
    town = build_town(db)
    add_session(db, town.pierre_bayle, at=at(11))
    add_session(db, town.station, at=at(11))
    for gateway in (town.pierre_bayle, town.station):
        db.add(Outage(gateway_id=gateway.id, since=at(8), until=at(10, 30)))
        db.add(Outage(gateway_id=gateway.id, since=at(23, 0), until=None))
    db.flush()
    library, station = figures(db, town.pierre_bayle), figures(db, town.station)
    assert (library["expected_seconds"], library["outage_seconds"]) == (8 * 3600, 1800)
    assert (station["expected_seconds"], station["outage_seconds"]) == (24 * 3600, 3.5 * 3600)


def test_nothing_is_wanted_of_a_gateway_that_is_not_in_service(db: Session) -> None:
    town = build_town(db)
    add_session(db, town.station)
    assert figures(db, town.station)["expected_seconds"] == 24 * 3600
    assert figures(db, town.station, TUESDAY - timedelta(days=1))["expected_seconds"] == 0
    assert figures(db, town.battant)["expected_seconds"] == 0
    town.station.site.state = SiteState.CLOSED
    db.flush()
    assert figures(db, town.station)["expected_seconds"] == 0


def test_hours_are_those_of_the_wall_clock(db: Session) -> None:
    town = build_town(db)
    add_session(db, town.station, at=at(10, 50), minutes=20)
    found = figures(db, town.station)
    assert found["hour_sessions"] == [int(hour == 10) for hour in range(24)]
    assert found["hour_seconds"] == [600 * (hour in (10, 11)) for hour in range(24)]


@pytest.mark.parametrize(
    ("day", "hours", "doubled", "missing"), [(SPRING, 23, None, 2), (AUTUMN, 25, 2, None)]
)
def test_a_day_of_23_or_25_hours_is_counted_as_long_as_it_is(
    db: Session, day: date, hours: int, doubled: int | None, missing: int | None
) -> None:
    town = build_town(db)
    span = span_of(day, "Europe/Paris")
    add_session(db, town.station, at=span.start, minutes=hours * 60 + 5)
    found = figures(db, town.station, day)
    assert found["connected_seconds"] == found["expected_seconds"] == hours * 3600
    assert found["at_once"] == [1] * (hours * 12)
    lengths = dict.fromkeys(range(24), 3600)
    lengths |= {doubled: 7200} if doubled is not None else {}
    lengths |= {missing: 0} if missing is not None else {}
    assert found["hour_seconds"] == list(lengths.values())
    following = figures(db, town.station, day + timedelta(days=1))
    assert following["connected_seconds"] == 300


# When days are made.


def test_a_day_waits_for_its_grace(db: Session) -> None:
    town = build_town(db)
    add_session(db, town.station)
    assert building.due(db, now=FINAL - timedelta(seconds=1)) is None
    assert building.due(db, now=FINAL) == TUESDAY


def test_a_day_waits_until_the_books_of_its_sessions_are_closed(db: Session) -> None:
    town = build_town(db)
    add_session(db, town.station, ended_at=None, end_reason=None)
    assert building.due(db, now=FINAL) is None
    db.execute(update(AccessSession).values(ended_at=AccessSession.until))
    assert building.due(db, now=FINAL) == TUESDAY


def test_a_session_that_goes_on_for_days_holds_nothing_up(db: Session) -> None:
    town = build_town(db)
    add_session(db, town.station, ended_at=None, end_reason=None, until=FINAL + timedelta(days=3))
    assert building.due(db, now=FINAL) == TUESDAY


def test_days_are_made_one_after_the_other_without_a_gap(db: Session) -> None:
    town = build_town(db)
    add_session(db, town.station)
    add_session(db, town.station, at=DAY + timedelta(days=2))
    made = []
    while day := building.due(db, now=FINAL + timedelta(days=2)):
        assert building.store(db, make(db, day), now=FINAL)
        made.append(day)
    assert made == [TUESDAY + timedelta(days=number) for number in range(3)]


def test_nothing_is_due_where_nothing_ever_happened(db: Session) -> None:
    assert building.due(db, now=FINAL) is None
    build_town(db)
    assert building.due(db, now=FINAL) is None


def test_a_day_is_written_once(db: Session) -> None:
    town = build_town(db)
    add_session(db, town.station)
    made = make(db)
    assert building.store(db, made, now=FINAL)
    before = building.canonical(db, TUESDAY)
    add_session(db, town.station, 2)
    assert not building.store(db, make(db), now=FINAL)
    assert building.canonical(db, TUESDAY) == before


# Made again.


def a_busy_day(db: Session, town: Town) -> None:
    for number in range(40):
        gateway = (town.station, town.battant, town.pierre_bayle)[number % 3]
        walks = ((town.battant, 7.0),) if number % 6 == 0 else ()
        began = at(0) + timedelta(minutes=31 * number)
        used = (1_000 * number, 3_000_000 * number)
        add_session(db, gateway, number % 25, at=began, walks=walks, used=used, best=2_000 * number)
        add_refusal(db, gateway, ("wrong_credentials", "blocked_card")[number % 2], at=began)
    db.add(Outage(gateway_id=town.station.id, since=at(3), until=at(4)))
    db.flush()


def made_days(db: Session, *, backwards: bool = False) -> dict[date, bytes]:
    """Two days made in either order, with the same salt each time."""
    db.add(FigureSalt(month=date(2026, 11, 1), salt=b"s" * 32))
    db.flush()
    days = [TUESDAY, TUESDAY + timedelta(days=1)]
    for day in reversed(days) if backwards else days:
        assert building.store(db, building.make(db, day), now=FINAL)
    return {day: building.canonical(db, day) for day in days}


def test_a_rebuild_gives_the_same_bytes(db: Session) -> None:
    town = build_town(db)
    a_busy_day(db, town)
    before = made_days(db)[TUESDAY]
    building.replace(db, building.rebuild(db, TUESDAY))
    assert building.canonical(db, TUESDAY) == before
    assert before.count(b"\n") == 7 and b'"sessions":14' in before


def test_a_rebuild_takes_the_records_of_that_time(db: Session) -> None:
    """Opening hours, wishes and states of today change nothing about that day."""
    town = build_town(db)
    a_busy_day(db, town)
    before = made_days(db)[TUESDAY]
    town.pierre_bayle.site.opening_hours = "24/7"
    town.station.site.state = SiteState.CLOSED
    town.free.rate_wanted_kbps = 1
    db.flush()
    building.replace(db, building.rebuild(db, TUESDAY))
    assert building.canonical(db, TUESDAY) == before


def test_a_rebuild_finds_what_was_altered(db: Session) -> None:
    town = build_town(db)
    a_busy_day(db, town)
    before = made_days(db)[TUESDAY]
    db.execute(update(DayFigures).where(DayFigures.site_id == town.station.site_id).values(visits=1))
    assert building.canonical(db, TUESDAY) != before
    building.replace(db, building.rebuild(db, TUESDAY))
    assert building.canonical(db, TUESDAY) == before


def test_the_order_of_making_changes_nothing(both_urls: list[str]) -> None:
    """Forwards on SQLite and backwards on PostgreSQL: the same bytes."""
    found = []
    for url, backwards in zip(both_urls, (False, True), strict=True):
        engine = make_engine(url)
        with Session(engine) as db:
            a_busy_day(db, build_town(db))
            found.append(made_days(db, backwards=backwards))
        engine.dispose()
    assert found[0] == found[1]


@pytest.mark.parametrize("table", [Lease, Usage, Decision, Outage])
def test_a_day_whose_rows_were_purged_keeps_its_figures(db: Session, table: type) -> None:
    town = build_town(db)
    a_busy_day(db, town)
    before = made_days(db)[TUESDAY]
    db.execute(delete(table))
    with pytest.raises(MissingRows):
        building.rebuild(db, TUESDAY)
    assert building.canonical(db, TUESDAY) == before


def test_a_day_says_with_which_definitions_it_was_made(make_session: SessionMaker) -> None:
    with make_session.begin() as db:
        add_session(db, build_town(db).station)
        building.store(db, make(db), now=FINAL)
    with make_session() as db:
        head = db.scalars(select(FigureDay)).one()
        assert (head.version, head.made_at, head.devices) == ("2026-2", FINAL, 1)
        assert list(head.devices_by_network.values()) == [1, 0] or list(head.devices_by_network.values()) == [
            0,
            1,
        ]
