"""The cast of the tests: two networks, some sites, their gateways. Every field can be overridden."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from gateways.landing_token import credential_digest
from gateways.types import Client, parse_mac
from sites.models import Gateway, Network, NetworkKind, SigninMethod, Site, SiteKind, SiteState

ADA_PHONE = "02:00:00:00:0a:01"
ADA_TABLET = "02:00:00:00:0a:02"
BO_PHONE = "02:00:00:00:0b:01"


def credential_of(identity: str) -> str:
    """The credential that every gateway of the tests has."""
    return f"credential-of-{identity}-0123456789abcdef"


def make_network(**fields: Any) -> Network:
    values: dict[str, Any] = {
        "slug": "wifilib",
        "name": "Wifilib",
        "ssid": "WIFILIB",
        "kind": NetworkKind.PUBLIC,
        "signin_methods": [SigninMethod.FREE],
        "lease_seconds": 1800,
        "ads": True,
        "rate_wanted_kbps": 15_000,
        "rate_down_kbps": 55_000,
        "rate_up_kbps": 15_000,
        "devices_per_person": 1,
        "terms": {"fr": "Soyez corrects.", "en": "Be decent."},
        "terms_version": "2026-1",
        "look": {},
    }
    return Network(**{**values, **fields})


def make_library_network(**fields: Any) -> Network:
    values: dict[str, Any] = {
        "slug": "bibliotheques",
        "name": "Bibliothèques",
        "ssid": "BIBLIOTHEQUES",
        "kind": NetworkKind.LIBRARY,
        "signin_methods": [SigninMethod.PATRON, SigninMethod.PASS],
        "lease_seconds": 4 * 3600,
        "ads": False,
        "devices_per_person": 2,
    }
    return make_network(**{**values, **fields})


def make_site(slug: str, *networks: Network, **fields: Any) -> Site:
    values: dict[str, Any] = {
        "slug": slug,
        "name": slug.replace("-", " ").title(),
        "names": {},
        "kind": SiteKind.SQUARE,
        "address": "1 rue de la République",
        "latitude": 47.237,
        "longitude": 6.024,
        "zone": "Europe/Paris",
        "state": SiteState.LIVE,
        "ads_allowed": True,
    }
    return Site(**{**values, **fields}, networks=list(networks))


def make_gateway(identity: str, site: Site, network: Network, **fields: Any) -> Gateway:
    values: dict[str, Any] = {
        "identity": identity,
        "kind": "nftables",
        "credential_digest": credential_digest(credential_of(identity)),
        "client_prefixes": ["10.66.0.0/24", "fd66::/64"],
        "redirector_url": "http://10.66.0.1:8081/",
    }
    return Gateway(**{**values, **fields}, site=site, network=network)


def make_client(mac: str = ADA_PHONE, *addresses: str) -> Client:
    return Client(parse_mac(mac), tuple(map(ipaddress.ip_address, addresses or ("10.66.0.5",))))


@dataclass(frozen=True, slots=True)
class Town:
    """The free network at the station and at Battant, and the library's at Pierre-Bayle."""

    free: Network
    library: Network
    station: Gateway
    battant: Gateway
    pierre_bayle: Gateway


def build_town(db: Session) -> Town:
    """Make the town and flush it."""
    free, library = make_network(), make_library_network()
    station = make_site("gare-viotte", free, kind=SiteKind.STATION)
    battant = make_site("battant", free)
    bayle = make_site(
        "pierre-bayle",
        library,
        kind=SiteKind.LIBRARY,
        opening_hours="Tu-Sa 10:00-18:00",
        ads_allowed=False,
    )
    town = Town(
        free,
        library,
        make_gateway("gw-viotte", station, free),
        make_gateway(
            "gw-battant",
            battant,
            free,
            client_prefixes=["10.67.0.0/24", "fd67::/64"],
            redirector_url="http://10.67.0.1:8081/",
        ),
        make_gateway(
            "gw-bayle",
            bayle,
            library,
            client_prefixes=["10.68.0.0/24", "fd68::/64"],
            redirector_url="http://10.68.0.1:8081/",
        ),
    )
    db.add_all([town.station, town.battant, town.pierre_bayle])
    db.flush()
    return town
