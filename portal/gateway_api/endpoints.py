"""Where the gateways of one kind meet the portal: one module of this package for each kind, named like it."""

from __future__ import annotations

import functools
import importlib
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass

from flask import Blueprint
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from db.engine import reading
from gateways.registry import kind_of, kinds
from portal.services import services
from sites.models import Gateway


def needs_no_word(gateway: Gateway) -> None:
    """For gateways that come for changes by themselves."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What a kind's module declares as ``ENDPOINT``.

    `blueprint` is what gateways of the kind call, below ``/gateways/KIND``; None where they call nothing. `notify` is
    called after a commit that changed what the gateway must know, and from the sweep for as long as the gateway has not
    confirmed; it may be called again for nothing, and must not raise because the gateway is away.
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
    """After a commit: have the gateway learn of the change, in the manner of its kind."""
    endpoint_of(gateway.kind).notify(gateway)


def notify_behind() -> int:
    """Notify every gateway that has not confirmed all changes, whoever could not be told before; how many."""
    behind = (
        select(Gateway)
        .where(Gateway.confirmed_version < Gateway.feed_version, Gateway.kind.in_(list(kinds())))
        .options(joinedload(Gateway.site), joinedload(Gateway.network))
        .order_by(Gateway.identity)
    )
    with reading(services().make_session) as db:
        found = db.scalars(behind).all()
    for gateway in found:
        notify_gateway(gateway)
    return len(found)
