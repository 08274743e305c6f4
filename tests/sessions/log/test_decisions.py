"""Refusals in the books: found by their code, once a minute for each device and rule, and never without bound."""

from __future__ import annotations

import itertools
from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from auth.errors import ExpiredCard, WrongCredentials
from auth.vouchers.codes import ALPHABET, is_obscene
from portal.denials.portal_reasons import NOT_HERE
from sessions.log import denials
from sessions.log.denials import LoggedDenial, Step, find, make_code, note, read_code, show_code
from sessions.models import Decision
from tests.clock import MovingClock
from tests.town import ADA_PHONE, BO_PHONE, Town, build_town


@pytest.fixture
def town(db: Session) -> Town:
    return build_town(db)


def refused(town: Town, **fields: object) -> LoggedDenial:
    values: dict[str, object] = {"gateway": town.station, "mac": ADA_PHONE, "address": "10.66.0.5"}
    return LoggedDenial(WrongCredentials.reason, Step.SIGNIN, **{**values, **fields})  # type: ignore[arg-type]


def rows(db: Session) -> int:
    return db.scalar(select(func.count(Decision.id))) or 0


def test_a_refusal_is_found_by_its_code_with_all_that_is_known(
    db: Session, town: Town, clock: MovingClock
) -> None:
    landed = clock() - timedelta(minutes=2)
    code = note(
        db,
        refused(town, subject="s" * 32, voucher_id=7, access_id=8, landed_at=landed, detail={"until": "x"}),
        now=clock(),
    )
    assert code is not None
    found = find(db, code)
    assert found is not None
    assert (found.rule, found.step, found.at) == ("wrong_credentials", "signin", clock())
    assert (found.network_id, found.site_id, found.gateway_id) == (
        town.station.network_id,
        town.station.site_id,
        town.station.id,
    )
    assert (found.mac, found.address, found.subject) == (ADA_PHONE, "10.66.0.5", "s" * 32)
    assert (found.voucher_id, found.access_id, found.landed_at) == (7, 8, landed)
    assert found.detail == {"until": "x"}


def test_the_same_device_meets_the_same_code_for_a_minute(
    db: Session, town: Town, clock: MovingClock
) -> None:
    first = note(db, refused(town), now=clock())
    clock.advance(seconds=59)
    assert note(db, refused(town, address="10.66.0.9"), now=clock()) == first
    clock.advance(seconds=1)
    assert note(db, refused(town), now=clock()) not in (first, None)
    assert rows(db) == 2


def test_another_device_rule_or_step_has_a_code_of_its_own(
    db: Session, town: Town, clock: MovingClock
) -> None:
    codes = {
        note(db, refused(town), now=clock()),
        note(db, refused(town, mac=BO_PHONE), now=clock()),
        note(db, LoggedDenial(ExpiredCard.reason, Step.SIGNIN, mac=ADA_PHONE), now=clock()),
        note(db, LoggedDenial(WrongCredentials.reason, Step.PASS, mac=ADA_PHONE), now=clock()),
    }
    assert None not in codes
    assert len(codes) == 4


def test_who_has_no_device_here_is_known_by_the_address(db: Session, clock: MovingClock) -> None:
    def ask(address: str | None) -> str | None:
        return note(db, LoggedDenial(NOT_HERE, Step.LANDING, address=address), now=clock())

    assert ask("192.0.2.7") == ask("192.0.2.7")
    assert ask("192.0.2.8") != ask("192.0.2.7")
    assert ask(None) != ask(None)


def test_a_flood_is_written_down_so_far_and_no_further(
    db: Session, town: Town, clock: MovingClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A device with any number of addresses, for hours: the other sites still have their codes."""
    monkeypatch.setattr(denials, "MOST_AN_HOUR", 3)
    macs = (f"02:00:00:00:{number >> 8:02x}:{number & 255:02x}" for number in itertools.count(100))
    found = [note(db, refused(town, mac=next(macs)), now=clock()) for _ in range(6)]
    assert [code is None for code in found] == [False] * 3 + [True] * 3
    assert rows(db) == 3
    assert note(db, refused(town, mac=next(macs), gateway=town.battant), now=clock()) is not None
    clock.advance(hours=1)
    assert note(db, refused(town, mac=next(macs)), now=clock()) is not None


def test_strangers_from_the_internet_share_a_bound_of_their_own(
    db: Session, town: Town, clock: MovingClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(denials, "MOST_FROM_NOWHERE", 2)
    found = [
        note(db, LoggedDenial(NOT_HERE, Step.LANDING, address=f"192.0.2.{last}"), now=clock())
        for last in range(3)
    ]
    assert [code is None for code in found] == [False, False, True]
    assert note(db, refused(town), now=clock()) is not None


def test_a_code_that_is_taken_is_drawn_again(db: Session, town: Town, clock: MovingClock) -> None:
    def draw(*drawn: str) -> str | None:
        symbols = iter("".join(drawn))
        mac = f"02:00:00:00:0c:{rows(db):02x}"
        return note(db, refused(town, mac=mac), now=clock(), choose=lambda _: next(symbols))

    assert draw("222222") == "222222"
    assert draw("222222", "333333") == "333333"
    assert draw("222222", "333333", "222222") is None
    assert rows(db) == 2


def test_a_code_has_six_symbols_that_nobody_mistakes_and_says_nothing_rude() -> None:
    assert len(make_code()) == 6
    assert set(make_code()) <= set(ALPHABET)
    symbols = iter("PUTE22K7Q4MX")
    assert is_obscene("PUTE22")
    assert make_code(lambda _: next(symbols)) == "K7Q4MX"


@pytest.mark.parametrize("typed", ["K7Q-4MX", "k7q4mx", " k7q 4mx ", "Incident K7Q-4MX", "k7q\u20114mx"])
def test_a_code_is_read_however_it_is_typed(typed: str) -> None:
    assert read_code(typed) == "K7Q4MX"
    assert show_code("K7Q4MX") == "K7Q-4MX"


@pytest.mark.parametrize("typed", ["", "K7Q-4M", "K7Q-4MXX", "K7Q-4M0", "é" * 6])
def test_what_cannot_be_a_code_is_none(typed: str) -> None:
    assert read_code(typed) is None
