"""The real openNDS of Debian as the gateway of a town, and phones with a browser behind it.

    with town(phones=2) as net:
        gateway = OpenNds(net, net.gateway, portal=FasPortal("portal.example.org", address, 8443, authority))
        gateway.set_up(lines)
        gateway.start()
        gateway.browse(net.phone[0], "http://203.0.113.1/")

It has all its files, its processes and its clock to itself: openNDS rewrites files below /etc, restarts services and
ends whatever is called like its helpers (mount_namespaces(7), pid_namespaces(7)). Its clients leave under its own
address, as behind most openNDS there are.
"""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

from gateways.opennds.configuration import DEBIAN_FILE, OPENWRT_FILE
from gateways.set_up import Lines
from gateways.types import IpAddress, MacAddress
from lab.namespace import environment, stop
from lab.network import Gateway, Phone, Town
from lab.waiting import DidNotStart

PACKAGES = ("opennds", "iptables", "php-cli", "wget", "libfaketime", "curl", "procps")
NEEDED = ("opennds", "ndsctl", "iptables", "php", "wget", "curl", "pgrep")
PATIENCE_SECONDS = 30.0
# Debian's paths, whatever the machine: $LIB is read by the loader (ld.so(8)).
FAKETIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1"
PREPARE = """
set -e
mount --bind "$PWD" /mnt && mount -t tmpfs tmpfs /tmp && mkdir -p "$PWD" && mount --move /mnt "$PWD"
cp -a /etc /tmp/etc && mount --bind /tmp/etc /etc
mkdir -p /tmp/misc /tmp/bin && mkdir -p /var/lib/misc && mount --bind /tmp/misc /var/lib/misc
mount -t tmpfs tmpfs /run && mkdir -p /run/tmpfiles.d
touch /etc/dnsmasq.conf
"""
# A page that leads on by itself, without script.
AT_ONCE = re.compile(r"^refresh: *0; *url=(\S+)", re.IGNORECASE | re.MULTILINE)
PROGRAMS = {
    "systemctl": "#!/bin/sh\nexit 0\n",
    "logger": "#!/bin/sh\ncat >>/tmp/syslog\n",
}
TRANSLATE = """
add table ip lab_translation
add chain ip lab_translation out { type nat hook postrouting priority 100; }
add rule ip lab_translation out oifname "%s" masquerade
"""


@dataclass(frozen=True, slots=True)
class FasPortal:
    """Where the portal is: its name and address, and the authority that its certificate is from."""

    host: str
    address: IpAddress
    port: int
    authority: Path


@dataclass(frozen=True, slots=True)
class Seen:
    """What a browser ended with: the last address, the status, the page, and its headers."""

    url: str
    status: int
    page: str
    headers: str


class OpenNds:
    """openNDS on the gateway `door`. `start` begins a life of it, `kill` ends it as a power cut does."""

    def __init__(self, net: Town, door: Gateway, *, portal: FasPortal) -> None:
        self.net, self.door, self.portal = net, door, portal
        self._process: subprocess.Popen[Any] | None = None
        self._offset = 0.0
        door.ns.run(["sh", "-c", PREPARE])
        for name, text in PROGRAMS.items():
            self.write(f"tmp/bin/{name}", text, mode=0o755)
        self.write("tmp/clock", "+0\n")
        self.write("tmp/authority.pem", portal.authority.read_text(encoding="ascii"))
        self.write("etc/hosts", f"127.0.0.1 localhost\n{portal.address} {portal.host}\n")
        self.write("tmp/misc/dnsmasq.leases", "".join(map(self._lease, net.phone)))
        door.ns.run(["nft", TRANSLATE % door.uplink])

    def set_up(self, lines: Sequence[Lines], *, check_seconds: int = 2, poll_seconds: int = 1) -> None:
        """Paste what an operator of Debian's is shown, with the two intervals that are to be short in a lab."""
        for one in lines:
            path, text = one.where.partition(" ")[0], one.text
            if path == DEBIAN_FILE:
                kept = [
                    line
                    for line in text.splitlines()
                    if not line.startswith(("checkinterval ", "#nat_traversal"))
                ]
                more = [f"checkinterval {check_seconds}", f"#nat_traversal_poll_interval {poll_seconds}", ""]
                text = "\n".join([*kept, *more])
            if path != OPENWRT_FILE:
                self.write(path.lstrip("/"), text, mode=0o755 if text.startswith("#!") else 0o644)

    def start(self) -> None:
        """Begin, authmon included. Raises `DidNotStart` with its last words."""
        self._begin()
        if "\nfas_secure_enabled 3\n" not in self._file(DEBIAN_FILE.lstrip("/")).read_text(encoding="utf-8"):
            return
        try:
            self.await_(self._has_authmon, "has no authmon")
        except DidNotStart:
            # On a busy machine it ends the one that it has just started, by its name.
            self.kill()
            self._begin()
            self.await_(self._has_authmon, "has no authmon")

    def _has_authmon(self) -> bool:
        """Whether authmon of this life has said how often it asks: the last that it does before it asks."""
        said = self._file("tmp/syslog")
        return said.exists() and "authmon - nat_traversal_poll_interval" in said.read_text(encoding="utf-8")

    def _begin(self) -> None:
        self.door.ns.run(["rm", "-f", "/tmp/syslog"])
        path = f"/etc/opennds/bin:/tmp/bin:{environment()['PATH']}"
        clock = {
            "LD_PRELOAD": FAKETIME,
            "FAKETIME_TIMESTAMP_FILE": "/tmp/clock",
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }
        trust = {"SSL_CERT_FILE": "/tmp/authority.pem"}
        command = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "--"]
        program = "opennds -f -d 2 >>/tmp/opennds.log 2>&1 & wait"
        self._process = self.door.ns.popen(
            [*command, "sh", "-c", program], env=environment({"PATH": path, **clock, **trust})
        )
        self.await_(lambda: "Version" in self.control("status"), "did not start")

    def kill(self) -> None:
        """Take the power from it: its processes, its sessions and its rules are gone."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            stop(process)
        self.door.ns.run(["nft", "flush", "ruleset"])
        self.door.ns.run(["rm", "-f", "/tmp/ndsctl.sock"])
        self.door.ns.run(["nft", TRANSLATE % self.door.uplink])

    def control(self, *words: str) -> str:
        """What ndsctl says; nothing where openNDS does not answer."""
        done = self.door.ns.run(["ndsctl", *words], check=False)
        return done.stdout if done.returncode == 0 else ""

    def clients(self) -> dict[str, dict[str, Any]]:
        """What it knows of all clients, by MAC."""
        for _ in range(20):
            with contextlib.suppress(json.JSONDecodeError, KeyError):
                known: dict[str, dict[str, Any]] = json.loads(self.control("json"))["clients"]
                return known
            # Only one ndsctl at a time: authmon's comes first now and then.
            time.sleep(0.1)
        return {}

    def client(self, mac: MacAddress) -> dict[str, Any]:
        """What it knows of a client; nothing where it has not seen it."""
        return self.clients().get(mac, {})

    def let_pass(self) -> set[str]:
        """The MAC addresses of those that it lets pass."""
        return {mac for mac, client in self.clients().items() if client["state"] == "Authenticated"}

    def move_clock(self, seconds: float) -> None:
        """Let its clock go forward, and wait until it has ended whoever's time is over by it."""
        self._offset += seconds
        self.write("tmp/clock", f"{self._offset:+f}\n")
        self.await_(lambda: not self._is_any_overdue(), "did not end those whose time was over")

    def _is_any_overdue(self) -> bool:
        now = time.time() + self._offset
        ends = [str(one["session_end"]) for one in self.clients().values() if one["state"] == "Authenticated"]
        return any(end.isdecimal() and 0 < int(end) <= now - 1 for end in ends)

    def browse(self, phone: Phone, url: str, *, redirects: int = 12) -> Seen:
        """What a browser on this phone ends with, going where it is sent as one does, without script or cookies."""
        seen = self._fetch(phone, url, redirects)
        for _ in range(redirects):
            onward = AT_ONCE.search(seen.headers)
            if onward is None:
                break
            seen = self._fetch(phone, onward[1], redirects)
        return seen

    def _fetch(self, phone: Phone, url: str, redirects: int) -> Seen:
        portal = self.portal
        resolve = f"{portal.host}:{portal.port}:{portal.address}"
        told = phone.run(
            [
                *("curl", "-sS", "-i", "-L", "--max-redirs", str(redirects), "--max-time", "20"),
                *("--resolve", resolve, "--cacert", str(portal.authority)),
                *("-w", "\n%{url_effective} %{http_code}", url),
            ],
            check=False,
        ).stdout
        page, _, last = told.rpartition("\n")
        address, _, status = last.rpartition(" ")
        headers, _, body = page[page.rfind("HTTP/1.") :].partition("\n\n")
        return Seen(address, int(status or 0), body, headers)

    def await_(self, claim: Callable[[], object], otherwise: str) -> None:
        """Until `claim` holds. Raises `DidNotStart` with `otherwise` and its last words."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not claim():
            if time.monotonic() > deadline:
                raise DidNotStart(f"openNDS {otherwise}: {self.log()[-2000:]}")
            time.sleep(0.1)

    def log(self) -> str:
        return self._file("tmp/opennds.log").read_text(encoding="utf-8", errors="replace")

    def write(self, path: str, text: str, *, mode: int = 0o644) -> None:
        """Write a file of its own machine."""
        file = self._file(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        file.chmod(mode)

    def _file(self, path: str) -> Path:
        return Path(f"/proc/{self.door.ns.pid}/root", path)

    def _lease(self, phone: Phone) -> str:
        assert isinstance(phone.address(4), IPv4Address)
        return f"4000000000 {phone.mac} {phone.address(4)} phone{phone.number} *\n"
