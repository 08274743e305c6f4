"""The rules of the lab's UAM gateway: who passes, until when, and how many bytes each client has had (nft(8))."""

from __future__ import annotations

import contextlib
import json
import subprocess
from dataclasses import dataclass

TABLE = "inet lab_uam"
# The kernel itself ends who is allowed: elements go with their time-out.
RULES = """
table {table} {{
    set macs {{ type ether_addr; flags timeout; }}
    set addresses {{ type ipv4_addr; flags timeout; }}
    set up {{ type ether_addr; flags dynamic; counter; }}
    set down {{ type ipv4_addr; flags dynamic; counter; }}
    chain redirected {{
        type nat hook prerouting priority dstnat;
        iifname {clients} ether saddr != @macs ip daddr != {portal} tcp dport 80 redirect to :{port}
    }}
    chain forwarded {{
        type filter hook forward priority filter; policy drop;
        iifname {clients} ip daddr {portal} tcp dport 443 accept
        oifname {clients} ip saddr {portal} tcp sport 443 accept
        iifname {clients} ether saddr @macs ip saddr @addresses add @up {{ ether saddr }} accept
        oifname {clients} ip daddr @addresses add @down {{ ip daddr }} accept
        iifname {clients} meta l4proto tcp reject with tcp reset
    }}
}}
"""


@dataclass(frozen=True, slots=True)
class Counted:
    """Bytes that a client has sent and received."""

    up: int
    down: int


class Rules:
    """The table of this machine. `clients` is the interface towards them; `portal` is always reached."""

    def __init__(self, *, clients: str, portal: str, port: int) -> None:
        _nft(f"table {TABLE}\ndelete table {TABLE}")
        _nft(RULES.format(table=TABLE, clients=clients, portal=portal, port=port))

    def allow(self, mac: str, address: str, seconds: int) -> None:
        """Let the client pass for so long from now on."""
        self.forbid(mac, address)
        _nft(
            f"add element {TABLE} macs {{ {mac} timeout {seconds}s }}\n"
            f"add element {TABLE} addresses {{ {address} timeout {seconds}s }}"
        )

    def forbid(self, mac: str, address: str) -> None:
        """Let it pass no more; nothing where it does not."""
        for name, element in (("macs", mac), ("addresses", address)):
            # Its time may be over just now.
            with contextlib.suppress(OSError):
                _nft(f"delete element {TABLE} {name} {{ {element} }}")

    def counted(self, mac: str, address: str) -> Counted:
        """All that the client has ever sent and received here."""
        return Counted(self._elements("up").get(mac, 0), self._elements("down").get(address, 0))

    def _elements(self, name: str) -> dict[str, int]:
        """The elements of a set, each with its bytes; 0 where it counts none."""
        listed = json.loads(_run("nft", "--json", "list", "set", *TABLE.split(), name))
        found: dict[str, int] = {}
        for entry in listed["nftables"]:
            for element in entry.get("set", {}).get("elem", ()):
                whole = element["elem"] if isinstance(element, dict) else {"val": element}
                found[whole["val"]] = whole.get("counter", {}).get("bytes", 0)
        return found


def _nft(lines: str) -> None:
    _run("nft", "--file", "-", given=lines + "\n")


def _run(*command: str, given: str = "") -> str:
    done = subprocess.run(command, input=given, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise OSError(f"nft: {done.stderr.strip()}")
    return done.stdout
