"""Whole minutes at the controller, and the leases' exact ends with the portal."""

from __future__ import annotations

import ipaddress

import pytest

from gateways.types import Client, Grant, parse_mac
from gateways.unifi.answers import Guest
from gateways.unifi.reconciliation import plan

PHONE, TABLET = parse_mac("02:00:00:00:00:01"), parse_mac("02:00:00:00:00:02")
NOW = 1_800_000_000.0


def grant(seconds: float, number: int = 7) -> Grant:
    client = Client(PHONE, (ipaddress.ip_address("10.66.0.9"),))
    return Grant(number=number, client=client, until=NOW + seconds, rate_down_kbps=0, rate_up_kbps=0)


def guest(seconds: float) -> dict[object, Guest]:
    return {PHONE: Guest(PHONE, NOW + seconds, 0, 0)}


def minutes(lease: float, held: float | None) -> int | None:
    """For how many minutes it is authorized anew: 0 for a lease that is too short, None where it is kept."""
    guests = {} if held is None else guest(held)
    found = plan([grant(lease)], guests, passing=guests.keys(), now=NOW)  # type: ignore[arg-type]
    assert len(found.give) + len(found.kept) + len(found.too_short) == 1
    return None if found.kept else 0 if found.too_short else found.give[0].minutes


@pytest.mark.parametrize(
    ("lease", "held", "wanted"),
    [
        (1799.5, None, 30),
        (1797.0, None, 29),
        (57.0, None, 0),
        (1800.0, 1800.0, None),
        # It ends up to a minute before the lease: that is moved in its last moments, and not before.
        (1800.0, 1745.0, None),
        (100.0, 62.0, 2),
        (30.0, 5.0, 1),
        # Renewed, or shortened.
        (3540.0, 1740.0, 59),
        (600.0, 1800.0, 10),
        # The portal tells the exact end: what is left after it is less than a minute.
        (600.0, 640.0, None),
        (20.0, 300.0, None),
    ],
)
def test_minutes_are_rounded_so_that_nobody_loses_any(
    lease: float, held: float | None, wanted: int | None
) -> None:
    assert minutes(lease, held) == wanted


def test_who_has_no_lease_is_taken_back_and_other_gateways_guests_are_not() -> None:
    guests = guest(600) | {TABLET: Guest(TABLET, NOW + 600, 0, 0)}
    assert plan([], guests, passing=guests.keys(), others={TABLET}, now=NOW).take == (PHONE,)  # type: ignore[arg-type]
    assert plan([], guests, passing=guests.keys(), now=NOW).take == (PHONE, TABLET)  # type: ignore[arg-type]


def test_two_leases_of_one_device_are_one_authorization_until_the_later_end() -> None:
    (given,) = plan([grant(600, 7), grant(1200, 8)], {}, passing=frozenset(), now=NOW).give
    assert (given.minutes, given.numbers) == (20, (7, 8))


def test_who_is_listed_and_does_not_pass_is_authorized_anew() -> None:
    found = plan([grant(600)], guest(600), passing=frozenset(), now=NOW)  # type: ignore[arg-type]
    assert (found.give[0].minutes, found.kept, found.take) == (10, (), ())
