"""How often a guest's act goes to PostgreSQL and waits: in libpq's own trace each round trip ends in one message."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, select

from ads import acceptances
from ads.acceptances import ImpressionToken
from ads.demo import load_announcements
from ads.models import Creative
from auth.patrons.csv_import import import_patrons
from auth.patrons.local import EmbeddedDirectory
from auth.vouchers import issuing, plans
from auth.vouchers.issuing import Order
from db.engine import SessionMaker, group_commit, make_engine, make_session_maker
from sessions import patrons, vouchers
from sites.models import Gateway
from tests.actors import TESTER
from tests.clock import NOON
from tests.sessions.test_admission import CARDS, KEYS, PSEUDONYMS, arrival
from tests.town import ADA_PHONE, ADA_TABLET, BO_PHONE, build_town


@pytest.fixture
def url(both_urls: list[str]) -> str:
    return both_urls[1]


@pytest.fixture
def town(url: str) -> Iterator[tuple[SessionMaker, Gateway]]:
    engine = make_engine(url)
    make_session = make_session_maker(engine)
    with make_session.begin() as db:
        import_patrons(db, CARDS, allow_short=True)
        plans.add_first_plans(db)
        library = build_town(db).pierre_bayle
    yield make_session, library
    engine.dispose()


@pytest.fixture
def counted(url: str, tmp_path: Path) -> Iterator[tuple[SessionMaker, Callable[[], int]]]:
    """Sessions of an engine that is traced, and how many round trips there were since this was asked last."""
    engine = make_engine(url)
    path = tmp_path / "trace"
    with path.open("w") as trace, path.open() as told:

        @event.listens_for(engine, "connect")
        def listen(connection: Any, _record: object) -> None:
            connection.pgconn.trace(trace.fileno())

        def since() -> int:
            with engine.connect() as connection:
                line: Any = connection.connection.driver_connection
                # libpq writes down what it has traced when that ends.
                line.pgconn.untrace()
                line.pgconn.trace(trace.fileno())
            return told.read().count("ReadyForQuery")

        yield make_session_maker(engine), since
        engine.dispose()


def test_a_sign_in_and_a_redeem_wait_for_postgresql_as_rarely_as_they_must(
    town: tuple[SessionMaker, Gateway], counted: tuple[SessionMaker, Callable[[], int]]
) -> None:
    make_session, library = town
    own, since = counted
    with make_session.begin() as db:
        plan = plans.by_slug(db, "day")
        codes = issuing.issue(db, keys=KEYS, plan=plan, order=Order(2), actor=TESTER, now=NOON).codes

    def sign_in(mac: str) -> None:
        patrons.sign_in(
            own,
            arrival(library, mac),
            login="29001",
            secret="1234",
            directory=EmbeddedDirectory(make_session),
            pseudonyms=PSEUDONYMS,
            now=NOON,
        )

    def redeem(code: str, mac: str) -> None:
        vouchers.redeem(own, arrival(library, mac), code=code, keys=KEYS, now=NOON)

    # The first ones prepare.
    sign_in(ADA_PHONE)
    redeem(codes[0], ADA_PHONE)
    sign_in(ADA_PHONE)
    since()
    sign_in(BO_PHONE)
    # The attempt with its commit, what is asked, and the session with its commit.
    assert since() == 3
    redeem(codes[1], ADA_TABLET)
    assert since() == 3


def test_an_accepted_message_and_a_renewal_wait_for_postgresql_as_rarely_as_they_must(
    town: tuple[SessionMaker, Gateway], counted: tuple[SessionMaker, Callable[[], int]]
) -> None:
    make_session, library = town
    own, since = counted
    with make_session.begin() as db:
        load_announcements(db, now=NOON)
        creative_id = db.scalars(select(Creative.id).limit(1)).one()

    def accept(mac: str, at: datetime) -> None:
        ticket = ImpressionToken(f"{mac} {at:%H:%M}", creative_id, "fr", at)
        coming = arrival(library, mac)
        group_commit(
            own,
            lambda db: acceptances.accept(db, coming, ticket=ticket, pseudonyms=PSEUDONYMS, now=at),
        )

    late = NOON + library.lease_length - timedelta(minutes=1)
    # The first prepares.
    accept(ADA_PHONE, NOON)
    accept(ADA_PHONE, late)
    since()
    accept(BO_PHONE, NOON)
    assert since() == 3
    accept(BO_PHONE, late)
    assert since() == 3
