"""The self-test of a gateway's set-up: what is still missing, by what its kind can do and by what has come from it."""

from __future__ import annotations

import logging
from collections.abc import Iterator

from db.engine import reading
from gateways.registry import kinds
from gateways.set_up import Finding
from portal.gateway_api import dynamic_authorization, radius_self_test
from portal.gateway_api.endpoints import endpoint_of
from portal.services import services
from sessions.gateway_health.evidence import gather
from sites.gateway_limits import guessing_fault
from sites.models import Gateway

log = logging.getLogger(__name__)


def self_test(gateway: Gateway) -> list[Finding]:
    """What is missing at a gateway, the first thing to do first; `gateway` comes with its network.

    After what is asked of every kind come the findings of its own, which may ask the box. Of a kind that this version
    does not know nothing is found.
    """
    if gateway.kind not in kinds():
        return []
    found = list(_shared(gateway))
    try:
        if kinds()[gateway.kind].radius is not None:
            found += radius_self_test.self_test(gateway)
            found += dynamic_authorization.self_test(gateway)
        found += endpoint_of(gateway.kind).self_test(gateway)
    except Exception as error:
        log.warning("the self-test of gateway %s failed: %r", gateway.identity, error)
        found.append(Finding("self_test_failed", (("error", type(error).__name__),)))
    return found


def _shared(gateway: Gateway) -> Iterator[Finding]:
    can = gateway.capabilities
    with reading(services().make_session) as db:
        evidence = gather(db, gateway_id=gateway.id, now=services().clock())
    if guessing_fault(kinds()[gateway.kind], gateway.options, gateway.network.signin_methods):
        yield Finding("for_free_access_alone", (("network", gateway.network.slug),))
    if can.is_heard and gateway.seen_at is None:
        yield Finding("not_heard")
    if not evidence.has_landed and not can.proves_addresses:
        yield Finding("no_landing")
    if evidence.is_refusing:
        yield Finding("nothing_confirmed")
    if can.accounts and evidence.is_uncounted:
        yield Finding("no_accounting")
