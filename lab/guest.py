"""A guest with a phone in the hand: plain HTTP from inside the phone's namespace, forms read as a browser reads them.

No JavaScript, cookies kept, the lab's authority trusted, and names asked of the resolver that the network gives.
"""

from __future__ import annotations

import http.client
import http.cookies
import ipaddress
import json
import socket
import ssl
import struct
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

from lab.namespace import Inside
from lab.network import Phone

MOST_REDIRECTS = 10
# openNDS 9.10 dies of a request without it.
OWN = {"User-Agent": "Mozilla/5.0"}
TIMEOUT_SECONDS = 10.0


class Lost(Exception):
    """The guest cannot go on: no such name, no such form, too many redirects."""


@dataclass(slots=True)
class Form:
    """A form of a page, with the values it came with."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[Form] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        fields = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.found.append(Form(fields.get("action", ""), fields.get("method", "get").lower()))
        elif tag in ("input", "button") and self.found and fields.get("name"):
            if fields.get("type") in ("checkbox", "radio") and "checked" not in fields:
                return
            self.found[-1].fields[fields["name"]] = fields.get("value", "")


@dataclass(frozen=True, slots=True)
class Refresh:
    """In how many seconds a browser is to ask, and at which address."""

    seconds: float
    url: str


@dataclass(frozen=True, slots=True)
class Page:
    """An answer: where it came from in the end, and what it was."""

    url: str
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    @property
    def path(self) -> str:
        return urlsplit(self.url).path

    @property
    def refresh(self) -> Refresh | None:
        """What its header Refresh says, if it has one."""
        seconds, _, onward = self.headers.get("Refresh", "").partition(";")
        if not seconds:
            return None
        return Refresh(float(seconds), urljoin(self.url, onward.strip().removeprefix("url=")))

    @property
    def leads_to(self) -> str | None:
        """Where the page sends its reader at once; None for one that stays, or asks again."""
        again = self.refresh
        return again.url if again and not again.seconds and again.url != self.url else None

    def form(self, action: str) -> Form:
        """The form that posts to the path `action`. Raises `Lost` when the page has none."""
        reader = _Forms()
        reader.feed(self.text)
        for form in reader.found:
            if urlsplit(urljoin(self.url, form.action)).path == action:
                return form
        raise Lost(
            f"no form for {action} on {self.url[:80]} ({self.status}): {[f.action for f in reader.found]}"
        )

    @property
    def shows_session(self) -> bool:
        """Whether this is the page of an open session, at whichever address it is shown."""
        return b'id="left"' in self.body

    def has_form(self, action: str) -> bool:
        try:
            self.form(action)
        except Lost:
            return False
        return True


class Browser:
    """One browser on a machine in the namespace `ns`. `resolver` is the address that it asks for names."""

    def __init__(self, ns: Inside, authority: Path, *, resolver: str = "") -> None:
        self.ns = ns
        self.resolver = resolver
        self._trust = ssl.create_default_context(cafile=authority)
        self._cookies: dict[str, dict[str, str]] = {}

    def resolve(self, name: str) -> str:
        """The IPv4 address of `name`, by one DNS question (RFC 1035 section 4.1) to the network's resolver."""
        labels = b"".join(bytes([len(label)]) + label.encode("ascii") for label in name.split("."))
        question = struct.pack("!HHHHHH", 7, 0x100, 1, 0, 0, 0) + labels + struct.pack("!BHH", 0, 1, 1)
        with self.ns.socket(kind=socket.SOCK_DGRAM) as port:
            port.settimeout(TIMEOUT_SECONDS)
            port.sendto(question, (self.resolver, 53))
            answer = port.recv(1500)
        records, start = struct.unpack_from("!H", answer, 6)[0], len(question)
        for _ in range(records):
            kind, _, _, length = struct.unpack_from("!HHIH", answer, start + 2)
            if kind == 1:
                return str(ipaddress.IPv4Address(answer[start + 12 : start + 16]))
            start += 12 + length
        raise Lost(f"no address for {name}")

    def fetch(
        self, method: str, url: str, *, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> Page:
        """One request, one answer, no redirect followed. Raises OSError when the network says no."""
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
        address = host if host.replace(".", "").isdigit() else self.resolve(host)
        plain = self.ns.call(lambda: socket.create_connection((address, port), TIMEOUT_SECONDS))
        connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT_SECONDS)
        connection.sock = self._trust.wrap_socket(plain, server_hostname=host) if port == 443 else plain
        try:
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            connection.request(method, target, body, {**self._headers(host), **(headers or {})})
            answer = connection.getresponse()
            page = Page(url, answer.status, answer.headers, answer.read())
        finally:
            connection.close()
        self._keep(host, page)
        return page

    def get(self, url: str) -> Page:
        """Open an address and follow where it leads."""
        return self._follow(self.fetch("GET", url))

    def submit(self, page: Page, action: str, **fields: str) -> Page:
        """Fill in the form that goes to `action`, send it, and follow where it leads."""
        form = page.form(action)
        body = urlencode({**form.fields, **fields}).encode("ascii")
        target = urljoin(page.url, form.action)
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Referer": page.url}
        return self._follow(self.fetch("POST", target, body=body, headers=headers))

    def _follow(self, page: Page) -> Page:
        for _ in range(MOST_REDIRECTS):
            onward = page.headers.get("Location") if 300 <= page.status < 400 else page.leads_to
            if onward is None:
                return page
            page = self.fetch("GET", urljoin(page.url, onward))
        raise Lost(f"too many redirects, the last to {page.url[:80]}")

    def _headers(self, host: str) -> dict[str, str]:
        headers = {**OWN, "Accept": "text/html", "Accept-Language": "fr", "Connection": "close"}
        if cookies := self._cookies.get(host):
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in cookies.items())
        return headers

    def _keep(self, host: str, page: Page) -> None:
        kept = self._cookies.setdefault(host, {})
        for line in page.headers.get_all("Set-Cookie", []):
            for name, morsel in http.cookies.SimpleCookie(line).items():
                if morsel["max-age"] == "0" or not morsel.value:
                    kept.pop(name, None)
                else:
                    kept[name] = morsel.value


class Guest(Browser):
    """One browser on one phone. `resolver` is set when the phone has joined a network."""

    def __init__(self, phone: Phone, authority: Path) -> None:
        super().__init__(phone.ns, authority)
        self.phone = phone

    def capport(self, url: str) -> dict[str, Any]:
        """Ask the RFC 8908 API."""
        page = self.fetch("GET", url, headers={"Accept": "application/captive+json"})
        fields: dict[str, Any] = json.loads(page.body)
        return fields
