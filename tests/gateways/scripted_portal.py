"""The portal's side of docs/gateway-nftables-protocol.md, as small as a test can use it: a feed that tests write."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from lab.network import Namespace, Phone

CREDENTIAL = "a-credential-of-the-tests-0001"
LANDING_KEY = bytes(range(32))
PORT = 8000
PATIENCE_SECONDS = 10.0


class ScriptedPortal:
    """Listens in `ns`. `offset` is how far its clock is from this machine's, in seconds."""

    def __init__(self, ns: Namespace, *, offset: float = 0.0, port: int = PORT) -> None:
        self._ns, self._port, self.offset = ns, port, offset
        self.version = 1
        self.grants: dict[int, dict[str, Any]] = {}
        self._changed: dict[int, int] = {}
        # Answers below this version cannot be continued, as after a restored database.
        self.oldest = 0
        self.confirms: list[dict[str, Any]] = []
        # What was confirmed by a call of its own, and by a question of the feed.
        self.heard: list[int] = []
        self.reports: list[dict[str, Any]] = []
        self.arrivals: list[dict[str, Any]] = []
        self.asked_since: list[int] = []
        # Questions are answered at once, as if their time were over.
        self.is_impatient = False
        self.strangers = 0
        # What each answer of the feed says beside.
        self.rest: dict[str, Any] = {}
        # While these are not set, arrivals or confirmations wait at the door.
        self.takes_arrivals, self.takes_confirms = threading.Event(), threading.Event()
        self.takes_arrivals.set()
        self.takes_confirms.set()
        self.arrivals_at_the_door: list[dict[str, Any]] = []
        self.confirms_at_the_door: list[dict[str, Any]] = []
        self._news = threading.Condition()
        self._server: _Server | None = None
        self.start()

    def now(self) -> float:
        return time.time() + self.offset

    def start(self) -> None:
        listener = self._ns.call(lambda: socket.create_server(("0.0.0.0", self._port), reuse_port=False))
        self._server = _Server(self, listener)
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        """Die: no answer, and no connection left."""
        server, self._server = self._server, None
        if server is None:
            return
        server.shutdown()
        server.server_close()
        server.hang_up()

    def grant(
        self,
        number: int,
        phone: Phone,
        seconds: float,
        *,
        down: int = 0,
        up: int = 0,
        addresses: Iterable[str] | None = None,
        **rest: Any,
    ) -> dict[str, Any]:
        row = {
            "number": number,
            "client": phone.mac,
            "addresses": [str(phone.address(4))] if addresses is None else list(addresses),
            "until": self.now() + seconds,
            "rate_down_kbps": down,
            "rate_up_kbps": up,
            **rest,
        }
        self.change({number: row})
        return row

    def end(self, *numbers: int) -> None:
        self.change(dict.fromkeys(numbers))

    def change(self, rows: dict[int, dict[str, Any] | None]) -> int:
        """One new version with all these rows; None ends."""
        with self._news:
            self.version += 1
            for number, row in rows.items():
                self._changed[number] = self.version
                if row is None:
                    self.grants.pop(number, None)
                else:
                    self.grants[number] = row
            self._news.notify_all()
            return self.version

    def wait(self, claim: Callable[[], Any], *, seconds: float = PATIENCE_SECONDS) -> Any:
        """Wait until `claim` holds, looking with each news; fails the test when it never does."""
        with self._news:
            if not self._news.wait_for(claim, seconds):
                raise AssertionError(f"it did not come true: {self.confirms[-3:]} {self.reports[-1:]}")
            return claim()

    def wait_confirmed(
        self, number: int | None = None, *, seconds: float = PATIENCE_SECONDS
    ) -> dict[str, Any]:
        """Wait until the newest version is confirmed, with `number` among the applied."""

        def confirmed() -> dict[str, Any] | None:
            if not self.confirms or self.confirms[-1]["version"] < self.version:
                return None
            applied = {each for confirm in self.confirms for each in confirm["applied"]}
            return self.confirms[-1] if number is None or number in applied else None

        found: dict[str, Any] = self.wait(confirmed, seconds=seconds)
        return found

    def wait_report(self, claim: Callable[[dict[str, Any]], Any], *, seconds: float = 10.0) -> dict[str, Any]:
        """Wait for a report, from now on, of which `claim` holds."""
        start = len(self.reports)
        found: dict[str, Any] = self.wait(
            lambda: next((each for each in self.reports[start:] if claim(each)), None), seconds=seconds
        )
        return found

    def answer(self, since: int, wait: float) -> dict[str, Any]:
        with self._news:
            self.asked_since.append(since)
            full = since == 0 or since < self.oldest or since > self.version
            if not full:
                self._news.wait_for(
                    lambda: self.version > since or self._server is None or self.is_impatient, wait
                )
                full = since < self.oldest
            changed = [n for n, version in self._changed.items() if full or version > since]
            return {
                "version": self.version,
                "full": full,
                "landing_key": LANDING_KEY.hex(),
                "now": self.now(),
                "grants": [self.grants[n] for n in changed if n in self.grants],
                "ends": [n for n in changed if n not in self.grants and not full],
                **self.rest,
            }

    def lose_patience(self) -> None:
        with self._news:
            self.is_impatient = True
            self._news.notify_all()

    def hear(self, version: int) -> None:
        """A question has said that all up to this version was taken."""
        with self._news:
            self.heard.append(version)
            self._news.notify_all()

    def wait_to_take(self, name: str, value: dict[str, Any]) -> None:
        """Keep the caller waiting while nothing of this kind is taken in."""
        doors = {
            "arrivals": (self.arrivals_at_the_door, self.takes_arrivals),
            "confirms": (self.confirms_at_the_door, self.takes_confirms),
        }
        if name in doors:
            waiting, takes = doors[name]
            with self._news:
                waiting.append(value)
                self._news.notify_all()
            takes.wait(PATIENCE_SECONDS)

    def result(self, name: str, value: dict[str, Any]) -> None:
        with self._news:
            getattr(self, name).append(value)
            self._news.notify_all()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, portal: ScriptedPortal, listener: socket.socket) -> None:
        super().__init__(listener.getsockname(), _Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listener
        self.portal = portal
        self._connections: set[socket.socket] = set()

    def process_request(self, request: Any, client_address: Any) -> None:
        self._connections.add(request)
        super().process_request(request, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """An agent that was killed leaves a broken connection: that is what these tests do all day."""

    def hang_up(self) -> None:
        for connection in self._connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        query = parse_qs(urlsplit(self.path).query)
        if self._is_stranger():
            return
        since = int(query["since"][0])
        if "confirmed" in query:
            self.server.portal.hear(since)
        self._send(200, self.server.portal.answer(since, float(query["wait"][0])))

    def do_POST(self) -> None:
        value = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self._is_stranger():
            return
        said = self.path.rpartition("/")[2]
        name = {"confirm": "confirms", "report": "reports"}.get(said, said)
        self.server.portal.wait_to_take(name, value)
        self.server.portal.result(name, value)
        self._send(204, None)

    def _is_stranger(self) -> bool:
        if self.headers["Authorization"] == f"Bearer {CREDENTIAL}":
            return False
        self.server.portal.strangers += 1
        self._send(401, None)
        return True

    def _send(self, status: int, value: dict[str, Any] | None) -> None:
        body = json.dumps(value).encode() if value is not None else b""
        self.send_response(status)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""
