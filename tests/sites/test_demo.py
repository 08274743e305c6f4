"""The demo town is real, complete, and can be loaded as often as one likes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from sites.demo.schools import load_schools
from sites.demo.town import load_demo
from sites.directory import hotspots
from sites.limits import ads_shown
from sites.models import Network, NetworkKind, Site, SiteKind, SiteState
from sites.schools.models import SchoolLine, TabletClass
from sites.schools.timetable import WifiRule

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def test_it_loads_the_town_once(db: Session) -> None:
    first = load_demo(db, now=NOW)
    assert first.networks.created == ("bibliotheques", "wifilib")
    assert len(first.sites.created) == first.sites.rows == db.query(Site).count()
    again = load_demo(db, now=NOW + timedelta(days=1))
    assert not again.sites.created
    assert not again.sites.changed
    assert again.sites.unchanged == first.sites.created
    assert db.query(Network).count() == 2


def test_loading_again_undoes_nothing(db: Session) -> None:
    load_demo(db, now=NOW)
    station = db.scalars(select(Site).where(Site.slug == "gare-viotte")).one()
    assert station.state_since == NOW
    station.state = SiteState.OUTAGE
    station.name = "Viotte"
    db.flush()
    load_demo(db, now=NOW + timedelta(days=1))
    assert (station.state, station.name, station.state_since) == (SiteState.OUTAGE, "Viotte", NOW)


def test_the_library_network_is_in_all_libraries_and_nowhere_else(db: Session) -> None:
    load_demo(db, now=NOW)
    for site in db.scalars(select(Site)):
        kinds = {network.kind for network in site.networks}
        assert kinds == ({NetworkKind.LIBRARY} if site.kind is SiteKind.LIBRARY else {NetworkKind.PUBLIC})


def test_no_library_and_no_european_site_shows_ads(db: Session) -> None:
    load_demo(db, now=NOW)
    sites = db.scalars(select(Site)).all()
    assert any(site.eu_funded for site in sites)
    for site in sites:
        shown = any(ads_shown(site, network) for network in site.networks)
        assert not (shown and (site.eu_funded or site.kind is SiteKind.LIBRARY))


def test_the_town_has_its_places(db: Session) -> None:
    load_demo(db, now=NOW)
    sites = db.scalars(select(Site)).all()
    count = {kind: sum(site.kind is kind for site in sites) for kind in SiteKind}
    assert count[SiteKind.TRAM_STOP] == 31
    assert count[SiteKind.LIBRARY] == 7
    slugs = {site.slug for site in sites}
    assert {"gare-viotte", "battant", "citadelle", "palais-des-sports", "place-du-8-septembre"} < slugs
    for site in sites:
        assert 47.20 < site.latitude < 47.28, site.slug
        assert 5.93 < site.longitude < 6.10, site.slug
        assert "Position" in site.note, site.slug


def test_the_networks_are_as_the_town_wants_them(db: Session) -> None:
    load_demo(db, now=NOW)
    library, public = db.scalars(select(Network).order_by(Network.slug)).all()
    assert (library.signin_methods, library.ads, library.devices_per_person) == (["patron", "pass"], False, 2)
    assert (library.lease_seconds, library.idle_seconds) == (4 * 3600, 30 * 60)
    assert (public.signin_methods, public.ads, public.lease_seconds) == (["free", "managed"], True, 1800)
    assert (public.rate_wanted_kbps, public.rate_down_kbps, public.rate_up_kbps) == (15_000, 55_000, 15_000)


def test_the_terms_are_short_and_say_what_is_kept(db: Session) -> None:
    load_demo(db, now=NOW)
    for network in db.scalars(select(Network)):
        assert set(network.terms) == {"fr", "en"}
        assert all(200 < len(text) < 1200 for text in network.terms.values())
        assert "un an" in network.terms["fr"]
        assert "one year" in network.terms["en"]


def test_the_schools_come_once_and_stay_off_the_public_map(db: Session) -> None:
    load_demo(db, now=NOW)
    before = len(hotspots(db, now=NOW))
    made = load_schools(db, now=NOW)
    assert {name: len(each.created) for name, each in made.items()} == {
        "schools_networks": 1,
        "schools": 68,
        "school_lines": 68,
        "tablet_classes": 15,
        "tablets": 180,
    }
    trolley = db.query(TabletClass).filter_by(slug="chariot-centre").one()
    assert (len(trolley.stops), len(trolley.tablets)) == (5, 12)
    assert all(line.wifi is not WifiRule.ALWAYS for line in db.scalars(select(SchoolLine)))
    assert len(hotspots(db, now=NOW)) == before
    again = load_schools(db, now=NOW + timedelta(days=1))
    assert not any(each.created or each.changed for each in again.values())
