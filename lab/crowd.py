"""A crowd of phones in one event loop: each lands, reads its message, presses the button and looks at its session.

A phone behaves as a browser does: a page that asks to be loaded again is loaded again, and a form that the portal was
too busy for is sent again by the guest, a few seconds later.
"""

from __future__ import annotations

import asyncio
import http.client
import io
import socket
import ssl
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from urllib.parse import urlencode, urljoin, urlsplit

from lab.guest import Lost, Page

MOST_TRIES = 40
MOST_SECONDS = 180.0
READING_SECONDS = 5.2


class Failed(Exception):
    """This phone did not get online. The text is its kind of fault."""


@dataclass(slots=True)
class Seen:
    """What the crowd met: seconds of each answer by kind, and how often what went wrong."""

    waits: dict[str, list[float]] = field(default_factory=dict)
    online: list[float] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)
    put_off: int = 0

    def note(self, kind: str, seconds: float) -> None:
        self.waits.setdefault(kind, []).append(seconds)


@dataclass(slots=True)
class Walker:
    """One phone: the portal's name and address, a socket to ask it from, and what it keeps."""

    host: str
    portal: tuple[str, int]
    line: Callable[[], socket.socket]
    trust: ssl.SSLContext
    seen: Seen
    cookies: dict[str, str] = field(default_factory=dict)

    async def come(self, landing: str) -> None:
        """The whole way in. Counts what fails, and raises nothing."""
        try:
            async with asyncio.timeout(MOST_SECONDS):
                page = await self.get("landing", landing)
                await asyncio.sleep(READING_SECONDS)
                pressed = time.monotonic()
                page = await self.press(page)
                while page.path != "/status":
                    page = await self.get("opening", page.url)
                self.seen.online.append(time.monotonic() - pressed)
        except Failed as fault:
            self.seen.errors[str(fault)] += 1
        except Lost:
            self.seen.errors["a page without its form"] += 1
        except (OSError, TimeoutError, http.client.HTTPException, asyncio.IncompleteReadError) as error:
            self.seen.errors[type(error).__name__] += 1

    async def press(self, page: Page) -> Page:
        form = page.form("/pause")
        answer = await self.fetch("button", urljoin(page.url, form.action), urlencode(form.fields))
        return await self.follow("opening", answer)

    async def get(self, kind: str, url: str) -> Page:
        return await self.follow(kind, await self.fetch(kind, url))

    async def follow(self, kind: str, page: Page) -> Page:
        while page.status in (302, 303):
            page = await self.fetch(kind, urljoin(page.url, page.headers["Location"]))
        if page.status != 200:
            raise Failed(f"{kind}: {page.status}")
        if (again := page.headers["Refresh"]) is not None:
            await asyncio.sleep(float(again))
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
        line = self.line()
        await asyncio.get_running_loop().sock_connect(line, self.portal)
        reader, writer = await asyncio.open_connection(sock=line, ssl=self.trust, server_hostname=self.host)
        try:
            writer.write(self._request(url, form))
            head = await reader.readuntil(b"\r\n\r\n")
            status, _, rest = head.partition(b"\r\n")
            headers = http.client.parse_headers(io.BytesIO(rest))
            body = await reader.readexactly(int(headers["Content-Length"] or 0))
        finally:
            writer.close()
        for header in headers.get_all("Set-Cookie", []):
            self.cookies |= {name: morsel.value for name, morsel in SimpleCookie(header).items()}
        return Page(url, int(status.split()[1]), headers, body)

    def _request(self, url: str, form: str | None) -> bytes:
        parts = urlsplit(url)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        lines = [f"{'GET' if form is None else 'POST'} {target} HTTP/1.1", f"Host: {self.host}"]
        lines += ["Accept: text/html", "Accept-Language: fr", "Connection: close"]
        if self.cookies:
            lines.append("Cookie: " + "; ".join(f"{name}={value}" for name, value in self.cookies.items()))
        if form is not None:
            lines += [
                "Content-Type: application/x-www-form-urlencoded",
                f"Content-Length: {len(form)}",
                f"Origin: https://{self.host}",
            ]
        return ("\r\n".join(lines) + "\r\n\r\n" + (form or "")).encode()
