"""A question is its address: read and written alike, and a bad word is named."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from auth.vouchers.keys import VoucherKeys
from config import Secret
from sessions.log.query import Filter, State
from sessions.log.search import (
    Last,
    LogQuery,
    NoSuchRow,
    Same,
    Show,
    UnreadableWord,
    format,
    on_the_clock,
    parse,
    resolve,
    span,
)
from sessions.models import EndReason
from sites.models import SigninMethod
from tests.clock import MovingClock
from tests.sessions.log.rows import ADA, add_session
from tests.town import ADA_PHONE, build_town

PARIS = ZoneInfo("Europe/Paris")
NOW = datetime(2026, 11, 26, 13, 20, tzinfo=UTC)
KEYS = VoucherKeys(Secret("0123456789abcdefghijklmnopqrstuvwxyzABCDEF"))
INSTANTS = st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1)).map(lambda at: at.replace(tzinfo=UTC))  # noqa: DTZ001
SPANS = st.one_of(
    st.builds(dict),
    st.builds(dict, last=st.sampled_from(Last)),
    st.builds(dict, since=INSTANTS),
    INSTANTS.map(lambda at: {"since": at, "until": at + timedelta(seconds=1)}),
)
ROWS = st.one_of(
    st.builds(dict),
    st.builds(dict, like=st.sampled_from(["4711", "K7Q4MX"]), same=st.sampled_from(Same)),
)
QUESTIONS = st.builds(
    lambda span, row, **words: LogQuery(**span, **row, **words),
    SPANS,
    ROWS,
    site=st.none() | st.just("gare-viotte"),
    network=st.none() | st.just("wifilib"),
    ends=st.none() | st.just("0a:01"),
    pseudonym=st.none() | st.just("3f9a"),
    mark=st.none() | st.just("12-7"),
    state=st.none() | st.sampled_from(State),
    reason=st.none() | st.sampled_from(EndReason),
    method=st.none() | st.sampled_from(SigninMethod),
    show=st.sampled_from(Show),
)


def read(**words: str) -> LogQuery:
    return parse({name.rstrip("_"): text for name, text in words.items()}, zone=PARIS, now=NOW)


@given(QUESTIONS)
def test_a_question_is_its_address(asked: LogQuery) -> None:
    assert parse(format(asked), zone=PARIS, now=NOW) == asked


@given(
    st.dictionaries(
        st.sampled_from(["site", "from", "to", "about", "like", "ends", "last", "state"]), st.text()
    )
)
def test_whatever_stands_there_is_read_or_named(words: dict[str, str]) -> None:
    try:
        parse(words, zone=PARIS, now=NOW)
    except UnreadableWord as error:
        assert error.name in words


@pytest.mark.parametrize(
    ("about", "at"),
    [
        ("14:10", datetime(2026, 11, 26, 13, 10, tzinfo=UTC)),
        ("14.10", datetime(2026, 11, 26, 13, 10, tzinfo=UTC)),
        ("14h10", datetime(2026, 11, 26, 13, 10, tzinfo=UTC)),
        # Later than now: it was yesterday's.
        ("18:00", datetime(2026, 11, 25, 17, 0, tzinfo=UTC)),
        ("2026-07-01T14:10", datetime(2026, 7, 1, 12, 10, tzinfo=UTC)),
        ("2026-07-01T14:10Z", datetime(2026, 7, 1, 14, 10, tzinfo=UTC)),
    ],
)
def test_about_is_a_quarter_of_an_hour_either_way(about: str, at: datetime) -> None:
    asked = read(about=about)
    assert (asked.since, asked.until) == (at - timedelta(minutes=15), at + timedelta(minutes=15))


def test_what_is_chosen_goes_before_the_span_that_the_form_still_shows() -> None:
    """The form shows the span of the last search; who leaves it alone and chooses "today" means today."""
    shown = {"from": "2026-11-25T13:55", "to": "2026-11-25T14:25"}
    left = {**shown, "shown_from": shown["from"], "shown_to": shown["to"]}
    assert parse({**left, "last": "today"}, zone=PARIS, now=NOW) == LogQuery(last=Last.TODAY)
    assert parse({**left, "about": "14:10"}, zone=PARIS, now=NOW) == read(about="14:10")
    # Left alone, and nothing else chosen: the same span again.
    assert parse(left, zone=PARIS, now=NOW) == read(from_=shown["from"], to=shown["to"])
    # Typed anew, it is meant.
    typed = {**left, "from": "2026-11-25T13:00", "last": "today"}
    assert parse(typed, zone=PARIS, now=NOW) == read(from_="2026-11-25T13:00", to=shown["to"])


def test_a_span_is_shown_on_the_clock_of_the_town() -> None:
    asked = read(about="14:10")
    assert on_the_clock(asked.since, PARIS) == "2026-11-26T13:55"
    assert on_the_clock(None, PARIS) == ""


@pytest.mark.parametrize("text", ["26/11/2026 14:00", "26.11.2026 14h00", "2026-11-26T14:00"])
def test_a_time_is_read_as_people_write_it(text: str) -> None:
    assert read(from_=text).since == datetime(2026, 11, 26, 13, 0, tzinfo=UTC)


def test_times_are_the_town_s_unless_they_say_otherwise() -> None:
    assert read(from_="2026-11-26T14:00").since == datetime(2026, 11, 26, 13, 0, tzinfo=UTC)
    assert read(from_="2026-11-26T14:00+05:00").since == datetime(2026, 11, 26, 9, 0, tzinfo=UTC)


def test_yesterday_is_a_day_of_the_calendar() -> None:
    """The 25 October 2026 has 25 hours in France."""
    now = datetime(2026, 10, 26, 9, tzinfo=UTC)
    since, until = span(LogQuery(last=Last.YESTERDAY), zone=PARIS, now=now)
    assert since is not None and until is not None
    assert until - since == timedelta(hours=25)
    assert until == datetime(2026, 10, 25, 23, tzinfo=UTC)


def test_no_whole_name_is_a_word_of_an_address() -> None:
    for words in ({"pseudonym": ADA}, {"ends": ADA_PHONE}, {"like": ADA_PHONE}, {"like": "10.66.0.5"}):
        with pytest.raises(UnreadableWord):
            parse(words, zone=PARIS, now=NOW)


def test_a_row_stands_for_what_it_holds(db: Session, clock: MovingClock) -> None:
    town = build_town(db)
    access = add_session(db, town.station, clock())

    def found(same: Same, networks: frozenset[str] = frozenset()) -> Filter:
        asked = LogQuery(like=str(access.id), same=same)
        return resolve(db, asked, authority_networks=networks, keys=KEYS, zone=PARIS, now=clock())

    assert found(Same.DEVICE) == Filter(mac=ADA_PHONE)
    assert found(Same.ADDRESS) == Filter(address="10.66.0.5")
    assert found(Same.PERSON, frozenset({"wifilib"})) == Filter(subject=ADA)
    with pytest.raises(NoSuchRow):
        found(Same.DEVICE, frozenset({"bibliotheques"}))
    with pytest.raises(NoSuchRow):
        resolve(db, LogQuery(mark="99-1"), authority_networks=frozenset(), keys=KEYS, zone=PARIS, now=clock())


def test_the_end_of_a_mac_is_looked_for_in_a_day(db: Session, clock: MovingClock) -> None:
    def since(asked: LogQuery) -> datetime | None:
        return resolve(db, asked, authority_networks=frozenset(), keys=KEYS, zone=PARIS, now=clock()).since

    assert since(LogQuery(ends="0a:01")) == clock() - timedelta(days=1)
    assert since(LogQuery(ends="0a:01", last=Last.WEEK)) == clock() - timedelta(days=7)
    assert since(LogQuery()) is None
