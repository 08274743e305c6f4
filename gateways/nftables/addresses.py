"""Which card may use an address: what its grant says, what DHCP leased it, what it was seen with. Pure.

An address has one holder, in both families, and it is first come, first served (FCFS SAVI, RFC 6620). Where another
card uses it, nobody believes the newcomer: the holder is asked, and loses the address only if it is silent. What our
own DHCP server has leased is its lessee's for as long as the lease runs (RFC 7513), and a card with a lease uses no
other IPv4 address.
"""

from __future__ import annotations

import enum
import ipaddress
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from gateways.nftables.configuration import Configuration
from gateways.types import Client, InvalidMac, IpAddress, MacAddress, parse_mac

# A phone keeps a link-local address, a stable one and a week of temporary ones (RFC 8981 section 3.4).
MOST_ADDRESSES_6 = 16


# A device that is set up by hand may have a few.
MOST_ADDRESSES_4 = 4
# Invented MAC addresses must not fill our memory. As many as the kernel has neighbours (deploy/sysctl.conf).
MOST_CARDS = 32768
FORGET_SECONDS = 600.0
# How many cards are looked at for each one that is new.
FORGET_AT_ONCE = 8


class Claim(enum.Enum):
    """What comes of a card's using an address."""

    KNOWN = enum.auto()
    NEWS = enum.auto()
    # Another card holds it, and must be asked.
    CONTESTED = enum.auto()
    REFUSED = enum.auto()


@dataclass(frozen=True, slots=True)
class DhcpLease:
    """One line of the DHCP server's list. `expires` changes with each renewal: the client is here."""

    mac: MacAddress
    address: IpAddress
    expires: str


@dataclass(slots=True)
class Card:
    """The addresses that a card holds, the last used at the end, and when it was last seen (CLOCK_BOOTTIME)."""

    seen: float
    four: list[IpAddress]
    six: list[IpAddress]

    def of(self, address: IpAddress) -> tuple[list[IpAddress], int]:
        """Those of this address' family, and how many they may be."""
        if isinstance(address, ipaddress.IPv4Address):
            return self.four, MOST_ADDRESSES_4
        return self.six, MOST_ADDRESSES_6


@dataclass(slots=True)
class AddressBook:
    """What is known of everybody on the client side. `is_granted` says whether a card has a running grant."""

    configuration: Configuration
    is_granted: Callable[[MacAddress], bool]
    leases: frozenset[DhcpLease] = frozenset()
    leased: dict[IpAddress, MacAddress] = field(default_factory=dict)
    leased_to: dict[MacAddress, list[IpAddress]] = field(default_factory=dict)
    holders: dict[IpAddress, MacAddress] = field(default_factory=dict)
    # The card that was not seen for longest comes first.
    cards: dict[MacAddress, Card] = field(default_factory=dict)
    # The client prefixes of IPv4, each as the bits that count and what they must be, and what is the portal's.
    _prefixes4: tuple[tuple[int, int], ...] = field(init=False)
    _portal: frozenset[IpAddress] = field(init=False)

    def __post_init__(self) -> None:
        four = [
            each for each in self.configuration.client_prefixes if isinstance(each, ipaddress.IPv4Network)
        ]
        self._prefixes4 = tuple((int(each.netmask), int(each.network_address)) for each in four)
        self._portal = frozenset(self.configuration.portal_addresses)

    def claim(self, mac: MacAddress, address: IpAddress, *, now: float) -> Claim:
        """A card was seen to use this address, or its grant names it. A free address becomes the card's."""
        holder = self.holders.get(address)
        if holder == mac:
            self._touch(mac, address, now)
            return Claim.KNOWN
        if not self._is_for_clients(address):
            return Claim.REFUSED
        lessee = self.leased.get(address)
        if lessee is not None and lessee != mac and holder in (None, lessee):
            return Claim.REFUSED
        if holder is not None and (address.version == 6 or mac not in self.leased_to or lessee == mac):
            return Claim.CONTESTED
        if (holder is not None or mac in self.leased_to) and self.refuses(mac, address):
            return Claim.REFUSED
        self._touch(mac, address, now)
        self._forget(now)
        return Claim.NEWS

    def claim_all(self, clients: Sequence[Client], *, now: float) -> list[tuple[MacAddress, IpAddress]]:
        """`claim` for each address of these, in half of the time where a card is new, or as it was: ten thousand may
        come at once. Gives what is contested."""
        contested = list[tuple[MacAddress, IpAddress]]()
        is_plain = self._are_plain(clients, now=now)
        cards, holders = self.cards, self.holders
        for mac, addresses in clients:
            card = cards.get(mac)
            if is_plain and card is None and addresses[0] not in holders:
                cards[mac] = Card(now, [addresses[0]], [])
                holders[addresses[0]] = mac
                continue
            if card is not None and len(addresses) == 1 and card.four[-1:] == [addresses[0]]:
                # What it used last it holds: it has been seen once more.
                card.seen, cards[mac] = now, cards.pop(mac)
                continue
            for address in addresses:
                if self.claim(mac, address, now=now) is Claim.CONTESTED:
                    contested.append((mac, address))
        return contested

    def _are_plain(self, clients: Sequence[Client], *, now: float) -> bool:
        """Whether each has one address, an IPv4 one for clients, DHCP has leased none, and nobody must be forgotten."""
        oldest = next(iter(self.cards.values()), None)
        has_room = len(self.cards) + len(clients) <= MOST_CARDS
        if self.leased or not has_room or (oldest is not None and now - oldest.seen >= FORGET_SECONDS):
            return False
        if {len(own) for _, own in clients} != {1}:
            return False
        first = [own[0] for _, own in clients]
        if not all(isinstance(each, ipaddress.IPv4Address) for each in first):
            return False
        return self._portal.isdisjoint(first) and self._are_inside4(list(map(int, first)))

    def _are_inside4(self, bits: Sequence[int]) -> bool:
        """Whether all of these are in client prefixes."""
        for mask, network in self._prefixes4:
            bits = [each for each in bits if each & mask != network]
        return not bits

    def refuses(self, mac: MacAddress, address: IpAddress) -> bool:
        """Whether the address is not for this card, as things stand."""
        own = self.leased_to.get(mac) if address.version == 4 else None
        return self.holders.get(address, mac) != mac or (own is not None and address not in own)

    def move(self, mac: MacAddress, address: IpAddress, *, now: float) -> MacAddress | None:
        """Give the address to the card that won it. Gives the card that had it."""
        loser = self.holders.get(address)
        self.release(address)
        self.claim(mac, address, now=now)
        return loser

    def release(self, address: IpAddress) -> None:
        """The address is nobody's, until somebody is seen with it."""
        holder = self.holders.pop(address, None)
        if holder is not None and (card := self.cards.get(holder)):
            card.of(address)[0].remove(address)

    def lease(
        self, leases: frozenset[DhcpLease], *, now: float
    ) -> tuple[set[MacAddress], list[tuple[MacAddress, IpAddress]]]:
        """Take the DHCP server's whole list.

        Gives the cards for whom something changed, those that lost an address among them, and which leases must wait:
        a card that has a grant, and no lease, holds the address already.
        """
        fresh = leases - self.leases
        changed, contests = {each.mac for each in self.leases ^ leases}, []
        self.leases = leases
        self.leased = {each.address: each.mac for each in leases}
        self.leased_to = {}
        for address, mac in self.leased.items():
            self.leased_to.setdefault(mac, []).append(address)
        for each in fresh:
            self._keep_to_leases(each.mac)
        for each in fresh:
            holder = self.holders.get(each.address)
            if holder in (None, each.mac) or not (self.is_granted(holder) and holder not in self.leased_to):
                self.move(each.mac, each.address, now=now)
                changed |= {holder} if holder else set()
            else:
                contests.append((each.mac, each.address))
        return changed, contests

    def lessee(self, address: IpAddress) -> MacAddress | None:
        """To whom DHCP has leased the address, unless somebody else holds it."""
        mac = self.leased.get(address)
        return mac if mac is not None and self.holders.get(address) == mac else None

    def addresses(self, mac: MacAddress) -> tuple[IpAddress, ...]:
        """What this card may use, IPv4 first."""
        card = self.cards.get(mac)
        return (*card.four, *card.six) if card else ()

    def arrival(self, mac: MacAddress) -> Client:
        """The client as the portal is told of it."""
        return Client(mac, self.addresses(mac))

    def _is_for_clients(self, address: IpAddress) -> bool:
        """As the configuration says; for IPv4 in a tenth of the time, as ten thousand may come at once."""
        if address in self._portal:
            return False
        if not isinstance(address, ipaddress.IPv4Address):
            return self.configuration.is_client(address)
        bits = int(address)
        return True in [bits & mask == network for mask, network in self._prefixes4]

    def _keep_to_leases(self, mac: MacAddress) -> None:
        card, own = self.cards.get(mac), self.leased_to.get(mac)
        if card and own:
            for address in [each for each in card.four if each not in own]:
                self.release(address)

    def _touch(self, mac: MacAddress, address: IpAddress, now: float) -> None:
        card = self.cards.pop(mac, None) or Card(now, [], [])
        card.seen = now
        self.cards[mac] = card
        own, most = card.of(address)
        if own and own[-1] == address:
            return
        if address in own:
            own.remove(address)
        own.append(address)
        self.holders[address] = mac
        if len(own) > most:
            self.holders.pop(own.pop(0), None)

    def _forget(self, now: float) -> None:
        """Let go of strangers not seen for long, or too many. Those with a grant or a lease go to the end instead."""
        for _ in range(FORGET_AT_ONCE):
            mac, card = next(iter(self.cards.items()))
            if now - card.seen < FORGET_SECONDS and len(self.cards) <= MOST_CARDS:
                return
            del self.cards[mac]
            if mac in self.leased_to or self.is_granted(mac):
                card.seen = now
                self.cards[mac] = card
            else:
                for address in (*card.four, *card.six):
                    self.holders.pop(address, None)


def parse_leases(text: str) -> frozenset[DhcpLease]:
    """Read dnsmasq's lease file: expiry, MAC, address, name, client id (dnsmasq(8), --dhcp-leasefile).

    Lines of DHCPv6, which name a DUID in the place of a MAC, and anything odd are passed over.
    """
    found: set[DhcpLease] = set()
    for line in text.splitlines():
        fields = line.split()
        if len(fields) < 4 or fields[0] == "duid":
            continue
        try:
            found.add(DhcpLease(parse_mac(fields[1]), ipaddress.IPv4Address(fields[2]), fields[0]))
        except (InvalidMac, ValueError):
            continue
    return frozenset(found)
