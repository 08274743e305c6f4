"""Never more devices than visits: of a day, of a month, of a place, of a network and of everything."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from sessions.models import EndReason
from sessions.statistics import building, months, report
from sessions.statistics.definitions import Stay, visits
from sessions.statistics.periods import Period
from sessions.statistics.report import Part
from sessions.statistics.sketch import count
from tests.sessions.statistics.rows import add_session, set_salt
from tests.town import Town, build_town

JUNE = date(2026, 6, 1)
NOW = datetime(2026, 7, 10, 12, 0, tzinfo=UTC)
# One person: when they come (in hours of the month), and for how long under each address of their device.
CHAINS = st.lists(
    st.tuples(st.integers(-3, 71), st.lists(st.integers(1, 300), min_size=1, max_size=5), st.booleans()),
    min_size=1,
    max_size=12,
)


def add_chains(db: Session, town: Town, chains: list[tuple[int, list[int], bool]]) -> None:
    """Each stay goes on under new addresses, and may walk to another site under the last of them."""
    address = 1
    for begins, lengths, walks in chains:
        at, previous = datetime(2026, 5, 31, 22, 0, tzinfo=UTC) + timedelta(hours=begins), None
        for number, minutes in enumerate(lengths):
            is_last = number == len(lengths) - 1
            access = add_session(
                db,
                town.station,
                address,
                at=at,
                minutes=minutes,
                walks=((town.battant, minutes / 2),) if walks and is_last else (),
                previous_id=previous,
                end_reason=EndReason.EXPIRED if is_last else EndReason.MOVED,
            )
            at, previous, address = at + timedelta(minutes=minutes), access.id, address + 1


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(chains=CHAINS)
def test_no_part_of_a_report_has_more_devices_than_visits(
    db: Session, chains: list[tuple[int, list[int], bool]]
) -> None:
    town = build_town(db)
    add_chains(db, town, chains)
    while (day := building.due(db, now=NOW)) and day < date(2026, 6, 6):
        set_salt(db, day.replace(day=1))
        building.store(db, building.make(db, day), now=NOW)
    found = report.load(db, Period(JUNE, date(2026, 6, 30)), networks=frozenset(), ads=lambda _: {})
    for part in _parts(found):
        assert sum(part.devices.values()) <= part.now.visits
        assert part.now.most_devices <= part.now.visits
    db.rollback()


def _parts(found: report.Report) -> list[Part]:
    networks = [network.whole for network in found.networks]
    return [found.whole, *networks, *(site for network in found.networks for site in network.sites)]


def test_an_estimate_that_errs_upward_ends_at_the_visits(
    db: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a salt that puts the estimate of so many devices above their number: each of them came once."""
    salt = next(
        salt for salt in map(_salt, range(200)) if count(map(str, range(300)), salt=salt).estimate() > 300
    )
    town = build_town(db)
    monkeypatch.setattr("tests.sessions.statistics.rows.mac", lambda number, *, random=True: str(number))
    for device in range(300):
        add_session(db, town.station, device, at=datetime(2026, 6, 2, 10, 0, tzinfo=UTC))
    months.make_salt(db, JUNE, draw=lambda _: salt)
    building.store(db, building.make(db, date(2026, 6, 2)), now=NOW)
    found = report.load(db, Period(JUNE, date(2026, 6, 30)), networks=frozenset(), ads=lambda _: {})
    assert (found.whole.now.visits, found.whole.devices, found.whole.now.most_devices) == (
        300,
        {JUNE: 300},
        300,
    )


def _salt(number: int) -> bytes:
    return bytes([number]) * 32


def test_who_came_the_day_before_has_no_visit_and_is_no_device_of_the_day() -> None:
    midnight = datetime(2026, 6, 1, 22, 0, tzinfo=UTC)
    late = Stay("a", midnight - timedelta(hours=1), midnight + timedelta(hours=1))
    assert visits([late], start=midnight, end=midnight + timedelta(days=1)) == []
