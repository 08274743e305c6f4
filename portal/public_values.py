"""What guests' pages may know of a row: named fields, copied out one by one, and nothing else.

A template gets these in the place of rows. A column that nobody copied here cannot be printed by mistake: the contact
of a site and its note are for staff, and so is most of what a network, a gateway or a session has.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from flask import g, render_template

from ads.acceptances import Further
from ads.models import CivicOverride, Creative
from db.base import Base
from portal.http.clients import ClientContext
from portal.services import services
from sessions.clients import SeenAccess
from sessions.models import AccessSession, EndReason
from sites.models import Gateway, Network, SigninMethod, Site, SiteKind


@dataclass(frozen=True, slots=True)
class PublicSite:
    slug: str
    own_name: str
    names: Mapping[str, str]
    kind: SiteKind
    address: str
    zone: str
    photo: Mapping[str, Any]

    @property
    def name(self) -> str:
        """In the language of the page that shows it, which is in `g` while it is rendered; else its own name."""
        return self.names.get(g.get("language", "")) or self.own_name


@dataclass(frozen=True, slots=True)
class PublicNetwork:
    slug: str
    name: str
    ssid: str
    kind: str
    signin_methods: tuple[str, ...]
    lease_length: timedelta
    idle_seconds: int
    idle_length: timedelta | None
    devices_per_person: int
    terms_version: str
    look: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class PublicStay:
    """An access session, to be shown to whoever has it."""

    id: int
    method: SigninMethod
    started_at: datetime
    until: datetime
    ended_at: datetime | None
    end_reason: EndReason | None


@dataclass(frozen=True, slots=True)
class PublicDevice:
    """One of the devices that are online together, to be shown on each of them."""

    id: int
    mac: str
    started_at: datetime
    site: PublicSite


@dataclass(frozen=True, slots=True)
class PublicProfile:
    """A device that has a profile for the encrypted network, to be shown to its patron."""

    id: int
    name: str
    until: datetime


@dataclass(frozen=True, slots=True)
class PublicMessage:
    """A creative with who speaks."""

    texts: dict[str, dict[str, str]]
    advertiser: str
    is_municipal: bool
    # Of the town in a crisis: nobody may hide it.
    is_crisis: bool = False
    # The files of its picture or video (`ads.media.store`).
    media: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PublicMore:
    """Where there is more to read of an accepted message, for somebody who is online: no link leads out before."""

    texts: dict[str, dict[str, str]]
    address: str
    url: str


@dataclass(frozen=True, slots=True)
class PublicVisit:
    token: str
    # What the guest may ask the browser to keep, encrypted.
    offer: str | None = None


def render_page(template: str, **values: object) -> str:
    """A guests' page. Rows among `values`, alone or in a list, go in as what is public of them."""
    shown = {name: public(value) for name, value in values.items()}
    visit, network = values.get("visit"), shown.get("network")
    if isinstance(visit, ClientContext) and network == public_network(visit.gateway.network):
        shown["network"] = public_network_at(visit.gateway)
    return render_template(template, **shown)


def public(value: object) -> object:
    """What is public of a row; whatever is no row, as it is. Raises TypeError for a row of which nothing is."""
    match value:
        case Site():
            return public_site(value)
        case Network():
            return public_network(value)
        case AccessSession() | SeenAccess():
            return public_stay(value)
        case Creative():
            return public_message(value)
        case CivicOverride():
            return PublicMessage(value.texts, services().settings.town, is_municipal=True, is_crisis=True)
        case ClientContext():
            return PublicVisit(value.issue_token(), value.offer)
        case list() | tuple():
            return [public(each) for each in value]
        case Base():
            raise TypeError(f"a {type(value).__name__} has nothing that a guest may see")
    return value


def public_site(site: Site) -> PublicSite:
    return PublicSite(site.slug, site.name, site.names, site.kind, site.address, site.zone, site.photo)


def public_network(network: Network) -> PublicNetwork:
    return PublicNetwork(
        slug=network.slug,
        name=network.name,
        ssid=network.ssid,
        kind=network.kind.value,
        signin_methods=network.guest_methods,
        lease_length=network.lease_length,
        idle_seconds=network.idle_seconds,
        idle_length=network.idle_length,
        devices_per_person=network.devices_per_person,
        terms_version=network.terms_version,
        look=network.look,
    )


def public_network_at(gateway: Gateway) -> PublicNetwork:
    """What is public of a network where this gateway is, with the lengths that hold there."""
    lease = gateway.lease_length
    # Nobody is sent away for a silence that a gateway cannot see.
    idle = gateway.network.idle_within(lease) if gateway.capabilities.reports_presence else None
    return replace(public_network(gateway.network), lease_length=lease, idle_length=idle)


def public_stay(access: AccessSession | SeenAccess) -> PublicStay:
    return PublicStay(
        id=access.id,
        method=access.method,
        started_at=access.started_at,
        until=access.until,
        ended_at=access.ended_at,
        end_reason=access.end_reason,
    )


def public_device(access: AccessSession | SeenAccess, *, site: Site) -> PublicDevice:
    return PublicDevice(access.id, access.mac, access.started_at, public_site(site))


def public_message(creative: Creative) -> PublicMessage:
    payer = creative.campaign.advertiser
    return PublicMessage(creative.texts, payer.name, payer.is_town, media=creative.media)


def more_of(further: Further | None) -> PublicMore | None:
    """What to read further of a message, if it has anything."""
    return None if further is None else PublicMore(further.texts, further.more, f"https://{further.more}")
