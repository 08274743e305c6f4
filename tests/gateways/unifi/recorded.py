"""A recorded-wire UniFi controller: a real HTTPS server that answers as the dialogues in gateways/unifi/wire/ show.

No UniFi console is packaged for Debian, so this stands for the box, in the open. What it answers was seen by others on
real ones; each wire file names who. What it does with minutes, rates and ends is what their documentation says.
"""

from __future__ import annotations

import base64
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.services.certificates import Certificate

USERNAME, PASSWORD, API_KEY = "portal", "a long password: 'x\"", "Vx0-key-of-the-console"
SITE = "default"


@dataclass
class Authorized:
    """One row of ``stat/guest``."""

    mac: str
    start: float
    end: float
    up_kbps: int = 0
    down_kbps: int = 0
    rx_bytes: int = 0
    tx_bytes: int = 0


@dataclass
class Faults:
    """What goes wrong from now on. Counts are of calls that it still goes wrong for."""

    silent_successes: int = 0
    forbidden: bool = False
    body: bytes | None = None
    status: int = 200
    location: str = ""
    drip_seconds: float = 0.0
    wrong_clock_seconds: float = 0.0
    # Devices that are listed as authorized and that no access point lets pass.
    stuck: set[str] = field(default_factory=set)
    read_only: bool = False
    # It lists whom it has turned out until the end that was theirs.
    lists_on: bool = False
    wants_mfa: bool = False
    login_limit: bool = False


class RecordedController:
    """`console` is UniFi OS; otherwise it is a self-hosted Network application. `clock` gives epoch seconds."""

    def __init__(
        self, certificate: Certificate, *, console: bool = True, clock: Callable[[], float] = time.time
    ) -> None:
        self.console, self.clock = console, clock
        self.faults = Faults()
        self.stations: dict[str, dict[str, Any]] = {}
        self.authorized: dict[str, Authorized] = {}
        # Method, path and body of each call, in order, and when a device was last unauthorized (monotonic seconds).
        self.calls: list[tuple[str, str, Any]] = []
        self.unauthorized_at: dict[str, float] = {}
        self.withdrawn: set[str] = set()
        self.logins = 0
        # What happens elsewhere just before a command is carried out.
        self.meanwhile: Callable[[dict[str, Any]], None] | None = None
        self.sessions: dict[str, str] = {}
        self.lock = threading.RLock()
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate.certificate_file, certificate.key_file)
        self._server: _Server | None = None
        self.port = 0

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Listen: on any port at first, and on the same one after `stop`."""
        self._server = _Server(("127.0.0.1", self.port), self, self._context)
        self.port = self._server.server_address[1]
        threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        ).start()

    def stop(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.shutdown()
            server.end()

    def connect(self, mac: str, address: str | None, *, is_guest: bool = True) -> None:
        """A device associates, and has this address as far as the controller has noticed."""
        with self.lock:
            self.stations[mac] = {
                "mac": mac,
                "is_guest": is_guest,
                "essid": "Ville",
                "ap_mac": "94:2a:6f:d0:30:57",
            }
            if address:
                self.stations[mac]["ip"] = address

    def forget_sessions(self) -> None:
        with self.lock:
            self.sessions.clear()

    def forget_guests(self) -> None:
        with self.lock:
            self.authorized.clear()

    def now(self) -> float:
        """Its own clock."""
        return self.clock() + self.faults.wrong_clock_seconds

    def end_of(self, mac: str) -> float | None:
        """When this device's access ends by itself, by the true clock; None where it has none."""
        with self.lock:
            found = self.authorized.get(mac)
            if found is None or found.end <= self.now() or mac in self.withdrawn:
                return None
            return found.end - self.faults.wrong_clock_seconds

    def commands(self, name: str) -> list[dict[str, Any]]:
        """The commands of this name, in order."""
        with self.lock:
            return [body for _, _, body in self.calls if isinstance(body, dict) and body.get("cmd") == name]

    def command(self, body: dict[str, Any]) -> tuple[int, Any]:
        mac, now = str(body.get("mac", "")), self.now()
        if self.meanwhile is not None:
            self.meanwhile(body)
        if self.faults.read_only:
            return 403, _error("api.err.NoPermission")
        match body.get("cmd"):
            case "authorize-guest":
                if self.faults.silent_successes:
                    self.faults.silent_successes -= 1
                else:
                    end = now + 60 * int(body.get("minutes", 480))
                    up, down = int(body.get("up", 0)), int(body.get("down", 0))
                    self.authorized[mac] = Authorized(mac, now, end, up, down)
                    self.withdrawn.discard(mac)
                row = {"authorized_by": "api", "mac": mac, "minutes": body.get("minutes")}
                return 200, _ok([row])
            case "unauthorize-guest":
                if self.faults.lists_on and mac in self.authorized:
                    self.withdrawn.add(mac)
                else:
                    self.authorized.pop(mac, None)
                self.unauthorized_at[mac] = time.monotonic()
                return 200, _ok([])
            case "kick-sta":
                return 200, _ok([])
        return 400, _error("api.err.InvalidObject")

    def guest_rows(self, hours: int) -> list[dict[str, Any]]:
        """Those whose authorization began within so many hours."""
        return [
            {
                "_id": f"686018a11f0dc649bd{number:06x}",
                "authorized_by": "api",
                "mac": one.mac,
                "start": int(one.start),
                "end": int(one.end),
                "expired": one.end <= self.now(),
                "rx_bytes": one.rx_bytes,
                "tx_bytes": one.tx_bytes,
                "bytes": one.rx_bytes + one.tx_bytes,
                "site_id": "6803b1a107ae330ef4d6f5b8",
            }
            for number, one in enumerate(self.authorized.values())
            if one.start > self.now() - 3600 * hours
        ]

    def station_rows(self) -> list[dict[str, Any]]:
        return [
            one | ({"authorized": self._is_let_pass(mac)} if one["is_guest"] else {})
            for mac, one in self.stations.items()
        ]

    def _is_let_pass(self, mac: str) -> bool:
        return self.end_of(mac) is not None and mac not in self.faults.stuck


@contextmanager
def running(
    certificate: Certificate, *, console: bool = True, clock: Callable[[], float] = time.time
) -> Iterator[RecordedController]:
    controller = RecordedController(certificate, console=console, clock=clock)
    controller.start()
    try:
        yield controller
    finally:
        controller.stop()


@dataclass
class _Reply:
    status: int
    body: Any
    headers: list[tuple[str, str]] = field(default_factory=list)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(
        self, address: tuple[str, int], controller: RecordedController, context: ssl.SSLContext
    ) -> None:
        self.controller, self.context = controller, context
        self.open: set[socket.socket] = set()
        super().__init__(address, _Handler)

    def get_request(self) -> tuple[socket.socket, Any]:
        line, address = super().get_request()
        secured = self.context.wrap_socket(line, server_side=True, do_handshake_on_connect=False)
        self.open.add(secured)
        return secured, address

    def end(self) -> None:
        """Close the listener and every line: the box is off."""
        self.server_close()
        for line in list(self.open):
            with suppress(OSError):
                socket.socket.shutdown(line, socket.SHUT_RDWR)
            line.close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that does not trust us, or hangs up, is what is tested."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""

    def do_GET(self) -> None:
        self._answer(None)

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        try:
            body = json.loads(self.rfile.read(length))
        except ValueError:
            body = None
        self._answer(body)

    def _answer(self, body: Any) -> None:
        box, faults = self.server.controller, self.server.controller.faults
        path = urlsplit(self.path).path
        with box.lock:
            box.calls.append((self.command, self.path, body))
            reply = self._reply(box, path, body)
        content = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
        self.send_response_only(reply.status)
        self.send_header("Date", formatdate(box.now(), usegmt=True))
        self.send_header("Content-Type", "application/json;charset=UTF-8")
        self.send_header("Content-Length", str(len(content)))
        for name, value in reply.headers:
            self.send_header(name, value)
        self.end_headers()
        self._send(content, faults.drip_seconds)

    def _send(self, content: bytes, drip_seconds: float) -> None:
        with suppress(OSError):
            if not drip_seconds:
                self.wfile.write(content)
                return
            for each in content:
                self.wfile.write(bytes([each]))
                self.wfile.flush()
                time.sleep(drip_seconds)

    def _reply(self, box: RecordedController, path: str, body: Any) -> _Reply:
        if box.faults.body is not None or box.faults.status != 200:
            location = [("Location", box.faults.location)] if box.faults.location else []
            return _Reply(box.faults.status, box.faults.body or b"", location)
        if path == "/":
            moved = [("Location", "/manage")]
            return _Reply(200, b"<!doctype html>") if box.console else _Reply(302, b"", moved)
        if path == ("/api/auth/login" if box.console else "/api/login"):
            return self._login(box, body)
        prefix = "/proxy/network" if box.console else ""
        if not path.startswith(f"{prefix}/api/s/{SITE}/"):
            return _Reply(404, {"error": {"code": 404, "message": "Not Found"}})
        refusal = self._refusal(box)
        if refusal is not None:
            return refusal
        match path.removeprefix(f"{prefix}/api/s/{SITE}"):
            case "/stat/sta":
                return _Reply(200, _ok(box.station_rows()))
            case "/stat/guest":
                return _Reply(200, _ok(box.guest_rows(self._hours())))
            case "/cmd/stamgr" if self.command == "POST" and isinstance(body, dict):
                return _Reply(*box.command(body))
        return _Reply(404, _error("api.err.NotFound"))

    def _hours(self) -> int:
        return int(parse_qs(urlsplit(self.path).query).get("within", ["168"])[0])

    def _login(self, box: RecordedController, body: Any) -> _Reply:
        box.logins += 1
        if box.faults.wants_mfa:
            return _Reply(499, {"code": "MFA_AUTH_REQUIRED", "data": {"mfaCookie": "UBIC_2FA=x"}})
        if box.faults.login_limit:
            return _Reply(429, {"code": "AUTHENTICATION_FAILED_LIMIT_REACHED"})
        if body != {"username": USERNAME, "password": PASSWORD}:
            return _Reply(
                *(
                    (401, {"code": "AUTHENTICATION_FAILED_INVALID_CREDENTIALS"})
                    if box.console
                    else (400, _error("api.err.Invalid"))
                )
            )
        csrf = f"csrf-{box.logins}"
        if box.console:
            inside = base64.urlsafe_b64encode(json.dumps({"csrfToken": csrf}).encode()).decode().rstrip("=")
            session = f"eyJhbGciOiJIUzI1NiJ9.{inside}.signature{box.logins}"
            cookies = [f"TOKEN={session}; path=/; samesite=none; secure; httponly; partitioned"]
        else:
            session = f"unifises{box.logins}"
            cookies = [f"unifises={session}; Path=/; Secure; HttpOnly", f"csrf_token={csrf}; Path=/; Secure"]
        box.sessions[session] = csrf
        headers = [("Set-Cookie", cookie) for cookie in cookies]
        if box.console:
            return _Reply(200, {"unique_id": "0", "username": USERNAME}, headers)
        return _Reply(200, _ok([]), headers)

    def _refusal(self, box: RecordedController) -> _Reply | None:
        """What a call gets that is not signed in, brings no CSRF token, or may not."""
        if box.faults.forbidden:
            return _Reply(403, {"error": {"code": 403, "message": "Forbidden"}})
        if box.console and self.headers.get("X-API-KEY") == API_KEY:
            return None
        cookies = dict(part.strip().partition("=")[::2] for part in (self.headers["Cookie"] or "").split(";"))
        csrf = box.sessions.get(cookies.get("TOKEN" if box.console else "unifises", ""))
        if csrf is None:
            unknown = {"error": {"code": 401, "message": "Unauthorized"}}
            return _Reply(401, unknown if box.console else _error("api.err.LoginRequired"))
        if box.console and self.command == "POST" and self.headers.get("X-CSRF-Token") != csrf:
            return _Reply(403, {"message": "Invalid CSRF Token"})
        return None


def _ok(rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {"meta": {"rc": "ok"}, "data": rows}


def _error(message: str) -> dict[str, Any]:
    return {"meta": {"rc": "error", "msg": message}, "data": []}
