"""One accepted message is exactly one lease, once."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ads import acceptances
from ads.acceptances import ImpressionToken
from ads.demo import load_announcements
from ads.errors import NotDue, SpentImpression
from ads.models import Impression
from ads.running import running
from auth.blocks import service as blocks
from auth.blocks.errors import BlockedDevice
from auth.blocks.models import BlockCause, BlockKind
from auth.blocks.service import BlockRequest
from auth.pseudonyms import Pseudonyms
from config import Secret
from db.engine import SessionMaker
from sessions import feed
from sessions.arrival import Acceptance, Arrival
from sessions.models import AccessSession, Lease
from sessions.start import Opened
from tests.actors import TESTER
from tests.ads.campaigns import PARIS
from tests.clock import NOON
from tests.town import Town, build_town, make_client

HALF_HOUR = timedelta(minutes=30)
PSEUDONYMS = Pseudonyms(Secret("s" * 43))


def ticket(nonce: str, shown_at: datetime) -> ImpressionToken:
    return ImpressionToken(nonce, None, "fr", shown_at)


def accept(db: Session, town: Town, nonce: str, *, now=NOON) -> Opened:
    return acceptances.accept(
        db,
        Arrival(town.station, make_client(), Acceptance("1", "fr", "")),
        ticket=ticket(nonce, now),
        pseudonyms=PSEUDONYMS,
        now=now,
    )


def test_an_acceptance_is_one_lease_and_one_row(db: Session) -> None:
    town = build_town(db)
    opened = accept(db, town, "a")
    row = db.scalars(select(Impression)).one()
    assert (row.nonce, row.lease_id, row.access_id) == ("a", opened.lease_id, opened.access.id)
    assert (row.shown_at, row.accepted_at, row.confirmed_at) == (NOON, NOON, None)
    assert opened.access.until == NOON + HALF_HOUR


def test_a_replayed_ticket_is_spent(db: Session) -> None:
    town = build_town(db)
    accept(db, town, "a")
    with pytest.raises(SpentImpression):
        accept(db, town, "a", now=NOON + timedelta(minutes=28))


def test_a_second_ticket_is_not_due_before_the_last_five_minutes(db: Session) -> None:
    town = build_town(db)
    accept(db, town, "a")
    with pytest.raises(NotDue) as caught:
        accept(db, town, "b", now=NOON + timedelta(minutes=24, seconds=59))
    assert caught.value.opens_at == NOON + timedelta(minutes=25)


def test_a_renewal_extends_from_the_old_deadline(db: Session) -> None:
    town = build_town(db)
    accept(db, town, "a")
    opened = accept(db, town, "b", now=NOON + timedelta(minutes=25))
    assert opened.access.until == NOON + timedelta(minutes=60)
    lease = db.get_one(Lease, opened.lease_id)
    assert (lease.starts_at, lease.until) == (NOON + HALF_HOUR, NOON + timedelta(minutes=60))


def test_who_was_blocked_since_renews_nothing(db: Session) -> None:
    town = build_town(db)
    accept(db, town, "a")
    wish = BlockRequest(
        BlockKind.DEVICE, str(make_client().mac), None, next(iter(BlockCause)), "", NOON + timedelta(days=1)
    )
    blocks.place(db, wish, actor=TESTER, now=NOON)
    with pytest.raises(BlockedDevice):
        accept(db, town, "b", now=NOON + timedelta(minutes=25))


def test_after_the_deadline_it_counts_from_now(db: Session) -> None:
    town = build_town(db)
    first = accept(db, town, "a").access
    opened = accept(db, town, "b", now=NOON + timedelta(minutes=40))
    assert opened.access.until == NOON + timedelta(minutes=70)
    assert opened.access.id != first.id


def test_the_gateways_confirmation_is_in_the_same_row(db: Session) -> None:
    town = build_town(db)
    opened = accept(db, town, "a")
    version = feed.read(db, gateway_id=town.station.id, since=0, now=NOON).version
    lease_ids = feed.confirm(
        db, gateway_id=town.station.id, version=version, refused={}, now=NOON + timedelta(seconds=1)
    )
    acceptances.confirm(db, lease_ids, now=NOON + timedelta(seconds=1))
    [(row, lease)] = acceptances.of_access(db, opened.access.id)
    db.refresh(row)
    assert row.confirmed_at == NOON + timedelta(seconds=1)
    assert lease.id == opened.lease_id


def rush(make_session: SessionMaker, town: Town, nonces: list[str], *, now) -> list[object]:
    barrier = threading.Barrier(len(nonces))
    results: list[object] = []

    def tap(nonce: str) -> None:
        barrier.wait()
        try:
            with make_session.begin() as db:
                results.append(accept(db, town, nonce, now=now).lease_id)
        except (SpentImpression, NotDue) as error:
            results.append(type(error))

    threads = [threading.Thread(target=tap, args=(nonce,)) for nonce in nonces]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@pytest.mark.parametrize("same", [True, False], ids=["one ticket", "many tickets"])
def test_parallel_acceptances_are_one_lease(make_session: SessionMaker, same: bool) -> None:
    with make_session.begin() as db:
        town = build_town(db)
    nonces = ["a" if same else f"a{number}" for number in range(12)]
    results = rush(make_session, town, nonces, now=NOON)
    assert len([result for result in results if isinstance(result, int)]) == 1
    with make_session() as db:
        assert db.scalar(select(func.count(Lease.id))) == 1
        assert db.scalar(select(func.count(Impression.id))) == 1
        assert db.scalars(select(AccessSession.until)).one() == NOON + HALF_HOUR


def test_parallel_renewals_are_one_extension(make_session: SessionMaker) -> None:
    with make_session.begin() as db:
        town = build_town(db)
        accept(db, town, "first")
    results = rush(
        make_session, town, [f"b{number}" for number in range(12)], now=NOON + timedelta(minutes=27)
    )
    assert len([result for result in results if isinstance(result, int)]) == 1
    with make_session() as db:
        assert db.scalars(select(AccessSession.until)).one() == NOON + timedelta(minutes=60)
        assert db.scalar(select(func.count(Impression.id))) == 2


def test_the_towns_announcements_are_made_once_and_speak_both_languages(db: Session) -> None:
    made = load_announcements(db, now=NOON)
    assert made >= 4
    assert load_announcements(db, now=NOON) == 0
    for candidate, creative in running(db, PARIS).values():
        assert {"fr", "en"} <= candidate.languages
        assert creative.campaign.advertiser.is_town
