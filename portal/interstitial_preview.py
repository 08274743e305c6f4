"""Pages as guests would see them, made by their own templates: the interstitial of one creative, the first page of a
network. Nothing is counted or kept."""

from __future__ import annotations

import ipaddress
import random
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime

from flask import Flask, g

from ads.choice import ImpressionContext
from ads.ledger.served import Served
from ads.models import CivicOverride, Creative
from config import Serves
from gateways.registry import kinds
from gateways.types import MacAddress
from portal.caches.creatives import ChosenCreative, CreativeCache
from portal.caches.served import ServedBuffer
from portal.guest import interstitial
from portal.guest.pages import plain_first_page
from portal.http.clients import ClientContext
from portal.services import Services
from sites.models import Gateway, Network, Site

_PHONE, _ADDRESS = MacAddress("02:00:00:00:00:01"), ipaddress.ip_address("2001:db8::1")
# Nobody sees the message but staff: nothing is told of it.
_SCRIPT = re.compile(r"<script\b[^>]*></script>\s*")
_DARK, _SCHEME = "@media (prefers-color-scheme:dark)", "color-scheme:light dark"


class InterstitialPreview:
    """Renders with an application of its own for guests' pages, which this process may not serve."""

    def __init__(self, services: Services, make_app: Callable[[Services], Flask]) -> None:
        self._services, self._make_app = services, make_app
        self._app: Flask | None = None

    def prepare(self) -> Flask:
        """The application, made where it is not there yet: before a page waits for it."""
        app = self._app = self._app or self._make_app(_without_record(self._services))
        return app

    def render(self, creative: Creative, *, site: Site, network: Network, language: str, theme: str) -> str:
        """The page at this place in this language, as a phone of this theme ("light", "dark") has it.

        The creative may be known to no session.
        """
        with self._standing_at(f"/pause?lang={language}", site, network) as visit:
            g.previewed = creative
            return in_theme(_SCRIPT.sub("", interstitial.message(visit, None)), theme)

    def first_page(self, *, site: Site, network: Network, language: str, theme: str) -> str:
        """The first page of this network, which may be known to no session."""
        with self._standing_at(f"/?lang={language}", site, network) as visit:
            return in_theme(_SCRIPT.sub("", plain_first_page(visit.gateway)), theme)

    @contextmanager
    def _standing_at(self, path: str, site: Site, network: Network) -> Iterator[ClientContext]:
        """A request for this page from a phone at a gateway of this network."""
        app = self.prepare()
        door = Gateway(
            identity="preview", kind=_any_kind(), client_prefixes=[], site=site, network=network, health={}
        )
        # What has proven nothing has no break to go on with, and begins none.
        visit = ClientContext(door, _PHONE, _ADDRESS, browser="preview", is_proven=False)
        with app.test_request_context(path, base_url=self._services.settings.portal_url):
            g.visit = visit
            yield visit


class _PreviewStage(CreativeCache):
    """Chooses what is previewed, whatever runs."""

    def override(self, site: str, *, now: datetime) -> CivicOverride | None:
        return None

    def choose(self, moment: ImpressionContext, rng: random.Random) -> ChosenCreative:
        return ChosenCreative(g.previewed)


class _NothingServed(ServedBuffer):
    """A preview is no page that a guest was served."""

    def add(self, entry: Served) -> None:
        pass


def in_theme(page: str, theme: str) -> str:
    """The page as a device of this theme shows it, "light" or "dark"."""
    return page.replace(_DARK, "@media all" if theme == "dark" else "@media not all").replace(
        _SCHEME, f"color-scheme:{theme}"
    )


def _without_record(services: Services) -> Services:
    return replace(
        services,
        settings=replace(services.settings, serves=Serves.GUESTS),
        stage=_PreviewStage(services.make_session, services.settings.zone),
        served=_NothingServed(services.make_session, services.clock),
    )


def _any_kind() -> str:
    return next(iter(kinds()))
