"""A small UAM gateway of the lab, which speaks as CoovaChilli does: a redirect, a login address, RADIUS.

    python -m lab.uam_box FILE.json

To be run inside the gateway's namespace. It sends whoever does not pass to the portal with a signed redirect, takes the
login that the browser brings back, asks FreeRADIUS, opens its own firewall for as long as it is told, reports what
passed, asks for each new device by its MAC address, and listens for Disconnect-Request (RFC 5176). It shares nothing
with the portal but the wire: the product is tried against it, and is no part of it.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import socket
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

from lab.uam_radius import Accepted, DynAuth, Proof, Radius
from lab.uam_rules import Rules

PORT, DYNAUTH_PORT = 3990, 3799
# CoovaChilli takes no shorter interval between two reports.
SHORTEST_INTERIM = 60
LOOK_SECONDS = 0.2
# A device is asked for when it comes; one that stays has signed in by then, or will.
ASK_AGAIN_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Settings:
    """What an operator types into the box."""

    name: str
    uamserver: str
    uamsecret: str
    radius_server: str
    radius_secret: str
    address: str
    clients: str
    portal: str
    mac_auth: bool = True


@dataclass
class Session:
    """A client that passes. `began` and `until` are of this machine's clock."""

    mac: str
    address: str
    number: str
    user: str
    accepted: Accepted
    began: float
    reported: float
    base: tuple[int, int]

    @property
    def until(self) -> float:
        return self.began + self.accepted.seconds


@dataclass
class Visitor:
    """A client that does not pass: the challenge that it was given, and its session's number to be."""

    challenge: str = field(default_factory=lambda: secrets.token_hex(16))
    number: str = field(default_factory=lambda: f"{time.time_ns():020d}")


class Box:
    """The gateway: whom it lets pass, and what it says of it."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.rules = Rules(clients=settings.clients, portal=settings.portal, port=PORT)
        self.radius = Radius(
            settings.radius_server, settings.radius_secret, name=settings.name, address=settings.address
        )
        self.sessions: dict[str, Session] = {}
        self._visitors: dict[str, Visitor] = {}
        self._asked: dict[str, float] = {}
        self._lock = threading.RLock()

    def visitor(self, mac: str) -> Visitor:
        with self._lock:
            return self._visitors.setdefault(mac, Visitor())

    def forget(self, mac: str) -> None:
        """The next challenge and number of this client are new ones."""
        with self._lock:
            self._visitors.pop(mac, None)

    def knows(self, mac: str, address: str) -> bool:
        """Ask for a device by its MAC address, as at its DHCP lease; whether it passes now."""
        now = time.monotonic()
        if not self.settings.mac_auth or now - self._asked.get(mac, float("-inf")) < ASK_AGAIN_SECONDS:
            return False
        self._asked[mac] = now
        accepted = self.radius.ask_by_mac(mac, address=address, number=self.visitor(mac).number)
        return accepted is not None and self._open(mac, address, spelled(mac), accepted)

    def sign_in(self, mac: str, address: str, user: str, proof: Proof) -> bool:
        """Ask for the user that a browser has brought."""
        accepted = self.radius.ask(user, proof, mac=mac, address=address, number=self.visitor(mac).number)
        return accepted is not None and self._open(mac, address, user, accepted)

    def end(self, mac: str, cause: str) -> bool:
        """Let a client pass no more, and report it; False where it does not pass."""
        with self._lock:
            session = self.sessions.pop(mac, None)
            if session is None:
                return False
            self.rules.forbid(mac, session.address)
            self._visitors.pop(mac, None)
        self._report("Stop", session, cause)
        return True

    def end_number(self, number: str | None, user: str) -> bool:
        """A Disconnect-Request: end the sessions of this user, or the one with this number."""
        meant = [
            one.mac for one in self.sessions.values() if one.user == user and number in (None, one.number)
        ]
        ended = [self.end(mac, "Admin-Reset") for mac in meant]
        return any(ended)

    def keep_time(self) -> None:
        """Report what is due, for ever: the kernel has ended by itself those whose time is over."""
        while True:
            now = time.time()
            for session in list(self.sessions.values()):
                if session.until <= now:
                    self.end(session.mac, "Session-Timeout")
                elif now - session.reported >= max(SHORTEST_INTERIM, session.accepted.interim):
                    session.reported = now
                    self._report("Interim-Update", session)
            time.sleep(LOOK_SECONDS)

    def _open(self, mac: str, address: str, user: str, accepted: Accepted) -> bool:
        with self._lock:
            counted, now = self.rules.counted(mac, address), time.time()
            session = Session(
                mac, address, self.visitor(mac).number, user, accepted, now, now, (counted.up, counted.down)
            )
            self.rules.allow(mac, address, accepted.seconds)
            self.sessions[mac] = session
        threading.Thread(target=self._report, args=("Start", session), daemon=True).start()
        return True

    def _report(self, status: str, session: Session, cause: str = "") -> None:
        counted = self.rules.counted(session.mac, session.address)
        self.radius.account(
            status,
            user=session.user,
            mac=session.mac,
            address=session.address,
            number=session.number,
            class_=session.accepted.class_,
            seconds=int(time.time() - session.began),
            up=counted.up - session.base[0],
            down=counted.down - session.base[1],
            cause=cause,
        )


def spelled(mac: str) -> str:
    """A MAC address as CoovaChilli writes it."""
    return mac.upper().replace(":", "-")


def mac_behind(address: str) -> str | None:
    """Whose this address is, by the kernel's table of neighbours."""
    for line in Path("/proc/net/arp").read_text(encoding="ascii").splitlines()[1:]:
        fields = line.split()
        if fields[0] == address and fields[3] != "00:00:00:00:00:00":
            return fields[3]
    return None


def key(challenge: str, uamsecret: str) -> bytes:
    """What the portal and the box mix the secret with."""
    return hashlib.md5(bytes.fromhex(challenge) + uamsecret.encode(), usedforsecurity=False).digest()


def read_proof(query: dict[str, str], mixed: bytes) -> Proof:
    """What the browser brings: ``response=`` (CHAP) or ``password=`` (XOR with the key). Raises ValueError."""
    if "response" in query:
        # The identifier is 0, and the key is the challenge.
        return Proof(b"\x00" + bytes.fromhex(query["response"]), mixed)
    hidden = bytes.fromhex(query.get("password", ""))
    if not hidden:
        raise ValueError("no password")
    return Proof(bytes(byte ^ mixed[at % len(mixed)] for at, byte in enumerate(hidden)))


class Door(BaseHTTPRequestHandler):
    """What browsers ask the box: any page while they do not pass, and its own pages."""

    box: Box

    def do_GET(self) -> None:
        address = self.client_address[0]
        mac = mac_behind(address)
        if mac is None:
            return self._answer(403, "")
        parts = urlsplit(self.path)
        query = dict(parse_qsl(parts.query))
        pages: dict[str, Callable[[str, str, dict[str, str]], None]] = {
            "/logon": self._logon,
            "/login": self._logon,
            "/logoff": self._logoff,
            "/prelogin": self._prelogin,
        }
        own = self.headers.get("Host", "").partition(":")[0] == self.box.settings.address
        page = pages.get(parts.path) if own else None
        if page is not None:
            return page(mac, address, query)
        # The connection may have come before the device did pass.
        if mac in self.box.sessions or self.box.knows(mac, address):
            return self._answer(302, f"http://{self.headers.get('Host', '')}{self.path}")
        return self._to_portal("notyet", mac, address)

    def _logon(self, mac: str, address: str, query: dict[str, str]) -> None:
        if mac in self.box.sessions:
            return self._to_portal("already", mac, address)
        mixed = key(self.box.visitor(mac).challenge, self.box.settings.uamsecret)
        try:
            proof = read_proof(query, mixed)
        except ValueError:
            return self._to_portal("failed", mac, address, reason="other")
        if self.box.sign_in(mac, address, query.get("username", ""), proof):
            return self._to_portal("success", mac, address)
        self.box.forget(mac)
        return self._to_portal("failed", mac, address, reason="reject")

    def _logoff(self, mac: str, address: str, _query: dict[str, str]) -> None:
        self.box.end(mac, "User-Request")
        self._to_portal("logoff", mac, address)

    def _prelogin(self, mac: str, address: str, _query: dict[str, str]) -> None:
        self._to_portal("already" if mac in self.box.sessions else "notyet", mac, address)

    def _to_portal(self, outcome: str, mac: str, address: str, **more: str) -> None:
        """The redirect, signed over the very bytes that are sent."""
        settings, visitor = self.box.settings, self.box.visitor(mac)
        said = {
            "res": outcome,
            **more,
            "uamip": settings.address,
            "uamport": str(PORT),
            "challenge": visitor.challenge,
            "called": "02-00-00-00-00-00",
            "mac": spelled(mac),
            "ip": address,
            "nasid": settings.name,
            "sessionid": visitor.number,
            "userurl": f"http://{self.headers.get('Host', '')}{self.path}",
        }
        joint = "&" if "?" in settings.uamserver else "?"
        url = (
            settings.uamserver + joint + "&".join(f"{name}={quote(text, '')}" for name, text in said.items())
        )
        md = hashlib.md5((url + settings.uamsecret).encode(), usedforsecurity=False).hexdigest().upper()
        self._answer(302, f"{url}&md={md}")

    def _answer(self, status: int, location: str) -> None:
        self.send_response(status)
        if location:
            self.send_header("Location", location)
        self.send_header("Content-Length", "0")
        self.send_header("Connection", "close")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        print(f"{self.client_address[0]} {format % args}", flush=True)


class Web(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


def main() -> None:
    box = Box(Settings(**json.loads(Path(sys.argv[1]).read_text(encoding="ascii"))))
    listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listener.bind(("0.0.0.0", DYNAUTH_PORT))
    dynauth = DynAuth(listener, box.settings.radius_secret, end=box.end_number)
    box.radius.begin()
    for work in (box.keep_time, dynauth.serve):
        threading.Thread(target=work, daemon=True).start()
    server = Web(("0.0.0.0", PORT), type("OwnDoor", (Door,), {"box": box}))
    server.serve_forever()


if __name__ == "__main__":
    main()
