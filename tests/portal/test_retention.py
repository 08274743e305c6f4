"""``flask retention`` and the sweep: terms and purges as an operator meets them, full and read-only disks included."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import func, select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from auth.audit.log import AuditEntry
from config import Secret, Settings
from db.disk_reserve import Reserve, reserve_of
from portal import retention
from portal.app import create_app, make_services
from portal.services import Services
from sessions.models import Decision
from sessions.retention import clock_check as clocks
from sessions.retention import periods
from sessions.retention.models import PurgeRun
from sessions.retention.purge import Phase
from tests.clock import NOON, MovingClock
from tests.portal.conftest import PORTAL, SECRET
from tests.sessions.retention.past import Past
from tests.town import Town, build_town

OLD = NOON - timedelta(days=400)


def run(app: Flask, *words: str) -> Result:
    return app.test_cli_runner().invoke(args=list(words))


def refuse(services: Services, town: Town, count: int) -> None:
    with services.make_session.begin() as db:
        clocks.look(db, now=NOON)
        past = Past(db, town)
        for _ in range(count):
            past.refusal(OLD)


def left(services: Services) -> int:
    with services.make_session() as db:
        return db.scalar(select(func.count(Decision.id))) or 0


def test_a_purge_tells_its_books(app: Flask, services: Services, town: Town) -> None:
    refuse(services, town, 3)
    done = run(app, "retention", "purge")
    assert done.exit_code == 0, done.output
    assert "decisions\tdue 3\tdeleted 3\theld 0\tleft 0\tof 3\n" in done.output
    assert left(services) == 0


def test_too_much_at_once_is_refused_until_a_person_confirms(
    app: Flask, services: Services, town: Town, db: Session
) -> None:
    refuse(services, town, 1001)
    done = run(app, "retention", "purge")
    assert done.exit_code == 1
    assert "decisions: 1001 of 1001" in done.output and "--confirm" in done.output
    assert run(app, "retention", "purge", "--confirm").exit_code == 2
    assert left(services) == 1001
    assert run(app, "retention", "purge", "--confirm", "--by", "Pia").exit_code == 0
    assert left(services) == 0
    assert "Pia (command line)" in db.scalars(select(AuditEntry.actor)).all()


def test_a_clock_that_cannot_be_is_told(
    app: Flask, services: Services, town: Town, clock: MovingClock
) -> None:
    refuse(services, town, 1)
    clock.advance(days=3650)
    done = run(app, "retention", "purge")
    assert done.exit_code == 1
    assert "The clock says 2036-11-21" in done.output
    assert left(services) == 1


def test_the_sweep_purges_by_itself_twice_a_day(
    app: Flask, services: Services, town: Town, clock: MovingClock
) -> None:
    refuse(services, town, 1)
    assert run(app, "sweep").exit_code == 0
    assert left(services) == 0
    refuse(services, town, 1)
    clock.advance(hours=11)
    run(app, "sweep")
    assert left(services) == 1
    clock.advance(hours=1)
    run(app, "sweep")
    assert left(services) == 0


def test_a_round_of_the_sweep_does_a_part_and_the_next_goes_on(
    services: Services, town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "STEPS_A_ROUND", 2)
    monkeypatch.setattr("sessions.retention.purge.STEP", 1)
    refuse(services, town, 3)
    assert retention.keep(services).phase is Phase.DELETED
    assert left(services) > 0
    rounds = 0
    while retention.keep(services).phase is Phase.DELETED:
        rounds += 1
        assert rounds < 9
    assert left(services) == 0


def test_terms_are_listed_and_changed_and_the_old_ones_kept(
    app: Flask, services: Services, db: Session
) -> None:
    with services.make_session.begin() as writer:
        periods.seed(writer, now=services.clock())
    assert "connection\t1 years\tconnection_end" in run(app, "retention", "list").output
    done = run(app, "retention", "set", "acceptance", "2", "years", "--basis", "comptes", "--by", "Pia")
    assert done.exit_code == 0, done.output
    assert "acceptance\t2 years" in run(app, "retention", "list").output
    assert "acceptance\t1 years" in run(app, "retention", "list", "--all").output
    entry = db.scalars(select(AuditEntry)).one()
    assert (entry.actor, entry.action) == ("Pia (command line)", "term changed")
    assert entry.object == "retention:acceptance"
    assert entry.detail == {"before": "1 years", "now": "2 years", "basis": "comptes"}


def test_a_shorter_term_waits_on_the_command_line_too(app: Flask, services: Services, db: Session) -> None:
    shorter = ("retention", "set", "security", "30", "days", "--basis", "moins suffit", "--by", "Pia")
    assert "It waits" in run(app, *shorter).output
    assert "security\t3 months" in run(app, "retention", "list").output
    assert db.scalars(select(AuditEntry.action)).all() == ["shorter term asked"]
    again = run(app, *shorter)
    assert again.exit_code == 1 and "waits already" in again.output
    below = run(app, "retention", "set", "connection", "364", "days", "--basis", "x", "--by", "Pia")
    assert below.exit_code == 1 and "1 years at least: CPCE art. L34-1 II bis 3°" in below.output


@pytest.mark.parametrize(
    "words",
    [
        ("security", "99", "years", "--basis", "x", "--by", "Pia"),
        ("security", "1", "years", "--basis", " ", "--by", "Pia"),
    ],
)
def test_a_term_without_sense_is_refused(app: Flask, services: Services, words: tuple[str, ...]) -> None:
    assert run(app, "retention", "set", *words).exit_code == 1


# Full and read-only disks ------------------------------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of four megabytes, of the test's own."""
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    place = tmp_path / "disk"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(place)], check=True)
    yield place
    subprocess.run(["umount", str(place)], check=True)


@pytest.fixture
def small_town(small_disk: Path, empty_sqlite: Path) -> Iterator[Services]:
    """An application whose database is there, with a reserve of half a megabyte, and 40 old refusals."""
    shutil.copy(empty_sqlite, small_disk / "town.sqlite3")
    url = f"sqlite:///{small_disk}/town.sqlite3"
    assert Reserve(small_disk / "town.sqlite3.reserve", 512 * 1024).take()
    settings = Settings(secret_key=Secret(SECRET), portal_url=PORTAL, database_url=url)
    made = make_services(settings, clock=MovingClock())
    with made.make_session.begin() as db:
        clocks.look(db, now=NOON)
        past = Past(db, build_town(db))
        for _ in range(40):
            past.refusal(OLD)
    yield made
    made.wake.close()
    made.engine.dispose()


def fill(folder: Path) -> None:
    """Take all that is left."""
    with (folder / "filler").open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            return


def test_on_a_full_disk_the_reserve_makes_the_purge_work(small_disk: Path, small_town: Services) -> None:
    fill(small_disk)
    # Nothing can even be deleted (finding 11), as long as the reserve is there.
    with pytest.raises(OperationalError, match="full"), small_town.make_session.begin() as db:
        db.execute(text("DELETE FROM decisions"))
    done = run(create_app(small_town), "retention", "purge")
    assert done.exit_code == 0, done.output
    assert "decisions\tdue 40\tdeleted 40" in done.output
    assert not (small_disk / "town.sqlite3.reserve").exists()
    with small_town.make_session() as db:
        assert db.scalar(text("PRAGMA integrity_check")) == "ok"
        assert db.scalars(select(PurgeRun)).one().adds_up


def test_the_sweep_itself_gets_through_a_full_disk(small_disk: Path, small_town: Services) -> None:
    fill(small_disk)
    assert list(retention.purging(small_town))[-1].phase is Phase.FINISHED
    assert left(small_town) == 0


def test_a_full_disk_without_a_reserve_is_said_to_be_full(small_disk: Path, small_town: Services) -> None:
    (small_disk / "town.sqlite3.reserve").unlink()
    fill(small_disk)
    done = run(create_app(small_town), "retention", "purge")
    assert done.exit_code == 1
    assert "The disk is full" in done.output
    assert left(small_town) == 40


def test_a_read_only_file_system_is_said_to_be_one(small_disk: Path, small_town: Services) -> None:
    small_town.engine.dispose()
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    done = run(create_app(small_town), "retention", "purge")
    subprocess.run(["mount", "-o", "remount,rw", str(small_disk)], check=True)
    assert done.exit_code == 1
    assert "read-only" in done.output
    assert left(small_town) == 40


def test_a_reserve_is_really_occupied_and_taken_again_only_where_there_is_room(small_disk: Path) -> None:
    reserve = Reserve(small_disk / "reserve", 1024 * 1024)
    before = shutil.disk_usage(small_disk).free
    assert reserve.take() and reserve.take()
    assert before - shutil.disk_usage(small_disk).free >= reserve.size
    assert reserve.give_up() and not reserve.give_up()
    fill(small_disk)
    assert not reserve.take()
    assert not reserve.path.exists()


def test_only_a_database_in_a_file_has_one() -> None:
    assert reserve_of("postgresql+psycopg://x/y") is None
    assert reserve_of("sqlite://") is None
    found = reserve_of("sqlite:////var/lib/arobase/arobase.sqlite3")
    assert found is not None and found.path == Path("/var/lib/arobase/arobase.sqlite3.reserve")
