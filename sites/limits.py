"""What follows from a network's and a site's records together. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from sites import opening_hours
from sites.models import Gateway, Network, NetworkKind, Site, SiteKind, SiteState

BEFORE_ITS_TIME = {
    SiteState.PLANNED: SiteState.PLANNED,
    SiteState.LIVE: SiteState.PLANNED,
    SiteState.OUTAGE: SiteState.LIVE,
    SiteState.CLOSED: SiteState.LIVE,
}
AFTER_ITS_TIME = {
    SiteState.PLANNED: SiteState.LIVE,
    SiteState.LIVE: SiteState.CLOSED,
    SiteState.OUTAGE: SiteState.LIVE,
    SiteState.CLOSED: SiteState.LIVE,
}


@dataclass(frozen=True, slots=True)
class Rates:
    """Ceilings for one client, in kbit/s; 0 means none."""

    down_kbps: int
    up_kbps: int


def rates(site: Site, network: Network) -> Rates:
    """The ceilings enforced at `site` on `network`: the site's own where it has one."""
    return Rates(
        down_kbps=network.rate_down_kbps if site.rate_down_kbps is None else site.rate_down_kbps,
        up_kbps=network.rate_up_kbps if site.rate_up_kbps is None else site.rate_up_kbps,
    )


def ads_shown(site: Site, network: Network) -> bool:
    """Whether guests meet ads: every record must agree; European money forbids them (WiFi4EU), libraries have none."""
    is_library = site.kind is SiteKind.LIBRARY or network.kind is NetworkKind.LIBRARY
    return network.ads and site.ads_allowed and not site.eu_funded and not is_library


def may_serve(network_kind: NetworkKind, site_kind: SiteKind) -> bool:
    """Library networks live in libraries only; a public one may be anywhere."""
    return network_kind is not NetworkKind.LIBRARY or site_kind is SiteKind.LIBRARY


def state_at(site: Site, at: datetime) -> SiteState:
    """The site's state at an instant. The recorded one holds in [state_since, state_until).

    Before that a live site was planned and one with an outage or a closure was live; after it a planned site
    is live, an outage or a closure is over, and a site that was live until then is closed.
    """
    return state_of(site.state, site.state_since, site.state_until, at)


def state_of(state: SiteState, since: datetime | None, until: datetime | None, at: datetime) -> SiteState:
    """The same of a state that is recorded with its times."""
    if since is not None and at < since:
        return BEFORE_ITS_TIME[state]
    if until is not None and at >= until:
        return AFTER_ITS_TIME[state]
    return state


def site_closing(gateway: Gateway, now: datetime) -> datetime | None:
    """When the site closes, if that bounds a stay: only on networks of libraries, which end with the opening hours."""
    if gateway.network.kind is not NetworkKind.LIBRARY:
        return None
    # Opening hours are whole minutes: within one the answer stays.
    return _closing(gateway.site.opening_hours, gateway.site.school_zone, gateway.site.zone, _minute_of(now))


def is_closed(gateway: Gateway, now: datetime) -> bool:
    """Whether the site is a library's that is closed now."""
    if gateway.network.kind is not NetworkKind.LIBRARY:
        return False
    return not opening_hours.is_open(_hours_of(gateway.site), now, gateway.site.tzinfo)


@lru_cache(maxsize=1024)
def _closing(hours: str, school_zone: str | None, zone: str, minute: datetime) -> datetime | None:
    return opening_hours.closing(opening_hours.parse(hours, school_zone), minute, ZoneInfo(zone))


def _minute_of(at: datetime) -> datetime:
    return at.replace(second=0, microsecond=0)


def _hours_of(site: Site) -> opening_hours.Hours:
    return opening_hours.parse(site.opening_hours, site.school_zone)
