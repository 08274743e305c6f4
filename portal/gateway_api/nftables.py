"""What the agent on a Linux gateway calls: docs/gateway-nftables-protocol.md is the contract."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any

from flask import Blueprint, Response, abort, jsonify, request
from sqlalchemy.orm import Session

from db.engine import group_commit, reading
from gateways.nftables.kind import KIND
from gateways.nftables.set_up import set_up
from gateways.set_up import Finding, SetUp
from gateways.types import Grant
from portal.gateway_api.confirmation import confirm
from portal.gateway_api.credentials import calling_gateway, demand_credential
from portal.gateway_api.endpoints import Endpoint
from portal.services import Services, services
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

    `is_again` says that this question was put before, and waited. `question` looks again without all that is around a
    request; what it cannot answer is put to the view anew.
    """

    is_again: bool = False
    gateway_id: int | None = None
    since: int = 0
    seconds: float = 0.0
    question: Question | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """What an agent asks of the feed: what has changed `since`. `kept` names the parts of a grant that it knows."""

    service: Services
    gateway: Gateway
    since: int
    kept: frozenset[str]

    def look(self) -> feed.Feed:
        with reading(self.service.make_session) as db:
            return feed.read(db, gateway_id=self.gateway.id, since=self.since, now=self.service.clock())

    def is_news(self, answer: feed.Feed) -> bool:
        return answer.full or answer.version != self.since

    def told(self, answer: feed.Feed) -> dict[str, Any]:
        """The answer as the protocol has it."""
        answer, service = feed.without(answer, self._asks_too_much), self.service
        return {
            "version": answer.version,
            "full": answer.full,
            "now": service.clock().timestamp(),
            "landing_key": service.gateway_secrets.landing_key(self.gateway.credential_digest).hex(),
            "grants": [_grant(grant) for grant in answer.grants],
            "ends": list(answer.ends),
            "hears_confirmed": True,
            **_wifi(self.gateway, service),
        }

    def again(self, *, is_last: bool) -> bytes | None:
        """The same as JSON, where there is news or this is the last look; nothing where there is none.

        Raises `ClosedQuestion` where the credential that it was asked with is no longer this gateway's.
        """
        gateway = self.service.places.by_digest(self.gateway.credential_digest)
        if gateway is None or gateway.id != self.gateway.id:
            raise ClosedQuestion
        question = replace(self, gateway=gateway)
        answer = question.look()
        if not (is_last or question.is_news(answer)):
            return None
        return json.dumps(question.told(answer), separators=(",", ":")).encode()

    def _asks_too_much(self, grant: Grant) -> bool:
        """Whether an agent as old as this one would let the client go where it must not."""
        needs = {"destinations": grant.destinations, "resolver": grant.resolver}
        return any(value is not None and name not in self.kept for name, value in needs.items())


class ClosedQuestion(Exception):
    """Whoever waits has to show another credential."""


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
    kept = frozenset(request.args.get("keeps", "").split(","))
    question = Question(services(), calling_gateway(), since, kept)
    return jsonify(question.told(await_change(question, wait=wait, poll=poll)))


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
    service, gateway_id = services(), calling_gateway().id

    def remember(db: Session) -> None:
        confirm(db, gateway_id=gateway_id, version=version, refused=refused, now=service.clock())

    group_commit(service.make_session, remember)


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


def await_change(question: Question, *, wait: float, poll: LongPoll | None = None) -> feed.Feed:
    """The feed after the question's version, as soon as there is something in it, or when the wait is over.

    With `poll`, what there is now; whoever gave it learns there whether and for how long to wait.
    """
    answer = question.look()
    if wait <= 0 or question.is_news(answer):
        return answer
    if poll is not None:
        poll.gateway_id, poll.since, poll.seconds = question.gateway.id, question.since, wait
        poll.question = question
        return answer
    if not WAITING.acquire(blocking=False):
        abort(
            HTTPStatus.SERVICE_UNAVAILABLE, "Too many gateways wait here: they need a process of their own."
        )
    try:
        return _await_change(question, wait)
    finally:
        WAITING.release()


def _await_change(question: Question, wait: float) -> feed.Feed:
    wake = services().wake
    deadline = time.monotonic() + wait
    while True:
        seen = wake.count
        answer = question.look()
        left = deadline - time.monotonic()
        if question.is_news(answer) or left <= 0:
            return answer
        wake.wait(seen, left)


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


def _wifi(gateway: Gateway, service: Services) -> dict[str, Any]:
    """When the access points there are on, for as long ahead as is known; nothing where they stay on."""
    if gateway.site.kind is not SiteKind.SCHOOL:
        return {}
    with reading(service.make_session) as db:
        hours = wifi.plan(db, gateway.site, now=service.clock())
    if hours is None:
        return {}
    on = [[start.timestamp(), end.timestamp()] for start, end in hours.on]
    return {"wifi": {"until": hours.until.timestamp(), "on": on}}


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
