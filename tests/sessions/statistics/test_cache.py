"""A report is computed once, and again exactly when something that it was computed from is another."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from sessions.statistics import building, cache, months, stored
from sessions.statistics import report as numbers
from sessions.statistics.models import ComputedReport
from sessions.statistics.periods import Period
from sessions.statistics.report import Report
from sessions.statistics.stored import UnknownFormat
from tests.sessions.statistics.rows import add_refusal, add_session, set_salt
from tests.town import Town, build_town

MAY, JUNE = date(2026, 5, 28), date(2026, 6, 1)
FIVE_DAYS = Period(JUNE, date(2026, 6, 5))
NOW = datetime(2026, 7, 10, 12, 0, tzinfo=UTC)


def noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 10, 0, tzinfo=UTC)


@pytest.fixture
def town(db: Session) -> Town:
    """On days of May and June: eight devices at the station, five at the library; all days made, May closed."""
    town = build_town(db)
    for day in (MAY, JUNE, JUNE + timedelta(days=3)):
        for device in range(8):
            add_session(db, town.station, device, at=noon(day), used=(10, 20_000_000), best=9_000)
        for device in range(20, 25):
            add_session(db, town.pierre_bayle, device, at=noon(day), minutes=60)
        add_refusal(db, town.station, at=noon(day))
    while (day := building.due(db, now=NOW)) and day <= FIVE_DAYS.last:
        set_salt(db, day.replace(day=1))
        building.store(db, building.make(db, day), now=NOW)
        if (month := months.due(db)) is not None:
            months.close(db, month, now=NOW)
    db.flush()
    return town


def accepted(_: Period) -> dict[tuple[int, int], int]:
    return {}


def ask(db: Session, period: Period = FIVE_DAYS, *networks: str) -> tuple[Report, bool]:
    """The report, and whether it was there already."""
    key = cache.key_of(db, period, networks=frozenset(networks), ads=accepted)
    if (found := cache.find(db, key)) is not None:
        return found, True
    report = numbers.load(db, period, networks=frozenset(networks), ads=accepted)
    cache.keep(db, key, report, now=NOW)
    return report, False


def test_a_report_is_computed_once_and_is_the_same_from_the_cache(db: Session, town: Town) -> None:
    computed, was_there = ask(db)
    again, is_there = ask(db)
    assert (was_there, is_there) == (False, True)
    assert again == computed and stored.write(again) == stored.write(computed)
    assert (again.whole.now.sessions, again.whole.now.peak[0]) == (26, 13)
    assert ask(db, FIVE_DAYS, "wifilib")[0].whole.now.sessions == 16


def a_day_is_made_again_with_other_figures(db: Session, town: Town) -> None:
    add_session(db, town.station, 99, at=noon(JUNE))
    building.replace(db, building.rebuild(db, JUNE))


def a_day_of_the_month_before_is_made_again(db: Session, town: Town) -> None:
    add_session(db, town.station, 99, at=noon(MAY))
    building.replace(db, building.rebuild(db, MAY, devices=False))


def the_month_is_closed(db: Session, town: Town) -> None:
    months.close(db, JUNE, now=NOW)


def a_place_has_another_name(db: Session, town: Town) -> None:
    town.station.site.name = "Gare de Besançon-Viotte"
    db.flush()


@pytest.mark.parametrize(
    "happens",
    [
        a_day_is_made_again_with_other_figures,
        a_day_of_the_month_before_is_made_again,
        the_month_is_closed,
        a_place_has_another_name,
    ],
)
def test_it_is_computed_again_when_what_it_is_made_of_changes(
    db: Session, town: Town, happens: Callable[[Session, Town], None]
) -> None:
    ask(db)
    happens(db, town)
    found, was_there = ask(db)
    assert not was_there
    assert found == numbers.load(db, FIVE_DAYS, networks=frozenset(), ads=accepted)
    assert db.query(ComputedReport).count() == 1


def test_other_days_and_days_made_again_to_the_same_leave_it(db: Session, town: Town) -> None:
    ask(db)
    building.replace(db, building.rebuild(db, JUNE))
    day = building.due(db, now=NOW)
    assert day == date(2026, 6, 6)
    building.store(db, building.make(db, day), now=NOW)
    found, was_there = ask(db)
    assert was_there and found.last_made == day


def test_messages_that_were_accepted_are_a_part_of_it(db: Session, town: Town) -> None:
    pair = (town.station.network_id, town.station.site_id)
    before = cache.key_of(db, FIVE_DAYS, networks=frozenset(), ads=accepted)
    after = cache.key_of(db, FIVE_DAYS, networks=frozenset(), ads=lambda _: {pair: 1})
    assert before.question == after.question and before.basis != after.basis


def test_only_so_many_are_kept_and_the_oldest_go(
    db: Session, town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "MOST", 2)
    for number in range(3):
        period = Period(JUNE, JUNE + timedelta(days=number))
        report, key = ask(db, period)[0], cache.key_of(db, period, networks=frozenset(), ads=accepted)
        cache.keep(db, key, report, now=NOW + timedelta(minutes=number))
    assert db.query(ComputedReport).count() == 2
    assert ask(db, Period(JUNE, JUNE + timedelta(days=2)))[1]
    assert not ask(db, Period(JUNE, JUNE))[1]


def test_what_another_version_wrote_is_not_read(db: Session, town: Town) -> None:
    with pytest.raises(UnknownFormat):
        stored.read(b'{"format":0}')


def test_a_quiet_period_is_kept_too(db: Session, town: Town) -> None:
    empty = Period(date(2024, 1, 1), date(2024, 1, 31))
    computed, _ = ask(db, empty)
    assert ask(db, empty) == (computed, True)
