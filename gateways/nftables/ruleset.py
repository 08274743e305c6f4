"""The text of our nftables table: who may pass, and what everybody else gets. Pure: it runs
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
- ``confined`` holds the numbers that may not go everywhere, ``reach4``, ``reach6`` and ``reach_all4``, ``reach_all6``
  where they may: both directions look there, before the lease.
- ``resolved`` holds the numbers whose DNS goes to a resolver of their own: see `resolvers`.
- ``count_up`` and ``count_down`` are filled by the packets themselves and outlive the lease by a day.

No rule accepts `established` on its own. A flow remembers its owner in the connection's mark, and an answer
passes only when that owner has a lease and has used the address it is going to.
"""

from __future__ import annotations

from collections.abc import Iterable

from gateways.nftables.client_prefixes import prefixes_by_family, uplinks
from gateways.nftables.client_rules import foreign_rules, identify_rules, unknown_rules, vouch_rules
from gateways.nftables.configuration import Configuration
from gateways.nftables.proof_rules import (
    PROOF_NUMBER,
    proof_rules,
    proof_sender,
    prove_out_rules,
    prove_rules,
)
from gateways.nftables.rate_classes import RateClass, chain_text, class_calls, class_declarations, rate_chains
from gateways.nftables.reach import confining_rules
from gateways.nftables.resolvers import keep_resolver_rules, refuse_dns_rules, to_resolver_rules
from gateways.nftables.table_layout import CHAINS, DECLARATIONS, PARTS, TABLE, layout
from gateways.nftables.walled_garden import (
    capture_rules,
    dhcp_rules,
    garden_answer_rules,
    garden_rules,
    input_rules,
    output_rules,
    refusal_rules,
    settling_rules,
)
from gateways.types import SHARED_PORTS

# Others' chains at the hook `prerouting` come before ours, up to mangle (-150), and address translation (-100) after.
PREROUTING = "mangle + 10"
# As late as can be: only connection tracking's own confirmation comes after (linux/netfilter_ipv4.h).
LAST = str(2**31 - 2)
# Connections that one client may have open at a time. The kernel's table has 262,144 places for all.
MOST_FLOWS = 8192


def create(configuration: Configuration, classes: Iterable[RateClass], *, epoch: str) -> str:
    """One transaction that makes the table anew, whatever was there, and closed to everybody."""
    classes = sorted(set(classes))
    declared = DECLARATIONS + "".join(class_declarations(each) for each in classes)
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
    body = class_declarations(rates) + rate_chains(rates)
    calls = class_calls(rates)
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
        _base("proof", "filter", "postrouting", LAST, "accept", proof_rules(configuration)),
        chain_text("identify", identify_rules(configuration)),
        chain_text("foreign", foreign_rules()),
        chain_text("unknown", unknown_rules()),
        chain_text("dhcp", dhcp_rules()),
        chain_text("vouch", vouch_rules()),
        chain_text("prove_in", prove_rules("in", f"meta mark set {PROOF_NUMBER}")),
        chain_text("prove_forward", prove_rules("forward", "accept")),
        chain_text("prove_out", prove_out_rules(configuration)),
        chain_text("from_clients", _from_clients(configuration)),
        chain_text("to_clients", _to_clients(configuration)),
        chain_text("settle", settling_rules()),
        chain_text("refuse", refusal_rules()),
        chain_text("confine_up", confining_rules("up")),
        chain_text("confine_down", confining_rules("down")),
        chain_text("to_resolver", to_resolver_rules()),
        chain_text("keep_resolver", keep_resolver_rules()),
        chain_text("refuse_dns", refuse_dns_rules()),
    ]
    calls = [class_calls(each) for each in classes]
    chains += [chain_text(part, [call[part] for call in calls]) for part in ("pass", "up", "down")]
    chains += [rate_chains(each) for each in classes]
    return f"table {TABLE} {{\n{''.join(chains)}}}\n"


def _base(name: str, kind: str, hook: str, priority: str, policy: str, rules: Iterable[str]) -> str:
    return chain_text(name, rules, f"    type {kind} hook {hook} priority {priority}; policy {policy};\n")


def _prerouting(configuration: Configuration) -> list[str]:
    client = configuration.client_interface
    rules = [
        # A mark is ours alone: whatever the packet brought from another interface or namespace is forgotten.
        "meta mark set 0",
        f'iifname "{client}" jump identify',
    ]
    for family, prefixes in prefixes_by_family(configuration):
        inside = f'iifname != {{ "{client}", "lo" }} {family} saddr {{ {prefixes} }}'
        rules.append(f'{inside} counter name "spoofed" drop')
    return rules


def _forward(configuration: Configuration) -> list[str]:
    client = configuration.client_interface
    return [
        # Whoever offers segments that do not fit the way there or back is told so (RFC 4459 section 3.2): many networks
        # drop the ICMP messages that would.
        "tcp flags & (syn | rst) == syn tcp option maxseg size set rt mtu",
        # An invalid packet would leave without address translation.
        "ct state invalid drop",
        # Each packet meets the rules of its own way alone.
        f'iifname "{client}" goto from_clients',
        f'oifname "{client}" goto to_clients',
    ]


def _from_clients(configuration: Configuration) -> list[str]:
    return [
        *garden_rules(configuration),
        f"meta mark {PROOF_NUMBER} oifname {uplinks(configuration)} goto prove_forward",
        f"{proof_sender(configuration)} drop",
        # Client to client, and client to anywhere but the uplink.
        f"oifname != {uplinks(configuration)} goto refuse",
        # One client must not fill the table of connections for all. Where nobody has counted, all pass.
        f"ct state new add @flows {{ meta mark ct count over {MOST_FLOWS} }} drop",
        "meta mark @confined jump confine_up",
        "meta mark @resolved jump keep_resolver",
        "jump up",
        "goto refuse",
    ]


def _to_clients(configuration: Configuration) -> list[str]:
    return [
        *garden_answer_rules(configuration),
        # Only a flow that a client began has a number in its mark, so that nothing new comes in from outside.
        "meta nfproto ipv4 ct mark . ip daddr != @holders4 drop",
        "meta nfproto ipv6 ct mark . ip6 daddr != @holders6 drop",
        "meta mark set ct mark",
        "meta mark @confined jump confine_down",
        "jump down",
        "drop",
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
    clients = dict(prefixes_by_family(configuration)).get("ip")
    if clients:
        rules.append(f"{transport} ip saddr {{ {clients} }} snat ip to meta mark map @blocks")
    # Where there are blocks, the gateway's own flows and strangers' questions keep out of them.
    shared = f"th sport >= {SHARED_PORTS[0]} masquerade to :{SHARED_PORTS[0]}-{SHARED_PORTS[1]}"
    rules.append(f"{transport} meta nfproto ipv4 meta mark 0 meta mark @limited {shared}")
    wanted = {"ip": configuration.masquerade, "ip6": configuration.masquerade_ipv6}
    for family, prefixes in prefixes_by_family(configuration):
        if wanted[family]:
            rules.append(f"oifname {uplinks(configuration)} {family} saddr {{ {prefixes} }} masquerade")
    return rules
