"""Records on pages: added, changed, undone, copied, taken in from a file; the same judge as any other way in."""

from __future__ import annotations

import html
import io
import re

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from auth.audit.log import AuditEntry
from auth.staff.roles import Role
from sites.import_export import SITES, export_records, history
from sites.models import Network, Site
from tests.portal.staff.configuration.forms import SITES_PAGE, hand_in, send, shown
from tests.portal.staff.conftest import Clerk, Desk
from tests.town import Town

NETWORKS = "/staff/records/networks"
SQUARE = {
    "name": "Place Granvelle",
    "slug": "granvelle",
    "kind": "square",
    "address": "Place Granvelle",
    "latitude": "47,2352",
    "longitude": "6.0249",
    "networks": "wifilib",
    "state": "live",
    "zone": "Europe/Paris",
}


@pytest.fixture
def technician(desk: Desk) -> Clerk:
    """Nour, of the network team, for all networks."""
    return desk.at_work("nour", Role.NETWORK)


def test_a_place_is_added_changed_and_the_change_undone(technician: Clerk, db: Session) -> None:
    send(technician, f"{SITES_PAGE}/-/new", **SQUARE)
    assert technician.page.status_code == 303, technician.page.text
    place = technician.follow().request.path
    assert place == f"{SITES_PAGE}/granvelle"
    site = db.scalars(select(Site).where(Site.slug == "granvelle")).one()
    assert (site.latitude, [one.slug for one in site.networks]) == (47.2352, ["wifilib"])
    send(technician, place, state="outage", state_since="2026-11-29T08:00")
    text = technician.follow().text
    assert "<del>in service</del> → <ins>out of order</ins>" in text
    db.rollback()
    changes = history.of_record(db, "sites", "granvelle")
    assert [one.by for one in changes] == ["nour", "nour"]
    assert changes[0].before == {"state": "live", "state_since": ""}
    assert changes[0].after == {"state": "outage", "state_since": "2026-11-29T07:00:00+00:00"}
    technician.press(f"{place}/undo/{changes[0].id}")
    assert technician.follow().status_code == 200
    db.rollback()
    db.refresh(site)
    assert (site.state, site.state_since) == ("live", None)
    assert history.of_record(db, "sites", "granvelle")[0].undoes_id == changes[0].id
    deeds = db.scalars(select(AuditEntry.action).where(AuditEntry.object == "site:granvelle")).all()
    assert deeds == ["record made", "record changed", "record change undone"]


def test_a_form_that_changes_nothing_writes_nothing(technician: Clerk, db: Session) -> None:
    """Line breaks come back from a browser as two signs each: terms of several lines are as they were."""
    db.scalars(select(Network).where(Network.slug == "wifilib")).one().terms = {"fr": "Un.\n\nDeux.\n"}
    db.commit()
    before = export_records(db, SITES)
    for page in (f"{NETWORKS}/wifilib", f"{SITES_PAGE}/gare-viotte"):
        send(technician, page)
        assert technician.page.status_code == 303, technician.page.text
    assert history.of_record(db, "networks", "wifilib") == history.of_record(db, "sites", "gare-viotte") == []
    assert export_records(db, SITES) == before


def test_what_is_wrong_stands_beside_its_field_and_what_was_typed_stays(
    technician: Clerk, db: Session
) -> None:
    send(technician, f"{SITES_PAGE}/-/new", **{**SQUARE, "latitude": "north", "opening_hours": "Mo-Fr 9h"})
    page = technician.page
    assert page.status_code == 400
    assert re.search(r'id="latitude-wrong">[^<]*north', page.text)
    assert re.search(r'id="opening_hours-wrong">[^<]+<', page.text)
    assert re.search(r'<input id="latitude"[^>]*value="north"[^>]*aria-invalid=true', page.text)
    assert 'value="Place Granvelle"' in page.text and '<a href="#latitude">' in page.text
    assert db.scalars(select(Site).where(Site.slug == "granvelle")).first() is None


def test_a_name_that_is_taken_changes_nobody_elses_record(technician: Clerk, db: Session) -> None:
    send(technician, f"{SITES_PAGE}/-/new", **{**SQUARE, "slug": "gare-viotte"})
    assert technician.page.status_code == 400
    assert re.search(r'id="slug-wrong">[^<]+<', technician.page.text)
    assert history.of_record(db, "sites", "gare-viotte") == []


def test_whoever_saves_second_is_told(technician: Clerk, desk: Desk, db: Session) -> None:
    page = f"{SITES_PAGE}/gare-viotte"
    technician.get(page)
    form = shown(technician.page.text)
    send(desk.at_work("lou", Role.NETWORK), page, contact="Lou")
    technician.press(page, **{**form, "contact": "Nour"})
    assert technician.page.status_code == 409
    assert 'value="Nour"' in technician.page.text and "lou" in technician.page.text
    technician.press(page, **shown(technician.page.text))
    assert technician.page.status_code == 303
    assert db.scalars(select(Site.contact).where(Site.slug == "gare-viotte")).one() == "Nour"


def test_a_copy_has_all_but_the_name(technician: Clerk, db: Session) -> None:
    technician.get(f"{SITES_PAGE}/-/new?from=gare-viotte")
    form = shown(technician.page.text)
    assert form["slug"] == form["name"] == ""
    technician.press(f"{SITES_PAGE}/-/new", **{**form, "slug": "gare-2", "name": "Gare 2"})
    assert technician.page.status_code == 303, technician.page.text
    sites = {one.slug: one for one in db.scalars(select(Site))}
    assert sites["gare-2"].address == sites["gare-viotte"].address


def test_a_file_shows_what_it_would_change_before_it_does(technician: Clerk, db: Session) -> None:
    technician.get(f"{SITES_PAGE}/-/csv")
    table = technician.page.data.replace(b'"Gare Viotte"', b'"Gare de Viotte"')
    assert table != technician.page.data
    hand_in(technician, table)
    text = technician.page.text
    assert "<del>Gare Viotte</del> → <ins>Gare de Viotte</ins>" in text and "Take 1 record in" in text
    assert history.of_record(db, "sites", "gare-viotte") == []
    technician.press(f"{SITES_PAGE}/-/take-in")
    assert technician.page.status_code == 303, technician.page.text
    db.rollback()
    (change,) = history.of_record(db, "sites", "gare-viotte")
    assert (change.before, change.after) == ({"name": "Gare Viotte"}, {"name": "Gare de Viotte"})
    hand_in(technician, table)
    assert "The file changes nothing" in technician.page.text


def test_a_file_with_faults_is_refused_whole(technician: Clerk, db: Session) -> None:
    hand_in(technician, b"slug,name,latitude\ngare-viotte,X,1\nbattant,Y,north\n")
    assert technician.page.status_code == 400
    assert "line 3" in technician.page.text and "north" in technician.page.text
    assert history.of_record(db, "sites", "gare-viotte") == []


def test_people_of_one_network_change_its_own_records_alone(desk: Desk, db: Session) -> None:
    clerk = desk.at_work("ines", Role.NETWORK, networks=("bibliotheques",))
    listed = clerk.get(SITES_PAGE).text
    assert "pierre-bayle" in listed and "gare-viotte" not in listed
    assert clerk.get(f"{SITES_PAGE}/gare-viotte").status_code == 404
    assert b"gare-viotte" not in clerk.get(f"{SITES_PAGE}/-/csv").data
    for table in (b"slug,name\ngare-viotte,Mine\n", b"slug,networks\npierre-bayle,wifilib bibliotheques\n"):
        hand_in(clerk, table)
        assert clerk.page.status_code == 400 and "not yours" in html.unescape(clerk.page.text)
    send(clerk, f"{SITES_PAGE}/pierre-bayle", contact="Ines")
    assert clerk.page.status_code == 303, clerk.page.text


def test_a_file_adds_no_gateway_whose_credential_would_be_lost(technician: Clerk, db: Session) -> None:
    technician.get("/staff/records/gateways/-/file")
    table = b"identity,kind,site,network,client_prefixes\ngw-2,nftables,gare-viotte,wifilib,10.9.0.0/24\n"
    technician.press("/staff/records/gateways/-/file", file=(io.BytesIO(table), "gateways.csv"))
    assert technician.page.status_code == 400


def test_a_gateway_is_copied_too(technician: Clerk, town: Town) -> None:
    """Without its name, and with no credential: the page that adds one makes that."""
    page = f"/staff/records/gateways/{town.station.identity}"
    assert f"/staff/records/gateways/-/new?from={town.station.identity}" in technician.get(page).text
    technician.get(f"/staff/records/gateways/-/new?from={town.station.identity}")
    copied = shown(technician.page.text)
    assert copied["identity"] == "" and copied["site"] == town.station.site.slug
