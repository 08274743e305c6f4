"""What every test may ask for: a database of either kind, a moving clock, the town."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from hypothesis import HealthCheck, settings
from playwright.sync_api import Browser
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

# Their tables are among the tables.
import ads.ledger.models
import ads.models  # noqa: F401
import auth.api_tokens.models
import auth.audit.log
import auth.patrons.local
import auth.staff.models
import auth.staff.secrets
import auth.vouchers.models
from db.engine import SessionMaker, make_engine, make_session_maker
from portal.tables import METADATA
from tests.clock import MovingClock
from tests.selection import leave_out
from tests.services import dialects, templates
from tests.services.chromium import HEADLESS, running_chromium, whole_chromium
from tests.services.memory import folder_in_memory
from tests.services.postgresql import running_postgresql

dialects.compile_once()
templates.compile_once()
# How long an example takes says how busy the machine is, and nothing of the code.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")
REAL_HASHER, REAL_NOBODY = auth.patrons.local.HASHER, auth.staff.secrets.NOBODY


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    out = leave_out(items)
    if out:
        config.hook.pytest_deselected(items=out)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One browser for all pages, guests' and staff's: Playwright runs once in a process."""
    with running_chromium(HEADLESS) as browser:
        yield browser


@pytest.fixture(scope="session")
def desktop(chromium: Browser) -> Iterator[Browser]:
    """The browser as people have it, started where a test asks for it: for what is not the page's but the browser's."""
    with whole_chromium(chromium) as browser:
        yield browser


@pytest.fixture(scope="session", autouse=True)
def cheap_passwords() -> Iterator[None]:
    """Hashing is slow by intent. Here it is the same function at its lowest cost, but for `real_passwords`."""
    with pytest.MonkeyPatch.context() as patch:
        cheap = PasswordHasher(memory_cost=8, time_cost=1, parallelism=1)
        patch.setattr("auth.patrons.local.HASHER", cheap)
        patch.setattr("auth.staff.secrets.HASHER", cheap)
        patch.setattr("auth.staff.secrets.NOBODY", cheap.hash("nobody has this one"))
        yield


@pytest.fixture
def real_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hashing costs what it costs in a town, for tests of that cost and of who waits for whom."""
    monkeypatch.setattr("auth.patrons.local.HASHER", REAL_HASHER)
    monkeypatch.setattr("auth.staff.secrets.HASHER", REAL_HASHER)
    monkeypatch.setattr("auth.staff.secrets.NOBODY", REAL_NOBODY)


@pytest.fixture
def clock() -> MovingClock:
    return MovingClock()


@pytest.fixture(scope="session")
def empty_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sqlite") / "empty.sqlite3"
    engine = make_engine(f"sqlite:///{path}")
    METADATA.create_all(engine)
    # The last connection to close leaves everything in the one file.
    engine.dispose()
    return path


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    with running_postgresql() as url:
        engine = make_engine(url)
        METADATA.create_all(engine)
        engine.dispose()
        yield url


@pytest.fixture
def memory() -> Iterator[Path]:
    """A folder in memory, where a commit waits for no disk. For databases: programs may not be run from it."""
    with folder_in_memory() as folder:
        yield folder


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """An empty database with all tables: each test that asks for it runs once on either kind."""
    return empty_database(str(request.param), request)


@pytest.fixture
def both_urls(request: pytest.FixtureRequest) -> list[str]:
    """An empty database of either kind, for what must be the same in both."""
    return [empty_database(kind, request) for kind in ("sqlite", "postgresql")]


def empty_database(kind: str, request: pytest.FixtureRequest) -> str:
    """The address of an empty database of this kind with all tables."""
    if kind == "sqlite":
        path = request.getfixturevalue("memory") / "town.sqlite3"
        shutil.copy(request.getfixturevalue("empty_sqlite"), path)
        return f"sqlite:///{path}"
    url: str = request.getfixturevalue("postgresql_url")
    empty_postgresql(url)
    return url


def empty_postgresql(url: str) -> None:
    """Empty the tables that hold rows, and start the sequences again that gave a number; the rest stays as it is.

    To truncate all tables costs a new file for each table and index; to ask which of them were written costs one
    query. As a replica the server runs no trigger, so that no order of tables and no seal is in the way.
    """
    tables = [table.name for table in METADATA.sorted_tables]
    filled = " UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS (SELECT FROM {name})" for name in tables)
    engine = make_engine(url)
    with engine.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        # Deleted rows leave their pages: below ten pages PostgreSQL plans as for an empty table.
        large = "SELECT relname FROM pg_class WHERE relkind = 'r' AND pg_relation_size(oid) > 5 * 8192"
        grown = set(tables).intersection(connection.scalars(text(large)))
        if grown:
            connection.execute(text(f"TRUNCATE {', '.join(sorted(grown))} CASCADE"))
        for name in connection.scalars(text(filled)).all():
            connection.execute(text(f"DELETE FROM {name}"))
        used = "SELECT sequencename FROM pg_sequences WHERE schemaname = 'public' AND last_value IS NOT NULL"
        for name in connection.scalars(text(used)).all():
            connection.execute(text(f"ALTER SEQUENCE {name} RESTART"))
    engine.dispose()


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = make_engine(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def make_session(engine: Engine) -> SessionMaker:
    return make_session_maker(engine)


@pytest.fixture
def db(make_session: SessionMaker) -> Iterator[Session]:
    with make_session() as session:
        yield session
