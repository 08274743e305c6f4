"""The migrations make exactly the tables of the models, on either database."""

from __future__ import annotations

import ast
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection, Engine, create_engine, func, inspect, select, text
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

import ads.ledger.models
import auth.patrons.local  # noqa: F401
from ads.models import Campaign
from auth.audit import chain, log, signatures, verification
from auth.audit.verification import ChainVerdict
from config import Secret
from db.base import Base
from db.engine import make_engine
from portal.cli.database import BrokenReferences, to_newest_shape
from sessions.experiments import models as experiments
from sessions.models import ClientObservation
from sessions.statistics import signed
from sites.models import Feed, Gateway
from tests.actors import enter
from tests.clock import NOON
from tests.town import ADA_PHONE, build_town

ROOT = Path(__file__).parent.parent


@pytest.fixture(params=["sqlite", "postgresql"])
def blank(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Connection]:
    """A connection to a database with no tables."""
    if request.param == "sqlite":
        engine = make_engine(f"sqlite:///{tmp_path}/blank.sqlite3")
        with engine.begin() as connection:
            yield connection
        engine.dispose()
        return
    engine = make_engine(request.getfixturevalue("postgresql_url"))
    with engine.connect() as connection, connection.begin() as transaction:
        connection.execute(text("CREATE SCHEMA blank"))
        connection.execute(text("SET LOCAL search_path TO blank"))
        yield connection
        transaction.rollback()
    engine.dispose()


def upgrade(connection: Connection, to: str = "head") -> None:
    config = Config()
    config.set_main_option("script_location", str(ROOT / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, to)


def downgrade(connection: Connection, to: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(ROOT / "migrations"))
    config.attributes["connection"] = connection
    command.downgrade(config, to)


def test_the_migrations_make_the_tables_of_the_models(blank: Connection) -> None:
    upgrade(blank)
    context = MigrationContext.configure(blank, opts={"compare_type": True})
    assert compare_metadata(context, Base.metadata) == []


def test_what_is_to_know_the_whole_database_imports_every_module_that_declares_a_table() -> None:
    tree = ast.parse((ROOT / "portal" / "tables.py").read_text(encoding="utf-8"))
    imported = {name.name for node in tree.body if isinstance(node, ast.Import) for name in node.names}
    declaring = {mapper.class_.__module__ for mapper in Base.registry.mappers}
    assert {name for name in declaring if not name.startswith("tests.")} - imported == set()


def test_an_upgrade_is_harmless_to_repeat(blank: Connection) -> None:
    upgrade(blank)
    upgrade(blank)
    assert inspect(blank).has_table("leases")


def test_a_new_kind_of_gateway_needs_no_migration(blank: Connection) -> None:
    upgrade(blank, "0018")
    assert "ck_gateways_gatewaykind" in checks_of(blank, "gateways")
    upgrade(blank)
    assert checks_of(blank, "gateways") == []
    columns = {column["name"]: column for column in inspect(blank).get_columns("gateways")}
    assert not columns["kind"]["nullable"]


def test_accounts_of_all_networks_keep_them_and_others_gain_none(blank: Connection) -> None:
    upgrade(blank, "0040")
    for login, networks in (("dana", "[]"), ("cem", '["wifilib"]')):
        blank.execute(
            text(
                "INSERT INTO staff (login, name, roles, networks, totp_seed, totp_step, session_version, created_at)"
                " VALUES (:login, :login, '[\"admin\"]', :networks, :seed, 0, 1, '2026-11-24 12:00:00+00:00')"
            ),
            {"login": login, "networks": networks, "seed": b"0" * 32},
        )
    upgrade(blank)
    rows = blank.execute(text("SELECT login, all_networks, home_site FROM staff ORDER BY login"))
    assert [(row.login, bool(row.all_networks), row.home_site) for row in rows] == [
        ("cem", False, ""),
        ("dana", True, ""),
    ]


def test_no_feed_goes_back_when_it_gets_a_row_of_its_own(blank: Connection) -> None:
    upgrade(blank)
    with Session(blank, join_transaction_mode="create_savepoint") as db, db.begin():
        station = build_town(db).station
        station.feed_version, station.confirmed_version, station.seen_at = 41, 40, NOON
        number = station.id
    downgrade(blank, "0057")
    blank.execute(text("UPDATE gateways SET feed_version = feed_version + 1 WHERE id = :id"), {"id": number})
    upgrade(blank)
    with Session(blank, join_transaction_mode="create_savepoint") as db:
        station = db.get_one(Gateway, number)
        assert (station.feed_version, station.confirmed_version, station.seen_at) == (42, 40, NOON)
        assert db.scalar(select(func.count(Feed.gateway_id))) == db.scalar(select(func.count(Gateway.id)))


@pytest.fixture
def in_use(tmp_path: Path) -> Iterator[Engine]:
    """A SQLite database as the version before left it, with gateways that other rows refer to."""
    newest = make_engine(f"sqlite:///{tmp_path}/newest.sqlite3")
    Base.metadata.create_all(newest)
    with Session(newest) as db, db.begin():
        town = build_town(db)
        seen = ClientObservation(gateway_id=town.station.id, address="10.66.0.5", mac=ADA_PHONE, seen_at=NOON)
        db.add(seen)
        # Columns that the version before had here.
        for column in ("feed_version INTEGER DEFAULT 41", "confirmed_version INTEGER DEFAULT 40"):
            db.execute(text(f"ALTER TABLE gateways ADD COLUMN {column}"))
        db.execute(text("ALTER TABLE gateways ADD COLUMN seen_at TEXT"))
    newest.dispose()
    engine = make_engine(f"sqlite:///{tmp_path}/used.sqlite3")
    with engine.begin() as connection:
        upgrade(connection, "0018")
    copy_rows(engine, tmp_path / "newest.sqlite3")
    yield engine
    engine.dispose()


def copy_rows(engine: Engine, source: Path) -> None:
    """Fill an older database with the rows of a newer one, in the columns that it has."""
    with closing(sqlite3.connect(str(engine.url.database))) as older:
        older.execute("ATTACH ? AS newest", [str(source)])
        for table in Base.metadata.sorted_tables:
            columns = [f'"{name}"' for _, name, *_ in older.execute(f"PRAGMA main.table_info({table.name})")]
            if columns:
                names = ", ".join(columns)
                older.execute(
                    f"INSERT INTO main.{table.name} ({names}) SELECT {names} FROM newest.{table.name}"
                )
        older.commit()


def test_a_database_in_use_is_upgraded_with_all_its_rows(in_use: Engine) -> None:
    with Session(in_use) as db:
        gateways = db.scalar(text("SELECT count(*) FROM gateways"))
    to_newest_shape(in_use, Secret("x" * 32))
    with Session(in_use) as db:
        assert checks_of(db.connection(), "gateways") == []
        assert db.scalars(select(Feed.version)).all() == [41] * (gateways or 0)
        assert db.scalars(select(ClientObservation.address)).all() == ["10.66.0.5"]
        assert db.scalar(text("PRAGMA foreign_keys")) == 1


def test_an_upgrade_that_leaves_broken_references_is_undone(in_use: Engine) -> None:
    unchecked = create_engine(in_use.url)
    with unchecked.begin() as connection:
        connection.execute(text("UPDATE sightings SET gateway_id = 999"))
    unchecked.dispose()
    with pytest.raises(BrokenReferences, match="sightings"):
        to_newest_shape(in_use, Secret("x" * 32))
    with in_use.connect() as connection:
        assert MigrationContext.configure(connection).get_current_revision() == "0018"


@pytest.fixture
def unchecked(blank: Connection, tmp_path: Path) -> Iterator[Connection]:
    """The same; on SQLite without foreign keys, as `to_newest_shape` upgrades one in use."""
    if blank.dialect.name == "postgresql":
        yield blank
        return
    engine = create_engine(f"sqlite:///{tmp_path}/unchecked.sqlite3")
    with engine.begin() as connection:
        yield connection
    engine.dispose()


def test_who_spoke_becomes_an_advertiser_and_what_ran_goes_on(unchecked: Connection) -> None:
    blank = unchecked
    upgrade(blank, "0020")
    rows = [
        ("a", "Ville d'Été", True, "running"),
        ("b", "Ville d'Été", True, "draft"),
        ("c", "Ville d’Ete", False, "stopped"),
    ]
    for number, (slug, advertiser, is_municipal, state) in enumerate(rows, 1):
        blank.execute(
            text(
                "INSERT INTO campaigns (id, slug, name, advertiser, is_municipal, state, weight, networks, sites) "
                "VALUES (:id, :slug, 'x', :advertiser, :town, :state, 2, '[]', '[\"battant\"]')"
            ),
            {"id": number, "slug": slug, "advertiser": advertiser, "town": is_municipal, "state": state},
        )
    blank.execute(
        text("INSERT INTO creatives (id, slug, campaign_id, texts, look) VALUES (7, 'one', 1, '{}', '{}')")
    )
    upgrade(blank)
    with Session(blank, join_transaction_mode="create_savepoint") as db:
        campaigns = db.scalars(select(Campaign).order_by(Campaign.slug)).all()
        assert [one.category for one in campaigns] == ["public_service", "public_service", "commerce"]
        assert [one.state for one in campaigns] == ["running", "draft", "stopped"]
        assert [one.approved_by for one in campaigns] == ["system", None, None]
        town, same, other = (one.advertiser for one in campaigns)
        assert town is same and (town.slug, town.name, town.is_town) == ("ville-d-ete", "Ville d'Été", True)
        assert (other.slug, other.is_town) == ("ville-d-ete-2", False)
        assert [(one.id, one.kind, one.more) for one in campaigns[0].creatives] == [(7, "text", "")]
        assert (campaigns[0].weight, campaigns[0].sites, campaigns[0].hours) == (2, ["battant"], "24/7")


def checks_of(connection: Connection, table: str) -> list[str | None]:
    return [check["name"] for check in inspect(connection).get_check_constraints(table)]


def test_entries_that_were_there_before_the_chain_are_chained(blank: Connection) -> None:
    upgrade(blank, "0005")
    blank.execute(text("INSERT INTO trail_head (id, last) VALUES (1, 2)"))
    for number in (1, 2):
        entry = log.AuditEntry(
            number=number, at=NOON, actor="cem", action="issued", object="batch:1", network=None, detail={}
        )
        blank.execute(
            text(
                "INSERT INTO trail (number, at, actor, action, object, detail, canonical) "
                "VALUES (:number, '2026-11-24 11:00:00+00:00', 'cem', 'issued', 'batch:1', '{}', :canonical)"
            ),
            {"number": number, "canonical": log.canonical(entry)},
        )
    upgrade(blank)
    with Session(blank, join_transaction_mode="create_savepoint") as db:
        assert verification.verify(db) == ChainVerdict(entries=2)
        enter(db, actor="cem", action="issued", object="batch:2", now=NOON)
        assert verification.verify(db) == ChainVerdict(entries=3)
        with pytest.raises(DatabaseError, match="append-only"):
            db.execute(text("DELETE FROM trail_links"))


def test_the_triggers_are_those_of_the_models(blank: Connection) -> None:
    upgrade(blank)
    if blank.dialect.name == "sqlite":
        triggers = set(blank.scalars(text("SELECT sql FROM sqlite_master WHERE type = 'trigger'")))
        rooms = (log, chain, signatures, ads.ledger.models, signed, experiments)
        assert triggers == {one for room in rooms for one in room.APPEND_ONLY["sqlite"]}
        return
    wanted = "SELECT DISTINCT trigger_name FROM information_schema.triggers WHERE trigger_schema = :schema"
    assert set(blank.scalars(text(wanted), {"schema": "blank"})) == set(
        blank.scalars(text(wanted), {"schema": "public"})
    )
