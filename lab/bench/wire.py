"""What each guest page costs as it is sent: compressed by the portal, through the front of a real portal."""

from __future__ import annotations

import gzip
import http.client
import ssl
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urljoin

from sqlalchemy import update

from lab.bench.figures import Figure
from lab.bench.load import SpoiltRun
from lab.bench.pages import ADDRESS, landing_url
from lab.bench.portal import RunningPortal, running_portal
from lab.doors import LIBRARY, STATION
from lab.guest import Page
from sites.models import Gateway, Network

VIEWING_SECONDS = 1
FIRST_PAGE = "at most 6,000 with headers"
# The library's card, with the PIN of another one.
WRONG = {"login": "20000001", "secret": "1234"}


class AsItComes(urllib.request.HTTPErrorProcessor):
    """A refusal is a page like others; where an answer leads is followed all the same."""

    def http_response(self, request: Any, response: Any) -> Any:
        leads_on = 300 <= response.status < 400
        return super().http_response(request, response) if leads_on else response

    https_response = http_response


class Reader:
    """A browser that weighs what it gets. `body` and `head` are the last page's bytes as they were sent."""

    def __init__(self, portal: RunningPortal) -> None:
        trust = ssl.create_default_context(cafile=portal.ca_file)
        self._open = urllib.request.build_opener(
            AsItComes(), urllib.request.HTTPCookieProcessor(), urllib.request.HTTPSHandler(context=trust)
        ).open
        self._url = portal.url
        self.body = self.head = 0

    def get(self, target: str, form: bytes | None = None) -> Page:
        headers = {"X-Forwarded-For": ADDRESS, "Accept-Encoding": "gzip", "Accept-Language": "fr"}
        asked = urllib.request.Request(urljoin(self._url, target), data=form, headers=headers)
        with self._open(asked, timeout=10) as answer:
            sent: bytes = answer.read()
            self.body, self.head = len(sent), _length_of_head(answer)
            packed = answer.headers["Content-Encoding"] == "gzip"
            return Page(answer.url, answer.status, answer.headers, gzip.decompress(sent) if packed else sent)

    def submit(self, page: Page, action: str, **fields: str) -> Page:
        form = page.form(action)
        return self.get(urljoin(page.url, form.action), urlencode({**form.fields, **fields}).encode())


def measure(folder: Path) -> Iterator[Figure]:
    """Each page as a phone with a fresh browser gets it, in French: the first page of either network first."""
    with running_portal(folder, f"sqlite:///{folder / 'town.sqlite3'}") as portal:
        with portal.services.make_session.begin() as db:
            # Gateways that let through at once: here nobody stands behind them.
            db.execute(update(Gateway).values(kind="fake"))
            db.execute(update(Network).values(viewing_seconds=VIEWING_SECONDS))
        heads = []
        for walk in (_on_the_free_network, _at_the_library, _for_everybody):
            reader = Reader(portal)
            for name, status, page in walk(reader, portal):
                if page.status != status:
                    raise SpoiltRun(f"{name}: {page.status} at {page.path}")
                heads.append(reader.head)
                aim = FIRST_PAGE if name.startswith("first page") else ""
                yield Figure(f"{name}, as sent", reader.body, "B", aim)
        yield Figure("headers of such a page, the longest", max(heads), "B")


Weighed = Iterator[tuple[str, int, Page]]


def _on_the_free_network(reader: Reader, portal: RunningPortal) -> Weighed:
    page = reader.get(landing_url(portal, STATION))
    yield "first page, free network", 200, page
    early = reader.submit(page, "/pause")
    yield "message, pressed early", 200, early
    time.sleep(VIEWING_SECONDS + 0.2)
    # As its Refresh does.
    online = reader.get(early.url)
    yield "connection", 200, online
    yield "my data", 200, reader.get("/yours")
    yield "connection, ended", 200, reader.submit(online, "/leave")


def _at_the_library(reader: Reader, portal: RunningPortal) -> Weighed:
    page = reader.get(landing_url(portal, LIBRARY))
    yield "first page, library network", 200, page
    yield "sign-in, refused", 403, reader.submit(page, "/signin", **WRONG)
    yield "pass, refused", 403, reader.submit(page, "/pass", code="7K2-M9Q-XAH")
    yield "code to carry on", 200, reader.get("/resume")


def _for_everybody(reader: Reader, portal: RunningPortal) -> Weighed:
    for name, path in (
        ("place", "/info/gare-viotte"),
        ("hotspots", "/hotspots"),
        ("terms", "/terms/wifilib"),
        ("privacy", "/privacy"),
        ("accessibility", "/accessibilite"),
    ):
        yield name, 200, reader.get(path)
    yield "error", 404, reader.get("/nowhere")


def _length_of_head(answer: http.client.HTTPResponse) -> int:
    lines = [f"{name}: {value}\r\n" for name, value in answer.headers.items()]
    return len("HTTP/1.1 200 OK\r\n\r\n") + sum(map(len, lines))
