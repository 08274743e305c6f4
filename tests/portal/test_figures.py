"""The figures of all rooms, made by the sweep: one day once, a month closed, and nothing left of its salt."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import event, select, text

from ads.models import AdDayFigures, Impression
from config import Secret, Settings
from portal import statistics
from portal.app import create_app, make_services
from portal.services import Services
from sessions.statistics import months
from sessions.statistics.building import MissingRows
from sessions.statistics.models import DayFigures, FigureDay, FigureSalt
from sessions.statistics.months import DestroyedSalt
from tests.clock import MovingClock
from tests.sessions.statistics.rows import add_session
from tests.town import Town

FIRST = date(2026, 9, 28)
NOON = datetime(2026, 9, 28, 10, 0, tzinfo=UTC)


@pytest.fixture
def days(services: Services, town: Town) -> list[date]:
    """From 28 September on, five devices a day at the station, and one message accepted; today is 24 November."""
    with services.make_session.begin() as db:
        for number in range(6):
            at = NOON + timedelta(days=number)
            for device in range(5):
                access = add_session(db, town.station, device, at=at)
            db.add(
                Impression(
                    nonce=f"{number}",
                    network_id=town.free.id,
                    site_id=town.station.site_id,
                    access_id=access.id,
                    language="fr",
                    shown_at=at,
                    accepted_at=at,
                    confirmed_at=at,
                )
            )
    return [FIRST + timedelta(days=number) for number in range(6)]


def make_until(services: Services, last: date) -> list[date]:
    made = []
    while not made or made[-1] < last:
        day = statistics.make_next(services)
        assert day is not None
        made.append(day)
    return made


def test_the_sweep_makes_the_figures_that_are_due(app: Flask, services: Services, days: list[date]) -> None:
    for _ in range(2):
        assert app.test_cli_runner().invoke(args=["sweep"]).exit_code == 0
    with services.make_session() as db:
        made = db.scalars(select(FigureDay.day).order_by(FigureDay.day)).all()
        assert made[: len(days)] == days
        assert made[-1] == date(2026, 11, 21)
        assert db.scalars(select(DayFigures.sessions).where(DayFigures.sessions > 0)).all() == [5] * len(days)


def test_a_month_that_is_done_is_closed(services: Services, days: list[date]) -> None:
    make_until(services, days[-1])
    with services.make_session() as db:
        salts = {row.month: row.salt is None for row in db.scalars(select(FigureSalt))}
        assert salts == {date(2026, 9, 1): True, date(2026, 10, 1): False}


def test_nothing_of_the_salt_is_left_in_the_files_of_the_table(services: Services, days: list[date]) -> None:
    """The write-ahead log of PostgreSQL is another matter: see docs/report.md."""
    assert statistics.make_next(services) == FIRST
    with services.make_session() as db:
        salt = months.salt_of(db, date(2026, 9, 1))
    assert any(salt in path.read_bytes() for path in files_of(services))
    make_until(services, days[-1])
    assert not any(salt in path.read_bytes() for path in files_of(services))


def files_of(services: Services) -> list[Path]:
    """Where the database keeps the salts."""
    if services.engine.dialect.name == "sqlite":
        base = Path(services.engine.url.database or "")
        return [path for path in base.parent.iterdir() if path.name.startswith(base.name)]
    with services.engine.connect() as connection:
        connection.execute(text("CHECKPOINT"))
        where = "SELECT current_setting('data_directory') || '/' || pg_relation_filepath('figure_salts')"
        return [Path(str(connection.scalar(text(where))))]


def test_two_sweeps_at_once_make_each_day_once(services: Services, days: list[date]) -> None:
    """Whoever comes second finds the day made: no row is doubled, and the bytes are those of one alone."""
    start = threading.Barrier(2)
    errors: list[BaseException] = []

    def sweep() -> None:
        try:
            start.wait(timeout=30)
            for _ in range(4):
                statistics.make_next(services)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=sweep) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    with services.make_session() as db:
        made = db.scalars(select(FigureDay.day).order_by(FigureDay.day)).all()
        assert made[:3] == days[:3]
        for day in made:
            rows = db.scalars(select(DayFigures).where(DayFigures.day == day)).all()
            assert len(rows) == 3
    # Of the open month every day can be proved.
    for day in made:
        if day >= date(2026, 10, 1):
            assert statistics.rebuild(services, day, devices=True).is_same


def test_a_slow_sweep_finds_its_day_made_and_the_month_closed_by_another(
    services: Services, days: list[date]
) -> None:
    """The other one does all of September after this one has chosen its first day, and before it has read a row."""
    engine, has_salt, errors = services.engine, threading.Event(), list[BaseException]()
    others: list[threading.Thread] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if "INSERT INTO figure_salts" in statement:
            has_salt.set()

    def overtake(*_: object) -> None:
        if has_salt.is_set() and not others and threading.current_thread() is threading.main_thread():
            other = threading.Thread(target=make_all)
            others.append(other)
            other.start()
            other.join()

    def make_all() -> None:
        try:
            make_until(services, days[3])
        except BaseException as error:
            errors.append(error)

    event.listen(engine, "before_cursor_execute", note)
    event.listen(engine, "checkin", overtake)
    try:
        assert statistics.make_next(services) == FIRST
    finally:
        event.remove(engine, "before_cursor_execute", note)
        event.remove(engine, "checkin", overtake)
    assert others and errors == []
    with services.make_session() as db:
        assert db.scalar(select(FigureSalt.salt).where(FigureSalt.month == date(2026, 9, 1))) is None
        assert len(db.scalars(select(DayFigures).where(DayFigures.day == FIRST)).all()) == 3


def test_what_was_made_is_made_again_with_the_same_bytes(services: Services, days: list[date]) -> None:
    make_until(services, days[-1])
    assert statistics.rebuild(services, date(2026, 10, 2), devices=True).is_same
    with pytest.raises(DestroyedSalt):
        statistics.rebuild(services, FIRST, devices=True)
    assert statistics.rebuild(services, FIRST, devices=False).is_same


def test_accepted_messages_that_were_purged_stay_counted(services: Services, days: list[date]) -> None:
    make_until(services, days[-1])
    with services.make_session.begin() as db:
        db.add(AdDayFigures(day=date(2026, 10, 2), network_id=1, site_id=1, accepted=3))
    with pytest.raises(MissingRows):
        statistics.rebuild(services, date(2026, 10, 2), devices=True)
    with services.make_session() as db:
        assert db.scalars(select(AdDayFigures.accepted)).all() == [3]


def test_a_sweep_that_goes_on_for_ever_makes_them_too(
    services: Services, days: list[date], clock: MovingClock
) -> None:
    from portal.cli.sweep import _go_on

    class Rounds(threading.Event):
        """So many rounds, without waiting."""

        left = 3

        def wait(self, timeout: float | None = None) -> bool:
            self.left -= 1
            return self.left < 0

    # As the command runs it: what the sweep tells gateways is rendered by the application.
    with create_app(services).app_context():
        _go_on(services, 0.2, Rounds())
    with services.make_session() as db:
        assert db.scalars(select(FigureDay.day).order_by(FigureDay.day)).all() == days[:3]


def test_a_sweep_that_cannot_use_the_database_tells_why(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """As on the first start of a new machine, before the tables are made."""
    from portal.cli.sweep import _go_on

    url = f"sqlite:///{tmp_path}/empty.sqlite3"
    empty = make_services(
        Settings(secret_key=Secret("x" * 40), portal_url="https://p.example", database_url=url)
    )

    class Once(threading.Event):
        rounds = 1

        def wait(self, timeout: float | None = None) -> bool:
            self.rounds -= 1
            return self.rounds < 0

    with create_app(empty).app_context():
        _go_on(empty, 0.2, Once())
    empty.engine.dispose()
    assert "the sweep could not use the database: no such table: " in caplog.text
