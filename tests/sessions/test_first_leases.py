"""Who lets a client in that somebody else has let in meanwhile does it again, and finds the other's session."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from ads import acceptances
from ads.acceptances import ImpressionToken
from ads.errors import NotDue
from auth.entitlements import Allowance
from auth.patrons.csv_import import import_patrons
from auth.vouchers import issuing, plans
from auth.vouchers.issuing import Order
from db.engine import SessionMaker, group_commit, make_engine, make_session_maker
from sessions import start
from sessions.first_leases import once_more
from sessions.models import AccessSession, EndReason, Lease
from sites.models import Gateway, SigninMethod
from tests.actors import TESTER
from tests.clock import NOON
from tests.sessions.test_admission import CARDS, KEYS, PSEUDONYMS, arrival, redeem, sign_in
from tests.town import ADA_PHONE, build_town, make_client

RIVAL = Allowance("rival", SigninMethod.PATRON, NOON + timedelta(hours=4), 2)
"""Somebody who signs in on Ada's phone at that very instant."""


@pytest.fixture
def library(both_urls: list[str]) -> Iterator[Gateway]:
    engine = make_engine(both_urls[1])
    with make_session_maker(engine).begin() as db:
        import_patrons(db, CARDS, allow_short=True)
        plans.add_first_plans(db)
        gateway = build_town(db).pierre_bayle
        assert gateway.site.slug != gateway.network.slug
    yield gateway
    engine.dispose()


@pytest.fixture
def overtaken(both_urls: list[str], library: Gateway) -> Iterator[SessionMaker]:
    """Sessions of an engine by which no client is let in before somebody else has let Ada's phone in, once."""
    others, engine = make_engine(both_urls[1]), make_engine(both_urls[1])
    is_first = True

    @event.listens_for(engine, "before_cursor_execute")
    def overtake(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        nonlocal is_first
        if is_first and "INSERT INTO access_sessions" in statement:
            is_first = False
            with make_session_maker(others).begin() as db:
                # Behind another address, or it would wait for the row of that one.
                there = replace(arrival(library), client=make_client(ADA_PHONE, "10.68.0.6"))
                start.open_access(db, there, allowance=RIVAL, now=NOON)

    yield make_session_maker(engine)
    engine.dispose()
    others.dispose()


def open_ones(make_session: SessionMaker) -> list[tuple[str, int]]:
    """The open sessions, whose each is and how many leases it has."""
    with make_session() as db:
        found = db.scalars(select(AccessSession).where(AccessSession.ended_at.is_(None))).all()
        return [
            (one.subject, len(db.scalars(select(Lease).where(Lease.access_id == one.id)).all()))
            for one in found
        ]


def test_a_patron_who_was_overtaken_takes_the_device_over(overtaken: SessionMaker, library: Gateway) -> None:
    access_id = sign_in(overtaken, library, "29001", "1234")
    [(subject, leases)] = open_ones(overtaken)
    assert (subject != RIVAL.subject, leases) == (True, 1)
    with overtaken() as db:
        assert db.get_one(AccessSession, access_id).subject == subject
        [others] = db.scalars(select(AccessSession).where(AccessSession.subject == RIVAL.subject))
        assert others.end_reason is EndReason.LEFT


def test_a_visitor_who_was_overtaken_takes_the_device_over(overtaken: SessionMaker, library: Gateway) -> None:
    with overtaken.begin() as db:
        plan = plans.by_slug(db, "day")
        (code,) = issuing.issue(db, keys=KEYS, plan=plan, order=Order(1), actor=TESTER, now=NOON).codes
    access_id = redeem(overtaken, library, code, ADA_PHONE)
    [(subject, leases)] = open_ones(overtaken)
    assert (subject != RIVAL.subject, leases) == (True, 1)
    with overtaken() as db:
        assert db.get_one(AccessSession, access_id).subject == subject


def test_a_message_that_was_overtaken_earns_nothing(overtaken: SessionMaker, library: Gateway) -> None:
    ticket = ImpressionToken("a", None, "fr", NOON)

    def accept(db: Session) -> None:
        acceptances.accept(db, arrival(library), ticket=ticket, pseudonyms=PSEUDONYMS, now=NOON)

    with pytest.raises(NotDue):
        once_more(lambda: group_commit(overtaken, accept))
    assert open_ones(overtaken) == [(RIVAL.subject, 1)]
