"""The audit log: only added to, without gaps, in one order whoever writes."""

from __future__ import annotations

import json
import threading
from datetime import timedelta

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from auth.audit import log, search
from auth.audit.log import AuditEntry
from auth.audit.search import Query
from db.engine import SessionMaker
from tests.actors import enter
from tests.clock import NOON


def write(db: Session, action: str = "issued", **fields: str | None) -> AuditEntry:
    values = {"actor": "cem", "object": "batch:1", "network": None, **fields}
    return enter(
        db,
        actor=str(values["actor"]),
        action=action,
        object=str(values["object"]),
        network=values["network"],
        detail={"count": 3, "codes": ("a", "é")},
        now=NOON,
    )


def test_it_says_who_what_to_what_and_when(db: Session) -> None:
    entry = write(db)
    db.commit()
    found = db.scalars(select(AuditEntry)).one()
    assert (found.number, found.actor, found.action, found.object, found.at) == (
        1, "cem", "issued", "batch:1", NOON,
    )  # fmt: skip
    assert found.detail == {"count": 3, "codes": ["a", "é"]}
    assert found is entry


def test_its_canonical_bytes_say_all_of_it_in_one_way(make_session: SessionMaker) -> None:
    with make_session.begin() as db:
        write(db, network="bibliotheques")
    with make_session() as db:
        found = db.scalars(select(AuditEntry)).one()
        assert log.canonical(found) == found.canonical
        assert found.canonical.decode() == (
            '{"action":"issued","actor":"cem","at":"2026-11-24T11:00:00.000000+00:00",'
            '"detail":{"codes":["a","é"],"count":3},"network":"bibliotheques","number":1,"object":"batch:1"}'
        )
        assert json.loads(found.canonical)["number"] == 1


def test_nothing_that_was_written_can_be_changed_or_taken_out(make_session: SessionMaker) -> None:
    with make_session.begin() as db:
        write(db)
    for statement in (update(AuditEntry).values(actor="somebody else"), delete(AuditEntry)):
        with make_session() as db, pytest.raises(DatabaseError, match="append-only"):
            db.execute(statement)
    with make_session() as db:
        assert db.scalars(select(AuditEntry.actor)).one() == "cem"


def test_a_deed_that_was_undone_leaves_no_gap(make_session: SessionMaker) -> None:
    with make_session.begin() as db:
        write(db)
    with make_session() as db:
        assert write(db).number == 2
        db.rollback()
    with make_session.begin() as db:
        assert write(db).number == 2


def test_four_who_write_at_once_make_one_order(make_session: SessionMaker) -> None:
    start = threading.Barrier(4)

    def work(actor: str) -> None:
        start.wait()
        for _ in range(5):
            with make_session.begin() as db:
                write(db, actor=actor)

    threads = [threading.Thread(target=work, args=(f"clerk{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with make_session() as db:
        assert list(db.scalars(select(AuditEntry.number).order_by(AuditEntry.number))) == list(range(1, 21))


def test_it_is_read_from_the_newest_back(db: Session) -> None:
    for number in range(5):
        write(db, object=f"batch:{number}", actor="cem" if number % 2 else "dana")
    assert [one.number for one in search.read(db, Query(most=2))] == [5, 4]
    assert [one.number for one in search.read(db, Query(most=2, before=4))] == [3, 2]
    assert [one.number for one in search.read(db, Query(actor="dana"))] == [5, 3, 1]
    assert [one.number for one in search.read(db, Query(objects=("batch:3",)))] == [4]


def test_staff_of_one_network_read_their_own_part(db: Session) -> None:
    write(db, network="bibliotheques")
    write(db, network="wifilib")
    write(db)
    assert [one.number for one in search.read(db, Query(), networks=frozenset({"bibliotheques"}))] == [1]


def test_an_instant_is_written_in_utc(db: Session) -> None:
    from zoneinfo import ZoneInfo

    entry = enter(
        db, actor="cem", action="issued", object="batch:1", now=NOON.astimezone(ZoneInfo("Europe/Paris"))
    )
    assert entry.at.utcoffset() == timedelta(0)
