"""The public list of hotspots: what a guest may know about a site, as values and as open data.

Contacts, notes, gateways and prefixes are not public and are not here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from db.folding import folded
from sites import opening_hours as hours
from sites.limits import ads_shown, state_at
from sites.models import NetworkKind, Site, SiteKind, SiteState

# The open licence that French public bodies use by default (Code des relations entre le public et
# l'administration, D323-2-1).
LICENCE = {"name": "Licence Ouverte / Open Licence 2.0 (Etalab)", "id": "etalab-2.0"}
LICENCE_URL = "https://www.etalab.gouv.fr/licence-ouverte-open-licence"

COLUMNS = {
    "slug": "the site's stable name; also the end of its page's address, /info/SLUG",
    "name": "the site's name, for people; name_en and the like: what it is called in that language, where otherwise",
    "kind": "station, tram_stop, square, landmark, sports_hall, library, school, town_building or shop",
    "address": "postal address",
    "state": "planned, live, outage or closed, at the time in generated_at",
    "state_since": "since when (ISO 8601, UTC), or null",
    "state_until": "until when, as far as is known (ISO 8601, UTC), or null",
    "slowed_since": "since when a place that is live is slowed, by what is measured there (ISO 8601, UTC), or null",
    "opening_hours": "OpenStreetMap notation; PH are public holidays of France, SH school holidays of school_zone",
    "school_zone": "zone of the French school calendar: A, B or C; empty where opening_hours name no SH",
    "zone": "time zone of opening_hours (IANA name)",
    "step_free": "whether one gets in without a step; null where it is not known",
    "open": "whether the place is open, at the time in generated_at",
    "ads": "whether free access shows advertising here",
    "networks": "the wifi networks: ssid, kind (library or public), signin_methods (patron, pass, free)",
}


@dataclass(frozen=True, slots=True)
class Measured:
    """What is measured of a site that should work: since when nothing does there, since when it is slowed."""

    down_since: datetime | None = None
    slowed_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class OfferedNetwork:
    slug: str
    name: str
    ssid: str
    kind: NetworkKind
    signin_methods: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Hotspot:
    """A site as the public sees it at an instant. `closes_at` is set while open, `opens_at` while closed.

    `today` are the spans that begin on the local day, in minutes after its midnight.
    """

    slug: str
    name: str
    names: Mapping[str, str]
    kind: SiteKind
    address: str
    latitude: float
    longitude: float
    state: SiteState
    state_since: datetime | None
    state_until: datetime | None
    opening_hours: str
    school_zone: str
    zone: str
    step_free: bool | None
    today: tuple[hours.Span, ...]
    open: bool
    closes_at: datetime | None
    opens_at: datetime | None
    ads: bool
    networks: tuple[OfferedNetwork, ...]
    slowed_since: datetime | None = None


def hotspots(
    db: Session,
    *,
    now: datetime,
    language: str | None = None,
    measured: Mapping[str, Measured] = MappingProxyType({}),
) -> Sequence[Hotspot]:
    """All sites that the public may know of, by their names in this language, else by their own.

    A site that closed for good is not among them, nor is one whose networks are for managed devices alone.
    """
    sites = db.scalars(select(Site).options(selectinload(Site.networks)).order_by(Site.slug)).all()
    sites = sorted(sites, key=lambda site: alphabetical(site.name_in(language)))
    known = [site for site in sites if _is_for_guests(site) and not _is_gone(site, now)]
    return [hotspot(site, now=now, language=language, measured=measured.get(site.slug)) for site in known]


def alphabetical(name: str) -> tuple[str, str]:
    """What names are put in order by: letters without their accents and capitals, as in a French telephone book."""
    return folded(name), name


def hotspot(
    site: Site, *, now: datetime, language: str | None = None, measured: Measured | None = None
) -> Hotspot:
    """One site as the public sees it, by its name in this language. What is `measured` counts where the record says
    that it is live."""
    opening_hours, zone = hours.parse(site.opening_hours, site.school_zone), site.tzinfo
    state, since, until = state_at(site, now), site.state_since, site.state_until
    found = measured if measured is not None and state is SiteState.LIVE else Measured()
    if found.down_since is not None:
        state, since, until = SiteState.OUTAGE, found.down_since, None
    return Hotspot(
        slug=site.slug,
        name=site.name_in(language),
        names=site.names,
        kind=site.kind,
        address=site.address,
        latitude=site.latitude,
        longitude=site.longitude,
        state=state,
        state_since=since,
        state_until=until,
        opening_hours=site.opening_hours,
        school_zone=site.school_zone,
        zone=site.zone,
        step_free=site.step_free,
        today=hours.spans_on(opening_hours, now.astimezone(zone).date()),
        open=hours.is_open(opening_hours, now, zone),
        closes_at=hours.closing(opening_hours, now, zone),
        opens_at=hours.opening(opening_hours, now, zone),
        ads=any(ads_shown(site, network) for network in site.networks),
        networks=tuple(
            OfferedNetwork(network.slug, network.name, network.ssid, network.kind, network.guest_methods)
            for network in site.networks
            # One of managed devices alone is no guest's business.
            if network.guest_methods
        ),
        slowed_since=None if found.down_since else found.slowed_since,
    )


def geojson(spots: Sequence[Hotspot], *, now: datetime) -> dict[str, Any]:
    """The list as a FeatureCollection (RFC 7946), with its licence and columns as foreign members (section 6.1)."""
    return {
        "type": "FeatureCollection",
        "licence": LICENCE | {"url": LICENCE_URL},
        "generated_at": now.isoformat(),
        "columns": COLUMNS,
        "features": [_feature(spot) for spot in spots],
    }


def _feature(spot: Hotspot) -> dict[str, Any]:
    properties: dict[str, Any] = {
        "slug": spot.slug,
        "name": spot.name,
        **{f"name_{code}": text for code, text in sorted(spot.names.items())},
        "kind": spot.kind.value,
        "address": spot.address,
        "state": spot.state.value,
        "state_since": spot.state_since.isoformat() if spot.state_since else None,
        "state_until": spot.state_until.isoformat() if spot.state_until else None,
        "slowed_since": spot.slowed_since.isoformat() if spot.slowed_since else None,
        "opening_hours": spot.opening_hours,
        "school_zone": spot.school_zone,
        "zone": spot.zone,
        "step_free": spot.step_free,
        "open": spot.open,
        "ads": spot.ads,
        "networks": [
            {"ssid": network.ssid, "kind": network.kind.value, "signin_methods": list(network.signin_methods)}
            for network in spot.networks
        ],
    }
    point = {"type": "Point", "coordinates": [spot.longitude, spot.latitude]}
    return {"type": "Feature", "id": spot.slug, "geometry": point, "properties": properties}


def _is_for_guests(site: Site) -> bool:
    return not site.networks or any(network.guest_methods for network in site.networks)


def _is_gone(site: Site, now: datetime) -> bool:
    closed = state_at(site, now) is SiteState.CLOSED
    comes_back = site.state is SiteState.CLOSED and site.state_until is not None
    return closed and not comes_back
