"""The straight way for grants whose number and card the kernel does not know yet: ten thousand may come at once. Pure.

There is nothing to compare then but who had their addresses: the change is the same that `elements.plan` comes to, in
a third of the time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from gateways.nftables.elements import ActualState, Changes, Existing, LeaseElement, take_over
from gateways.nftables.rate_classes import rate_class
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


def admit(
    new: Iterable[Grant],
    held: ActualState,
    *,
    now: float,
    end: Callable[[Grant], float],
    addresses: Callable[[MacAddress], Sequence[IpAddress]],
) -> Changes:
    """The change that lets `newcomers` pass until their `end` (CLOCK_BOOTTIME), where that is not over, with the
    `addresses` of their cards."""
    changes = Changes()
    for grant in new:
        ends = end(grant)
        if ends <= now:
            continue
        number, (mac, _), _, down, up, *_ = grant
        changes.leased.append((number, LeaseElement(rate_class(down, up), ends), Existing.NOTHING))
        changes.enrolled[mac] = number
        for address in addresses(mac):
            if address in held.holders:
                take_over((mac, address), number, held, changes)
            else:
                changes.bound[mac, address] = number
    changes.classes = sorted({lease.rates for _, lease, _ in changes.leased} - held.classes)
    return changes
