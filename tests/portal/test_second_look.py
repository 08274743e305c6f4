"""A question of the feed that waits is answered by a look of its own, which passes no view."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable
from typing import Any

from flask import Flask

from portal.gateway_api.asgi import GatewayDoor
from portal.gateway_api.followers import Followers
from portal.gateway_api.radius_queue import RadiusQueue
from portal.services import Services
from sites import gateways
from tests.loops import run
from tests.portal.conftest import ADA, ADA_PIN, Agent, Phone
from tests.town import Town, credential_of

PATIENCE_SECONDS = 20.0


def asked(
    app: Flask, services: Services, town: Town, query: str, meanwhile: Callable[[], object]
) -> tuple[int, bytes, int]:
    """Status and body that the door gives to this question, when `meanwhile` is done while it waits; and how often a
    view was asked for it."""
    views = 0

    def counted(environ: dict[str, Any], begin: Any) -> Any:
        nonlocal views
        views += 1
        return app.wsgi_app(environ, begin)

    async def ask() -> tuple[int, bytes]:
        followers = Followers(services.make_session, services.wake, services.places.keep_fresh)
        door, sent = GatewayDoor(counted, followers, RadiusQueue(app)), list[dict[str, Any]]()
        parts = [{"type": "http.request", "body": b"", "more_body": False}]

        async def receive() -> dict[str, Any]:
            return parts.pop() if parts else await asyncio.Future()

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        bearer = f"Bearer {credential_of(town.pierre_bayle.identity)}"
        scope = {
            "type": "http",
            "method": "GET",
            "path": "/gateways/nftables/feed",
            "query_string": query.encode(),
            "headers": [(b"authorization", bearer.encode()), (b"host", b"portal.example.org")],
        }
        answering = asyncio.ensure_future(door(scope, receive, send))
        while not followers._waiting and not answering.done():
            await asyncio.sleep(0)
        await asyncio.to_thread(meanwhile)
        await asyncio.wait_for(answering, PATIENCE_SECONDS)
        # The thread that looks for followers ends when there are none: before the database is gone.
        services.wake._ring()
        for thread in threading.enumerate():
            if thread.name == "followers":
                await asyncio.to_thread(thread.join, PATIENCE_SECONDS)
        return sent[0]["status"], sent[1]["body"]

    status, body = run(ask())
    return status, body, views


def test_news_are_told_by_a_look_that_passes_no_view(
    app: Flask, services: Services, town: Town, reader: Phone, bayle: Agent
) -> None:
    since = bayle.call("GET", "/gateways/nftables/feed?since=0").get_json()["version"]
    reader.land()
    status, body, views = asked(
        app,
        services,
        town,
        f"since={since}&wait=20",
        lambda: reader.press("/signin", login=ADA, secret=ADA_PIN),
    )
    assert (status, views) == (200, 1)
    told = bayle.call("GET", f"/gateways/nftables/feed?since={since}").get_json()
    assert told["grants"] and json.loads(body) == told


def test_at_the_end_of_its_time_it_is_told_that_there_is_nothing(
    app: Flask, services: Services, town: Town, bayle: Agent
) -> None:
    since = bayle.call("GET", "/gateways/nftables/feed?since=0").get_json()["version"]
    status, body, views = asked(app, services, town, f"since={since}&wait=0.05", lambda: None)
    told = json.loads(body)
    assert (status, views) == (200, 1) and (told["version"], told["grants"], told["ends"]) == (since, [], [])


def test_whoever_shows_the_credential_of_before_is_told_nothing(
    app: Flask, services: Services, town: Town, reader: Phone, bayle: Agent
) -> None:
    since = bayle.call("GET", "/gateways/nftables/feed?since=0").get_json()["version"]
    reader.land()

    def meanwhile() -> None:
        with services.make_session.begin() as db:
            row = gateways.by_identity(db, town.pierre_bayle.identity)
            assert row is not None
            gateways.rotate_credential(db, row)
        services.places.forget()
        reader.press("/signin", login=ADA, secret=ADA_PIN)

    status, _, views = asked(app, services, town, f"since={since}&wait=20", meanwhile)
    assert (status, views) == (401, 2)
