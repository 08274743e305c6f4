"""What the agent on a Linux gateway calls: docs/gateway-nftables-protocol.md is the contract."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from flask import Blueprint, Response, abort, jsonify, request

from db.engine import group_commit, reading
from gateways.nftables.kind import KIND
from gateways.nftables.set_up import set_up
from gateways.set_up import Finding, SetUp
from gateways.types import Grant
from portal.gateway_api.confirmation import confirm
from portal.gateway_api.credentials import calling_gateway, demand_credential
from portal.gateway_api.endpoints import Endpoint
from portal.services import services
from sessions import accounting, feed, roaming
from sites.models import Gateway, SiteKind
from sites.schools import wifi

blueprint = Blueprint(KIND.name, __name__, url_prefix=f"/gateways/{KIND.name}")
LONGEST_WAIT = 25.0
LARGEST_BODY = 8 * 1024 * 1024
# Where this key stands in the WSGI environment, whoever calls the view waits in its place: see
# `portal.gateway_api.asgi`.
LONG_POLL = "arobase.long_poll"
# Elsewhere a gateway waits in the thread that the guests' pages need too, so that only a few may.
WAITING = threading.BoundedSemaphore(8)


@dataclass(slots=True)
class LongPoll:
    """What a gateway that found nothing new waits for; `gateway_id` is None where it waits for nothing.

    `is_again` says that this question was put before, and waited.
    """

    is_again: bool = False
    gateway_id: int | None = None
    since: int = 0
    seconds: float = 0.0


@blueprint.before_request
def know_the_gateway() -> None:
    """Nothing is answered to a caller without a gateway's own credential."""
    request.max_content_length = LARGEST_BODY
    demand_credential(KIND.name)


@blueprint.get("/feed")
def follow() -> Response:
    since = request.args.get("since", 0, type=int)
    wait = min(LONGEST_WAIT, max(0.0, request.args.get("wait", 0.0, type=float)))
    poll: LongPoll | None = request.environ.get(LONG_POLL)
    if "confirmed" in request.args and not (poll and poll.is_again):
        _confirm(since, {})
    answer = await_change(calling_gateway().id, since=since, wait=wait, poll=poll)
    answer = feed.without(answer, _asks_too_much)
    return jsonify(
        version=answer.version,
        full=answer.full,
        now=services().clock().timestamp(),
        landing_key=services().gateway_secrets.landing_key(calling_gateway().credential_digest).hex(),
        grants=[_grant(grant) for grant in answer.grants],
        ends=list(answer.ends),
        hears_confirmed=True,
        **_wifi(),
    )


@blueprint.post("/confirm")
def confirmed() -> tuple[str, int]:
    body = _body()
    with _well_formed():
        version = accounting.whole(body["version"])
        refused = {
            accounting.whole(entry["number"]): _plain(entry["reason"]) for entry in body.get("refused", [])
        }
    _confirm(version, refused)
    return "", HTTPStatus.NO_CONTENT


def _confirm(version: int, refused: dict[int, str]) -> None:
    with group_commit(services().make_session) as db:
        confirm(db, gateway_id=calling_gateway().id, version=version, refused=refused, now=services().clock())


@blueprint.post("/report")
def report() -> tuple[str, int]:
    body = _body()
    with _well_formed():
        read = accounting.read_report(body)
    with services().make_session.begin() as db:
        accounting.record(db, gateway=calling_gateway(), report=read, now=services().clock())
    return "", HTTPStatus.NO_CONTENT


@blueprint.post("/arrivals")
def arrivals() -> tuple[str, int]:
    body = _body()
    with _well_formed():
        clients = accounting.read_clients(body)
    with services().make_session.begin() as db:
        roaming.arrive(db, gateway=calling_gateway(), clients=clients, now=services().clock())
    return "", HTTPStatus.NO_CONTENT


def await_change(gateway_id: int, *, since: int, wait: float, poll: LongPoll | None = None) -> feed.Feed:
    """The feed after `since`, as soon as there is something in it, or when the wait is over.

    With `poll`, what there is now; whoever gave it learns there whether and for how long to wait.
    """
    answer = _look(gateway_id, since)
    if wait <= 0 or _is_news(answer, since):
        return answer
    if poll is not None:
        poll.gateway_id, poll.since, poll.seconds = gateway_id, since, wait
        return answer
    if not WAITING.acquire(blocking=False):
        abort(
            HTTPStatus.SERVICE_UNAVAILABLE, "Too many gateways wait here: they need a process of their own."
        )
    try:
        return _await_change(gateway_id, since, wait)
    finally:
        WAITING.release()


def _await_change(gateway_id: int, since: int, wait: float) -> feed.Feed:
    wake = services().wake
    deadline = time.monotonic() + wait
    while True:
        seen = wake.count
        answer = _look(gateway_id, since)
        left = deadline - time.monotonic()
        if _is_news(answer, since) or left <= 0:
            return answer
        wake.wait(seen, left)


def _look(gateway_id: int, since: int) -> feed.Feed:
    with reading(services().make_session) as db:
        return feed.read(db, gateway_id=gateway_id, since=since, now=services().clock())


def _is_news(answer: feed.Feed, since: int) -> bool:
    return answer.full or answer.version != since


def _body() -> dict[str, Any]:
    try:
        body = request.get_json(silent=True)
    except RecursionError:
        body = None
    if not isinstance(body, dict):
        abort(HTTPStatus.BAD_REQUEST, "The body must be a JSON object.")
    return body


@contextmanager
def _well_formed() -> Iterator[None]:
    """A body that does not follow the protocol is the caller's fault."""
    try:
        yield
    except (KeyError, ValueError, TypeError, AttributeError, OverflowError) as error:
        abort(HTTPStatus.BAD_REQUEST, f"Not as the protocol says: {error!r}"[:200])


def _plain(reason: object) -> str:
    """A gateway's reason for a refusal: printable ASCII, and no more of it than is kept."""
    return re.sub(r"[^ -~]", "?", str(reason)[:200])


def _wifi() -> dict[str, Any]:
    """When the access points there are on, for as long ahead as is known; nothing where they stay on."""
    gateway, now = calling_gateway(), services().clock()
    if gateway.site.kind is not SiteKind.SCHOOL:
        return {}
    with reading(services().make_session) as db:
        hours = wifi.plan(db, gateway.site, now=now)
    if hours is None:
        return {}
    on = [[start.timestamp(), end.timestamp()] for start, end in hours.on]
    return {"wifi": {"until": hours.until.timestamp(), "on": on}}


def _asks_too_much(grant: Grant) -> bool:
    """Whether an agent as old as this one would let the client go where it must not."""
    kept = request.args.get("keeps", "").split(",")
    needs = {"destinations": grant.destinations, "resolver": grant.resolver}
    return any(value is not None and name not in kept for name, value in needs.items())


def _grant(grant: Grant) -> dict[str, Any]:
    row: dict[str, Any] = {
        "number": grant.number,
        "client": grant.client.mac,
        "addresses": [str(address) for address in grant.client.addresses],
        "until": grant.until,
        "rate_down_kbps": grant.rate_down_kbps,
        "rate_up_kbps": grant.rate_up_kbps,
    }
    if grant.ports is not None:
        row["ports"] = [str(grant.ports.address), grant.ports.first, grant.ports.last]
    if grant.destinations is not None:
        row["destinations"] = [str(each) for each in grant.destinations]
    if grant.resolver is not None:
        row["resolver"] = str(grant.resolver)
    return row


def _lines(gateway: Gateway) -> SetUp:
    return set_up(
        identity=gateway.identity,
        portal_url=services().settings.portal_url,
        client_prefixes=gateway.client_prefixes,
    )


def _self_test(gateway: Gateway) -> list[Finding]:
    return [] if gateway.redirector_url else [Finding("no_redirector")]


ENDPOINT = Endpoint(blueprint, set_up=_lines, self_test=_self_test)
