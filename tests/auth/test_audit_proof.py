"""The audit log proves itself: what was done to it, and to which entry first."""

from __future__ import annotations

import hashlib
import threading

import pytest
from sqlalchemy import Engine, select, text
from sqlalchemy.exc import DatabaseError

from auth.audit import anchors, chain, log, verification
from auth.audit.anchors import Anchor
from auth.audit.chain import AuditLink
from auth.audit.log import AuditEntry, AuditHead
from auth.audit.verification import ChainFault, ChainVerdict
from db.engine import SessionMaker, snapshot
from db.statements import table_of
from tests.actors import enter
from tests.auth.tampering import deed, forge, renumber, unguarded, write
from tests.clock import NOON

PORTAL = "portal.example.org"


def verify(make_session: SessionMaker, *known: Anchor) -> ChainVerdict:
    with snapshot(make_session) as db:
        return verification.verify(db, known)


def found(make_session: SessionMaker, *known: Anchor) -> tuple[ChainFault | None, int | None]:
    verdict = verify(make_session, *known)
    return verdict.fault, verdict.number


def anchored(make_session: SessionMaker) -> Anchor:
    with make_session() as db:
        anchor = anchors.present(db, portal=PORTAL, now=NOON)
    assert anchor is not None
    return anchor


@pytest.fixture
def six(make_session: SessionMaker) -> SessionMaker:
    write(make_session, 6)
    return make_session


def test_a_trail_that_nobody_touched_is_whole(six: SessionMaker) -> None:
    assert verify(six) == ChainVerdict(entries=6)


def test_an_empty_trail_is_whole(make_session: SessionMaker) -> None:
    assert verify(make_session) == ChainVerdict(entries=0)


def test_each_link_covers_salt_content_number_and_the_link_before(six: SessionMaker) -> None:
    with six() as db:
        before = bytes(32)
        for entry in db.scalars(select(AuditEntry).order_by(AuditEntry.number)):
            link = db.get_one(AuditLink, entry.number)
            assert entry.salt is not None and len(entry.salt) == 32
            assert link.content_digest == hashlib.sha256(entry.salt + entry.canonical).digest()
            covered = before + entry.number.to_bytes(8, "big") + link.content_digest
            assert link.entry_hash == hashlib.sha256(covered).digest()
            before = link.entry_hash
        assert db.get_one(AuditHead, 1).hash == before


def test_equal_deeds_have_unequal_digests(make_session: SessionMaker) -> None:
    assert chain.new_salt() != chain.new_salt()


def test_no_link_can_be_changed_or_taken_out_and_no_salt(six: SessionMaker) -> None:
    for statement in (
        "UPDATE trail_links SET entry_hash = content_digest",
        "DELETE FROM trail_links",
        "UPDATE trail SET salt = NULL",
        "DELETE FROM trail WHERE number = 3",
    ):
        with six() as db, pytest.raises(DatabaseError, match="append-only"):
            db.execute(text(statement))


@pytest.mark.parametrize("number", [1, 3, 6])
@pytest.mark.parametrize(
    "change",
    [
        "UPDATE trail SET actor = 'somebody' WHERE number = :number",
        "UPDATE trail SET detail = '{}' WHERE number = :number",
        "UPDATE trail_links SET entry_hash = content_digest WHERE number = :number",
        "UPDATE trail_links SET content_digest = entry_hash WHERE number = :number",
    ],
)
def test_an_edited_entry_is_named(six: SessionMaker, engine: Engine, number: int, change: str) -> None:
    with unguarded(engine) as connection:
        connection.execute(text(change), {"number": number})
    assert found(six) == (ChainFault.EDITED, number)


def test_an_entry_edited_with_its_bytes_is_named(six: SessionMaker, engine: Engine) -> None:
    with unguarded(engine) as connection:
        entry = AuditEntry(
            number=3, at=NOON, actor="somebody", action="issued", object="batch:3", network=None, detail={}
        )
        connection.execute(
            text("UPDATE trail SET actor = 'somebody', detail = '{}', canonical = :bytes WHERE number = 3"),
            {"bytes": log.canonical(entry)},
        )
    assert found(six) == (ChainFault.EDITED, 3)


@pytest.mark.parametrize("tables", [("trail",), ("trail_links",), ("trail", "trail_links")])
@pytest.mark.parametrize("number", [1, 3])
def test_a_deleted_entry_is_named(
    six: SessionMaker, engine: Engine, tables: tuple[str, ...], number: int
) -> None:
    with unguarded(engine) as connection:
        for table in tables:
            connection.execute(text(f"DELETE FROM {table} WHERE number = :number"), {"number": number})
    assert found(six) == (ChainFault.DELETED, number)


def test_a_deleted_entry_is_named_where_the_rest_was_renumbered(six: SessionMaker, engine: Engine) -> None:
    with unguarded(engine) as connection:
        for table in ("trail", "trail_links"):
            connection.execute(text(f"DELETE FROM {table} WHERE number = 3"))
            renumber(connection, table, above=3, by=-1)
        connection.execute(text("UPDATE trail_head SET last = 5, linked = 5"))
    assert found(six) == (ChainFault.DELETED, 3)


@pytest.mark.parametrize("linked_well", [True, False])
def test_an_inserted_entry_is_named(six: SessionMaker, engine: Engine, linked_well: bool) -> None:
    with unguarded(engine) as connection:
        for table in ("trail", "trail_links"):
            renumber(connection, table, above=2, by=1)
        entry = AuditEntry(
            number=3, at=NOON, actor="dana", action="issued", object="batch:9", network=None, detail={}
        )
        salt, canonical = bytes(32), log.canonical(entry)
        digest = chain.content_digest(salt, canonical)
        before = connection.scalar(text("SELECT entry_hash FROM trail_links WHERE number = 2"))
        link = chain.entry_hash(before if linked_well else bytes(32), 3, digest)
        connection.execute(
            text(
                "INSERT INTO trail (number, at, actor, action, object, network, detail, canonical, salt) "
                "SELECT 3, at, 'dana', 'issued', 'batch:9', NULL, '{}', :canonical, :salt FROM trail WHERE number = 1"
            ),
            {"canonical": canonical, "salt": salt},
        )
        connection.execute(
            text("INSERT INTO trail_links VALUES (3, :digest, :link)"), {"digest": digest, "link": link}
        )
        connection.execute(text("UPDATE trail_head SET last = 7, linked = 7"))
    assert found(six) == (ChainFault.INSERTED, 3)


@pytest.mark.parametrize("number", [0, 9])
def test_an_entry_before_the_first_or_after_the_last_is_named(
    six: SessionMaker, engine: Engine, number: int
) -> None:
    with unguarded(engine) as connection:
        connection.execute(
            text(
                "INSERT INTO trail (number, at, actor, action, object, network, detail, canonical, salt) "
                "SELECT :number, at, actor, action, object, network, detail, canonical, salt "
                "FROM trail WHERE number = 1"
            ),
            {"number": number},
        )
    assert found(six) == (ChainFault.INSERTED, number)


@pytest.mark.parametrize("columns", ["content", "content and links"])
def test_swapped_entries_are_named(six: SessionMaker, engine: Engine, columns: str) -> None:
    with unguarded(engine) as connection:
        for table in ("trail",) if columns == "content" else ("trail", "trail_links"):
            for old, new in ((2, -1), (5, 2), (-1, 5)):
                connection.execute(
                    text(f"UPDATE {table} SET number = :new WHERE number = :old"), {"old": old, "new": new}
                )
    assert found(six) == (ChainFault.SWAPPED, 2)


@pytest.mark.parametrize("tables", [("trail", "trail_links"), ("trail",), ("trail_links",)])
def test_a_cut_tail_is_named(six: SessionMaker, engine: Engine, tables: tuple[str, ...]) -> None:
    with unguarded(engine) as connection:
        for table in tables:
            connection.execute(text(f"DELETE FROM {table} WHERE number > 4"))
    fault, number = found(six)
    # Where only links are gone, their entries are still there to be deleted from nothing.
    assert number == 5
    assert fault is ChainFault.CUT


def test_a_tail_cut_with_the_head_set_back_shows_against_an_anchor(six: SessionMaker, engine: Engine) -> None:
    anchor = anchored(six)
    with unguarded(engine) as connection:
        for table in ("trail", "trail_links"):
            connection.execute(text(f"DELETE FROM {table} WHERE number > 4"))
        connection.execute(
            text(
                "UPDATE trail_head SET last = 4, linked = 4, "
                "hash = (SELECT entry_hash FROM trail_links WHERE number = 4)"
            )
        )
    assert found(six) == (None, None)
    assert found(six, anchor) == (ChainFault.CUT, 5)
    write(six, 3)
    assert found(six) == (None, None)
    assert found(six, anchor) == (ChainFault.REWRITTEN, 1)


def test_a_rewritten_chain_shows_against_an_anchor_and_only_so(
    make_session: SessionMaker, engine: Engine
) -> None:
    write(make_session, 2)
    early = anchored(make_session)
    write(make_session, 4)
    late = anchored(make_session)
    assert found(make_session, early, late) == (None, None)
    with unguarded(engine) as connection:
        connection.execute(text("UPDATE trail SET actor = 'somebody' WHERE number = 4"))
    forge(engine, start=4)
    assert found(make_session) == (None, None)
    assert found(make_session, early) == (None, None)
    # The early anchor still holds, so what was rewritten comes after it.
    assert found(make_session, late, early) == (ChainFault.REWRITTEN, 3)
    assert found(make_session, late) == (ChainFault.REWRITTEN, 1)


def test_a_chain_computed_anew_without_its_head_shows(six: SessionMaker, engine: Engine) -> None:
    with unguarded(engine) as connection:
        connection.execute(text("UPDATE trail_links SET entry_hash = content_digest WHERE number = 6"))
        connection.execute(text("UPDATE trail_head SET hash = hash"))
    with engine.connect() as connection:
        before = connection.scalar(text("SELECT entry_hash FROM trail_links WHERE number = 5"))
    with unguarded(engine) as connection:
        connection.execute(
            text("UPDATE trail SET salt = :salt WHERE number = 6"),
            {"salt": bytes(32)},
        )
        canonical = connection.scalar(text("SELECT canonical FROM trail WHERE number = 6"))
        digest = chain.content_digest(bytes(32), bytes(canonical or b""))
        connection.execute(
            text("UPDATE trail_links SET content_digest = :digest, entry_hash = :link WHERE number = 6"),
            {"digest": digest, "link": chain.entry_hash(bytes(before or b""), 6, digest)},
        )
    assert found(six) == (ChainFault.REWRITTEN, 6)


def write_as_before(engine: Engine) -> None:
    """What a portal of the version before the chain still does while the new one starts beside it."""
    with engine.begin() as connection:
        number = connection.scalar(text("UPDATE trail_head SET last = last + 1 RETURNING last"))
        entry = AuditEntry(
            number=number, at=NOON, actor="eve", action="issued", object="batch:1", network=None, detail={}
        )
        connection.execute(
            table_of(AuditEntry).insert(),
            {
                "number": number,
                "at": NOON,
                "actor": "eve",
                "action": "issued",
                "object": "batch:1",
                "network": None,
                "detail": {},
                "canonical": log.canonical(entry),
            },
        )


def test_an_unfinished_tail_is_not_tampering_and_the_next_deed_ends_it(
    six: SessionMaker, engine: Engine
) -> None:
    write_as_before(engine)
    write_as_before(engine)
    assert verify(six) == ChainVerdict(entries=6, unfinished=2)
    write(six, 1)
    assert verify(six) == ChainVerdict(entries=9)


def test_an_unfinished_tail_with_a_hole_is_tampering(six: SessionMaker, engine: Engine) -> None:
    write_as_before(engine)
    write_as_before(engine)
    with unguarded(engine) as connection:
        connection.execute(text("DELETE FROM trail WHERE number = 7"))
    assert found(six) == (ChainFault.DELETED, 7)


def test_a_deed_that_was_undone_leaves_the_chain_whole(six: SessionMaker) -> None:
    with six() as db:
        deed(db)
        db.rollback()
    write(six, 1)
    assert verify(six) == ChainVerdict(entries=7)


def test_four_who_write_at_once_make_one_chain(make_session: SessionMaker) -> None:
    start = threading.Barrier(4)

    def work(actor: str) -> None:
        start.wait()
        for _ in range(5):
            with make_session.begin() as db:
                enter(db, actor=actor, action="issued", object="batch:1", now=NOON)

    threads = [threading.Thread(target=work, args=(f"clerk{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert verify(make_session) == ChainVerdict(entries=20)
