"""A database that does not serve: the watch, the log and the guest are told what is so, and it heals by itself."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import text

from auth.patrons.csv_import import import_patrons
from config import Secret, Settings
from portal.app import create_app, make_services
from portal.services import Services
from tests.clock import MovingClock
from tests.portal.api.conftest import Program, give_token
from tests.portal.conftest import ADA, ADA_PIN, PORTAL, SECRET, Phone
from tests.portal.test_busy import held
from tests.town import Town, build_town


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of four megabytes, of the test's own."""
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    place = tmp_path / "disk"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(place)], check=True)
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


@pytest.fixture
def small(disk: Path, empty_sqlite: Path) -> Iterator[tuple[Services, Town]]:
    shutil.copy(empty_sqlite, disk / "town.sqlite3")
    settings = Settings(Secret(SECRET), PORTAL, f"sqlite:///{disk}/town.sqlite3")
    made = make_services(settings, clock=MovingClock())
    with made.make_session.begin() as db:
        town = build_town(db)
        import_patrons(db, f"card,pin,category\n{ADA},{ADA_PIN},adult\n")
    yield made, town
    made.wake.close()
    made.engine.dispose()


def fill(folder: Path) -> Path:
    """Write until there is no room for one byte more."""
    path = folder / "everything-else"
    with path.open("wb", buffering=0) as file:
        for size in (65536, 4096, 512, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError as error:
                assert error.errno == errno.ENOSPC
    return path


def health(app: Flask) -> tuple[int, str]:
    answer = app.test_client().get("/healthz")
    return answer.status_code, answer.get_json()["database"]


def sign_in(app: Flask, town: Town) -> Phone:
    reader = Phone(app, town.pierre_bayle, address="10.68.0.5")
    reader.land()
    reader.press("/signin", login=ADA, secret=ADA_PIN)
    return reader


def test_a_full_disk_is_told_as_it_is_and_once_and_heals(
    small: tuple[Services, Town], disk: Path, caplog: pytest.LogCaptureFixture
) -> None:
    app, town = create_app(small[0]), small[1]
    assert health(app) == (200, "ok")
    everything = fill(disk)
    assert health(app) == (503, "the disk is full")
    for _ in range(3):
        reader = sign_in(app, town)
        assert reader.page.status_code == 503
        assert reader.page.headers["Retry-After"] == "60"
        assert "The portal cannot let anybody in just now." in reader.page.text
    result = [line.getMessage() for line in caplog.records if "database unavailable" in line.getMessage()]
    assert result == ["database unavailable: the disk is full"]
    everything.unlink()
    assert health(app) == (200, "ok")
    assert sign_in(app, town).page.status_code == 303
    assert "database available again" in caplog.text


def test_a_disk_that_became_read_only_is_told_as_it_is_and_heals(
    small: tuple[Services, Town], disk: Path, caplog: pytest.LogCaptureFixture
) -> None:
    app, town = create_app(small[0]), small[1]
    small[0].engine.dispose()
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    assert health(app) == (503, "it cannot be written to")
    page = Phone(app, town.pierre_bayle, address="10.68.0.5").land()
    assert page.status_code == 503
    assert "The portal cannot let anybody in just now." in page.text
    small[0].engine.dispose()
    subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
    assert health(app) == (200, "ok")
    assert sign_in(app, town).page.status_code == 303


def test_what_a_program_meets_is_told_to_the_operator_too(
    small: tuple[Services, Town], disk: Path, caplog: pytest.LogCaptureFixture
) -> None:
    app, program = create_app(small[0]), give_token(small[0])
    small[0].engine.dispose()
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    assert Program(app, program.token).get("/plans").status_code == 503
    assert "database unavailable: it cannot be written to" in caplog.text


def test_a_database_that_others_hold_is_busy_and_well(app: Flask, town: Town, database_url: str) -> None:
    with held(database_url):
        status, result = health(app)
    assert (status, result in ("busy", "ok")) == (200, True)


def test_postgresql_that_takes_no_writing_is_told_as_it_is(
    app: Flask, services: Services, town: Town, reader: Phone
) -> None:
    """As a standby is after a failover that nobody told us of."""
    if services.engine.dialect.name != "postgresql":
        return
    with services.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").execute(
            text("ALTER DATABASE postgres SET default_transaction_read_only = on")
        )
    services.engine.dispose()
    try:
        assert health(app) == (503, "it cannot be written to")
        reader.land()
        reader.press("/signin", login=ADA, secret=ADA_PIN)
        assert (reader.page.status_code, reader.page.headers["Retry-After"]) == (503, "60")
    finally:
        with services.engine.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT").execute(
                text("SET default_transaction_read_only = off")
            )
            connection.execute(text("ALTER DATABASE postgres RESET default_transaction_read_only"))
        services.engine.dispose()
    assert health(app) == (200, "ok")
