"""Set a Linux gateway up from what the portal's page says: the agent's settings, dnsmasq's, and both of them started.

    python -m gateways.nftables.enrol https://portal.example.org square --prefix 10.66.0.0/24 --start

Everything else is found on the machine: the card with the clients has an address in one of the prefixes, the other one
has the default route, and the portal's addresses are those of its name.
"""

from __future__ import annotations

import argparse
import ipaddress
import json
import shutil
import socket
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from gateways.nftables import dnsmasq, machine
from gateways.nftables.configuration import InvalidConfiguration, IpNetwork, read

SETTINGS = Path("/etc/arobase/agent.toml")
CREDENTIAL = Path("/etc/arobase/gateway.credential")
LEASES = Path("/var/lib/misc/dnsmasq.leases")
DNSMASQ = Path("/etc/dnsmasq.d/arobase.conf")
DEPLOY = Path(__file__).parents[2] / "deploy"
UNITS = Path("/etc/systemd/system")
SYSTEMCTL_SECONDS = 90.0


class NotFound(Exception):
    """The machine does not say it: its sentence tells how to."""


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What the page says, and what the operator says instead of what would be found."""

    portal_url: str
    gateway: str
    prefixes: tuple[IpNetwork, ...]
    credential_file: Path = CREDENTIAL
    client_interface: str | None = None
    uplink_interface: str | None = None
    ca_file: Path | None = None


def settings(wish: Enrolment) -> str:
    """The text of agent.toml for this machine. Raises `NotFound`."""
    client = wish.client_interface or _client_interface(wish.prefixes)
    uplink = wish.uplink_interface or _uplink_interface()
    if client == uplink:
        raise NotFound(
            f"{client} has both the guests and the default route: give the guests a card of their own"
        )
    lines = {
        "portal_url": wish.portal_url,
        "gateway": wish.gateway,
        "credential_file": str(wish.credential_file),
        **({"ca_file": str(wish.ca_file)} if wish.ca_file else {}),
        "client_interface": client,
        "uplink_interface": uplink,
        "client_prefixes": list(map(str, wish.prefixes)),
        "portal_addresses": _portal_addresses(wish.portal_url),
        "dhcp_leases_file": str(LEASES),
    }
    head = "# Made by python -m gateways.nftables.enrol; deploy/agent.toml says what else may stand here.\n"
    return head + "".join(f"{name} = {json.dumps(value)}\n" for name, value in lines.items())


def _client_interface(prefixes: Sequence[IpNetwork]) -> str:
    found = sorted(
        {
            link["ifname"]
            for link in machine.ip_listed("address", "show")
            for each in link.get("addr_info", ())
            if any(_is_in(each.get("local", ""), prefix) for prefix in prefixes)
        }
    )
    if len(found) != 1:
        where = " and ".join(found) or "no card"
        told = ", ".join(map(str, prefixes))
        raise NotFound(
            f"{where} of this machine has an address in {told}: "
            "give the card with the access points one, or name it with --client-interface"
        )
    return str(found[0])


def _is_in(address: str, prefix: IpNetwork) -> bool:
    try:
        return ipaddress.ip_address(address) in prefix
    except ValueError:
        return False


def _uplink_interface() -> str:
    for family in ("-4", "-6"):
        for route in machine.ip_listed(family, "route", "show", "default"):
            if "dev" in route:
                return str(route["dev"])
    raise NotFound(
        "this machine has no default route: connect it to the Internet, or name --uplink-interface"
    )


def _portal_addresses(portal_url: str) -> list[str]:
    host = urlsplit(portal_url).hostname or ""
    try:
        found = socket.getaddrinfo(host, 443, type=socket.SOCK_STREAM)
    except OSError as error:
        raise NotFound(f"the name of the portal, {host}, has no address here: {error}") from error
    addresses = sorted({str(where[0]).partition("%")[0] for *_, where in found})
    # /etc/hosts often leads a machine's own name there, where the machine reaches itself and no guest reaches it.
    if any(ipaddress.ip_address(each).is_loopback for each in addresses):
        raise NotFound(
            f"the name of the portal, {host}, leads to {' and '.join(addresses)}, which no guest reaches: let "
            "it lead to the address that guests have of it (on one box its own on their side, in /etc/hosts)"
        )
    return addresses


def write(path: Path, text: str, *, mode: int = 0o644) -> None:
    """Put a file in its place, whole or not at all; what stood there is kept beside it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and path.read_text(encoding="utf-8") != text:
        shutil.copy2(path, path.with_name(f"{path.name}.before"))
    fresh = path.with_name(f"{path.name}.new")
    fresh.write_text(text, encoding="utf-8")
    fresh.chmod(mode)
    fresh.replace(path)


def start() -> None:
    """The agent's service and dnsmasq, from now on and after each boot. Raises CalledProcessError and OSError."""
    shutil.copy2(DEPLOY / "arobase-gateway.service", UNITS)
    beside = UNITS / "dnsmasq.service.d"
    beside.mkdir(parents=True, exist_ok=True)
    shutil.copy2(DEPLOY / "dnsmasq.service.d" / "arobase.conf", beside)
    for words in (
        ("daemon-reload",),
        ("enable", "arobase-gateway", "dnsmasq"),
        ("restart", "arobase-gateway"),
    ):
        subprocess.run(["systemctl", *words], check=True, timeout=SYSTEMCTL_SECONDS)
    subprocess.run(["systemctl", "restart", "dnsmasq"], check=True, timeout=SYSTEMCTL_SECONDS)


def main() -> int:
    chosen = _arguments().parse_args()
    wish = Enrolment(
        chosen.portal_url.rstrip("/"),
        chosen.gateway,
        tuple(chosen.prefix),
        chosen.credential_file,
        chosen.client_interface,
        chosen.uplink_interface,
        chosen.ca_file,
    )
    try:
        write(chosen.settings, settings(wish))
        configuration = read(chosen.settings)
        write(chosen.dnsmasq, dnsmasq.render(configuration, servers=chosen.server))
    except (NotFound, InvalidConfiguration, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    print(
        f"{chosen.settings}: guests on {configuration.client_interface}, the Internet on "
        f"{configuration.uplink_interface}"
    )
    if obstacles := machine.obstacles(configuration) if chosen.start else []:
        print("\n".join(obstacles), file=sys.stderr)
        return 1
    if chosen.start:
        try:
            start()
        except (OSError, subprocess.SubprocessError) as error:
            print(
                f"The files are written, and it could not be started: {error}. Where systemd does not run, "
                f"start by hand: python -m gateways.nftables.agent --config {chosen.settings}, and "
                f"dnsmasq with {chosen.dnsmasq}",
                file=sys.stderr,
            )
            return 1
        print("Started. The portal's page of this gateway says within seconds that it is well.")
    return 0


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Set this machine up as a gateway of the portal.")
    parser.add_argument("portal_url", help="the portal's address, https://portal.example.org")
    parser.add_argument("gateway", help="the gateway's name in the portal")
    parser.add_argument(
        "--prefix", type=ipaddress.ip_network, action="append", required=True, help="of its guests"
    )
    parser.add_argument("--credential-file", type=Path, default=CREDENTIAL)
    parser.add_argument("--client-interface", help="the card with the access points, where it is not found")
    parser.add_argument("--uplink-interface", help="the card with the Internet, where it is not found")
    parser.add_argument(
        "--ca-file", type=Path, help="the portal's own certificate authority, where it has one"
    )
    parser.add_argument(
        "--server", type=ipaddress.ip_address, action="append", default=[], help="a DNS server"
    )
    parser.add_argument("--settings", type=Path, default=SETTINGS)
    parser.add_argument("--dnsmasq", type=Path, default=DNSMASQ)
    parser.add_argument(
        "--start", action="store_true", help="start the agent and dnsmasq, now and at each boot"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
