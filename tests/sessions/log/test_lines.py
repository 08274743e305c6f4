"""Sessions and refusals in one list, and its pages without gap or repetition."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from portal.denials.portal_reasons import NOT_HERE, Busy
from sessions.log import listing
from sessions.log.denials import LoggedDenial, Step, note
from sessions.log.listing import Place, UnreadablePlace, mixed, read_place
from sessions.log.query import Filter, Key, ListedSession, State
from sessions.log.search import Show
from tests.clock import MovingClock
from tests.sessions.log.rows import add_session
from tests.town import BO_PHONE, Town, build_town

ALL: frozenset[str] = frozenset()


@pytest.fixture
def town(db: Session, clock: MovingClock) -> Town:
    """Six sessions and six refusals, two of each at every instant, and a refusal of nobody's network."""
    town = build_town(db)
    for number in range(6):
        at = clock() - timedelta(seconds=number // 2)
        add_session(db, town.station, at, mac=f"02:00:00:00:00:{number:02x}")
        note(
            db,
            LoggedDenial(Busy.reason, Step.PAGE, gateway=town.station, mac=f"02:00:00:00:01:{number:02x}"),
            now=at,
        )
    note(db, LoggedDenial(NOT_HERE, Step.LANDING, address="192.0.2.9"), now=clock() - timedelta(seconds=9))
    return town


def walk(db: Session, filter: Filter, show: Show, most: int, networks: frozenset[str] = ALL) -> list[str]:
    seen: list[str] = []
    after: Place | None = None
    while True:
        found = mixed(db, filter, show, authority_networks=networks, after=after, most=most)
        seen += [f"s{one.id}" if isinstance(one, ListedSession) else f"r{one.id}" for one in found.lines]
        if found.after is None:
            return seen
        after = read_place(str(found.after))


@pytest.mark.parametrize("most", [1, 2, 3, 5, 12, 13, 50])
def test_pages_follow_each_other_whatever_their_length(db: Session, town: Town, most: int) -> None:
    whole = ["s2", "s1", "r2", "r1", "s4", "s3", "r4", "r3", "s6", "s5", "r6", "r5", "r7"]
    assert walk(db, Filter(), Show.ALL, most) == whole
    every = listing.every(db, Filter(), Show.ALL, authority_networks=ALL, at_once=2)
    assert [f"s{one.id}" if isinstance(one, ListedSession) else f"r{one.id}" for one in every] == whole


def test_either_kind_may_be_left_out(db: Session, town: Town) -> None:
    assert walk(db, Filter(), Show.SESSIONS, 4) == ["s2", "s1", "s4", "s3", "s6", "s5"]
    assert walk(db, Filter(), Show.REFUSALS, 4) == ["r2", "r1", "r4", "r3", "r6", "r5", "r7"]


def test_a_refusal_is_found_by_place_time_and_device(db: Session, town: Town, clock: MovingClock) -> None:
    def refused(filter: Filter, networks: frozenset[str] = ALL) -> list[str]:
        return walk(db, filter, Show.REFUSALS, 50, networks)

    assert refused(Filter(site="gare-viotte", since=clock() - timedelta(seconds=1))) == [
        "r2",
        "r1",
        "r4",
        "r3",
    ]
    assert refused(Filter(until=clock() - timedelta(seconds=1))) == ["r6", "r5", "r7"]
    assert refused(Filter(mac="02:00:00:00:01:03")) == ["r4"]
    assert refused(Filter(mac_end="01:03")) == ["r4"]
    assert refused(Filter(address="192.0.2.9")) == ["r7"]
    assert refused(Filter(network="bibliotheques")) == []
    assert refused(Filter(), frozenset({"wifilib"})) == ["r2", "r1", "r4", "r3", "r6", "r5"]
    assert refused(Filter(), frozenset({"bibliotheques"})) == []
    assert refused(Filter(mac=BO_PHONE)) == []


def test_what_only_sessions_have_leaves_refusals_out(db: Session, town: Town) -> None:
    assert walk(db, Filter(state=State.OPEN), Show.ALL, 50) == ["s2", "s1", "s4", "s3", "s6", "s5"]


@pytest.mark.parametrize("text", ["", "x", "1s", "s1", "-1s2", "9" * 20 + "s1", "1s1; DROP"])
def test_a_place_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(UnreadablePlace):
        read_place(text)


def test_a_place_is_read_as_it_was_written(clock: MovingClock) -> None:
    place = Place(Key(clock() + timedelta(microseconds=123_457), 7), is_session=False)
    assert read_place(str(place)) == place
