"""What a kind of gateway cannot do safely is refused when a gateway is set up, and when its network changes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from gateways.registry import kind_of
from sites.errors import InvalidGateway, RefusedImport
from sites.gateway_limits import guessing_fault, limits
from sites.gateways import add_gateway
from sites.import_export import GATEWAYS, NETWORKS, export_records
from sites.models import Gateway, Network, SigninMethod, Site
from tests.gateways.contract import made_up
from tests.imports import import_records

UNSEALED = {"sealed": "no"}


@pytest.fixture(autouse=True)
def _made_up_kinds() -> Iterator[None]:
    with made_up.added():
        yield


@pytest.fixture
def open_to_cards(wifilib: Network) -> Network:
    wifilib.signin_methods = [SigninMethod.PATRON, SigninMethod.FREE]
    return wifilib


def add(db: Session, site: Site, network: Network, **fields: object) -> Gateway:
    asked = {"identity": "viotte-1", "kind": "hourglass", "client_prefixes": ["10.66.0.0/24"], **fields}
    return add_gateway(db, site=site, network=network, **asked)[0]  # type: ignore[arg-type]


def test_where_landings_can_be_guessed_nobody_signs_in_by_name(
    db: Session, station: Site, open_to_cards: Network
) -> None:
    add(db, station, open_to_cards, identity="sealed")
    with pytest.raises(InvalidGateway) as refused:
        add(db, station, open_to_cards, client_prefixes=["10.67.0.0/24"], options=UNSEALED)
    assert str(refused.value) == (
        "what Hourglass 60 with sealed no tells of a client can be guessed, so that it may serve free access alone, "
        "and the network has patron: choose another value there, another kind of gateway, or a network of free "
        "access"
    )


def test_free_access_is_let_be_there(db: Session, station: Site, wifilib: Network) -> None:
    wifilib.signin_methods = [SigninMethod.FREE]
    assert add(db, station, wifilib, options=UNSEALED).options == UNSEALED


def test_a_whole_kind_may_be_for_free_access_alone() -> None:
    kind = kind_of("doorman")
    kind = replace(kind, capabilities=replace(kind.capabilities, landings_can_be_guessed=True))
    fault = guessing_fault(kind, {}, ["pass", "patron"])
    assert fault is not None and "the network has patron, pass: choose another kind" in fault
    assert guessing_fault(kind, {}, ["free"]) is None
    assert guessing_fault(kind_of("doorman"), {}, ["pass"]) is None


def test_an_import_is_told_the_same_in_its_columns(
    db: Session, station: Site, open_to_cards: Network
) -> None:
    head = b"identity,kind,site,network,client_prefixes,ports_per_client,public_addresses,options\n"
    row = b"viotte-1,hourglass,gare-viotte,wifilib,10.66.0.0/24,1008,203.0.113.10,sealed=no\n"
    with pytest.raises(RefusedImport) as refused:
        import_records(db, GATEWAYS, head + row)
    assert {fault.column for fault in refused.value.faults} == {"network", "ports_per_client"}


def test_a_network_takes_no_new_method_that_a_gateway_of_its_cannot_keep_safe(
    db: Session, station: Site, wifilib: Network
) -> None:
    wifilib.signin_methods = [SigninMethod.FREE]
    add(db, station, wifilib, options=UNSEALED)
    with pytest.raises(
        RefusedImport, match="signin_methods: at gateway viotte-1, what Hourglass 60 with sealed no"
    ):
        import_records(db, NETWORKS, b"slug,signin_methods\nwifilib,free pass\n")
    before = export_records(db, NETWORKS)
    assert import_records(db, NETWORKS, before).changed == ()


def test_the_log_is_promised_no_ports_that_a_kind_does_not_give_out(
    db: Session, station: Site, wifilib: Network
) -> None:
    with pytest.raises(InvalidGateway, match="Hourglass 60 gives no client source ports of its own"):
        add(db, station, wifilib, public_addresses=["203.0.113.10"], ports_per_client=1008)
    nftables = kind_of("nftables")
    assert not list(limits(nftables, {}, methods=["pass"], ports_per_client=1008))


def test_everything_that_is_wrong_with_a_record_is_told_at_once(
    db: Session, station: Site, wifilib: Network
) -> None:
    with pytest.raises(InvalidGateway) as refused:
        add(
            db,
            station,
            wifilib,
            identity="Viotte",
            client_prefixes=["everywhere"],
            redirector_url="10.66.0.1",
            options={"sealed": "perhaps", "colour": "red"},
        )
    assert len(refused.value.reasons) == 5
    assert "sealed: 'perhaps' is neither yes nor no" in refused.value.reasons
    assert db.scalars(select(Gateway)).all() == []
