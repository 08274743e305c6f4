"""The straight way for grants whose number and card the kernel does not know yet: ten thousand may come at once. Pure.

There is nothing to compare then but who had their addresses: the change is the same that `elements.plan` comes to, in
a third of the time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import repeat

from gateways.nftables.elements import ActualState, Changes, Existing, LeaseElement, take_over
from gateways.nftables.rate_classes import RateClass, rate_class
from gateways.types import Grant, IpAddress, MacAddress

# What stands after the rates: ports, destinations, resolver.
PLAIN = (None, None, None)


def newcomers(grants: Iterable[Grant], held: ActualState) -> list[Grant]:
    """Those of the grants that are for a new card under a new number, with nothing but time and rates."""
    found = {each.number: each for each in grants if each[5:] == PLAIN and each.client.mac not in held.cards}
    for known in held.by_number():
        for number in known.keys() & found.keys():
            del found[number]
    return list(found.values())


def classes(new: Iterable[Grant]) -> set[RateClass]:
    """The pairs of rates that these have."""
    return {rate_class(down, up) for down, up in {each[3:5] for each in new}}


def admit(
    new: Iterable[Grant],
    held: ActualState,
    *,
    now: float,
    end: Callable[[Grant], float],
    addresses: Callable[[MacAddress], Sequence[IpAddress]],
) -> Changes:
    """The change that lets `newcomers` pass until their `end` (CLOCK_BOOTTIME), where that is not over, with the
    `addresses` of their cards. Their `classes` must be there."""
    changes = Changes()
    timed = [(grant, ends) for grant in new if (ends := end(grant)) > now]
    if not timed:
        return changes
    kept = [grant for grant, _ in timed]
    numbers, clients, _, downs, ups, *_ = zip(*kept, strict=True)
    macs = [mac for mac, _ in clients]
    leases = zip(map(rate_class, downs, ups), [ends for _, ends in timed], strict=True)
    elements = map(tuple.__new__, repeat(LeaseElement), leases)
    changes.leased = list(zip(numbers, elements, repeat(Existing.NOTHING)))
    changes.enrolled = dict(zip(macs, numbers, strict=True))
    holders, bound = held.holders, changes.bound
    for number, mac in zip(numbers, macs, strict=True):
        for address in addresses(mac):
            if address in holders:
                take_over((mac, address), number, held, changes)
            else:
                bound[mac, address] = number
    return changes
