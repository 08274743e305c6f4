"""A crowd of phones in one event loop, each with its own habits: it probes, lands, reads, presses, stays and leaves.

A phone behaves as phones do. It asks a probe's address over plain HTTP and follows the redirector's answer; its
browser keeps a connection for as long as the front does, asks for a page again where that says so, and sends a form
again that the portal was too busy for. Of ten phones one closes its window on the first page and opens it again, one
goes away in the middle of TLS, one loads the page twice, one taps the button twice, and one leaves by its page's button
while the others walk off.
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import socket
import ssl
import struct
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlencode, urljoin, urlsplit

from lab.connections import Address, Connection, request
from lab.guest import Lost, Page

MOST_TRIES = 40
MOST_SECONDS = 180.0
READING_SECONDS = 5.2
# What phones ask first, each kind its own: all of it is answered in the same way.
PROBES = (
    "http://captive.apple.com/hotspot-detect.html",
    "http://connectivitycheck.gstatic.com/generate_204",
    "http://www.msftconnecttest.com/connecttest.txt",
)
# Which of ten phones has which habit.
LEAVES, CLOSES_ITS_WINDOW, GIVES_UP, LOADS_TWICE, TAPS_TWICE = 1, 3, 5, 7, 9
PAUSE_SECONDS = 2.0


class Failed(Exception):
    """This phone did not get online, or not for as long as it was promised. The text is its kind of fault."""


@dataclass(slots=True)
class Seen:
    """What the crowd met: seconds of each answer by kind, and how often what went wrong."""

    waits: dict[str, list[float]] = field(default_factory=dict)
    online: list[float] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)
    habits: Counter[str] = field(default_factory=Counter)
    put_off: int = 0
    # How many are online now, and how many were at most.
    here: int = 0
    most_here: int = 0

    def note(self, kind: str, seconds: float) -> None:
        self.waits.setdefault(kind, []).append(seconds)

    def enter(self) -> None:
        self.here += 1
        self.most_here = max(self.most_here, self.here)


@dataclass(frozen=True, slots=True)
class Places:
    """Where a phone's connections lead to: the portal by name and address, and its gateway's redirector."""

    host: str
    portal: Address
    redirector: Address
    trust: ssl.SSLContext


@dataclass(slots=True)
class Walker:
    """One phone: its number, a maker of sockets to ask from, and what its browser keeps."""

    number: int
    places: Places
    line: Callable[[], socket.socket]
    seen: Seen
    stay_seconds: float
    cookies: dict[str, str] = field(default_factory=dict)
    kept: Connection | None = None

    async def come(self) -> None:
        """The whole visit. Counts what fails, and raises nothing."""
        try:
            async with asyncio.timeout(MOST_SECONDS):
                page = await self.get_online()
            self.seen.enter()
            await self._stay(page)
        except Failed as fault:
            self.seen.errors[str(fault)] += 1
        except Lost:
            self.seen.errors["a page without its form"] += 1
        except (OSError, TimeoutError, http.client.HTTPException, asyncio.IncompleteReadError) as error:
            self.seen.errors[type(error).__name__] += 1
        finally:
            await self._let_go()

    async def get_online(self) -> Page:
        """From the first probe to the session's page."""
        landing = await self.probe()
        if self._is_one_that("closes its window", CLOSES_ITS_WINDOW):
            await self._abandon(landing)
            await asyncio.sleep(PAUSE_SECONDS)
            landing = await self.probe()
        if self._is_one_that("gives up in the middle of TLS", GIVES_UP):
            await self._give_up()
        page = await self.get("landing", landing)
        if self._is_one_that("loads the page twice", LOADS_TWICE):
            page = await self.get("landing", landing)
        await asyncio.sleep(READING_SECONDS)
        pressed = time.monotonic()
        page = await self.press(page, "/pause")
        while not page.shows_session:
            await asyncio.sleep(float(page.headers["Refresh"] or 1))
            page = await self.get("opening", page.url)
        self.seen.online.append(time.monotonic() - pressed)
        return page

    async def _stay(self, page: Page) -> None:
        """Be online for as long as a lease lasts: look at the page in the middle, and leave there or walk off."""
        await self._let_go()
        try:
            await asyncio.sleep(self.stay_seconds / 2)
            async with asyncio.timeout(MOST_SECONDS):
                page = await self.get("status", page.url)
                if not page.has_form("/leave"):
                    raise Failed("was online, and is no more")
                if self._is_one_that("leaves by its page's button", LEAVES):
                    await self.press(page, "/leave")
                    return
            await self._let_go()
            await asyncio.sleep(self.stay_seconds / 2)
        finally:
            self.seen.here -= 1

    async def probe(self) -> str:
        """Ask as the system does, twice, and give the address that the last answer leads to."""
        url = PROBES[self.number % len(PROBES)]
        for _ in range(MOST_TRIES):
            page = await self._probe_once(url)
            if page.status == 302 and (page := await self._probe_once(url)).status == 302:
                return page.headers["Location"] or ""
            await asyncio.sleep(float(page.headers["Retry-After"] or PAUSE_SECONDS))
        raise Failed("probe: not led to the portal")

    async def press(self, page: Page, action: str) -> Page:
        form = page.form(action)
        target, fields = urljoin(page.url, form.action), urlencode(form.fields)
        if action == "/pause" and self._is_one_that("taps the button twice", TAPS_TWICE):
            # The browser drops what it has not read when it goes on to the second.
            await self._abandon(target, fields)
        return await self.follow("opening", await self.fetch(f"button {action}", target, fields))

    async def get(self, kind: str, url: str) -> Page:
        return await self.follow(kind, await self.fetch(kind, url))

    async def follow(self, kind: str, page: Page) -> Page:
        while page.status in (302, 303):
            page = await self.fetch(kind, urljoin(page.url, page.headers["Location"]))
        if page.status != 200:
            raise Failed(f"{kind}: {page.status}")
        return page

    async def fetch(self, kind: str, url: str, form: str | None = None) -> Page:
        """One request; again for as long as the portal asks for patience."""
        for _ in range(MOST_TRIES):
            began = time.monotonic()
            page = await self._exchange(url, form)
            self.seen.note(kind, time.monotonic() - began)
            if page.status != 503 or page.headers["Retry-After"] is None:
                return page
            self.seen.put_off += 1
            await asyncio.sleep(float(page.headers["Retry-After"]))
        raise Failed(f"{kind}: put off {MOST_TRIES} times")

    async def _exchange(self, url: str, form: str | None) -> Page:
        """On the connection that is kept, where there is one that the front has not closed; else on a new one."""
        octets = request(self.places.host, url, form, self.cookies)
        kept, self.kept = self.kept, None
        if kept is not None and kept.is_open:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                return await self._asked(kept, url, octets)
        if kept is not None:
            await kept.close()
        return await self._asked(await self._connected(), url, octets)

    async def _asked(self, connection: Connection, url: str, octets: bytes) -> Page:
        try:
            page = await connection.ask(url, octets)
        except BaseException:
            await connection.close()
            raise
        self.cookies |= page_cookies(page)
        if (page.headers["Connection"] or "").lower() == "close":
            await connection.close()
        else:
            self.kept = connection
        return page

    async def _probe_once(self, url: str) -> Page:
        connection = await Connection.open(self.line(), self.places.redirector)
        try:
            began = time.monotonic()
            page = await connection.ask(url, request(urlsplit(url).netloc, url, None, {}))
            self.seen.note("probe", time.monotonic() - began)
            return page
        finally:
            await connection.close()

    async def _abandon(self, url: str, form: str | None = None) -> None:
        """Ask, and close the window before the answer has come."""
        connection = await self._connected()
        await connection.send(request(self.places.host, url, form, self.cookies))
        connection.abort()

    async def _give_up(self) -> None:
        """Open a connection, begin TLS, and break off: a wifi that was left."""
        line = self.line()
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        with contextlib.closing(line):
            loop = asyncio.get_running_loop()
            await loop.sock_connect(line, self.places.portal)
            await loop.sock_sendall(line, b"\x16\x03\x01")

    async def _connected(self) -> Connection:
        return await Connection.open(
            self.line(), self.places.portal, trust=self.places.trust, name=self.places.host
        )

    async def _let_go(self) -> None:
        kept, self.kept = self.kept, None
        if kept is not None:
            await kept.close()

    def _is_one_that(self, habit: str, number: int) -> bool:
        is_one = self.number % 10 == number
        self.seen.habits[habit] += is_one
        return is_one


def page_cookies(page: Page) -> dict[str, str]:
    """What a page has its browser keep: our cookies have no comma and no quotes."""
    pairs = (line.partition(";")[0].partition("=") for line in page.headers.get_all("Set-Cookie", []))
    return {name.strip(): value for name, _, value in pairs}
