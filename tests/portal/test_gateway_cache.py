"""Gateways are remembered, and are others as soon as one of their rows has changed."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import Update, inspect, update

from portal.public_values import public
from portal.services import Services
from sites.models import Feed, Gateway, Network, Site
from tests.town import Town

CHANGES: dict[str, Callable[[], Update]] = {
    "a gateway": lambda: update(Gateway).values(redirector_url="http://10.66.0.1:8081/"),
    "a site": lambda: update(Site).values(address="1 place Leclerc"),
    "a network": lambda: update(Network).values(look={"contact": "accueil@ville.fr"}),
}


@pytest.fixture(autouse=True)
def old_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("portal.caches.gateways.FRESH_SECONDS", -1.0)


def write(services: Services, statement: Update) -> None:
    with services.make_session.begin() as db:
        db.execute(statement)


@pytest.mark.parametrize("name", CHANGES)
def test_what_is_made_of_a_gateway_holds_until_one_of_its_rows_changes(
    services: Services, town: Town, name: str
) -> None:
    cache, identity = services.places, town.station.identity
    before = cache.by_identity(identity)
    assert before is not None and cache.by_identity(identity) is before
    write(services, CHANGES[name]())
    after = cache.by_identity(identity)
    assert after is not None and after is not before
    assert (
        after.redirector_url == "http://10.66.0.1:8081/"
        or after.site.address == "1 place Leclerc"
        or (after.network.look == {"contact": "accueil@ville.fr"})
    )


def test_what_gateways_say_of_themselves_makes_no_others(services: Services, town: Town) -> None:
    before = services.places.by_identity(town.station.identity)
    write(services, update(Gateway).values(health={"held": 7}))
    write(services, update(Feed).values(version=99))
    assert services.places.by_identity(town.station.identity) is before


def test_one_that_is_gone_or_new_is_seen(services: Services, town: Town) -> None:
    there = [one.identity for one in services.places.gateways()]
    write(services, update(Gateway).where(Gateway.identity == there[0]).values(identity="another-name"))
    assert [one.identity for one in services.places.gateways()] == sorted(["another-name", *there[1:]])


def test_what_is_remembered_is_plain_and_still_no_row_that_a_page_may_show(
    services: Services, town: Town
) -> None:
    gateway = services.places.by_identity(town.station.identity)
    assert gateway is not None and inspect(gateway, raiseerr=False) is None
    with pytest.raises(TypeError, match="nothing that a guest may see"):
        public(gateway)
