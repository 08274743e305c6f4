"""PostgreSQL that was restarted, and a pooler before it."""

from __future__ import annotations

import os
import pwd
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Engine, make_url, text

from db.engine import make_engine, make_session_maker, reading
from db.notify import check_notifications
from lab.ports import free_ports
from tests.portal.conftest import PORTAL, SECRET
from tests.services.parts import program

TOP = Path(__file__).resolve().parents[2]


@pytest.fixture
def engine(postgresql_url: str) -> Iterator[Engine]:
    engine = make_engine(postgresql_url)
    yield engine
    engine.dispose()


def end_all_connections(postgresql_url: str) -> None:
    """As a restart of the server does, for everybody but the one who asks."""
    other = make_engine(postgresql_url)
    with other.connect() as connection:
        connection.execute(
            text("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
        )
    other.dispose()


def test_a_restarted_database_costs_nobody_an_error(engine: Engine, postgresql_url: str) -> None:
    make_session = make_session_maker(engine)
    # Several connections rest in the pool, as after a busy hour.
    kept = [reading(make_session) for _ in range(4)]
    for each in kept:
        each.execute(text("SELECT 1"))
    for each in kept:
        each.close()
    end_all_connections(postgresql_url)
    for _ in range(6):
        with make_session.begin() as db:
            assert db.execute(text("SELECT 1")).scalar_one() == 1


def test_nobody_waits_long_for_a_lock(engine: Engine) -> None:
    with engine.connect() as connection:
        assert connection.execute(text("SHOW lock_timeout")).scalar_one() == "2s"


@contextmanager
def pooled(postgresql_url: str, mode: str) -> Iterator[str]:
    """A pgbouncer before the server; gives the address through it."""
    pgbouncer, (port,) = program("pgbouncer"), free_ports(1)
    server = make_url(postgresql_url)
    with tempfile.TemporaryDirectory(prefix="arobase-pooler-") as folder:
        file = Path(folder) / "pgbouncer.ini"
        file.write_text(
            f"[databases]\npostgres = host={server.query['host']} user=arobase\n"
            f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n"
            f"auth_type = any\npool_mode = {mode}\nlogfile = {folder}/log\n"
        )
        # With its parent it dies too: a run that is killed leaves no pooler behind.
        armed = [program("setpriv"), "--pdeathsig", "KILL"]
        if os.geteuid() == 0:
            owner = pwd.getpwnam("postgres")
            os.chown(folder, owner.pw_uid, owner.pw_gid)
            armed += [f"--reuid={owner.pw_uid}", f"--regid={owner.pw_gid}", "--clear-groups"]
        process = subprocess.Popen(
            [*armed, pgbouncer, "-q", str(file)], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        )
        try:
            url = f"postgresql+psycopg://arobase@127.0.0.1:{port}/postgres"
            await_pooler(url)
            yield url
        finally:
            process.terminate()
            process.wait()


def await_pooler(url: str) -> None:
    deadline = time.monotonic() + 20
    while True:
        engine = make_engine(url)
        try:
            with engine.connect():
                return
        except Exception:
            if time.monotonic() > deadline:
                raise
        finally:
            engine.dispose()


def upgrade(url: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AROBASE_")}
    environment |= {
        "AROBASE_SECRET_KEY": SECRET,
        "AROBASE_PORTAL_URL": PORTAL,
        "AROBASE_DATABASE_URL": url,
        "AROBASE_TOWN": "Saint-Claude",
    }
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "db", "upgrade"]
    return subprocess.run(command, cwd=TOP, env=environment, capture_output=True, text=True, check=False)


def test_a_pooler_by_transaction_is_refused_by_name_before_anything_is_done(postgresql_url: str) -> None:
    with pooled(postgresql_url, "transaction") as url:
        answer = upgrade(url)
    assert answer.returncode == 1
    assert "pool_mode = session" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_a_pooler_by_session_works_as_it_comes(postgresql_url: str) -> None:
    with pooled(postgresql_url, "session") as url:
        engine = make_engine(url)
        try:
            check_notifications(engine)
            with engine.connect() as connection:
                assert connection.execute(text("SHOW lock_timeout")).scalar_one() == "2s"
        finally:
            engine.dispose()


def test_without_a_pooler_one_connection_hears_another(engine: Engine) -> None:
    check_notifications(engine)
