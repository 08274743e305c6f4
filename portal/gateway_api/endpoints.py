"""Where the gateways of one kind meet the portal: one module of this package for each kind, named like it."""

from __future__ import annotations

import functools
import importlib
import importlib.util
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import Blueprint, current_app
from sqlalchemy.exc import SQLAlchemyError

from db.engine import reading
from gateways.kinds import Learning
from gateways.registry import kind_of, kinds, names
from portal.services import services
from sites.gateways import to_notify
from sites.models import Gateway

log = logging.getLogger(__name__)
REPEAT_AFTER = timedelta(minutes=1)


def needs_no_word(gateway: Gateway) -> None:
    """For gateways that come for changes by themselves."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What a kind's module declares as ``ENDPOINT``.

    `blueprint` is what gateways of the kind call, below ``/gateways/KIND``; None where they call nothing. `notify` is
    called after a commit that changed what the gateway must know, and from the sweep for as long as the gateway has not
    confirmed. It gives the gateway all that it must know, may be called for nothing, and must not raise because the
    gateway is away.
    """

    blueprint: Blueprint | None = None
    notify: Callable[[Gateway], None] = needs_no_word


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
    found = [endpoint_of(kind).blueprint for kind in kinds()]
    return [blueprint for blueprint in found if blueprint is not None]


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

    Once in a while also those that must be called and have confirmed: one that lost its memory would not say so.
    """
    called = names(lambda kind: kind.learns is Learning.PUSHED) if _is_time_to_repeat() else ()
    with reading(services().make_session) as db:
        found = to_notify(db, kinds=list(kinds()), called=called)
    for gateway in found:
        notify_gateway(gateway)
    return len(found)


def _is_time_to_repeat() -> bool:
    """Whether `REPEAT_AFTER` has gone by in this process since the last time that this was so."""
    now, key = services().clock(), "arobase.gateways_called_at"
    last: datetime | None = current_app.extensions.get(key)
    if last is not None and now - last < REPEAT_AFTER:
        return False
    current_app.extensions[key] = now
    return True
