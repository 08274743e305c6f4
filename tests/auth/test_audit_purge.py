"""A lawful purge keeps the audit log whole, and leaves nothing of what it deleted."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Engine, delete, select, text
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from auth.audit import log, purge, sealing, verification
from auth.audit.anchors import Anchor
from auth.audit.chain import AuditLink
from auth.audit.log import AuditEntry
from auth.audit.signatures import AuditSeals
from auth.audit.verification import ChainFault, ChainVerdict
from db.engine import SessionMaker, snapshot
from tests.actors import enter
from tests.auth.tampering import SECRET, deed, forge, sealed, unguarded, write
from tests.clock import NOON

YEAR = timedelta(days=366)
LATER = NOON + timedelta(days=400)


@pytest.fixture
def ten(make_session: SessionMaker) -> SessionMaker:
    """Six old entries and four new ones, of a portal that seals."""
    sealed(make_session)
    write(make_session, 6)
    write(make_session, 4, at=LATER)
    return make_session


def verify(make_session: SessionMaker) -> ChainVerdict:
    with snapshot(make_session) as db:
        return verification.verify(db)


def declare(make_session: SessionMaker) -> int:
    with make_session.begin() as db:
        up_to = purge.due_to(db, before=NOON + timedelta(days=1))
        before = NOON + timedelta(days=1)
        assert purge.declare(db, up_to=up_to, before=before, rule="trail, 1 year", now=LATER)
    return up_to


def delete_to(make_session: SessionMaker, up_to: int) -> None:
    with make_session.begin() as db:
        db.execute(delete(AuditEntry).where(AuditEntry.number <= up_to, AuditEntry.action != "trail purged"))


def test_what_was_purged_lawfully_is_counted_and_the_rest_is_whole(ten: SessionMaker) -> None:
    up_to = declare(ten)
    assert up_to == 6
    delete_to(ten, up_to)
    assert verify(ten) == ChainVerdict(entries=11, purged=6)
    with ten() as db:
        assert db.scalars(select(AuditEntry.number).order_by(AuditEntry.number)).all() == [7, 8, 9, 10, 11]
        assert len(db.scalars(select(AuditLink)).all()) == 11
        assert db.get_one(AuditEntry, 11).detail == {
            "up to": 6,
            "before": "2026-11-25T11:00:00+00:00",
            "rule": "trail, 1 year",
        }


def test_a_purge_that_was_killed_half_way_is_whole_too(ten: SessionMaker) -> None:
    declare(ten)
    delete_to(ten, 3)
    assert verify(ten) == ChainVerdict(entries=11, purged=3)


def test_nothing_can_be_deleted_before_the_trail_says_so(ten: SessionMaker) -> None:
    with pytest.raises(DatabaseError, match="append-only"):
        delete_to(ten, 6)
    declare(ten)
    with pytest.raises(DatabaseError, match="append-only"):
        delete_to(ten, 7)


def test_that_something_was_purged_is_never_purged(ten: SessionMaker) -> None:
    declare(ten)
    delete_to(ten, 6)
    with ten.begin() as db:
        assert purge.due_to(db, before=LATER + timedelta(days=1)) == 11
        before = LATER + timedelta(days=1)
        years_later = LATER + timedelta(days=400)
        assert purge.declare(db, up_to=11, before=before, rule="trail, 1 year", now=years_later)
    with ten() as db, pytest.raises(DatabaseError, match="append-only"):
        db.execute(delete(AuditEntry).where(AuditEntry.number <= 11))
    delete_to(ten, 11)
    assert verify(ten) == ChainVerdict(entries=12, purged=10)


def test_the_same_purge_is_said_once(ten: SessionMaker) -> None:
    declare(ten)
    with ten.begin() as db:
        before = NOON + timedelta(days=1)
        assert not purge.declare(db, up_to=6, before=before, rule="trail, 1 year", now=LATER)


def test_a_purge_that_the_trail_does_not_speak_of_is_a_deletion(ten: SessionMaker, engine: Engine) -> None:
    with unguarded(engine) as connection:
        connection.execute(text("UPDATE trail_head SET purged_to = 6"))
        connection.execute(text("DELETE FROM trail WHERE number <= 6"))
    found = verify(ten)
    assert (found.fault, found.number) == (ChainFault.DELETED, 1)


def test_a_purge_covers_nothing_that_came_after_it(ten: SessionMaker, engine: Engine) -> None:
    declare(ten)
    delete_to(ten, 6)
    with ten.begin() as db:
        deed(db, at=LATER)
    with unguarded(engine) as connection:
        connection.execute(text("DELETE FROM trail WHERE number = 8"))
    found = verify(ten)
    assert (found.fault, found.number) == (ChainFault.DELETED, 8)


def test_what_came_back_into_a_purged_place_is_named(ten: SessionMaker, engine: Engine) -> None:
    declare(ten)
    delete_to(ten, 6)
    with unguarded(engine) as connection:
        connection.execute(
            text(
                "INSERT INTO trail (number, at, actor, action, object, network, detail, canonical, salt) "
                "SELECT 2, at, actor, action, object, network, detail, canonical, salt FROM trail WHERE number = 7"
            )
        )
    found = verify(ten)
    assert found.number == 2 and found.fault is not None


def test_a_forged_purge_is_named(ten: SessionMaker, engine: Engine) -> None:
    """By somebody with the database and nothing else: a well-formed entry, its link, the head, and the deletion."""
    with unguarded(engine) as connection, Session(connection) as forger:
        purge.declare(forger, up_to=6, before=NOON + timedelta(days=1), rule="trail, 1 year", now=LATER)
        forger.execute(delete(AuditEntry).where(AuditEntry.number <= 6))
        forger.commit()
    found = verify(ten)
    assert (found.fault, found.number, found.forged_purge) == (ChainFault.DELETED, 1, 11)


def test_a_forged_purge_with_a_copied_seal_is_named(ten: SessionMaker, engine: Engine) -> None:
    declare(ten)
    delete_to(ten, 6)
    with unguarded(engine) as connection, Session(connection) as forger:
        purge.declare(forger, up_to=10, before=LATER, rule="trail, 1 year", now=LATER + YEAR)
        forger.execute(delete(AuditEntry).where(AuditEntry.number <= 10))
        forger.execute(
            text("INSERT INTO trail_seals SELECT 12, at, kept, seal FROM trail_seals WHERE number = 11")
        )
        forger.commit()
    found = verify(ten)
    assert (found.fault, found.number, found.forged_purge) == (ChainFault.DELETED, 7, 12)


def test_a_forged_entry_that_waits_for_its_link_is_not_taken_for_ours(
    ten: SessionMaker, engine: Engine
) -> None:
    """The next deed of the portal links what it finds; it does not vouch for it."""
    with unguarded(engine) as connection:
        number = connection.scalar(
            text("UPDATE trail_head SET last = last + 1, purged_to = 6 RETURNING last")
        )
        facts = {"up to": 6, "before": (NOON + timedelta(days=1)).isoformat(), "rule": "trail, 1 year"}
        forged = AuditEntry(
            number=number,
            at=LATER,
            actor="system",
            action="trail purged",
            object="trail",
            network=None,
            detail=facts,
        )
        forged.canonical = log.canonical(forged)
        with Session(connection) as forger:
            forger.add(forged)
            forger.execute(delete(AuditEntry).where(AuditEntry.number <= 6))
            forger.commit()
    write(ten, 1, at=LATER)
    found = verify(ten)
    assert (found.fault, found.number, found.forged_purge) == (ChainFault.DELETED, 1, 11)


def test_a_chain_that_was_computed_anew_shows_without_any_anchor(ten: SessionMaker, engine: Engine) -> None:
    with unguarded(engine) as connection:
        connection.execute(text("UPDATE trail SET actor = 'somebody' WHERE number = 4"))
    forge(engine, start=4)
    found = verify(ten)
    assert (found.fault, found.number) == (ChainFault.FORGED, 4)


def test_entries_whose_seals_were_taken_off_show(ten: SessionMaker, engine: Engine) -> None:
    with unguarded(engine) as connection:
        connection.execute(text("DELETE FROM trail_seals"))
    found = verify(ten)
    assert (found.fault, found.number) == (ChainFault.FORGED, 1)


@pytest.mark.parametrize("column", ["at = '2020-01-01 00:00:00+00:00'", "kept = true", "seal = zeroblob(32)"])
def test_no_part_of_a_seal_can_be_changed(ten: SessionMaker, engine: Engine, column: str) -> None:
    if engine.dialect.name == "postgresql":
        column = column.replace("zeroblob(32)", "decode(repeat('00', 32), 'hex')")
    with unguarded(engine) as connection:
        connection.execute(text(f"UPDATE trail_seals SET {column} WHERE number = 3"))
    found = verify(ten)
    assert (found.fault, found.number) == (ChainFault.FORGED, 3)


def test_what_was_made_to_look_old_so_that_the_portal_purges_it_shows(
    ten: SessionMaker, engine: Engine
) -> None:
    with unguarded(engine) as connection:
        connection.execute(
            text("UPDATE trail SET at = '2020-01-01 00:00:00+00:00' WHERE number BETWEEN 7 AND 8")
        )
    with ten.begin() as db:
        before = NOON + timedelta(days=1)
        up_to = purge.due_to(db, before=before)
        assert up_to == 8
        purge.declare(db, up_to=up_to, before=before, rule="trail, 1 year", now=LATER)
    delete_to(ten, up_to)
    found = verify(ten)
    assert (found.fault, found.number) == (ChainFault.EARLY, 7)


def test_a_purge_of_what_is_younger_than_any_term_is_not_believed(ten: SessionMaker) -> None:
    """Even from a portal of ours, as with a clock that jumped back afterwards."""
    with ten.begin() as db:
        before = LATER + timedelta(days=1)
        purge.declare(db, up_to=10, before=before, rule="trail, 1 day", now=LATER + timedelta(days=2))
    delete_to(ten, 10)
    found = verify(ten)
    assert (found.fault, found.number, found.forged_purge) == (ChainFault.DELETED, 1, 11)


def test_the_record_of_a_changed_term_is_never_purged(ten: SessionMaker, engine: Engine) -> None:
    with ten.begin() as db:
        enter(db, actor="pia", action="term changed", object="retention:trail", now=LATER)
        deed(db, at=LATER)
        before, now = LATER + timedelta(days=1), LATER + YEAR + timedelta(days=9)
        purge.declare(db, up_to=12, before=before, rule="trail, 1 year", now=now)
    with ten.begin() as db, pytest.raises(DatabaseError, match="append-only"):
        db.execute(delete(AuditEntry).where(AuditEntry.number <= 12))
    with ten.begin() as db:
        db.execute(delete(AuditEntry).where(AuditEntry.number <= 12, AuditEntry.action.not_in(log.KEPT)))
    assert verify(ten) == ChainVerdict(entries=13, purged=11)
    with unguarded(engine) as connection:
        connection.execute(text("DELETE FROM trail WHERE number = 11"))
    found = verify(ten)
    assert (found.fault, found.number) == (ChainFault.DELETED, 11)


def test_a_purge_is_held_against_the_dates_of_anchors(make_session: SessionMaker) -> None:
    """Whoever has the secret as well cannot make an entry older than the anchors that did not see it yet."""
    sealed(make_session)
    write(make_session, 3)
    anchor = Anchor("portal", 2, b"", LATER)
    with make_session.begin() as db:
        anchor = Anchor("portal", 2, bytes(db.get_one(AuditLink, 2).entry_hash), LATER)
        purge.declare(
            db, up_to=3, before=NOON + timedelta(days=1), rule="trail, 1 year", now=LATER + timedelta(days=9)
        )
    delete_to(make_session, 3)
    assert verify(make_session).is_whole
    with snapshot(make_session) as db:
        found = verification.verify(db, [anchor])
    assert (found.fault, found.number) == (ChainFault.EARLY, 3)


def test_what_was_there_before_there_were_seals_is_vouched_for_once(make_session: SessionMaker) -> None:
    write(make_session, 3)
    with sealed(make_session).begin() as db:
        assert sealing.seal_all(db, AuditSeals(SECRET)) == 3
    write(make_session, 1)
    assert verify(make_session) == ChainVerdict(entries=4)
