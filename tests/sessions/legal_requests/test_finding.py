"""Who had this public address and port at this instant. One session, or all candidates, said as such."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from gateways.types import FIRST_BLOCK_PORT
from sessions.legal_requests.finding import Doubt, Exactness, Identification, Why, find
from sessions.legal_requests.scopes import read_scope
from sessions.port_blocks import ALL_PORTS, PortBlock
from tests.clock import NOON
from tests.sessions.legal_requests.rows import HALF_HOUR, PARIS, PUBLIC, lend, online
from tests.town import Town, build_town

LATER = NOON + timedelta(days=1)
MINUTE = timedelta(minutes=1)
ADA, BO = PortBlock(PUBLIC, 5120, 6127), PortBlock(PUBLIC, 6128, 7135)
PLAIN, SHARED = PortBlock(PUBLIC, *ALL_PORTS), PortBlock(PUBLIC)


def ask(
    db: Session, port: int | None, at: datetime | str, *, tolerance: int = 0, **words: str
) -> Identification:
    answer = at if isinstance(at, str) else at.isoformat()
    scope = read_scope(
        {
            "kind": "origin",
            "public_address": PUBLIC,
            "port": str(port or ""),
            "at": answer,
            "tolerance": str(tolerance),
            **words,
        },
        zone=PARIS,
    )
    return find(db, scope, zone=PARIS, now=LATER)


def span(
    db: Session, kind: str, value: str, since: datetime, until: datetime, **rest: object
) -> Identification:
    words = {"kind": kind, "value": value, "since": since.isoformat(), "until": until.isoformat()}
    return find(db, read_scope(words, zone=PARIS), zone=PARIS, now=LATER, **rest)  # type: ignore[arg-type]


def ids(finding: Identification) -> set[int]:
    return {stretch.access_id for stretch in finding.stretches}


def behind(db: Session) -> Town:
    town = build_town(db)
    town.station.public_addresses = [PUBLIC]
    return town


def test_of_500_clients_behind_one_address_it_names_exactly_one(db: Session) -> None:
    town = behind(db)
    size = 120
    known = {}
    for number in range(500):
        first = FIRST_BLOCK_PORT + number * size
        known[first] = online(db, town.station, number, PortBlock(PUBLIC, first, first + size - 1))
    for number in (0, 1, 250, 499):
        first = FIRST_BLOCK_PORT + number * size
        for port in (first, first + size - 1):
            found = ask(db, port, NOON + 10 * MINUTE)
            assert ids(found) == {known[first].id}
            assert (found.exactness, found.why, found.doubts) == (Exactness.ONE, Why.BLOCK, ())


def test_of_500_clients_who_share_all_ports_it_names_exactly_those_who_were_online(db: Session) -> None:
    town = behind(db)
    begun = {number: NOON + (number % 100) * MINUTE for number in range(500)}
    there = {number: online(db, town.station, number, PLAIN, begins=at).id for number, at in begun.items()}
    at = NOON + 45 * MINUTE
    expected = {there[number] for number, began in begun.items() if began <= at < began + HALF_HOUR}
    found = ask(db, 40000, at)
    assert ids(found) == expected and len(expected) == 150
    assert (found.exactness, found.why) == (Exactness.SEVERAL, Why.ALL_PORTS)


def test_a_span_is_half_open(db: Session) -> None:
    town = behind(db)
    first = online(db, town.station, 1, ADA)
    second = online(db, town.station, 2, ADA, begins=NOON + HALF_HOUR)
    assert ids(ask(db, 5200, NOON)) == {first.id}
    assert ids(ask(db, 5200, NOON + HALF_HOUR - timedelta(microseconds=1))) == {first.id}
    assert ids(ask(db, 5200, NOON + HALF_HOUR)) == {second.id}
    assert ids(ask(db, 5200, NOON - timedelta(microseconds=1))) == set()


def test_a_lease_that_was_taken_back_ends_there(db: Session) -> None:
    town = behind(db)
    online(db, town.station, 1, ADA, released_at=NOON + 5 * MINUTE)
    assert ask(db, 5200, NOON + 4 * MINUTE).exactness is Exactness.ONE
    assert ask(db, 5200, NOON + 5 * MINUTE).exactness is Exactness.NONE


def test_what_the_gateway_refused_was_nobody(db: Session) -> None:
    town = behind(db)
    online(db, town.station, 1, ADA, refused="set full")
    assert ask(db, 5200, NOON + MINUTE).exactness is Exactness.NONE


def test_renewals_are_one_stretch(db: Session) -> None:
    town = behind(db)
    access = online(db, town.station, 1, ADA)
    lend(db, town.station, access, ADA, begins=NOON + HALF_HOUR, ends=NOON + 2 * HALF_HOUR)
    [stretch] = ask(db, 5200, NOON + HALF_HOUR).stretches
    assert stretch.ends == NOON + 2 * HALF_HOUR


def test_whoever_shares_is_a_candidate_for_shared_ports_only(db: Session) -> None:
    town = behind(db)
    owner = online(db, town.station, 1, ADA)
    sharing = {online(db, town.station, number, SHARED).id for number in (2, 3)}
    assert ids(ask(db, 5200, NOON + MINUTE)) == {owner.id}
    found = ask(db, 2000, NOON + MINUTE)
    assert ids(found) == sharing
    assert (found.exactness, found.why) == (Exactness.SEVERAL, Why.SHARED)


def test_who_was_online_before_blocks_is_a_candidate_for_every_port(db: Session) -> None:
    town = behind(db)
    both = {online(db, town.station, 1, ADA).id, online(db, town.station, 2, PLAIN).id}
    assert ids(ask(db, 5200, NOON + MINUTE)) == both


def test_who_was_online_before_the_address_was_told_is_a_candidate_too(db: Session) -> None:
    town = behind(db)
    access = online(db, town.station, 1, PortBlock())
    elsewhere = online(db, town.battant, 2, PortBlock())
    found = ask(db, 5200, NOON + MINUTE)
    assert ids(found) == {access.id} and elsewhere.id not in ids(found)


def test_alone_behind_shared_ports_is_still_one(db: Session) -> None:
    town = behind(db)
    online(db, town.station, 1, PLAIN)
    found = ask(db, 40000, NOON + MINUTE)
    assert (found.exactness, found.why) == (Exactness.ONE, Why.ALONE)


def test_without_a_port_everybody_fits(db: Session) -> None:
    town = behind(db)
    both = {online(db, town.station, 1, ADA).id, online(db, town.station, 2, BO).id}
    found = ask(db, None, NOON + MINUTE)
    assert ids(found) == both and found.why is Why.NO_PORT


def test_an_address_that_is_nobodys_is_said_to_be(db: Session) -> None:
    behind(db)
    assert ask(db, 5200, NOON).why is Why.NOBODY
    assert ask(db, 5200, NOON, public_address="198.51.100.1").why is Why.UNKNOWN_ADDRESS


def test_an_untranslated_address_is_its_owners(db: Session) -> None:
    town = behind(db)
    access = online(db, town.station, 1, PortBlock(), address="2001:db8::5")
    found = ask(db, None, NOON + MINUTE, public_address="2001:db8:0::5")
    assert ids(found) == {access.id} and found.why is Why.BLOCK


@pytest.mark.parametrize("seconds", [-59, 59])
def test_a_clock_error_of_a_minute_that_would_change_the_answer_is_flagged(db: Session, seconds: int) -> None:
    town = behind(db)
    first = online(db, town.station, 1, ADA)
    second = online(db, town.station, 2, ADA, begins=NOON + HALF_HOUR)
    found = ask(db, 5200, NOON + HALF_HOUR + timedelta(seconds=seconds))
    assert found.doubts == (Doubt.CLOCK,)
    # It is said, and the other one's data is not given.
    assert ids(found) == ({first.id} if seconds < 0 else {second.id})
    far = ask(db, 5200, NOON + HALF_HOUR + timedelta(seconds=seconds + (-2 if seconds < 0 else 2)))
    assert far.doubts == ()


def test_within_their_own_tolerance_both_are_given_and_told_apart(db: Session) -> None:
    town = behind(db)
    first = online(db, town.station, 1, ADA)
    second = online(db, town.station, 2, ADA, begins=NOON + HALF_HOUR)
    found = ask(db, 5200, NOON + HALF_HOUR - timedelta(seconds=20), tolerance=30)
    assert {one.access_id: one.at_instant for one in found.stretches} == {first.id: True, second.id: False}
    assert (found.exactness, found.why) == (Exactness.SEVERAL, Why.TOLERANCE)


def test_a_wrong_zone_is_flagged_in_either_direction(db: Session) -> None:
    town = behind(db)
    online(db, town.station, 1, ADA)
    # It is noon in Besançon: 11:00 UTC, in November.
    as_if_utc = ask(db, 5200, f"{NOON:%Y-%m-%d}T12:05:00Z")
    assert (as_if_utc.exactness, as_if_utc.doubts) == (Exactness.NONE, (Doubt.ZONE,))
    as_if_local = ask(db, 5200, f"{NOON:%Y-%m-%d}T11:05:00", zone="Europe/Paris")
    assert (as_if_local.exactness, as_if_local.doubts) == (Exactness.NONE, (Doubt.ZONE,))
    assert ask(db, 5200, f"{NOON:%Y-%m-%d}T12:05:00", zone="Europe/Paris").doubts == ()


def test_an_odd_offset_a_double_hour_the_future_and_the_past_are_flagged(db: Session) -> None:
    behind(db)
    assert Doubt.OFFSET in ask(db, 5200, f"{NOON:%Y-%m-%d}T14:05:00+02:00").doubts
    assert Doubt.OFFSET not in ask(db, 5200, f"{NOON:%Y-%m-%d}T13:05:00+01:00").doubts
    assert Doubt.TWICE in ask(db, 5200, "2026-10-25T02:30:00", zone="Europe/Paris").doubts
    assert Doubt.TWICE not in ask(db, 5200, "2026-10-25T02:30:00+01:00").doubts
    assert Doubt.FUTURE in ask(db, 5200, LATER + MINUTE).doubts
    assert Doubt.OLD in ask(db, 5200, NOON - timedelta(days=400)).doubts


@pytest.mark.parametrize("kind", ["device", "address", "site", "person"])
def test_a_span_gives_what_lies_inside_it_and_nothing_beyond(db: Session, kind: str) -> None:
    town = behind(db)
    access = online(db, town.station, 1, ADA, length=2 * HALF_HOUR)
    access.ended_at = NOON + 2 * HALF_HOUR
    online(db, town.battant, 2, BO)
    lend(
        db, town.station, access, ADA, begins=NOON + 4 * HALF_HOUR, ends=NOON + 5 * HALF_HOUR, mac=access.mac
    )
    value = {
        "device": access.mac.upper().replace(":", "-"),
        "address": access.address,
        "site": "gare-viotte",
        "person": access.subject,
    }[kind]
    since, until = NOON + 10 * MINUTE, NOON + 20 * MINUTE
    found = span(db, kind, value, since, until)
    [stretch] = found.stretches
    assert found.exactness is Exactness.LISTED and stretch.access_id == access.id
    assert (stretch.begins, stretch.ends, stretch.began, stretch.ended) == (since, until, since, None)


def test_other_networks_are_not_searched(db: Session) -> None:
    town = behind(db)
    access = online(db, town.station, 1, ADA)
    since, until = NOON, NOON + HALF_HOUR
    assert span(db, "device", access.mac, since, until, networks=["bibliotheques"]).stretches == ()
    assert span(db, "device", access.mac, since, until, networks=["wifilib"]).sessions == 1
