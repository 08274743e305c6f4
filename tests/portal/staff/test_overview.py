"""The overview: what is broken first, and numbers that lead to the lists that make them; each role sees its own."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from auth import classes
from auth.staff.roles import Role
from portal.services import Services
from sessions.alerts.models import Message, Stage
from sessions.models import EndReason
from sessions.online import last_day
from sessions.retention import clock_check
from sessions.troubles import kinds
from sessions.troubles.models import Trouble
from sessions.troubles.service import Found, record
from sites.models import SigninMethod, Site, SiteState
from tests.actors import TESTER
from tests.clock import NOON, MovingClock
from tests.portal.staff.conftest import Clerk, Desk
from tests.portal.staff.world import World
from tests.sessions.log.rows import add_session
from tests.town import Town

DEVICE = {"device": "Caméra", "owner": "Boulangerie Ada", "site": "Battant"}
TILE = re.compile(r"<dt>([^<]*)</dt>\s*<dd><a class=\"tap\" href=\"([^\"]*)\"><strong>([^<]*)</strong>")


def tiles(clerk: Clerk) -> dict[str, str]:
    """The value of each number by its name; every one leads to a page that this person may see."""
    page = clerk.get("/staff/overview").text
    found = TILE.findall(page)
    links = [url for _, url, _ in found] + re.findall(r'<h2 id="online"><a class="tap" href="([^"]*)"', page)
    for url in links:
        assert clerk.get(url.replace("&amp;", "&")).status_code in (200, 303), url
    return {name: value for name, _, value in found}


def test_each_role_sees_its_own_numbers_and_each_leads_on(desk: Desk, world: World) -> None:
    seen = {role: tiles(desk.at_work(f"some.{role.value}", role)) for role in Role}
    assert set(seen[Role.DESK]) == {"Passes issued today"}
    assert {"Gateways that are well", "Next works", "Refusals today"} <= set(seen[Role.NETWORK])
    assert {"Fixed devices missing", "Classes on now", "Alerts not delivered"} <= set(seen[Role.NETWORK])
    assert set(seen[Role.SCHOOL]) == {"Classes on now"}
    assert set(seen[Role.REPORT]) == {"Running experiments"}
    assert set(seen[Role.PRIVACY]) == {"Refusals today", "Last purge", "Legal holds", "Open requisitions"}
    assert set(seen[Role.ADS]) == {"Running campaigns"}
    assert {"Passes issued today", "Running campaigns", "Active accounts"} <= set(seen[Role.ADMIN])
    assert not {"Refusals today", "Legal holds"} & set(seen[Role.ADMIN])


def test_numbers_are_of_ones_own_networks(desk: Desk, world: World, services: Services) -> None:
    everywhere = tiles(desk.at_work("ada", Role.NETWORK))
    mine = tiles(desk.at_work("bo", Role.NETWORK, networks=("bibliotheques",)))
    assert everywhere["Refusals today"] == "2" and mine["Refusals today"] == "1"
    assert tiles(desk.at_work("cy", Role.DESK))["Passes issued today"] == "4"
    assert tiles(desk.at_work("di", Role.DESK, networks=("bibliotheques",)))["Passes issued today"] == "2"


def test_what_is_broken_comes_first_with_word_and_since_when(
    desk: Desk, services: Services, town: Town, clock: MovingClock
) -> None:
    net, clerk = desk.at_work("noor", Role.NETWORK), desk.at_work("cem", Role.DESK)
    assert "Nothing of yours is broken." in net.get("/staff/overview").text
    detail = {"site": "Gare Viotte", "site_slug": "gare-viotte"}
    silent = Found(kinds.GATEWAY_SILENT, "gw-viotte", NOON, ("wifilib",), detail)
    low = Found(kinds.DISK_LOW, "/srv", NOON - timedelta(hours=1), detail={"free": 90})
    with services.make_session.begin() as db:
        record(db, (kinds.GATEWAY_SILENT,), [silent], now=clock())
        record(db, (kinds.DISK_LOW,), [low], now=clock())
    page = net.get("/staff/overview").text
    first, second = page.index("gw-viotte is silent"), page.index("The disk fills up: 90 MB")
    assert first < second < page.index("devices online now")
    assert 'href="/staff/gateways/gw-viotte"' in page and '<strong class="word">broken</strong>' in page
    assert 'datetime="2026-11-24T11:00:00+00:00"' in page
    assert "gw-viotte" not in clerk.get("/staff/overview").text
    with services.make_session.begin() as db:
        record(db, (kinds.GATEWAY_SILENT,), [], now=clock())
    page = net.get("/staff/overview").text
    assert "1 trouble was over within the last hour" in page


def test_a_sweep_that_is_dead_is_told_to_everybody(
    desk: Desk, services: Services, clock: MovingClock
) -> None:
    clerk = desk.at_work("cem", Role.DESK)
    with services.make_session.begin() as db:
        clock_check.look(db, now=clock())
    assert "The sweep does not run" not in clerk.get("/staff/overview").text
    clock.advance(minutes=6)
    assert "The sweep does not run" in clerk.get("/staff/overview").text


def test_the_last_day_counts_who_was_online_at_each_quarter(services: Services, town: Town) -> None:
    hour = timedelta(hours=1)
    with services.make_session.begin() as db:
        ended: dict[str, Any] = {"ended_at": NOON - 2 * hour, "end_reason": EndReason.LEFT}
        add_session(db, town.station, NOON - 3 * hour, mac="02:00:00:00:00:01", **ended)
        add_session(
            db,
            town.battant,
            NOON - 30 * hour,
            mac="02:00:00:00:00:02",
            ended_at=NOON - 23 * hour,
            end_reason=EndReason.LEFT,
        )
        add_session(db, town.pierre_bayle, NOON - hour / 4, mac="02:00:00:00:00:03")
        camera = add_session(db, town.pierre_bayle, NOON - hour, mac="02:00:00:00:00:04")
        camera.method = SigninMethod.MANAGED
        db.flush()
        day, library = last_day(db, now=NOON), last_day(db, now=NOON, networks=["bibliotheques"])
    # A quarter of an hour in which somebody comes or goes counts who is there at its instant.
    assert len(day.counts) == 97
    assert day.counts[:4] == (1, 1, 1, 1) and day.counts[4] == 0
    assert [day.counts[96 - quarters] for quarters in (12, 9, 8, 1, 0)] == [1, 1, 0, 1, 1]
    assert (day.most, day.now, sum(library.counts)) == (1, 1, 2)


def test_the_next_works_are_told(desk: Desk, services: Services, world: World, clock: MovingClock) -> None:
    net = desk.at_work("noor", Role.NETWORK)
    assert tiles(net)["Next works"] == "none planned"
    with services.make_session.begin() as db:
        site = db.query(Site).filter_by(slug="battant").one()
        site.state, site.state_since = SiteState.OUTAGE, clock() + timedelta(days=2)
    assert tiles(net)["Next works"] == "Battant"


def test_what_is_missing_on_or_running_is_counted(
    desk: Desk, services: Services, world: World, clock: MovingClock
) -> None:
    net, admin = desk.at_work("noor", Role.NETWORK), desk.at_work("dana", Role.ADMIN)
    library = desk.at_work("bo", Role.NETWORK, networks=("bibliotheques",))
    seen = tiles(net)
    assert (seen["Fixed devices missing"], seen["Classes on now"], seen["Alerts not delivered"]) == (
        "0",
        "0",
        "0",
    )
    # Two experiments are on since today, one for each network.
    assert tiles(admin)["Running experiments"] == "2"
    silent = Found(kinds.DEVICE_SILENT, "device-of-bibliotheques", NOON, ("bibliotheques",), {**DEVICE})
    away = Found(kinds.DEVICE_SILENT, "device-of-other-town", NOON, ("other-town",), {**DEVICE})
    with services.make_session.begin() as db:
        record(db, (kinds.DEVICE_SILENT,), [silent, away], now=clock())
        tablets = classes.find(db, "class-bibliotheques")
        assert tablets is not None
        hour, site = timedelta(hours=1), tablets.stops[0].site.slug
        classes.switch_on(db, tablets, site=site, length=hour, by="Ada", actor=TESTER, now=clock())
        first, second = db.query(Trouble).all()
        for trouble in (first, second):
            tried: dict[str, Any] = {"claimed_at": NOON, "try_at": NOON, "attempts": 1, "stage": Stage.BEGAN}
            db.add(Message(trouble_id=trouble.id, target="webhook", failure="refused", **tried))
    seen, mine = tiles(net), tiles(library)
    assert (seen["Fixed devices missing"], seen["Classes on now"], seen["Alerts not delivered"]) == (
        "2",
        "1",
        "2",
    )
    assert (mine["Fixed devices missing"], mine["Classes on now"]) == ("1", "1")
    # Who is told is nothing for those who work for some networks.
    assert "Alerts not delivered" not in mine
