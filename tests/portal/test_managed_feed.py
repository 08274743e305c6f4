"""What the feed tells of managed devices, and to which agents."""

from __future__ import annotations

from auth.managed import Managed
from gateways.destinations import parse_destinations
from gateways.types import parse_mac
from portal.services import Services
from sessions.managed.reconcile import fit
from sites.models import Network
from tests.portal.conftest import Agent
from tests.town import ADA_PHONE, Town

THERE = ["203.0.113.10 tcp/443", "2001:db8::/32"]


def confine(services: Services, town: Town, *texts: str) -> None:
    with services.make_session.begin() as db:
        db.get_one(Network, town.free.id).signin_methods = ["free", "managed"]
        there = parse_destinations(texts) if texts else None
        device = Managed("device:1", parse_mac(ADA_PHONE), frozenset({town.station.id}), destinations=there)
        fit(db, [device], now=services.clock())


def told(agent: Agent, *, since: int = 0, keeps: str = "") -> dict[str, object]:
    answer = agent.call("GET", f"/gateways/nftables/feed?since={since}{keeps}").get_json()
    found: dict[str, object] = answer
    return found


def test_an_agent_that_can_keep_destinations_is_told_them(
    services: Services, town: Town, station: Agent
) -> None:
    confine(services, town, *THERE)
    [grant] = told(station, keeps="&keeps=destinations")["grants"]  # type: ignore[misc, attr-defined]
    assert grant["destinations"] == THERE


def test_an_agent_that_cannot_keep_destinations_is_not_told_such_a_grant(
    services: Services, town: Town, station: Agent
) -> None:
    confine(services, town)
    whole = told(station)
    assert len(whole["grants"]) == 1  # type: ignore[arg-type]
    confine(services, town, *THERE)
    change = told(station, since=int(str(whole["version"])))
    number = whole["grants"][0]["number"]  # type: ignore[index]
    assert (change["grants"], change["ends"]) == ([], [number])
    assert told(station)["grants"] == []
