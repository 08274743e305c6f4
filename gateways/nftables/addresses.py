"""Which addresses a client may use: what its grant says, what DHCP leased it, what it announced in IPv6.
Pure.

IPv4 is believed from the portal's grant and from our own DHCP server alone. IPv6 is what the client chooses
for itself (RFC 8981), so it is learnt from the neighbour table, first come, first served: nobody can announce
away an address that another client holds.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field

from gateways.nftables.configuration import Configuration
from gateways.ports import Client, Grant, InvalidMac, IpAddress, MacAddress, parse_mac

# A phone keeps a link-local address, a stable one and a week of temporary ones (RFC 8981 section 3.4).
MOST_ADDRESSES_6 = 16


# IPv4 addresses of a neighbour are for the portal to know, not for the kernel to trust.
MOST_ADDRESSES_4 = 4


@dataclass(frozen=True, slots=True)
class DhcpLease:
    """One line of the DHCP server's list. `expires` changes with each renewal: the client is here."""

    mac: MacAddress
    address: IpAddress
    expires: str


@dataclass(slots=True)
class AddressBook:
    """What is known of everybody on the client side."""

    configuration: Configuration
    leases: frozenset[DhcpLease] = frozenset()
    leased: dict[IpAddress, MacAddress] = field(default_factory=dict)
    leased_to: dict[MacAddress, list[IpAddress]] = field(default_factory=dict)
    seen4: dict[MacAddress, list[IpAddress]] = field(default_factory=dict)
    announced: dict[MacAddress, list[IpAddress]] = field(default_factory=dict)
    owners: dict[IpAddress, MacAddress] = field(default_factory=dict)

    def announce(self, client: Client) -> bool:
        """Take a neighbour. True when this is news."""
        is_news = False
        for address in client.addresses:
            if not self.configuration.is_client(address):
                continue
            if address.version == 6:
                is_news |= self._own(client.mac, address)
            else:
                is_news |= _keep_latest(self.seen4.setdefault(client.mac, []), address, MOST_ADDRESSES_4)[0]
        return is_news

    def lease(self, leases: frozenset[DhcpLease]) -> set[MacAddress]:
        """Take the DHCP server's whole list. Gives the clients for whom something changed."""
        changed = {each.mac for each in self.leases ^ leases}
        self.leases = leases
        self.leased = {each.address: each.mac for each in leases}
        self.leased_to = {}
        for address, mac in self.leased.items():
            self.leased_to.setdefault(mac, []).append(address)
        return changed

    def arrival(self, mac: MacAddress) -> Client:
        """The client as the portal is told of it."""
        four = [*self.leased_to.get(mac, ()), *self.seen4.get(mac, ())]
        four = [each for each in four if self.leased.get(each, mac) == mac]
        return Client(mac, tuple(dict.fromkeys([*four, *self.announced.get(mac, ())])))

    def of_grant(self, grant: Grant) -> tuple[IpAddress, ...]:
        """The addresses that this grant lets pass."""
        mac, granted = grant.client.mac, grant.client.addresses
        # DHCP knows better than the grant, which may be older than the client's last move.
        four = self.leased_to.get(mac) or [each for each in granted if each.version == 4]
        known = [each for each in four if self.leased.get(each, mac) == mac]
        known += [each for each in granted if each.version == 6 and self.owners.get(each, mac) == mac]
        known += self.announced.get(mac, ())
        return tuple(dict.fromkeys(each for each in known if self.configuration.is_client(each)))

    def _own(self, mac: MacAddress, address: IpAddress) -> bool:
        if self.owners.setdefault(address, mac) != mac:
            return False
        is_new, dropped = _keep_latest(self.announced.setdefault(mac, []), address, MOST_ADDRESSES_6)
        if dropped is not None:
            self.owners.pop(dropped, None)
        return is_new


def _keep_latest(own: list[IpAddress], address: IpAddress, most: int) -> tuple[bool, IpAddress | None]:
    """Put `address` last. Says whether it is new, and which one had to go: the one not used for longest."""
    if address in own:
        own.remove(address)
        own.append(address)
        return False, None
    own.append(address)
    return True, own.pop(0) if len(own) > most else None


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
