"""Gateway records: what is refused, who is found, and what `gateways check` sees."""

from __future__ import annotations

import ipaddress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from gateways.kinds import Learning
from gateways.landing_token import credential_digest
from gateways.registry import UnknownKind, kind_of
from sites.checks import SILENT_AFTER, GatewayState, check
from sites.errors import AmbiguousAddress, InvalidGateway, TakenIdentity
from sites.gateways import add_gateway, by_address, by_identity, rotate_credential
from sites.models import Gateway, Network, Site
from tests.sites.places import viotte

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def added(db: Session, site: Site, network: Network, **fields: Any) -> tuple[Gateway, str]:
    known: dict[str, Any] = {
        "identity": "viotte-1",
        "kind": "nftables",
        "client_prefixes": ["10.66.0.0/24", "fd66::/64"],
        "redirector_url": "http://10.66.0.1:8081/",
    }
    return add_gateway(db, site=site, network=network, **known | fields)


def test_a_new_gateway_is_found_by_its_identity_and_gets_a_credential(
    db: Session, station: Site, wifilib: Network
) -> None:
    gateway, credential = added(db, station, wifilib)
    assert gateway.credential_digest == credential_digest(credential)
    assert by_identity(db, "viotte-1") is gateway
    assert len(credential) == 43


def test_it_keeps_only_the_digest_of_a_credential(db: Session, station: Site, wifilib: Network) -> None:
    gateway, credential = added(db, station, wifilib)
    assert gateway.credential_digest == credential_digest(credential)
    assert credential not in repr(vars(gateway))


def test_a_rotated_credential_ends_the_old_one(db: Session, station: Site, wifilib: Network) -> None:
    gateway, old = added(db, station, wifilib)
    new = rotate_credential(db, gateway)
    assert new != old and gateway.credential_digest == credential_digest(new)


def test_it_refuses_an_identity_that_is_taken(db: Session, station: Site, wifilib: Network) -> None:
    first, _ = added(db, station, wifilib)
    with pytest.raises(TakenIdentity):
        added(db, station, wifilib, client_prefixes=["10.67.0.0/24"])
    assert by_identity(db, "viotte-1") is first


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"identity": ""}, "identity"),
        ({"identity": "Viotte"}, "identity"),
        ({"identity": "viotte 1"}, "identity"),
        ({"identity": "viotte-1\n"}, "identity"),
        ({"identity": "v" * 65}, "identity"),
        ({"client_prefixes": []}, "at least one"),
        ({"client_prefixes": ["10.66.0.1/24"]}, "host bits"),
        ({"client_prefixes": ["everywhere"]}, "everywhere"),
        ({"client_prefixes": ["0.0.0.0/0"]}, "everybody"),
        ({"client_prefixes": ["::/0"]}, "everybody"),
        ({"redirector_url": "10.66.0.1:8081"}, "redirector"),
        ({"redirector_url": "javascript://10.66.0.1/%0aalert(1)"}, "redirector"),
        ({"redirector_url": "http://portal@evil.example/"}, "redirector"),
        ({"redirector_url": "http://10.66.0.1:99999/"}, "redirector"),
        ({"redirector_url": "http:///"}, "redirector"),
        ({"redirector_url": "http://10.66.0.1/\r\nSet-Cookie: x"}, "redirector"),
        ({"redirector_url": "http://10.66.0.1/?landing=x"}, "redirector"),
        ({"redirector_url": "http://10.66.0.1/#x"}, "redirector"),
        ({"public_addresses": ["2001:db8::1"]}, "public address"),
        ({"public_addresses": ["224.0.0.1"]}, "not the address of one machine"),
        ({"ports_per_client": 1008}, "at least one public address"),
        ({"public_addresses": ["203.0.113.10"], "ports_per_client": 63}, "from 64"),
        ({"public_addresses": ["203.0.113.10"], "ports_per_client": 60_417}, "to 60416"),
        ({"public_addresses": ["203.0.113.10"], "ports_per_client": -64}, "from 64"),
    ],
)
def test_it_refuses_a_record_that_cannot_be(
    db: Session, station: Site, wifilib: Network, fields: dict[str, Any], reason: str
) -> None:
    with pytest.raises(InvalidGateway, match=reason):
        added(db, station, wifilib, **fields)
    assert not db.query(Gateway).count()


@pytest.mark.parametrize(
    "url", ["", "http://10.66.0.1:8081/", "http://[fd66::1]:8081/", "https://gw.example.fr"]
)
def test_it_takes_a_redirector_by_address_or_name(
    db: Session, station: Site, wifilib: Network, url: str
) -> None:
    gateway, _ = added(db, station, wifilib, redirector_url=url)
    assert gateway.redirector_url == url


def test_it_refuses_a_network_that_the_site_does_not_offer(
    db: Session, station: Site, bibliotheques: Network
) -> None:
    with pytest.raises(InvalidGateway, match="does not offer"):
        added(db, station, bibliotheques)


def test_it_refuses_overlapping_prefixes_at_one_site(db: Session, station: Site, wifilib: Network) -> None:
    added(db, station, wifilib)
    with pytest.raises(InvalidGateway, match="overlap"):
        added(db, station, wifilib, identity="viotte-2", client_prefixes=["10.66.0.128/25"])


@pytest.mark.parametrize(("first", "second"), [(1008, 0), (0, 1008), (1008, 1008)])
def test_blocks_of_ports_need_an_address_that_no_other_gateway_has(
    db: Session, station: Site, wifilib: Network, first: int, second: int
) -> None:
    behind = {"public_addresses": ["203.0.113.10"]}
    added(db, station, wifilib, ports_per_client=first, **behind)
    other = {"identity": "viotte-2", "client_prefixes": ["10.67.0.0/24"], **behind}
    with pytest.raises(InvalidGateway, match="is viotte-1's too"):
        added(db, station, wifilib, ports_per_client=second, **other)


def test_gateways_without_blocks_may_be_seen_behind_one_address(
    db: Session, station: Site, wifilib: Network
) -> None:
    behind = {"public_addresses": ["203.0.113.10"]}
    added(db, station, wifilib, **behind)
    added(db, station, wifilib, identity="viotte-2", client_prefixes=["10.67.0.0/24"], **behind)


def test_it_finds_the_gateway_of_an_address(db: Session, station: Site, wifilib: Network) -> None:
    gateway, _ = added(db, station, wifilib)
    for text in ("10.66.0.5", "fd66::5", "::ffff:10.66.0.5"):
        assert by_address(db, ipaddress.ip_address(text)) is gateway
    for text in ("10.67.0.5", "fd67::5", "192.0.2.1"):
        assert by_address(db, ipaddress.ip_address(text)) is None


def test_the_longest_prefix_wins(db: Session, station: Site, wifilib: Network) -> None:
    other = viotte(slug="battant", networks=[wifilib])
    db.add(other)
    added(db, station, wifilib, client_prefixes=["10.66.0.0/16"])
    near, _ = added(db, other, wifilib, identity="battant-1", client_prefixes=["10.66.7.0/24"])
    assert by_address(db, ipaddress.ip_address("10.66.7.9")) is near


def test_it_does_not_guess_between_two_sites_with_one_prefix(
    db: Session, station: Site, wifilib: Network
) -> None:
    other = viotte(slug="battant", networks=[wifilib])
    db.add(other)
    added(db, station, wifilib)
    added(db, other, wifilib, identity="battant-1")
    with pytest.raises(AmbiguousAddress) as refusal:
        by_address(db, ipaddress.ip_address("10.66.0.5"))
    assert refusal.value.identities == ("battant-1", "viotte-1")


@pytest.mark.parametrize(
    ("state", "verdict"),
    [
        ({}, GatewayState.NEVER_SEEN),
        ({"seen_at": NOW}, GatewayState.WELL),
        ({"seen_at": NOW - SILENT_AFTER}, GatewayState.WELL),
        ({"seen_at": NOW - SILENT_AFTER - timedelta(seconds=1), "feed_version": 5}, GatewayState.SILENT),
        ({"seen_at": NOW, "feed_version": 5, "confirmed_version": 4}, GatewayState.BEHIND),
        ({"seen_at": NOW, "health": {"clock_offset": -2.5}}, GatewayState.CLOCK_OFF),
        ({"seen_at": NOW, "health": {"clock_offset": 1.5, "held": 3}}, GatewayState.WELL),
    ],
)
def test_it_says_how_a_gateway_is(
    db: Session, station: Site, wifilib: Network, state: dict[str, Any], verdict: GatewayState
) -> None:
    gateway, _ = added(db, station, wifilib)
    for name, value in state.items():
        setattr(gateway, name, value)
    db.flush()
    [found] = check(db, now=NOW)
    assert (found.identity, found.site, found.network) == ("viotte-1", "gare-viotte", "wifilib")
    assert found.verdict is verdict
    assert found.lag == state.get("feed_version", 1) - state.get("confirmed_version", 1)


AN_HOUR_AGO = NOW - timedelta(hours=1)
CALLED = {"learns": Learning.PUSHED, "is_heard": True}


@pytest.mark.parametrize(
    ("can", "state", "verdict"),
    [
        ({"is_heard": False}, {}, GatewayState.UNTRIED),
        ({"is_heard": False}, {"seen_at": AN_HOUR_AGO}, GatewayState.WELL),
        ({"is_heard": False}, {"seen_at": AN_HOUR_AGO, "feed_version": 2}, GatewayState.BEHIND),
        # One that has missed a call is not silent yet: the portal makes one a minute.
        (CALLED, {"seen_at": NOW - timedelta(seconds=150)}, GatewayState.WELL),
        (CALLED, {"seen_at": NOW - timedelta(seconds=151)}, GatewayState.SILENT),
        ({"learns": Learning.PULLED}, {"seen_at": NOW - timedelta(seconds=61)}, GatewayState.SILENT),
    ],
)
def test_silence_is_told_of_kinds_that_let_themselves_be_heard_alone(
    db: Session,
    station: Site,
    wifilib: Network,
    monkeypatch: pytest.MonkeyPatch,
    can: dict[str, Any],
    state: dict[str, Any],
    verdict: GatewayState,
) -> None:
    gateway, _ = added(db, station, wifilib)
    for name, value in state.items():
        setattr(gateway, name, value)
    db.flush()
    kind = kind_of("nftables")
    kind = replace(kind, capabilities=replace(kind.capabilities, **can))
    monkeypatch.setattr("sites.checks.kinds", lambda: {kind.name: kind})
    assert [one.verdict for one in check(db, now=NOW)] == [verdict]


def test_a_clock_that_went_back_is_no_negative_silence(db: Session, station: Site, wifilib: Network) -> None:
    gateway, _ = added(db, station, wifilib)
    gateway.seen_at = NOW + timedelta(seconds=5)
    db.flush()
    [found] = check(db, now=NOW)
    assert found.silence == timedelta(0)


def test_a_kind_that_nobody_declared_is_never_written(db: Session, station: Site, wifilib: Network) -> None:
    with pytest.raises(UnknownKind):
        added(db, station, wifilib, kind="turnstile")
    gateway, _ = added(db, station, wifilib)
    with pytest.raises(UnknownKind):
        gateway.kind = "turnstile"
