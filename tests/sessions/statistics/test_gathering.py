"""What the database counts of a day is what the definitions say, on either database, whatever the day was like."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from sessions.models import EndReason, Lease
from sessions.statistics import definitions, gathering, service, stays
from sessions.statistics.calendar import span_of
from sites.models import SigninMethod
from tests.sessions.statistics import reckoning
from tests.sessions.statistics.reckoning import ZONE
from tests.sessions.statistics.rows import add_session
from tests.town import Town, build_town

# An ordinary day, and those on which the clock is put forward and back.
DAYS = (date(2026, 11, 24), date(2026, 3, 29), date(2026, 10, 25))
# Instants that are told apart by a microsecond, near full seconds, marks of five minutes, hours and midnights.
OFFSETS = st.builds(
    lambda minutes, microseconds: timedelta(minutes=minutes, microseconds=microseconds),
    st.sampled_from((-70, -60, -59, -5, 0, 5, 30, 60, 119, 120, 125, 180, 600, 1379, 1380, 1439, 1440, 1500)),
    st.sampled_from((-1_000_001, -1, 0, 1, 499_999, 999_999, 61_000_000)),
)
LENGTHS = st.sampled_from((0.0, 0.00001, 1.0, 5.0, 29.99999, 60.0, 61.0, 240.0, 1600.0, 40_000.0))


@st.composite
def coming(draw: st.DrawFn) -> dict[str, Any]:
    """A session, as `add_session` takes it; sites and earlier sessions by their number."""
    minutes = draw(LENGTHS)
    return {
        "at": draw(OFFSETS),
        "minutes": minutes,
        "gateway": draw(st.integers(0, 2)),
        "device": draw(st.integers(1, 4)),
        "previous": draw(st.none() | st.integers(0, 3)),
        "walks": draw(
            st.lists(st.tuples(st.integers(0, 1), st.sampled_from((0.0, 0.3, 1.0, 1.5))), max_size=3)
        ),
        "unconfirmed": draw(st.sets(st.integers(0, 3), max_size=1)),
        "end": draw(st.sampled_from((None, EndReason.MOVED, EndReason.MOVED, EndReason.EXPIRED))),
        "method": draw(st.sampled_from((SigninMethod.FREE, SigninMethod.PATRON, SigninMethod.MANAGED))),
        "random": draw(st.booleans()),
        "used": draw(st.tuples(st.integers(0, 10), st.sampled_from((0, 9_999_999, 10_000_000, 10**12)))),
        "best": draw(st.sampled_from((0, 249, 250, 15_000, 10**9))),
    }


def add_day(db: Session, town: Town, day: date, comings: list[dict[str, Any]]) -> None:
    """The sessions in the order in which they began."""
    gateways, midnight, added = (town.station, town.battant, town.pierre_bayle), span_of(day, ZONE).start, []
    for number, told in enumerate(sorted(comings, key=lambda each: each["at"])):
        began: datetime = midnight + told["at"]
        walks = tuple((gateways[where], told["minutes"] * share) for where, share in told["walks"])
        is_open = told["end"] is None
        previous = told["previous"]
        access = add_session(
            db,
            gateways[told["gateway"]],
            # A client is online once.
            1_000 + number if is_open else told["device"],
            at=began,
            minutes=told["minutes"],
            walks=tuple(sorted(walks, key=lambda walk: walk[1])),
            used=told["used"],
            best=told["best"],
            random=told["random"],
            method=told["method"],
            end_reason=told["end"],
            previous_id=added[-1 - previous] if previous is not None and previous < len(added) else None,
            **({"ended_at": None} if is_open else {}),
        )
        added.append(access.id)
        for place, lease in enumerate(db.query(Lease).filter_by(access_id=access.id).order_by(Lease.id)):
            if place in told["unconfirmed"]:
                lease.confirmed_at = None
    db.flush()


def counted(db: Session, day: date) -> dict[service.Pair, dict[str, Any]]:
    gathered = gathering.gather(db, day, service.pairs_on(db, day))
    return {pair: {**gathering.figures_of(own, day), "devices": own.visits} for pair, own in gathered.items()}


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(day=st.sampled_from(DAYS), comings=st.lists(coming(), min_size=1, max_size=12))
def test_the_database_counts_what_the_definitions_say(
    db: Session, day: date, comings: list[dict[str, Any]]
) -> None:
    try:
        add_day(db, build_town(db), day, comings)
        expected = reckoning.figures(db, day)
        for pair, found in counted(db, day).items():
            assert {name: found[name] for name in expected[pair]} == expected[pair]
    finally:
        db.rollback()


def test_each_zone_has_its_own_day(db: Session) -> None:
    town, tuesday = build_town(db), DAYS[0]
    town.battant.site.zone = "Indian/Reunion"
    db.flush()
    # Tuesday evening in Besançon, Wednesday morning in Saint-Denis.
    at = datetime.fromisoformat("2026-11-24T21:30:00+00:00")
    add_session(db, town.station, 1, at=at, walks=((town.battant, 20),), used=(1, 2))
    add_session(db, town.battant, 2, at=at, used=(3, 4))
    for day, expected in (
        (tuesday, [(1, 1, 2), (0, 0, 0)]),
        (tuesday + timedelta(days=1), [(0, 0, 0), (1, 2, 4)]),
    ):
        found = counted(db, day)
        pairs = [(town.free.id, gateway.site_id) for gateway in (town.station, town.battant)]
        assert [
            (found[pair]["sessions"], found[pair]["visits"], found[pair]["bytes_down"]) for pair in pairs
        ] == expected


def test_a_made_up_address_is_told_by_its_second_digit() -> None:
    told = [digit for digit in "0123456789abcdef" if definitions.is_random(f"a{digit}:00:00:00:00:01")]
    assert list(stays.RANDOM_DIGITS) == told


def test_an_absence_of_an_hour_makes_a_new_visit_and_a_microsecond_less_does_not(db: Session) -> None:
    town, noon = build_town(db), span_of(DAYS[0], ZONE).start + timedelta(hours=12)
    for device, absence in ((1, timedelta(hours=1)), (2, timedelta(hours=1, microseconds=-1))):
        add_session(db, town.station, device, at=noon, minutes=30)
        add_session(db, town.station, device, at=noon + timedelta(minutes=30) + absence, minutes=1)
    found = counted(db, DAYS[0])[town.free.id, town.station.site_id]
    assert sorted(found["devices"].values()) == [1, 2]
    assert found["visits"] == 3
