"""Where the gateways of one kind meet the portal: one module of this package for each kind, named like it."""

from __future__ import annotations

import functools
import importlib
import importlib.util
import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, current_app
from sqlalchemy.exc import SQLAlchemyError

from db.engine import reading
from gateways.carriage import Carriage
from gateways.kinds import Learning
from gateways.registry import kind_of, kinds, names
from gateways.set_up import Finding, SetUp
from gateways.types import Client
from portal.here import this_app
from portal.services import services
from sessions.clients import SeenAccess
from sites.gateways import to_notify
from sites.models import Gateway

log = logging.getLogger(__name__)
REPEAT_AFTER = timedelta(minutes=1)
# How many gateways are notified at a time: some wait seconds for an answer.
AT_ONCE = 8


def needs_no_word(gateway: Gateway) -> None:
    """For gateways that come for changes by themselves."""


@dataclass(frozen=True, slots=True)
class Departure:
    """A guest whose browser may have to carry something to the gateway, so that it lets the guest's device pass.

    `told` is what the gateway told with the client's landing (`sessions.landings`), and `back` the page of ours that
    the gateway is to send the browser to.
    """

    gateway: Gateway
    access: SeenAccess
    client: Client
    told: Mapping[str, Any]
    back: str


def carries_nothing(_departure: Departure) -> None:
    """For gateways that learn of a lease without the guest's browser."""


def needs_no_lines(_gateway: Gateway) -> SetUp:
    """For gateways that nobody sets up."""
    return SetUp(())


def finds_nothing(_gateway: Gateway) -> list[Finding]:
    """For gateways of which nothing can be missing."""
    return []


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What a kind's module declares as ``ENDPOINT``.

    `blueprint` is what gateways of the kind call, below ``/gateways/KIND``; None where they call nothing. `notify` is
    called after a commit that changed what the gateway must know, and from the sweep for as long as the gateway has not
    confirmed. It gives the gateway all that it must know, may be called for nothing, and must not raise because the
    gateway is away. `carry` says what the guest's browser must carry to the gateway while a lease there is unconfirmed.
    `set_up` are the lines for the box, and `self_test` says what is still missing. `shared` is what the kinds of a
    family have in common: it is registered once.
    """

    blueprint: Blueprint | None = None
    notify: Callable[[Gateway], None] = needs_no_word
    carry: Callable[[Departure], Carriage | None] = carries_nothing
    set_up: Callable[[Gateway], SetUp] = needs_no_lines
    self_test: Callable[[Gateway], list[Finding]] = finds_nothing
    shared: tuple[Blueprint, ...] = ()


@functools.cache
def endpoint_of(kind: str) -> Endpoint:
    """The endpoint of this kind. Raises `UnknownKind`, and LookupError for a kind whose module is missing."""
    name = f"{__package__}.{kind_of(kind).name}"
    if importlib.util.find_spec(name) is None:
        raise LookupError(f"the kind of gateways {kind!r} has no module {name}")
    declared: Endpoint = importlib.import_module(name).ENDPOINT
    return declared


def blueprints() -> list[Blueprint]:
    """What all kinds of gateways call. Raises LookupError where a kind has no module."""
    endpoints = [endpoint_of(kind) for kind in kinds()]
    own = [endpoint.blueprint for endpoint in endpoints if endpoint.blueprint is not None]
    return own + list(dict.fromkeys(one for endpoint in endpoints for one in endpoint.shared))


def notify_gateway(gateway: Gateway) -> None:
    """After a commit: have the gateway learn of the change, in the manner of its kind.

    What goes wrong there is logged: the guest's page waits for the confirmation, and the sweep tries again. Raises
    SQLAlchemyError where our own database is the trouble.
    """
    try:
        endpoint_of(gateway.kind).notify(gateway)
    except SQLAlchemyError:
        raise
    except Exception:
        log.exception("gateway %s could not be notified", gateway.identity)


def reconcile() -> int:
    """Notify the gateways that have not confirmed all changes, as nobody could tell them before; how many.

    Once in a while also those that must be called and have confirmed: one that lost its memory, or lets somebody pass
    whose end it had confirmed, would not say so.
    """
    called = names(lambda kind: kind.learns is not Learning.FOLLOWED) if _is_time_to_repeat() else ()
    with reading(services().make_session) as db:
        found = to_notify(db, kinds=list(kinds()), called=called)
    _notify_all(found)
    return len(found)


def _notify_all(gateways: Sequence[Gateway]) -> None:
    """Notify several at once, so that one that is away does not hold up the others."""
    app = this_app()

    def notify_in_app(gateway: Gateway) -> None:
        with app.app_context():
            notify_gateway(gateway)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        # To its end, where the database was the trouble too.
        list(pool.map(notify_in_app, gateways))


def _is_time_to_repeat() -> bool:
    """Whether `REPEAT_AFTER` has gone by in this process since the last time that this was so."""
    now, key = services().clock(), "arobase.gateways_called_at"
    last: datetime | None = current_app.extensions.get(key)
    if last is not None and now - last < REPEAT_AFTER:
        return False
    current_app.extensions[key] = now
    return True
