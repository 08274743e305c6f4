"""The rules for clients without a lease: the few things they may reach, and what becomes of the rest. Pure
text.

Allowed are DHCP, neighbour discovery, echo to the gateway, DNS by our own resolver, time from configured
servers, the redirector and the portal. A budget for each client keeps DNS from becoming a tunnel: see `budgets`.

Authorised clients have the Internet, but on the gateway itself they may reach no more than everybody else.
"""

from __future__ import annotations

from gateways.nftables.budgets import ECHO, TIME, answer_rules, question_rules
from gateways.nftables.configuration import Configuration
from gateways.nftables.resolvers import ASKED, own_resolver_rules

# An NTP packet has 48 bytes (RFC 5905 section 7.3), 96 with the headers of IPv6.
NTP_PACKET_BYTES = 96
SMALL = f"udp length 56 meta length <= {NTP_PACKET_BYTES}"


def capture_rules(configuration: Configuration) -> list[str]:
    """Where a stranger's first packet to port 80 or 53 really goes."""
    client = configuration.client_interface
    resolver = configuration.resolver_port
    rules = [f'iifname != "{client}" return', f"meta mark @resolved {ASKED} goto to_resolver"]
    if resolver != 53:
        rules.append(f"fib daddr type local meta l4proto {{ tcp, udp }} th dport 53 redirect to :{resolver}")
    rules.append("jump pass")
    rules += [f"{portal} return" for portal in _portal(configuration, "daddr", "dport")]
    rules += [
        f"tcp dport 80 redirect to :{configuration.redirector_port}",
        f"meta l4proto {{ tcp, udp }} th dport 53 redirect to :{resolver}",
    ]
    return rules


def garden_rules(configuration: Configuration) -> list[str]:
    """What is forwarded of everybody, lease or not: what is for the portal, and questions after the time of day."""
    rules = [f"{match} accept" for match in _portal(configuration, "daddr", "dport")]
    for family, servers in _time_servers(configuration):
        asked = f"{family} daddr {{ {servers} }} udp dport 123 {SMALL}"
        rules += TIME.rules(asked, over="drop")
    return rules


def garden_answer_rules(configuration: Configuration) -> list[str]:
    """The answers to that."""
    answers = _portal(configuration, "saddr", "sport")
    for family, servers in _time_servers(configuration):
        answers.append(f"{family} saddr {{ {servers} }} udp sport 123 {SMALL}")
    return [f"{match} ct state established accept" for match in answers]


def _time_servers(configuration: Configuration) -> list[tuple[str, str]]:
    """The time servers by the family's word in nft, families without one left out."""
    found = []
    for family, version in (("ip", 4), ("ip6", 6)):
        servers = ", ".join(str(each) for each in configuration.ntp_servers if each.version == version)
        if servers:
            found.append((family, servers))
    return found


def refusal_rules() -> list[str]:
    """The end of a client's packet that nothing let through."""
    return [
        "meta mark 0 jump settle",
        # A refusal at once lets a phone's probe fail fast; a silent drop would keep it waiting.
        "meta l4proto tcp reject with tcp reset",
        "udp dport { 443, 853 } reject with icmpx port-unreachable",
        "drop",
    ]


def settling_rules() -> list[str]:
    """A card with a grant, under an address it has only just taken: in a moment that passes, and is tried again."""
    return ["meta mark set ether saddr map @cards", "meta mark != 0 drop"]


def input_rules(configuration: Configuration) -> list[str]:
    """What reaches the gateway itself."""
    client = configuration.client_interface
    control = (
        "nd-neighbor-solicit, nd-neighbor-advert, nd-router-solicit, mld-listener-query, mld-listener-report"
    )
    errors = "destination-unreachable, time-exceeded, parameter-problem"
    ports = ", ".join(str(port) for port in configuration.uplink_tcp_ports)
    rules = [
        'iifname "lo" accept',
        f'iifname "{client}" udp dport 67 goto dhcp',
        # Who gives addresses or routes to other guests: our own never come in here.
        f'iifname "{client}" udp sport 67 udp dport 68 counter name "dhcp_servers" add @impostors {{ ether saddr }}',
        f'iifname "{client}" icmpv6 type nd-router-advert counter name "routers" add @impostors {{ ether saddr }}',
        # Answers to what the gateway itself asked. A client's own flow is judged by each of its packets.
        "ct direction reply ct state established,related accept",
        f"icmpv6 type {{ {control}, mld-listener-done, mld2-listener-report }} accept",
        f'iifname != "{client}" ct state established,related accept',
        f'iifname != "{client}" icmpv6 type {{ nd-router-advert, packet-too-big, {errors}, echo-request }} accept',
        f'iifname != "{client}" icmp type {{ {errors}, echo-request }} accept',
        f'iifname != "{client}" udp sport 67 udp dport 68 accept',
        f'iifname != "{client}" udp sport 547 udp dport 546 accept',
    ]
    if ports:
        rules.append(f'iifname != "{client}" tcp dport {{ {ports} }} accept')
    rules.append(f'iifname != "{client}" drop')
    rules += [
        "ip6 saddr fe80::/10 udp sport 546 udp dport 547 accept",
        *ECHO.rules("icmp type echo-request", over="drop"),
        *ECHO.rules("icmpv6 type echo-request", over="drop"),
        f"tcp dport {configuration.redirector_port} accept",
    ]
    rules += [f"{portal} accept" for portal in _portal(configuration, "daddr", "dport")]
    rules += own_resolver_rules(configuration.resolver_port)
    rules += question_rules(configuration.resolver_port, configuration.portal_url)
    # A refusal at once: a browser that tries https, or a phone that tries DNS over TLS, must not wait for nothing.
    return [
        *rules,
        "meta l4proto tcp reject with tcp reset",
        "udp dport { 443, 853 } reject with icmpx port-unreachable",
    ]


def dhcp_rules() -> list[str]:
    """What a client may ask of the DHCP server: in its own name, and not without end.

    Whoever names another card in `chaddr` (RFC 2131 section 2) could give back, decline or take over its address, or
    eat the pool up from one station. nft compares no two fields of a packet: a set that holds the sender beside itself
    does.
    """
    return [
        "udp sport != 68 drop",
        "meta nfproto ipv6 drop",
        # Ethernet, six bytes.
        '@th,72,16 != 0x0106 counter name "dhcp" drop',
        "add @dhcp_senders { @ll,48,48 . @ll,48,48 }",
        '@ll,48,48 . @th,288,48 != @dhcp_senders counter name "dhcp" drop',
        "update @dhcp_asked { ether saddr limit rate 15/minute burst 30 packets } accept",
        'counter name "dhcp" drop',
    ]


def output_rules(configuration: Configuration) -> list[str]:
    """The budget of what the resolver answers to strangers: 1 kbit/s, after enough to start with."""
    resolver = configuration.resolver_port
    rules = [
        f'oifname != "{configuration.client_interface}" accept',
        f"meta l4proto {{ tcp, udp }} th sport != {resolver} accept",
        "meta l4proto != { tcp, udp } accept",
        "meta mark set ct mark",
        "meta mark != @confined jump pass",
    ]
    return rules + answer_rules(resolver, configuration.portal_url)


def _portal(configuration: Configuration, address: str, port: str) -> list[str]:
    """Matches of the portal's addresses and ports, one for each family that it has."""
    ports = ", ".join(str(each) for each in configuration.portal_ports)
    found = []
    for family, version in (("ip", 4), ("ip6", 6)):
        addresses = ", ".join(str(each) for each in configuration.portal_addresses if each.version == version)
        if addresses:
            found.append(f"{family} {address} {{ {addresses} }} tcp {port} {{ {ports} }}")
    return found
