"""Sites as records. `networks` lists the slugs of the networks that a site offers.

A site has one name, and one more for each language where it is called otherwise: ``name_en``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from gateways.sentences import Sentence
from sites import opening_hours
from sites.errors import ImportFault
from sites.import_export import cells
from sites.import_export.networks import (
    LENGTHS,
    LONGEST_LEASE,
    LONGEST_WAIT,
    MOST_KBPS,
    SHORTEST_LEASE,
    unfit_lengths,
)
from sites.import_export.records import Change, Column, Records, Values
from sites.limits import may_serve
from sites.models import Gateway, Network, Site, SiteKind, SiteState

# Metropolitan France with a margin: what looks right only with the two numbers changed over was changed over.
FRENCH_LATITUDES = (41.0, 51.5)
FRENCH_LONGITUDES = (-5.5, 10.0)

COLUMNS = {
    "slug": Column(cells.slug),
    "name": Column(cells.line_of_text(120, needed=True)),
    "kind": Column(cells.word(SiteKind)),
    "address": Column(cells.line_of_text(200, needed=True)),
    "latitude": Column(cells.degrees(90)),
    "longitude": Column(cells.degrees(180)),
    "networks": Column(cells.slugs, ()),
    "opening_hours": Column(cells.opening_hours, "24/7"),
    "school_zone": Column(cells.school_zone, ""),
    "zone": Column(cells.zone),
    "step_free": Column(cells.yes_no_or_none, None),
    "state": Column(cells.word(SiteState), SiteState.PLANNED),
    "state_since": Column(cells.instant, None),
    "state_until": Column(cells.instant, None),
    "ads_allowed": Column(cells.yes_or_no, False),
    "eu_funded": Column(cells.yes_or_no, False),
    "rate_down_kbps": Column(cells.whole_or_none(0, MOST_KBPS), None),
    "rate_up_kbps": Column(cells.whole_or_none(0, MOST_KBPS), None),
    "lease_seconds": Column(cells.whole_or_none(SHORTEST_LEASE, LONGEST_LEASE), None),
    "viewing_seconds": Column(cells.whole_or_none(0, LONGEST_WAIT), None),
    "longest_wait_seconds": Column(cells.whole_or_none(0, LONGEST_WAIT), None),
    "contact": Column(cells.line_of_text(200), ""),
    "note": Column(cells.lines_of_text(10_000), ""),
}


# A site without a name in a language has its own there.
_NAME = re.compile(r"name_([a-z]{2})")
_NAME_COLUMN = Column(cells.line_of_text(120), "")


def _column(name: str) -> Column | None:
    return _NAME_COLUMN if _NAME.fullmatch(name) else COLUMNS.get(name)


def _names(current: Mapping[str, Values]) -> Sequence[str]:
    by_language = {name for values in current.values() for name in values if _NAME.fullmatch(name)}
    return [*COLUMNS, *sorted(by_language)]


def _all(db: Session) -> dict[str, Site]:
    return {site.slug: site for site in db.scalars(select(Site).options(selectinload(Site.networks)))}


def _current(db: Session) -> dict[str, Values]:
    return {slug: _values(site) for slug, site in _all(db).items()}


def _values(site: Site) -> Values:
    values: Values = {name: getattr(site, name) for name in COLUMNS if name != "networks"}
    names = {f"name_{language}": name for language, name in site.names.items()}
    return values | names | {"networks": tuple(sorted(network.slug for network in site.networks))}


def _judge(db: Session, changes: Sequence[Change]) -> Iterator[ImportFault]:
    networks = {network.slug: network for network in db.scalars(select(Network))}
    served: dict[str, set[str]] = {}
    for site, network in db.execute(
        select(Site.slug, Network.slug)
        .select_from(Gateway)
        .join(Site)
        .join(Network)
        .where(~Gateway.is_retired)
    ):
        served.setdefault(site, set()).add(network)
    for change in changes:
        yield from _judge_place(change)
        yield from _judge_networks(change, networks, served.get(change.key, set()))


def _judge_place(change: Change) -> Iterator[ImportFault]:
    after = change.after
    latitude, longitude = after["latitude"], after["longitude"]
    if _within(FRENCH_LONGITUDES, latitude) and _within(FRENCH_LATITUDES, longitude):
        reason = Sentence(
            "%(latitude)s with longitude %(longitude)s: they look changed over (GeoJSON: longitude first)",
            latitude=latitude,
            longitude=longitude,
        )
        yield ImportFault(change.where, "latitude", reason)
    if after["eu_funded"] and after["ads_allowed"]:
        yield ImportFault(
            change.where, "ads_allowed", Sentence("European money forbids ads: eu_funded is true")
        )
    if opening_hours.parse(after["opening_hours"]).names_school and not after["school_zone"]:
        reason = Sentence("is empty, and opening_hours name SH: whose school holidays are they, A, B or C?")
        yield ImportFault(change.where, "school_zone", reason)
    since, until = after["state_since"], after["state_until"]
    if since and until and until <= since:
        yield ImportFault(change.where, "state_until", Sentence("is not after state_since"))


def _judge_networks(
    change: Change, networks: Mapping[str, Network], served: set[str]
) -> Iterator[ImportFault]:
    offered = change.after["networks"]
    for slug in offered:
        if slug not in networks:
            known = ", ".join(sorted(networks)) or "none"
            yield ImportFault(
                change.where,
                "networks",
                Sentence("there is no network %(slug)s; there are: %(known)s", slug=slug, known=known),
            )
        elif not may_serve(networks[slug].kind, change.after["kind"]):
            yield ImportFault(
                change.where,
                "networks",
                Sentence("%(slug)s is a library network, and this is no library", slug=slug),
            )
        else:
            own = {name: change.after[name] for name in LENGTHS}
            of_network = {name: getattr(networks[slug], name) for name in ("renewal_seconds", *LENGTHS)}
            for name, reason in unfit_lengths(own, of_network):
                yield ImportFault(
                    change.where, name, Sentence("on %(slug)s, %(reason)s", slug=slug, reason=reason)
                )
    for slug in sorted(served.difference(offered)):
        yield ImportFault(
            change.where, "networks", Sentence("a gateway here still serves %(slug)s", slug=slug)
        )


def _within(range_: tuple[float, float], number: float) -> bool:
    return range_[0] <= number <= range_[1]


def _write(db: Session, changes: Sequence[Change]) -> dict[str, str]:
    networks = {network.slug: network for network in db.scalars(select(Network))}
    known = _all(db)
    for change in changes:
        site = known.get(change.key) or Site()
        for name in COLUMNS:
            if name != "networks":
                setattr(site, name, change.after[name])
        site.names = {
            match[1]: name
            for column, name in sorted(change.after.items())
            if name and (match := _NAME.fullmatch(column))
        }
        site.networks = [networks[slug] for slug in change.after["networks"]]
        db.add(site)
    return {}


SITES = Records("sites", "slug", _column, _names, _current, _judge, _write)


def site_records(zone: str) -> Records:
    """Sites of which a new one is in this zone where its row says nothing else."""
    here = Column(cells.zone, zone)
    return replace(SITES, column=lambda name: here if name == "zone" else _column(name))
