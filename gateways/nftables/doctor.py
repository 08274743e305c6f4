"""Whether this gateway is ready for clients, and what to type where it is not.

    python -m gateways.nftables.doctor /etc/arobase/agent.toml

As root. It changes nothing. Exit status 1 if something keeps clients out.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from gateways.nftables import client_side, dnsmasq, host, machine
from gateways.nftables.configuration import Configuration, InvalidConfiguration, read
from gateways.nftables.portal import PortalClient, PortalUnreachable
from gateways.nftables.questions import NoAnswer, ask

GOOD, WARNING, FAULT = "good", "warning", "fault"
Finding = tuple[str, str]
SYSTEM = Path("/proc/sys")
DNSMASQ_FILE = Path("/etc/dnsmasq.d/arobase.conf")
UNIT = "arobase-gateway.service"
# deploy/sysctl.conf: below this the kernel forgets neighbours while a place is full.
LEAST_NEIGHBOURS = 32768
# And below this, bytes, answers that wait for neighbours that do not exist keep the resolver from sending others.
SEND_BUFFER, LEAST_SEND_BUFFER = "net/core/wmem_default", 1_000_000
CLOCK_SECONDS = 5.0


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m gateways.nftables.doctor", description=__doc__)
    parser.add_argument("configuration", type=Path, help="the agent's configuration, agent.toml")
    parser.add_argument("--dnsmasq", type=Path, default=DNSMASQ_FILE, help="the file made for dnsmasq")
    options = parser.parse_args(arguments)
    failed = False
    for severity, sentence in examine(options.configuration, options.dnsmasq):
        print(f"{severity}\t{sentence}", flush=True)
        failed |= severity == FAULT
    return int(failed)


def examine(path: Path, dnsmasq_file: Path) -> Iterator[Finding]:
    """Every finding, each as soon as it is known. A check that fails is a finding too."""
    try:
        configuration = read(path)
    except InvalidConfiguration as error:
        yield from ((FAULT, each) for each in error.faults)
        return
    yield GOOD, f"{path} describes gateway {configuration.gateway}."
    checks: tuple[tuple[str, Callable[[], Iterator[Finding]]], ...] = (
        ("the tools", lambda: check_tools(configuration)),
        ("the cards", lambda: check_cards(configuration)),
        ("the kernel's settings", lambda: check_kernel(configuration)),
        ("dnsmasq's file", lambda: check_dnsmasq(configuration, path, dnsmasq_file)),
        ("the resolver", lambda: check_resolver(configuration)),
        ("the clock", check_clock),
        ("the portal", lambda: check_portal(configuration)),
        ("the agent", check_agent),
    )
    for what, check in checks:
        try:
            yield from check()
        except Exception as error:
            yield FAULT, f"{what} could not be looked at: {type(error).__name__}: {error}."


def check_tools(configuration: Configuration) -> Iterator[Finding]:
    missing = [name for name in ("nft", "ip", "tc") if shutil.which(name) is None]
    if missing:
        yield FAULT, f"{', '.join(missing)} cannot be found: apt-get install nftables iproute2"
    else:
        yield GOOD, "nft, ip and tc are installed."
    yield from ((FAULT, each) for each in machine.shared_networks(configuration))


def check_cards(configuration: Configuration) -> Iterator[Finding]:
    """The cards are there, up, and the clients' has an address of each prefix."""
    for name in (configuration.client_interface, *configuration.uplinks):
        links = machine.ip_listed("link", "show", "dev", name)
        if not links:
            yield FAULT, f"there is no card {name}: ip link shows what there is."
        elif not any("UP" in each.get("flags", ()) for each in links):
            yield FAULT, f"{name} is down: ip link set {name} up"
        else:
            yield GOOD, f"{name} is up."
    client = configuration.client_interface
    own = machine.interface_addresses(client)
    for prefix in configuration.client_prefixes:
        if not any(each in prefix for each in own):
            yield (
                FAULT,
                f"{client} has no address in {prefix}: ip address add {prefix[1]}/{prefix.prefixlen} dev {client}",
            )


def check_kernel(configuration: Configuration, *, system: Path = SYSTEM) -> Iterator[Finding]:
    """Routing, the neighbour table, sockets' buffers and the clients' card, as deploy/sysctl.conf and the agent set
    them."""
    versions = sorted({prefix.version for prefix in configuration.client_prefixes})
    for setting in ("net/ipv4/ip_forward" if v == 4 else "net/ipv6/conf/all/forwarding" for v in versions):
        if _number(system / setting) != 1:
            yield (
                FAULT,
                f"{setting.replace('/', '.')} is off: the agent turns it on, systemctl restart {UNIT}",
            )
    for version in versions:
        setting = f"net/ipv{version}/neigh/default/gc_thresh3"
        most = _number(system / setting)
        if most is not None and most < LEAST_NEIGHBOURS:
            yield (
                WARNING,
                (
                    f"{setting.replace('/', '.')} is {most}: beyond it the kernel forgets neighbours. "
                    "cp deploy/sysctl.conf /etc/sysctl.d/60-arobase.conf && sysctl --system"
                ),
            )
    buffer = _number(system / SEND_BUFFER)
    if buffer is not None and buffer < LEAST_SEND_BUFFER:
        yield (
            WARNING,
            (
                f"{SEND_BUFFER.replace('/', '.')} is {buffer}: a flood fills the resolver's buffer with answers. "
                "cp deploy/sysctl.conf /etc/sysctl.d/60-arobase.conf && sysctl --system && systemctl restart dnsmasq"
            ),
        )
    card = f"net/ipv6/conf/{configuration.client_interface}"
    for name, value in client_side.SETTINGS.items() if 6 in versions else ():
        found = _number(system / card / name)
        if found is not None and str(found) != value:
            yield (
                WARNING,
                f"{card.replace('/', '.')}.{name} is {found} and not {value}: is the agent running?",
            )


def _number(setting: Path) -> int | None:
    try:
        return int(setting.read_text(encoding="ascii"))
    except FileNotFoundError:
        return None


def check_dnsmasq(configuration: Configuration, path: Path, file: Path) -> Iterator[Finding]:
    """dnsmasq's file is the one made from agent.toml; which servers answer names is the operator's choice."""
    make = f"python -m gateways.nftables.dnsmasq {path} > {file}, systemctl restart dnsmasq"
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        yield WARNING, f"{file} is missing. Unless another machine gives addresses: {make}"
        return
    wanted = set(dnsmasq.render(configuration).splitlines())
    found = {each for each in lines if each != "no-resolv" and not each.startswith("server=")}
    if other := sorted(wanted ^ found):
        yield FAULT, f"{file} is not made from {path} as it is now ({other[0]}): {make}"
    else:
        yield GOOD, f"{file} is made from {path}."


def check_resolver(configuration: Configuration) -> Iterator[Finding]:
    """What clients are told of the portal's name, by the resolver on the clients' side."""
    name = urlsplit(configuration.portal_url).hostname or ""
    if dnsmasq.is_address(name):
        return
    own = [
        each for each in machine.interface_addresses(configuration.client_interface) if not each.is_link_local
    ]
    for server in sorted(own, key=str):
        try:
            found = set(ask(name, server, configuration.resolver_port))
        except NoAnswer as error:
            yield FAULT, f"{server} does not answer names for clients ({error}): systemctl status dnsmasq"
            continue
        if found != set(configuration.portal_addresses):
            listed = ", ".join(sorted(map(str, found))) or "nothing"
            yield (
                FAULT,
                f"{server} tells clients that {name} is {listed}, and portal_addresses says otherwise.",
            )
        else:
            yield GOOD, f"{server} tells clients where {name} is."


def check_clock() -> Iterator[Finding]:
    if trouble := host.clock_trouble():
        yield FAULT, trouble
    elif host.is_synchronised():
        yield GOOD, "the clock is kept by time servers."
    else:
        yield (
            WARNING,
            "no time server keeps this machine's clock: timedatectl set-ntp true, or chronyc tracking",
        )


def check_portal(configuration: Configuration) -> Iterator[Finding]:
    """The portal answers the agent's own question with the agent's credential, and has the same time."""
    line = PortalClient(configuration)
    try:
        answer = line.feed(0, 0)
    except PortalUnreachable as error:
        if str(error).endswith("answered 401"):
            yield (
                FAULT,
                f"the portal does not know the credential of {configuration.gateway}: arobase gateways check",
            )
        else:
            yield FAULT, f"the portal at {configuration.portal_url} does not answer as it should: {error}."
        return
    finally:
        line.close()
    yield GOOD, f"{configuration.portal_url} answers this gateway."
    apart = time.time() - answer.now
    if abs(apart) > CLOCK_SECONDS:
        yield WARNING, f"this machine's clock is {apart:+.0f} seconds from the portal's: timedatectl on both"


def check_agent(*, booted: Path = host.BOOTED) -> Iterator[Finding]:
    """One agent works here, and it is the unit's."""
    try:
        machine.claim().close()
        yield FAULT, f"no agent works on this machine: systemctl start {UNIT}, journalctl -u {UNIT}"
        works = False
    except machine.SecondAgent:
        works = True
    states = host.unit_states([UNIT], booted=booted)
    if states is None:
        yield WARNING, f"systemd does not run this machine: nothing here starts {UNIT} again."
    elif states[UNIT] == "active":
        yield GOOD, f"{UNIT} is active."
    elif works:
        yield (
            FAULT,
            f"an agent works here that is not {UNIT} ({states[UNIT]}): end it, systemctl start {UNIT}",
        )


if __name__ == "__main__":
    sys.exit(main())
