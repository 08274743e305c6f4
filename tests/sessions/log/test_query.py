"""Finding sessions: each filter alone and together, page after page, and nothing of a network that is not one's own."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from sessions import patrons
from sessions.log.query import Filter, Key, State, every, find, in_order, matching, page
from sessions.models import EndReason
from sites.models import SigninMethod
from tests.clock import MovingClock
from tests.sessions.log.rows import ADA, BO, add_session
from tests.town import ADA_PHONE, ADA_TABLET, BO_PHONE, Town, build_town

ALL: frozenset[str] = frozenset()


@pytest.fixture
def town(db: Session) -> Town:
    return build_town(db)


@pytest.fixture
def known(db: Session, town: Town, clock: MovingClock) -> dict[int, str]:
    """Four sessions by number, an hour apart; the last one still runs."""
    at = clock()

    def ago(hours: int, ended: EndReason | None = EndReason.EXPIRED, **fields: Any) -> dict[str, Any]:
        begun = at - timedelta(hours=hours)
        over = {"ended_at": begun + timedelta(minutes=30), "end_reason": ended} if ended else {}
        return {"started_at": begun, **over, **fields}

    rows = {
        "ada, station": add_session(db, town.station, **ago(4)),
        "bo, battant": add_session(
            db,
            town.battant,
            **ago(3, EndReason.LEFT, subject=BO, mac=BO_PHONE, address="10.67.0.9"),
        ),
        "ada, library": add_session(
            db,
            town.pierre_bayle,
            **ago(2, EndReason.STAFF, mac=ADA_TABLET, method=SigninMethod.PATRON, address="10.68.0.5"),
        ),
        "bo, station": add_session(
            db, town.station, **ago(0, None, subject=BO, mac=BO_PHONE, address="10.66.0.6")
        ),
    }
    return {access.id: name for name, access in rows.items()}


def names(db: Session, known: dict[int, str], filter: Filter, networks: frozenset[str] = ALL) -> list[str]:
    return [known[line.id] for line in page(db, filter, authority_networks=networks).lines]


def test_without_a_filter_the_newest_come_first(db: Session, known: dict[int, str]) -> None:
    assert names(db, known, Filter()) == ["bo, station", "ada, library", "bo, battant", "ada, station"]


@pytest.mark.parametrize(
    ("filter", "found"),
    [
        (Filter(site="gare-viotte"), ["bo, station", "ada, station"]),
        (Filter(network="bibliotheques"), ["ada, library"]),
        (Filter(mac=BO_PHONE), ["bo, station", "bo, battant"]),
        (Filter(mac_end="0a:02"), ["ada, library"]),
        (Filter(address="10.67.0.9"), ["bo, battant"]),
        (Filter(subject=ADA), ["ada, library", "ada, station"]),
        (Filter(subject="b0b0"), ["bo, station", "bo, battant"]),
        (Filter(state=State.OPEN), ["bo, station"]),
        (Filter(state=State.ENDED), ["ada, library", "bo, battant", "ada, station"]),
        (Filter(reason=EndReason.LEFT), ["bo, battant"]),
        (Filter(method=SigninMethod.PATRON), ["ada, library"]),
        (Filter(site="gare-viotte", mac=BO_PHONE, state=State.OPEN), ["bo, station"]),
        (Filter(site="gare-viotte", mac=ADA_TABLET), []),
        (Filter(subject=ADA, reason=EndReason.STAFF, network="bibliotheques"), ["ada, library"]),
        (Filter(site="nowhere"), []),
        (Filter(network="nowhere"), []),
        (Filter(subject="c"), []),
    ],
    ids=str,
)
def test_each_filter_finds_what_it_says(
    db: Session, known: dict[int, str], filter: Filter, found: list[str]
) -> None:
    assert names(db, known, filter) == found


def test_a_span_holds_every_session_that_ran_in_it(
    db: Session, known: dict[int, str], clock: MovingClock
) -> None:
    """Half-open: one that ended at its beginning or began at its end is not in it."""
    at = clock()

    def span(since: float, until: float) -> list[str]:
        first, last = (at - timedelta(minutes=minutes) for minutes in (since, until))
        return names(db, known, Filter(since=first, until=last))

    assert span(180, 120) == ["bo, battant"]
    assert span(165, 160) == ["bo, battant"]
    assert span(150, 120) == []
    assert span(150, 119) == ["ada, library"]
    assert span(241, 0) == ["ada, library", "bo, battant", "ada, station"]
    assert names(db, known, Filter(since=at + timedelta(minutes=29))) == ["bo, station"]
    assert names(db, known, Filter(since=at + timedelta(minutes=30))) == []


def test_one_that_began_more_than_a_day_before_the_span_is_not_in_it(
    db: Session, town: Town, clock: MovingClock
) -> None:
    long = {"until": clock() + timedelta(days=7)}
    add_session(db, town.station, clock() - timedelta(hours=24), **long)
    assert not page(db, Filter(since=clock()), authority_networks=ALL).lines
    assert page(db, Filter(since=clock() - timedelta(seconds=1)), authority_networks=ALL).lines


def test_no_network_but_one_s_own_is_seen(db: Session, town: Town, known: dict[int, str]) -> None:
    library = frozenset({"bibliotheques"})
    assert names(db, known, Filter(), library) == ["ada, library"]
    assert names(db, known, Filter(network="wifilib"), library) == []
    assert names(db, known, Filter(mac=BO_PHONE), library) == []
    assert names(db, known, Filter(), frozenset({"bibliotheques", "wifilib"})) == [*known.values()][::-1]
    assert names(db, known, Filter(), frozenset({"nowhere"})) == []
    of_bo = next(number for number, name in known.items() if name == "bo, station")
    assert find(db, of_bo, authority_networks=library) is None
    assert find(db, of_bo, authority_networks=ALL) is not None
    assert find(db, 999_999, authority_networks=ALL) is None


def test_pages_follow_each_other_without_gap_or_repetition(
    db: Session, town: Town, clock: MovingClock
) -> None:
    """Many of the same instant too: the number decides."""
    ended = {"end_reason": EndReason.EXPIRED}
    for number in range(12):
        at = clock() + timedelta(seconds=number // 5)
        add_session(db, town.station, at, mac=f"02:00:00:00:00:{number:02x}", ended_at=at, **ended)
    seen: list[int] = []
    after: Key | None = None
    while True:
        found = page(db, Filter(), authority_networks=ALL, after=after, most=5)
        seen += [line.id for line in found.lines]
        after = found.after
        if after is None:
            break
    assert seen == [line.id for line in page(db, Filter(), authority_networks=ALL).lines]
    assert len(seen) == 12
    assert seen == [line.id for line in every(db, Filter(), authority_networks=ALL, at_once=2)]


@pytest.mark.parametrize(
    ("filter", "index"),
    [
        (Filter(), "ix_access_sessions_log"),
        (Filter(site="gare-viotte"), "ix_access_sessions_log_site"),
        (Filter(network="bibliotheques"), "ix_access_sessions_log_network"),
        (Filter(method=SigninMethod.PATRON), "ix_access_sessions_log_method"),
        (Filter(mac=ADA_PHONE), "ix_access_sessions_log_mac"),
        (Filter(address="10.66.0.5"), "ix_access_sessions_log_address"),
        (Filter(reason=EndReason.DEVICE_LIMIT), "ix_access_sessions_log_reason"),
        (Filter(state=State.OPEN), "ix_access_sessions_log_open"),
        (Filter(subject=ADA), "ix_access_sessions_log_subject"),
        (Filter(site="gare-viotte", mac=ADA_PHONE), "ix_access_sessions_log_mac"),
        (Filter(site="gare-viotte", network="wifilib"), "ix_access_sessions_log_site"),
    ],
    ids=str,
)
def test_an_index_answers_each_filter(db: Session, known: dict[int, str], filter: Filter, index: str) -> None:
    """As the database says itself. PostgreSQL's planner chooses among several by its statistics: it gets this one."""
    statement = matching(db, filter, authority_networks=ALL)
    assert statement is not None
    if db.get_bind().dialect.name == "sqlite":
        found = plan(db, in_order(statement).limit(51)) + " "
        assert f"USING INDEX {index} " in found and "TEMP B-TREE" not in found
        return
    run = db.connection().exec_driver_sql
    others = (
        "SELECT indexname FROM pg_indexes WHERE tablename = 'access_sessions' AND indexname LIKE 'ix\\_%%'"
    )
    for (name,) in run(others).all():
        if name != index:
            run(f"DROP INDEX {name}")
    for way in ("seqscan", "bitmapscan", "sort"):
        run(f"SET LOCAL enable_{way} = off")
    assert f"using {index}" in plan(db, in_order(statement).limit(51))
    db.rollback()


def plan(db: Session, statement: Any) -> str:
    bound = statement.compile(db.get_bind(), compile_kwargs={"literal_binds": True})
    ask = "EXPLAIN QUERY PLAN " if db.get_bind().dialect.name == "sqlite" else "EXPLAIN "
    return "\n".join(str(row[-1]) for row in db.connection().exec_driver_sql(ask + str(bound)))


def test_a_reader_s_device_is_found_by_its_address_however_often_the_reader_came(db: Session) -> None:
    """SQLite chooses between two indexes by nothing that it knows; PostgreSQL by its statistics."""
    if db.get_bind().dialect.name == "sqlite":
        asked = patrons.BEEN_ON
        assert "ix_access_sessions_log_mac" in plan(db, asked.params(subject=ADA, mac=ADA_PHONE))
