"""What to tell a controller so that its authorizations are what the leases say. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass

from gateways.types import Grant, MacAddress
from gateways.unifi.answers import Guest

STEP_SECONDS = 60
# A lease that began a moment ago lasts as many whole minutes as it was meant to.
SLACK_SECONDS = 2.0
# An authorization that ends within this long is moved to the lease's own end: until the sweep's call of a minute later
# it could not be.
LAST_CALL_SECONDS = 75.0


@dataclass(frozen=True, slots=True)
class Authorization:
    """One to give: from now on for so many minutes. `grant` is the client's longest, `numbers` those of all it has."""

    grant: Grant
    numbers: tuple[int, ...]
    minutes: int


@dataclass(frozen=True, slots=True)
class Plan:
    """`kept` are the numbers of grants that the controller holds already."""

    give: tuple[Authorization, ...]
    take: tuple[MacAddress, ...]
    kept: tuple[int, ...]
    # Less than a minute is left, and the controller counts whole ones: nobody is let in for that.
    too_short: tuple[int, ...]


def plan(
    grants: Iterable[Grant],
    guests: Mapping[MacAddress, Guest],
    *,
    passing: Set[MacAddress],
    others: Set[MacAddress] = frozenset(),
    now: float,
) -> Plan:
    """Compare. `guests` have their ends by the same clock as `now`.

    `passing` are the devices that pass for all that the controller says: what is listed of one that is connected and
    does not pass is nothing. `others` are the clients of other gateways at the same site of the controller.

    An authorization is given for whole minutes that end before the lease does, as the portal may not be there then; in
    its last moments it is given anew for one that ends after it, and the portal takes it back at the exact end.
    """
    give: list[Authorization] = []
    kept: list[int] = []
    too_short: list[int] = []
    of_clients = _by_client(grants)
    for mac, own in of_clients.items():
        grant, numbers = max(own, key=lambda each: each.until), tuple(each.number for each in own)
        minutes = _minutes(grant, guests.get(mac) if mac in passing else None, now=now)
        if minutes is None:
            kept += numbers
        elif minutes:
            give.append(Authorization(grant, numbers, minutes))
        else:
            too_short += numbers
    take = tuple(sorted(passing - of_clients.keys() - others))
    return Plan(tuple(give), take, tuple(kept), tuple(too_short))


def _minutes(grant: Grant, guest: Guest | None, *, now: float) -> int | None:
    """For how many minutes to authorize; 0 is not at all, None is that it may stay as it is."""
    left = grant.until - now
    whole = int((left + SLACK_SECONDS) // STEP_SECONDS)
    if guest is None:
        return whole
    short = grant.until - guest.end
    if short <= SLACK_SECONDS:
        # It lasts as long as the lease or a little longer. Much longer is what a portal that dies would leave behind.
        return whole if short < -STEP_SECONDS - SLACK_SECONDS and whole else None
    if guest.end - now <= LAST_CALL_SECONDS:
        return int(-(-left // STEP_SECONDS))
    return whole if short >= STEP_SECONDS else None


def _by_client(grants: Iterable[Grant]) -> dict[MacAddress, list[Grant]]:
    """A controller holds one authorization of each client."""
    found: dict[MacAddress, list[Grant]] = {}
    for grant in grants:
        found.setdefault(grant.client.mac, []).append(grant)
    return found
