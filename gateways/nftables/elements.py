"""From leases to the elements of the kernel's sets: what is there, what should be, the changes between the two. Pure.

The kernel is read as it is and changed until it fits (level-triggered): nothing depends on having seen every
event.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from gateways.nftables.rate_classes import RateClass
from gateways.nftables.reach import Reach
from gateways.nftables.table_layout import NO_GRANT
from gateways.types import IpAddress, MacAddress, PortRange

Pair = tuple[MacAddress, IpAddress]
# A number, and what the kernel should hold for it.
Due = tuple[int, "DesiredClient | None"]
# To whom DHCP has leased an address.
Lessee = Callable[[IpAddress], MacAddress | None]
# Deadlines nearer than this to each other are the same: nft tells whole seconds.
TOLERANCE_SECONDS = 1.5
# An element with more time left than this is surely still there when the transaction reaches the kernel.
SURE_SECONDS = 5.0


class Existing(enum.Enum):
    """What was in a lease set under a number before it gets a new element, or none."""

    NOTHING = enum.auto()
    SOMETHING = enum.auto()
    PERHAPS = enum.auto()


class LeaseElement(NamedTuple):
    """One element of a lease set. `ends` is in seconds of the machine's own clock (CLOCK_BOOTTIME)."""

    rates: RateClass
    ends: float


class DesiredClient(NamedTuple):
    """What the kernel should hold for one number."""

    number: int
    pairs: tuple[Pair, ...]
    lease: LeaseElement
    ports: PortRange | None = None
    # Whatever address this card takes may become its own.
    card: MacAddress | None = None
    # Where it may go; None for everywhere.
    reach: Reach | None = None
    # Where its DNS goes, whatever server it asks.
    resolver: IpAddress | None = None

    @property
    def is_special(self) -> bool:
        """Whether it has more than a place among those who may pass."""
        return self.ports is not None or self.reach is not None or self.resolver is not None


@dataclass(slots=True)
class ActualState:
    """What the kernel holds, as last read and changed by us."""

    classes: set[RateClass] = field(default_factory=set)
    leases: dict[int, LeaseElement] = field(default_factory=dict)
    pairs: dict[Pair, int] = field(default_factory=dict)
    pairs_of: dict[int, dict[Pair, None]] = field(default_factory=dict)
    # The one card that may use an address.
    holders: dict[IpAddress, MacAddress] = field(default_factory=dict)
    cards: dict[MacAddress, int] = field(default_factory=dict)
    card_of: dict[int, MacAddress] = field(default_factory=dict)
    ports: dict[int, PortRange] = field(default_factory=dict)
    reach: dict[int, Reach] = field(default_factory=dict)
    resolvers: dict[int, IpAddress] = field(default_factory=dict)
    # Sets that say the same thing in two ways do not agree: somebody else was there.
    torn: bool = False

    def by_number(self) -> tuple[Mapping[int, object], ...]:
        """All that stands under a number, by number."""
        return self.leases, self.pairs_of, self.ports, self.card_of, self.reach, self.resolvers

    def bind(self, pair: Pair, number: int) -> None:
        self.pairs[pair] = number
        self.pairs_of.setdefault(number, {})[pair] = None
        self.holders[pair[1]] = pair[0]

    def unbind(self, pair: Pair, number: int) -> None:
        self.pairs.pop(pair, None)
        self.holders.pop(pair[1], None)
        own = self.pairs_of.get(number, {})
        own.pop(pair, None)
        if not own:
            self.pairs_of.pop(number, None)

    def enrol(self, card: MacAddress, number: int) -> None:
        self.cards[card], self.card_of[number] = number, card

    def strike(self, card: MacAddress, number: int) -> None:
        self.cards.pop(card, None)
        self.card_of.pop(number, None)


@dataclass(slots=True)
class Changes:
    """One transaction. Lists are kept by kind, so that ten thousand changes are a handful of statements."""

    classes: list[RateClass] = field(default_factory=list)
    unbound: dict[Pair, int] = field(default_factory=dict)
    bound: dict[Pair, int] = field(default_factory=dict)
    ended: list[tuple[int, RateClass, Existing]] = field(default_factory=list)
    leased: list[tuple[int, LeaseElement, Existing]] = field(default_factory=list)
    taken: dict[int, PortRange] = field(default_factory=dict)
    given: dict[int, PortRange] = field(default_factory=dict)
    enrolled: dict[MacAddress, int] = field(default_factory=dict)
    struck: dict[MacAddress, int] = field(default_factory=dict)
    confined: dict[int, Reach] = field(default_factory=dict)
    freed: dict[int, Reach] = field(default_factory=dict)
    resolvers_off: dict[int, IpAddress] = field(default_factory=dict)
    resolvers_on: dict[int, IpAddress] = field(default_factory=dict)

    def __bool__(self) -> bool:
        others = self.taken or self.given or self.enrolled or self.struck or self.confined or self.freed
        asked = self.resolvers_off or self.resolvers_on
        return bool(
            self.classes or self.unbound or self.bound or self.ended or self.leased or others or asked
        )

    @property
    def released(self) -> list[IpAddress]:
        """The addresses that are nobody's afterwards."""
        taken = {address for _, address in self.bound}
        return [address for _, address in self.unbound if address not in taken]


def nobody(_: IpAddress) -> None:
    """Where no DHCP server is known."""


def plan(
    wanted: Mapping[int, DesiredClient],
    held: ActualState,
    numbers: Iterable[int],
    *,
    now: float,
    lessee: Lessee = nobody,
    moved: Iterable[IpAddress] = (),
) -> Changes:
    """The changes that make the kernel fit `wanted` as far as `numbers` go.

    A number that is not in `wanted`, or whose time is over, must not pass and owns nothing. What no grant holds of the
    addresses that change, and of those in `moved`, belongs to the card that DHCP leased it to.
    """
    changes = Changes()
    due: list[Due] = []
    for number in numbers:
        desired = wanted.get(number)
        due.append((number, None if desired is None or desired.lease.ends <= now else desired))
    _plan_leases(due, held, changes, now)
    _plan_cards(due, held, changes)
    _plan_pairs(due, held, changes)
    # Few have any of these.
    everybody = held.ports or held.reach or held.resolvers
    for number, desired in due:
        if everybody or (desired is not None and desired.is_special):
            _plan_ports(number, desired, held, changes)
            _plan_reach(number, desired, held, changes)
            _plan_resolver(number, desired, held, changes)
    left = {address for _, address in changes.unbound}.union(moved)
    if left:
        _plan_dhcp(left, lessee, held, changes)
    changes.classes = sorted({lease.rates for _, lease, _ in changes.leased} - held.classes)
    return changes


def _plan_leases(due: list[Due], held: ActualState, changes: Changes, now: float) -> None:
    for number, desired in due:
        there, before = held.leases.get(number), Existing.NOTHING
        if there is not None:
            before = Existing.SOMETHING if there.ends - now > SURE_SECONDS else Existing.PERHAPS
            if desired is None or there.rates != desired.lease.rates:
                changes.ended.append((number, there.rates, before))
                there, before = None, Existing.NOTHING
        if desired is None or (there and abs(there.ends - desired.lease.ends) <= TOLERANCE_SECONDS):
            continue
        changes.leased.append((number, desired.lease, before))


def _plan_cards(due: list[Due], held: ActualState, changes: Changes) -> None:
    for number, desired in due:
        there, card = held.card_of.get(number), desired.card if desired is not None else None
        if there is not None and there != card and held.cards.get(there) == number:
            changes.struck[there] = number
        if card is None:
            continue
        before = held.cards.get(card)
        if before == number:
            continue
        if before is not None:
            changes.struck[card] = before
        changes.enrolled[card] = number


def _plan_pairs(due: list[Due], held: ActualState, changes: Changes) -> None:
    for number, desired in due:
        owned = held.pairs_of.get(number, ())
        pairs = desired.pairs if desired is not None else ()
        for pair in owned:
            if pair not in pairs:
                changes.unbound[pair] = number
        for pair in pairs:
            if not owned or pair not in owned:
                take_over(pair, number, held, changes)


def _plan_dhcp(addresses: Iterable[IpAddress], lessee: Lessee, held: ActualState, changes: Changes) -> None:
    """Give what no grant holds of these addresses to the cards that DHCP leased them to."""
    granted = {address for _, address in changes.bound}
    for address in addresses:
        if address in granted:
            continue
        card, holder = lessee(address), held.holders.get(address)
        if holder is not None and (holder, address) not in changes.unbound:
            number = held.pairs[holder, address]
            if number != NO_GRANT or card == holder:
                continue
            changes.unbound[holder, address] = NO_GRANT
        if card is not None:
            changes.bound[card, address] = NO_GRANT


def take_over(pair: Pair, number: int, held: ActualState, changes: Changes) -> None:
    """An address has one holder: whoever had it, this card under another number or another card, loses it."""
    holder = held.holders.get(pair[1])
    if holder is not None:
        earlier = (holder, pair[1])
        changes.unbound[earlier] = held.pairs[earlier]
    changes.bound[pair] = number


def _plan_ports(number: int, desired: DesiredClient | None, held: ActualState, changes: Changes) -> None:
    there, ports = held.ports.get(number), desired.ports if desired else None
    if there == ports:
        return
    if there is not None:
        changes.taken[number] = there
    if ports is not None:
        changes.given[number] = ports


def _plan_reach(number: int, desired: DesiredClient | None, held: ActualState, changes: Changes) -> None:
    there, reach = held.reach.get(number), desired.reach if desired else None
    if there == reach:
        return
    if there is not None:
        changes.freed[number] = there
    if reach is not None:
        changes.confined[number] = reach


def _plan_resolver(number: int, desired: DesiredClient | None, held: ActualState, changes: Changes) -> None:
    there, resolver = held.resolvers.get(number), desired.resolver if desired else None
    if there == resolver:
        return
    if there is not None:
        changes.resolvers_off[number] = there
    if resolver is not None:
        changes.resolvers_on[number] = resolver


def note(changes: Changes, held: ActualState) -> None:
    """Bring `held` to what the kernel holds after `changes` went through."""
    held.classes.update(changes.classes)
    for card, number in changes.struck.items():
        held.strike(card, number)
    for card, number in changes.enrolled.items():
        held.enrol(card, number)
    for pair, number in changes.unbound.items():
        held.unbind(pair, number)
    for pair, number in changes.bound.items():
        held.bind(pair, number)
    for number in changes.taken:
        held.ports.pop(number, None)
    held.ports.update(changes.given)
    for number in changes.freed:
        held.reach.pop(number, None)
    held.reach.update(changes.confined)
    for number in changes.resolvers_off:
        held.resolvers.pop(number, None)
    held.resolvers.update(changes.resolvers_on)
    for number, _, _ in changes.ended:
        held.leases.pop(number, None)
    for number, lease, _ in changes.leased:
        held.leases[number] = lease
