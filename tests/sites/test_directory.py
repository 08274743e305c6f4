"""What the public sees of the sites, and what it does not."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from sites.demo.town import load_demo
from sites.directory import COLUMNS, geojson, hotspot, hotspots
from sites.models import Network, Site, SiteState
from tests.sites.places import pierre_bayle, viotte

FRIDAY_NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
SUNDAY_NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def test_it_says_when_an_open_place_closes_and_a_closed_one_opens(library: Site) -> None:
    friday, sunday = hotspot(library, now=FRIDAY_NOON), hotspot(library, now=SUNDAY_NOON)
    assert (friday.open, friday.closes_at, friday.opens_at) == (
        True,
        datetime(2026, 11, 20, 18, tzinfo=UTC),
        None,
    )
    assert (sunday.open, sunday.closes_at, sunday.opens_at) == (
        False,
        None,
        datetime(2026, 11, 24, 9, tzinfo=UTC),
    )


def test_it_shows_the_state_of_the_moment(wifilib: Network) -> None:
    site = viotte(state=SiteState.OUTAGE, state_since=FRIDAY_NOON, state_until=SUNDAY_NOON)
    assert hotspot(site, now=FRIDAY_NOON).state is SiteState.OUTAGE
    assert hotspot(site, now=SUNDAY_NOON).state is SiteState.LIVE


def test_it_says_whether_there_are_ads(station: Site, library: Site) -> None:
    assert hotspot(station, now=FRIDAY_NOON).ads
    assert not hotspot(library, now=FRIDAY_NOON).ads


@pytest.mark.parametrize(
    ("state", "since", "until", "listed"),
    [
        (SiteState.LIVE, None, None, True),
        (SiteState.PLANNED, None, None, True),
        (SiteState.OUTAGE, None, None, True),
        (SiteState.CLOSED, None, None, False),
        (SiteState.CLOSED, None, SUNDAY_NOON, True),
        (SiteState.CLOSED, SUNDAY_NOON, None, True),
        (SiteState.LIVE, None, FRIDAY_NOON, False),
    ],
)
def test_it_lists_all_but_what_closed_for_good(
    db: Session, state: SiteState, since: datetime | None, until: datetime | None, listed: bool
) -> None:
    db.add(viotte(state=state, state_since=since, state_until=until))
    assert bool(hotspots(db, now=FRIDAY_NOON)) is listed


def test_the_open_data_has_the_documented_columns_and_no_other(db: Session) -> None:
    load_demo(db, now=FRIDAY_NOON)
    collection = geojson(hotspots(db, now=FRIDAY_NOON), now=FRIDAY_NOON)
    assert len(collection["features"]) == 53
    assert all(list(found["properties"]) == list(COLUMNS) for found in collection["features"])
    assert collection["licence"]["id"] == "etalab-2.0"
    assert collection["generated_at"] == "2026-11-20T12:00:00+00:00"


def test_the_open_data_is_json_with_the_longitude_first(station: Site) -> None:
    collection = json.loads(json.dumps(geojson([hotspot(station, now=FRIDAY_NOON)], now=FRIDAY_NOON)))
    [found] = collection["features"]
    assert found["geometry"] == {"type": "Point", "coordinates": [6.022, 47.247]}
    assert found["properties"]["networks"] == [
        {"ssid": "Besancon-WiFi", "kind": "public", "signin_methods": ["free"]}
    ]


def test_contact_and_note_are_not_public(db: Session, wifilib: Network) -> None:
    site = viotte(contact="secret-contact", note="secret-note", networks=[wifilib])
    db.add(site)
    shown = json.dumps(geojson(hotspots(db, now=FRIDAY_NOON), now=FRIDAY_NOON)) + repr(
        hotspots(db, now=FRIDAY_NOON)
    )
    assert "secret" not in shown


def test_a_longer_list_takes_no_more_queries(db: Session, wifilib: Network) -> None:
    def queries() -> int:
        asked: list[str] = []

        def note(*details: object) -> None:
            asked.append(str(details[2]))

        db.expire_all()
        engine = db.get_bind()
        event.listen(engine, "before_cursor_execute", note)
        hotspots(db, now=FRIDAY_NOON + timedelta(days=1))
        event.remove(engine, "before_cursor_execute", note)
        return len(asked)

    db.add_all([viotte(networks=[wifilib]), pierre_bayle(networks=[wifilib])])
    db.flush()
    few = queries()
    db.add_all(viotte(slug=f"site-{number}", networks=[wifilib]) for number in range(20))
    db.flush()
    assert queries() == few


def test_names_stand_in_the_order_of_the_alphabet(db: Session, wifilib: Network) -> None:
    """By code point, É and Î would come after Z."""
    names = ["Tram UFR Médecine", "Tram Époisses", "tram Allende", "Tram Île-de-France", "Tram Flore"]
    db.add_all(
        viotte(networks=[wifilib], slug=f"place-{number}", name=name) for number, name in enumerate(names)
    )
    db.flush()
    assert [spot.name for spot in hotspots(db, now=FRIDAY_NOON)] == [
        "tram Allende",
        "Tram Époisses",
        "Tram Flore",
        "Tram Île-de-France",
        "Tram UFR Médecine",
    ]
