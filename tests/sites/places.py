"""Rows for tests, every field overridable."""

from __future__ import annotations

from typing import Any

from sites.models import Network, NetworkKind, Site, SiteKind, SiteState


def public_network(**fields: Any) -> Network:
    known: dict[str, Any] = {
        "slug": "wifilib",
        "name": "Wifi libre",
        "ssid": "Besancon-WiFi",
        "kind": NetworkKind.PUBLIC,
        "signin_methods": ["free"],
        "lease_seconds": 1800,
        "ads": True,
        "rate_down_kbps": 55000,
        "rate_up_kbps": 15000,
        "terms": {"fr": "Soyez gentils.", "en": "Be kind."},
        "terms_version": "1",
    }
    return Network(**known | fields)


def library_network(**fields: Any) -> Network:
    known: dict[str, Any] = {
        "slug": "bibliotheques",
        "name": "Bibliothèques",
        "ssid": "Bibliotheques",
        "kind": NetworkKind.LIBRARY,
        "signin_methods": ["patron", "pass"],
        "lease_seconds": 14400,
        "devices_per_person": 2,
        "terms": {"fr": "Lisez."},
        "terms_version": "1",
    }
    return Network(**known | fields)


def viotte(**fields: Any) -> Site:
    known: dict[str, Any] = {
        "slug": "gare-viotte",
        "name": "Gare Viotte",
        "kind": SiteKind.STATION,
        "address": "2 avenue de la Paix",
        "latitude": 47.247,
        "longitude": 6.022,
        "opening_hours": "24/7",
        "zone": "Europe/Paris",
        "state": SiteState.LIVE,
        "ads_allowed": True,
        "eu_funded": False,
    }
    return Site(**{"names": {}} | known | fields)


def pierre_bayle(**fields: Any) -> Site:
    known: dict[str, Any] = {
        "slug": "pierre-bayle",
        "name": "Médiathèque Pierre-Bayle",
        "kind": SiteKind.LIBRARY,
        "address": "27 rue de la République",
        "latitude": 47.239,
        "longitude": 6.027,
        "opening_hours": "Tu-Th 10:00-19:00; Fr 13:00-19:00; Sa 10:00-18:00; PH off",
        "zone": "Europe/Paris",
        "state": SiteState.LIVE,
        "ads_allowed": False,
        "eu_funded": False,
    }
    return Site(**{"names": {}} | known | fields)
