"""A client's block of ports on its way from the lease to the agent."""

from __future__ import annotations

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from gateways.nftables.feed import parse_answer
from portal.services import Services
from sessions.models import Lease
from sessions.port_blocks import PortBlock
from sites.models import Gateway
from tests.portal.conftest import ADA, ADA_PIN, Agent, Phone
from tests.town import Town


def test_the_agent_reads_in_the_feed_what_the_lease_says(
    services: Services, town: Town, db: Session, reader: Phone, bayle: Agent
) -> None:
    blocks = {"public_addresses": ["203.0.113.10"], "ports_per_client": 1008}
    with services.make_session.begin() as changing:
        changing.execute(update(Gateway).where(Gateway.id == town.pierre_bayle.id).values(**blocks))
    reader.land()
    reader.press("/signin", login=ADA, secret=ADA_PIN)
    [grant] = parse_answer(bayle.call("GET", "/gateways/nftables/feed?since=0").data).grants
    lease = db.scalars(select(Lease)).one()
    origin = PortBlock(lease.public_address, lease.port_first, lease.port_last)
    assert origin.is_block() and grant.ports == origin.ports()


def test_without_blocks_the_feed_says_nothing_of_ports(reader: Phone, bayle: Agent) -> None:
    reader.land()
    reader.press("/signin", login=ADA, secret=ADA_PIN)
    [row] = bayle.call("GET", "/gateways/nftables/feed?since=0").get_json()["grants"]
    assert "ports" not in row
