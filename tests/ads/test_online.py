"""The open session of a client, with all that its page tells."""

from __future__ import annotations

from datetime import datetime

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from ads import acceptances, online
from ads.acceptances import Further
from ads.demo import load_announcements
from ads.models import Creative, Impression
from sessions import counters, end, feed
from sessions.counters import CounterSource
from sessions.models import AccessSession, EndReason
from tests.clock import NOON
from tests.sessions.test_feed import enter
from tests.town import BO_PHONE, Town, build_town

TABLET, LAPTOP = "02:00:00:00:00:77", "02:00:00:00:00:78"


@pytest.fixture
def town(db: Session) -> Town:
    return build_town(db)


def find(db: Session, town: Town, access: AccessSession, *, now: datetime = NOON) -> online.Online | None:
    db.flush()
    return online.find(db, gateway=town.station, mac=access.mac, now=now)


def test_it_is_the_open_session_as_it_stands_in_its_row(db: Session, town: Town) -> None:
    access = enter(db, town.station)
    found = find(db, town, access)
    assert found is not None
    assert [getattr(access, name) for name in found.access._fields] == list(found.access)
    assert (found.confirmed_until, found.is_confirmed, found.further_id) == (None, False, None)
    assert find(db, town, access, now=access.until) is None
    end.end(db, access.id, reason=EndReason.LEFT, now=NOON)
    assert find(db, town, access) is None


def test_it_is_let_pass_as_soon_as_the_gateway_says_so(db: Session, town: Town) -> None:
    access = enter(db, town.station)
    feed.confirm(db, gateway_id=town.station.id, version=9, refused={}, now=NOON)
    found = find(db, town, access)
    assert found is not None and (found.confirmed_until, found.is_confirmed) == (access.until, True)


def test_its_devices_are_those_online_with_its_entitlement(db: Session, town: Town) -> None:
    access, *others = (
        enter(db, town.station, mac, f"10.66.0.{place}")
        for place, mac in enumerate((LAPTOP, TABLET, BO_PHONE), start=20)
    )
    found = find(db, town, access)
    assert found is not None and found.devices == 1
    for other in others:
        other.entitlement_id = access.entitlement_id
    found = find(db, town, access)
    assert found is not None and found.devices == 3
    end.end(db, others[0].id, reason=EndReason.LEFT, now=NOON)
    others[1].until = NOON
    found = find(db, town, access)
    assert found is not None and found.devices == 1


def test_what_it_has_used_is_counted_over_all_lives_of_its_gateways(db: Session, town: Town) -> None:
    access, stranger = enter(db, town.station), enter(db, town.station, BO_PHONE, "10.66.0.6")
    found = find(db, town, access)
    assert found is not None and (found.bytes_up, found.bytes_down) == (0, 0)
    for epoch, up in (("one", 1), ("two", 2)):
        source = CounterSource(town.station.id, epoch, 1, 64)
        rows = [(access.id, up, 10 * up, 0, 0), (stranger.id, 7, 7, 0, 0)]
        counters.grow(db, source, rows, now=NOON)
    found = find(db, town, access)
    assert found is not None and (found.bytes_up, found.bytes_down) == (3, 30)
    assert all(type(count) is int for count in (found.bytes_up, found.bytes_down, found.devices))


def test_the_message_accepted_last_has_something_further_to_read_or_none_has(db: Session, town: Town) -> None:
    load_announcements(db, now=NOON)
    first, last = db.scalars(select(Creative).order_by(Creative.id).limit(2))
    access = enter(db, town.station)
    accepted(db, access, first, "a")
    first.more = "ville.example/velo"
    found = find(db, town, access)
    assert found is not None and found.further_id == first.id
    assert acceptances.further(db, first.id) == Further(first.id, first.texts, "ville.example/velo")
    accepted(db, access, None, "b")
    found = find(db, town, access)
    assert found is not None and found.further_id == first.id
    accepted(db, access, last, "c")
    found = find(db, town, access)
    assert found is not None and found.further_id is None


def accepted(db: Session, access: AccessSession, creative: Creative | None, nonce: str) -> None:
    db.add(
        Impression(
            nonce=nonce,
            creative_id=creative.id if creative else None,
            network_id=access.network_id,
            site_id=access.site_id,
            access_id=access.id,
            language="fr",
            shown_at=NOON,
            accepted_at=NOON,
        )
    )
