"""The text of our nftables table: who is who, who may pass, and what everybody else gets. Pure: it runs
nothing.

A client's number (`Grant.number`) travels as the packet's mark:

- ``clients4`` and ``clients6`` say which number a pair of MAC and address is. They know no time. What DHCP leased to
  a card without a grant stands there under `NO_GRANT`.
- ``held4`` and ``held6`` are the addresses of these pairs: another card that uses one reaches nothing at all.
- ``cards`` says which number a card has. An address it has not used before, and nobody holds, is written down in
  ``fresh4`` and ``fresh6``; one that another card holds in ``contested4`` and ``contested6``. The agent reads them.
- ``lease_dD_uU``, one set for each pair of rates, say who may pass. Each element carries its own timeout, and
  both directions look it up with every packet: nothing that is running outlives it, and nobody is needed to
  end it.
- ``blocks`` says from which public address and ports a number's TCP and UDP leave, ``owned`` the same the other way
  round, for flows that run: one that was translated to ports which are no longer its sender's goes no further.
  ``limited`` holds the numbers that either is about, and 0, the gateway itself, as soon as there is one.
- ``count_up`` and ``count_down`` are filled by the packets themselves and outlive the lease by a day.

No rule accepts `established` on its own. A flow remembers its owner in the connection's mark, and an answer
passes only when that owner has a lease and has used the address it is going to.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from gateways.nftables import budgets
from gateways.nftables.configuration import Configuration
from gateways.nftables.walled_garden import (
    capture_rules,
    dhcp_rules,
    garden_rules,
    input_rules,
    output_rules,
    refusal_rules,
    settling_rules,
)
from gateways.types import SHARED_PORTS

TABLE = "inet arobase"
# Stands for "no grant" where the DHCP server alone has given an address to a card. `feed` accepts no such number.
NO_GRANT = 2**32 - 1
# A token bucket must hold a few offloaded packets of 64 kB, or a single one is always over the rate.
BURST_BYTES = 262144
# The number of the packet by which the agent proves that a granted one comes out. A bit set or cleared by others shows.
PROOF_NUMBER = 2**31
# Where that packet has come to, in order.
PROOF_COUNTERS = tuple(f"proof_{step}{version}" for version in (4, 6) for step in ("in", "forward", "out"))
# Others' chains at the hook `prerouting` come before ours, up to mangle (-150), and address translation (-100) after.
PREROUTING = "mangle + 10"
# By the frame's own bytes, as marks and addresses may be others' by then.
PROOF_SENDER = "@ll,48,48 {mac}"
# As late as can be: only connection tracking's own confirmation comes after (linux/netfilter_ipv4.h).
LAST = str(2**31 - 2)
# Connections that one client may have open at a time. The kernel's table has 262,144 places for all.
MOST_FLOWS = 8192
CHAINS = ("prerouting", "capture", "forward", "input", "output", "postrouting", "proof")
PARTS = ("identify", "foreign", "unknown", "dhcp", "garden", "pass", "up", "down", "settle", "refuse")

DECLARATIONS = (
    """\
  counter spoofed { }
  counter dns { }
  map clients4 { type ether_addr . ipv4_addr : mark; }
  map clients6 { type ether_addr . ipv6_addr : mark; }
  set holders4 { type mark . ipv4_addr; size 262144; flags dynamic,timeout; timeout 1d; }
  set holders6 { type mark . ipv6_addr; size 262144; flags dynamic,timeout; timeout 1d; }
  counter dhcp { }
  counter dhcp_servers { }
  counter routers { }
  set held4 { type ipv4_addr; }
  set held6 { type ipv6_addr; }
  map cards { type ether_addr : mark; }
  set fresh4 { type ether_addr . ipv4_addr; size 1024; flags dynamic,timeout; timeout 2s; }
  set fresh6 { type ether_addr . ipv6_addr; size 1024; flags dynamic,timeout; timeout 2s; }
  set contested4 { type ether_addr . ipv4_addr; size 1024; flags dynamic,timeout; timeout 2s; }
  set contested6 { type ether_addr . ipv6_addr; size 1024; flags dynamic,timeout; timeout 2s; }
  set freshened { type ether_addr; size 65535; flags dynamic,timeout; timeout 1m; }
  set dhcp_senders { typeof @ll,48,48 . @th,288,48; size 65535; flags dynamic,timeout; timeout 1s; }
  set dhcp_asked { type ether_addr; size 65535; flags dynamic,timeout; timeout 2m; }
  set impostors { type ether_addr; size 1024; flags dynamic,timeout; timeout 1h; }
  set count_up { type mark; size 262144; flags dynamic,timeout; timeout 1d; }
  set count_down { type mark; size 262144; flags dynamic,timeout; timeout 1d; }
  map blocks { type mark : interval ipv4_addr . inet_service; flags interval; }
  set owned { type mark . ipv4_addr . inet_service; flags interval; }
  set limited { type mark; }
  set flows { type mark; size 65535; flags dynamic; }
"""
    + "".join(f"  counter {name} {{ }}\n" for name in PROOF_COUNTERS)
    + budgets.DECLARATIONS
)


@dataclass(frozen=True, slots=True, order=True)
class RateClass:
    """A pair of ceilings in kbit/s; 0 means none. Leases of the same pair share a set and its rules."""

    down_kbps: int
    up_kbps: int

    @property
    def suffix(self) -> str:
        return f"d{self.down_kbps}_u{self.up_kbps}"

    @property
    def lease_set(self) -> str:
        return f"lease_{self.suffix}"

    @classmethod
    def of_set(cls, name: str) -> Self | None:
        """The class whose lease set has this name, or None when it is another set."""
        kind, _, rest = name.partition("_d")
        down, _, up = rest.partition("_u")
        if kind != "lease" or not (down.isdecimal() and up.isdecimal()):
            return None
        return cls(int(down), int(up))


def layout() -> str:
    """A short name for the shape of the table: equal names mean that sets may be kept over a reload."""
    text = DECLARATIONS + _class_declarations(RateClass(1, 1)) + " ".join(CHAINS + PARTS)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def create(configuration: Configuration, classes: Iterable[RateClass], *, epoch: str) -> str:
    """One transaction that makes the table anew, whatever was there, and closed to everybody."""
    classes = sorted(set(classes))
    declared = DECLARATIONS + "".join(_class_declarations(each) for each in classes)
    head = f'  comment "epoch={epoch} layout={layout()}"\n'
    return f"table {TABLE} {{\n}}\ndelete table {TABLE}\ntable {TABLE} {{\n{head}{declared}}}\n" + _rules(
        configuration, classes
    )


def reload(configuration: Configuration, classes: Iterable[RateClass]) -> str:
    """One transaction that replaces every rule. Sets keep their elements, timeouts and counters."""
    classes = sorted(set(classes))
    chains = [*CHAINS, *PARTS, *(f"rate_{each.suffix}_{way}" for each in classes for way in ("up", "down"))]
    flushes = "".join(f"flush chain {TABLE} {chain}\n" for chain in chains)
    return flushes + _rules(configuration, classes)


def drop_classes(configuration: Configuration, kept: Iterable[RateClass], unused: Iterable[RateClass]) -> str:
    """One transaction that takes rate classes out of the packets' path, with whatever is left in their sets."""
    text = reload(configuration, kept)
    for rates in sorted(set(unused)):
        chains = [f"rate_{rates.suffix}_{way}" for way in ("up", "down")]
        sets = [f"police_{rates.suffix}_up", f"police_{rates.suffix}_down", rates.lease_set]
        text += "".join(f"flush chain {TABLE} {name}\ndelete chain {TABLE} {name}\n" for name in chains)
        text += "".join(f"delete set {TABLE} {name}\n" for name in sets)
    return text


def add_class(rates: RateClass) -> str:
    """What to put before the first lease of a new rate class, in the same transaction."""
    body = _class_declarations(rates) + _rate_chains(rates)
    calls = _class_calls(rates)
    hooks = "".join(f"add rule {TABLE} {chain} {rule}\n" for chain, rule in calls.items())
    return f"table {TABLE} {{\n{body}}}\n{hooks}"


def _rules(configuration: Configuration, classes: list[RateClass]) -> str:
    chains = [
        _base("prerouting", "filter", "prerouting", PREROUTING, "accept", _prerouting(configuration)),
        _base("capture", "nat", "prerouting", "dstnat", "accept", capture_rules(configuration)),
        _base("forward", "filter", "forward", "filter", "drop", _forward(configuration)),
        _base("input", "filter", "input", "filter", "drop", input_rules(configuration)),
        _base("output", "filter", "output", "filter", "accept", output_rules(configuration)),
        _base("postrouting", "nat", "postrouting", "srcnat", "accept", _postrouting(configuration)),
        _base("proof", "filter", "postrouting", LAST, "accept", _proof(configuration)),
        _chain("identify", _identify(configuration)),
        _chain("foreign", _foreign()),
        _chain("unknown", _unknown()),
        _chain("dhcp", dhcp_rules()),
        _chain("garden", garden_rules(configuration)),
        _chain("settle", settling_rules()),
        _chain("refuse", refusal_rules()),
    ]
    calls = [_class_calls(each) for each in classes]
    chains += [_chain(part, [call[part] for call in calls]) for part in ("pass", "up", "down")]
    chains += [_rate_chains(each) for each in classes]
    return f"table {TABLE} {{\n{''.join(chains)}}}\n"


def _chain(name: str, rules: Iterable[str], head: str = "") -> str:
    lines = "".join(f"    {rule}\n" for rule in rules)
    return f"  chain {name} {{\n{head}{lines}  }}\n"


def _base(name: str, kind: str, hook: str, priority: str, policy: str, rules: Iterable[str]) -> str:
    return _chain(name, rules, f"    type {kind} hook {hook} priority {priority}; policy {policy};\n")


def _class_declarations(rates: RateClass) -> str:
    dynamic = "{ type mark; size 262144; flags dynamic,timeout; timeout 5m; }"
    return (
        f"  set {rates.lease_set} {{ type mark; flags timeout; }}\n"
        f"  set police_{rates.suffix}_up {dynamic}\n"
        f"  set police_{rates.suffix}_down {dynamic}\n"
    )


def _class_calls(rates: RateClass) -> dict[str, str]:
    """The one rule of each chain that looks this class up."""
    found = f"meta mark @{rates.lease_set}"
    return {
        "pass": f"{found} accept",
        "up": f"{found} goto rate_{rates.suffix}_up",
        "down": f"{found} goto rate_{rates.suffix}_down",
    }


def _rate_chains(rates: RateClass) -> str:
    text = ""
    for way, kbps in (("up", rates.up_kbps), ("down", rates.down_kbps)):
        rules = [f"update @count_{way} {{ meta mark counter }}", "accept"]
        if kbps:
            ceiling = f"limit rate over {kbps * 125} bytes/second burst {BURST_BYTES} bytes"
            rules.insert(0, f"update @police_{rates.suffix}_{way} {{ meta mark {ceiling} }} drop")
        text += _chain(f"rate_{rates.suffix}_{way}", rules)
    return text


def _prerouting(configuration: Configuration) -> list[str]:
    client = configuration.client_interface
    rules = [
        # A mark is ours alone: whatever the packet brought from another interface or namespace is forgotten.
        "meta mark set 0",
        f'iifname "{client}" jump identify',
    ]
    for family, prefixes in _prefixes(configuration):
        inside = f'iifname != {{ "{client}", "lo" }} {family} saddr {{ {prefixes} }}'
        rules.append(f'{inside} counter name "spoofed" drop')
    return rules


def _identify(configuration: Configuration) -> list[str]:
    """Find the sender's number. A pair that is not known stays number 0, a stranger."""
    prefixes = dict(_prefixes(configuration))
    allowed4 = prefixes.get("ip", "255.255.255.255")
    allowed6 = ", ".join(["fe80::/10", *([prefixes["ip6"]] if "ip6" in prefixes else [])])
    return [
        *_proof_steps(
            "in", f"ether saddr {proof_mac(configuration)}", f"meta mark set {PROOF_NUMBER} return"
        ),
        # Before it has an address, a client may only ask for one.
        "ip saddr 0.0.0.0 udp sport 68 udp dport 67 return",
        # 58 is ICMPv6: a machine without /etc/protocols does not know it by name.
        "ip6 saddr :: meta l4proto 58 return",
        f"ip saddr != {{ {allowed4} }} goto foreign",
        f"ip6 saddr != {{ {allowed6} }} goto foreign",
        "meta mark set ether saddr . ip saddr map @clients4",
        "meta mark set ether saddr . ip6 saddr map @clients6",
        f"meta mark {NO_GRANT} {budgets.VOUCH}",
        f"meta mark {NO_GRANT} meta mark set 0 return",
        "meta mark 0 goto unknown",
        # An old flow of the same device may still be translated to ports that are somebody else's today.
        "meta mark @limited ct direction original ct status snat meta nfproto ipv4 meta l4proto { tcp, udp } "
        "meta mark . ct reply ip daddr . ct reply proto-dst != @owned meta mark set 0",
        "meta mark 0 return",
        "meta nfproto ipv4 add @holders4 { meta mark . ip saddr }",
        "meta nfproto ipv6 add @holders6 { meta mark . ip6 saddr }",
        # The flow belongs to whoever sends in it now, and its answers to nobody else.
        "ct direction original ct mark set meta mark",
    ]


def _foreign() -> list[str]:
    """A client speaks under an address that is none of ours: most often a router plugged in the wrong way round."""
    return [
        'udp sport 67 udp dport 68 counter name "dhcp_servers" add @impostors { ether saddr }',
        'counter name "spoofed" drop',
    ]


def _unknown() -> list[str]:
    """A client under an address that is not known to be its own.

    It may stand in a full set as well: then it is not written down, and drops all the same.
    """
    rules = []
    for family, version in (("ip", 4), ("ip6", 6)):
        held, pair = f"{family} saddr @held{version}", f"{{ ether saddr . {family} saddr }}"
        rules += [f"{held} add @contested{version} {pair}", f'{held} counter name "spoofed" drop']
    rules += [
        # Nobody else has the gateway's own addresses. For IPv4 the kernel sees to that by itself.
        'fib saddr type local counter name "spoofed" drop',
        "meta mark set ether saddr map @cards",
        "meta mark 0 return",
        "meta mark set 0",
        'meta nfproto ipv4 counter name "spoofed"',
        "update @freshened { ether saddr limit rate over 4/second burst 32 packets } return",
    ]
    for family, version in (("ip", 4), ("ip6", 6)):
        rules.append(f"meta nfproto ipv{version} add @fresh{version} {{ ether saddr . {family} saddr }}")
    return rules


def _forward(configuration: Configuration) -> list[str]:
    client, uplinks = configuration.client_interface, _uplinks(configuration)
    up = f'iifname "{client}" oifname {uplinks}'
    return [
        # Whoever offers segments that do not fit the way there or back is told so (RFC 4459 section 3.2): many networks
        # drop the ICMP messages that would.
        "tcp flags & (syn | rst) == syn tcp option maxseg size set rt mtu",
        # An invalid packet would leave without address translation.
        "ct state invalid drop",
        "jump garden",
        *_proof_steps("forward", f"{up} meta mark {PROOF_NUMBER}", "accept"),
        f"{PROOF_SENDER.format(mac=_raw_mac(configuration))} drop",
        # One client must not fill the table of connections for all. Where nobody has counted, all pass.
        f"{up} ct state new add @flows {{ meta mark ct count over {MOST_FLOWS} }} drop",
        # Client to client, and client to anywhere but the uplink, ends in the refusal too.
        f"{up} jump up",
        f'iifname "{client}" goto refuse',
        # Only a flow that a client began has a number in its mark, so that nothing new comes in from outside.
        f'oifname "{client}" meta nfproto ipv4 ct mark . ip daddr != @holders4 drop',
        f'oifname "{client}" meta nfproto ipv6 ct mark . ip6 daddr != @holders6 drop',
        f'oifname "{client}" meta mark set ct mark',
        f'oifname "{client}" jump down',
    ]


def _postrouting(configuration: Configuration) -> list[str]:
    uplink = configuration.uplink_interface
    rules = []
    # The portal must see the client's own address.
    for family, version in (("ip", 4), ("ip6", 6)):
        portal = ", ".join(str(each) for each in configuration.portal_addresses if each.version == version)
        if portal:
            rules.append(f"{family} daddr {{ {portal} }} return")
    transport = f'oifname "{uplink}" meta l4proto {{ tcp, udp }}'
    clients = dict(_prefixes(configuration)).get("ip")
    if clients:
        rules.append(f"{transport} ip saddr {{ {clients} }} snat ip to meta mark map @blocks")
    # Where there are blocks, the gateway's own flows and strangers' questions keep out of them.
    shared = f"th sport >= {SHARED_PORTS[0]} masquerade to :{SHARED_PORTS[0]}-{SHARED_PORTS[1]}"
    rules.append(f"{transport} meta nfproto ipv4 meta mark 0 meta mark @limited {shared}")
    wanted = {"ip": configuration.masquerade, "ip6": configuration.masquerade_ipv6}
    for family, prefixes in _prefixes(configuration):
        if wanted[family]:
            rules.append(f"oifname {_uplinks(configuration)} {family} saddr {{ {prefixes} }} masquerade")
    return rules


def _uplinks(configuration: Configuration) -> str:
    return "{ " + ", ".join(f'"{name}"' for name in configuration.uplinks) + " }"


def proof_mac(configuration: Configuration) -> str:
    """The sender of the proving packet, which nobody on the air can guess: a local unicast address (IEEE 802)."""
    secret = hmac.digest(configuration.credential.encode(), b"proof of the uplink", "sha256")
    return bytes([secret[0] & 0xFC | 0x02, *secret[1:6]]).hex(":")


def _raw_mac(configuration: Configuration) -> str:
    return "0x" + proof_mac(configuration).replace(":", "")


def _proof_steps(step: str, match: str, verdict: str) -> list[str]:
    counted = [f'{match} meta nfproto ipv{each} counter name "proof_{step}{each}"' for each in (4, 6)]
    return [*counted, f"{match} {verdict}"]


def _proof(configuration: Configuration) -> list[str]:
    """The proving packet has come through everything, others' rules included: it is counted, and goes no further."""
    sender = PROOF_SENDER.format(mac=_raw_mac(configuration))
    return [*_proof_steps("out", f"oifname {_uplinks(configuration)} {sender}", "drop"), f"{sender} drop"]


def _prefixes(configuration: Configuration) -> list[tuple[str, str]]:
    """The client prefixes by the family's word in nft, families without one left out."""
    found = []
    for family, version in (("ip", 4), ("ip6", 6)):
        prefixes = ", ".join(str(each) for each in configuration.client_prefixes if each.version == version)
        if prefixes:
            found.append((family, prefixes))
    return found
