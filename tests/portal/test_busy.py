"""Somebody holds the database. Nothing is lost, nobody sees an error of ours, and whoever reads is served."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from db import sqlite_queue
from db.engine import make_engine
from portal.services import Services
from tests.portal.conftest import Phone
from tests.portal.visitors import issue, sessions, use, vouchers


@contextmanager
def held(database_url: str) -> Iterator[None]:
    """Another process writes, and does not end."""
    engine = make_engine(database_url)
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("LOCK TABLE vouchers IN EXCLUSIVE MODE"))
        yield
    engine.dispose()


def test_a_held_database_is_told_as_busy_and_the_pass_works_afterwards(
    services: Services, reader: Phone, database_url: str, db: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_queue, "BUSY_SECONDS", 0.1)
    monkeypatch.setattr(sqlite_queue, "ENOUGH_LOOKS", 5)
    code = issue(services).codes[0]
    with held(database_url):
        answer = use(reader, code)
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "3")
        assert "The portal is busy." in answer.text
        assert reader.land().status_code == 200
    assert (sessions(db), vouchers(db)[0].used_at) == ([], None)
    assert use(reader, code).status_code == 303
