"""``flask sessions``: the same questions as on the staff's pages, masked and on record as there."""

from __future__ import annotations

import re
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from pyarrow import parquet
from sqlalchemy import select
from sqlalchemy.orm import Session

from auth.audit.log import AuditEntry
from portal.services import Services
from sessions.models import EndReason
from sites.models import Gateway
from tests.clock import MovingClock
from tests.gateways.contract import made_up
from tests.portal.test_commands import run
from tests.sessions.log.rows import BO, add_session
from tests.sessions.test_feed import enter
from tests.town import ADA_PHONE, BO_PHONE, Town


@pytest.fixture(autouse=True)
def known(services: Services, town: Town, clock: MovingClock) -> None:
    with services.make_session.begin() as db:
        add_session(db, town.station, clock() - timedelta(minutes=5))
        add_session(
            db,
            town.battant,
            clock() - timedelta(days=2),
            subject=BO,
            mac=BO_PHONE,
            address="10.67.0.9",
            ended_at=clock() - timedelta(days=2),
            end_reason=EndReason.LEFT,
        )


def deeds(db: Session) -> list[AuditEntry]:
    db.rollback()
    return list(db.scalars(select(AuditEntry).order_by(AuditEntry.number)))


@pytest.mark.parametrize(
    ("words", "sites"),
    [
        ((), ["gare-viotte"]),
        (("--all",), ["gare-viotte", "battant"]),
        (("--last", "today"), ["gare-viotte"]),
        (("--site", "battant"), ["battant"]),
        (("--mac", BO_PHONE.upper()), ["battant"]),
        (("--address", "10.66.0.5"), ["gare-viotte"]),
        (("--reason", "left"), ["battant"]),
        (("--like", "1", "--same", "device"), ["gare-viotte"]),
    ],
)
def test_it_lists_what_is_asked_for_masked(app: Flask, words: tuple[str, ...], sites: list[str]) -> None:
    done = run(app, "sessions", "list", *words)
    assert done.exit_code == 0, done.output
    assert [row.split("\t")[2] for row in done.stdout.splitlines()] == sites
    assert ADA_PHONE not in done.output
    assert BO_PHONE not in done.output


def test_every_look_is_on_record_without_what_was_typed(app: Flask, db: Session) -> None:
    run(app, "sessions", "list", "--mac", BO_PHONE, "--unmask", "lost phone at the desk")
    (deed,) = deeds(db)
    assert (deed.actor, deed.action) == ("command line", "log listed")
    assert deed.detail["by"] == ["mac"]
    assert deed.detail["reason"] == "lost phone at the desk"
    assert BO_PHONE not in deed.canonical.decode()


def test_where_parquet_is_not_installed_it_says_how_to_add_it(
    app: Flask, tmp_path: Path, db: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As Python marks a library that cannot be imported.
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    path = tmp_path / "log.parquet"
    done = run(app, "sessions", "export", "--purpose", "figures for the town", str(path))
    assert done.exit_code == 1
    assert "requirements-parquet.txt" in done.output and ".csv" in done.output
    assert not path.exists() and deeds(db) == []


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_it_exports_what_is_asked_for(app: Flask, tmp_path: Path, db: Session, kind: str) -> None:
    path = tmp_path / f"log.{kind}"
    done = run(
        app, "sessions", "export", "--network", "wifilib", "--purpose", "figures for the town", str(path)
    )
    assert "2 lines in" in done.output
    rows = parquet.read_table(path).num_rows if kind == "parquet" else len(path.read_text().splitlines()) - 2
    assert rows == 2
    assert BO_PHONE.encode() not in path.read_bytes()
    assert [deed.action for deed in deeds(db)] == ["log exported", "export written"]


@pytest.mark.parametrize("purpose", [(), ("--purpose", " "), ("--purpose", "because")])
def test_an_export_says_what_it_is_for(
    app: Flask, tmp_path: Path, db: Session, purpose: tuple[str, ...]
) -> None:
    path = tmp_path / "log.csv"
    assert run(app, "sessions", "export", "--network", "wifilib", *purpose, str(path)).exit_code in (1, 2)
    assert not path.exists() and deeds(db) == []


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (("--from", "noonish"), "nothing for --from"),
        (("--mac", "xyz"), "not a MAC address"),
        (("--like", "4711"), "no such row"),
        (("--unmask", "because"), "Say why"),
        (("--state", "asleep"), "Invalid value"),
    ],
)
def test_a_wrong_word_is_told(app: Flask, words: tuple[str, ...], answer: str) -> None:
    done = run(app, "sessions", "list", *words)
    assert done.exit_code in (1, 2)
    assert answer in done.output


def test_an_end_is_on_record(app: Flask, db: Session) -> None:
    assert "Ended 1 session." in run(app, "sessions", "end", ADA_PHONE).output
    (deed,) = deeds(db)
    assert (deed.action, deed.object, deed.network) == ("session ended", "session:1", "wifilib")


def test_an_end_that_a_gateway_cannot_make_is_told(app: Flask, services: Services, town: Town) -> None:
    with made_up.added():
        with services.make_session.begin() as db:
            gateway = db.get_one(Gateway, town.battant.id)
            gateway.kind = "hourglass"
            number = enter(db, gateway, BO_PHONE, "10.67.0.9").id
        done = run(app, "sessions", "end", BO_PHONE)
        assert "Ended 1 session." in done.stdout
        told = rf"Session {number} passes until 2026-\S+Z: a gateway cannot take access back"
        assert re.search(told, done.stderr)
