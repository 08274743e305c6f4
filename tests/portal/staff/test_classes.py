"""The page of the classes: the teacher's button, who sees what, and what no gateway can keep; also in Chromium."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from sqlalchemy import select
from sqlalchemy.orm import Session

from auth.staff.roles import Role
from sessions.models import AccessSession
from sites.demo.schools import load_schools
from sites.models import Gateway, Network, SigninMethod, Site
from sites.schools.models import SchoolLine, TabletClass
from tests.portal.pages.axe import broken_in_both_themes
from tests.portal.pages.scene import Portal, open_window, running_portal
from tests.portal.staff.conftest import Clerk as Someone
from tests.portal.staff.conftest import Desk
from tests.portal.staff.window import Clerk
from tests.portal.staff.world import MINE, OTHER, SCHOOL, World
from tests.town import make_gateway

WIDTHS = (390, 768, 1280)
TROLLEY = "chariot-centre"
# Two of the schools at which the trolley stops.
OF_THE_HEAD = ("elementaire-battant", "elementaire-helvetie")
RECORDS = ("school-lines", "classes", "tablets")


def serve(db: Session, identity: str, network: str, *, kind: str = "fake", site: str = SCHOOL) -> Gateway:
    """A gateway at the school, on a network that admits managed devices."""
    row = db.scalars(select(Network).where(Network.slug == network)).one()
    row.signin_methods = sorted({*row.signin_methods, SigninMethod.MANAGED})
    gateway = make_gateway(identity, db.scalars(select(Site).where(Site.slug == site)).one(), row, kind=kind)
    db.add(gateway)
    db.flush()
    return gateway


def test_the_button_lets_the_tablets_in_and_out(desk: Desk, world: World, db: Session) -> None:
    serve(db, "gw-school", MINE)
    db.commit()
    head = desk.at_work("head", Role.SCHOOL)
    assert "No class is on." in head.get("/staff/classes").text
    head.press(f"/staff/classes/class-{MINE}/on", minutes="60")
    page = head.follow().text
    assert "1 class is on." in page and "Switched on by" in page
    online = select(AccessSession).where(
        AccessSession.subject.like("tablet:%"), AccessSession.ended_at.is_(None)
    )
    assert len(db.scalars(online).all()) == 1
    db.rollback()
    head.press(f"/staff/classes/class-{MINE}/off")
    assert "No class is on." in head.follow().text
    assert db.scalars(online).all() == []


def test_records_are_linked_for_those_who_may_change_them(desk: Desk, world: World) -> None:
    def linked(someone: Someone) -> list[str]:
        page = someone.get("/staff/classes").text
        return [kind for kind in RECORDS if f'href="/staff/records/{kind}' in page]

    assert linked(desk.at_work("net", Role.NETWORK)) == list(RECORDS)
    assert linked(desk.at_work("some", Role.NETWORK, networks=(MINE,))) == ["classes"]
    assert linked(desk.at_work("head", Role.SCHOOL)) == []


def test_a_class_says_at_which_school_no_gateway_lets_it_in(desk: Desk, world: World, db: Session) -> None:
    serve(db, "gw-school", MINE)
    serve(db, "gw-unable", OTHER, kind="unifi")
    db.commit()
    net = desk.at_work("net", Role.NETWORK)
    page = net.get("/staff/classes").text
    _, mine, other = sorted(page.split("<section"), key=lambda part: (f"class-{OTHER}" in part, MINE in part))
    lonely = "No gateway lets the tablets of this class in"
    assert lonely not in mine and lonely in other
    assert lonely in net.get(f"/staff/records/classes/class-{OTHER}").text


def test_what_gateways_cannot_keep_is_told_of_line_and_place(desk: Desk, world: World, db: Session) -> None:
    net = desk.at_work("net", Role.NETWORK)
    pages = [f"/staff/records/{kind}/{SCHOOL}" for kind in ("school-lines", "sites")]
    radio, resolver = "cannot switch its wifi off", "cannot keep tablets to one resolver"

    def told() -> set[tuple[bool, bool]]:
        db.commit()
        return {(radio in text, resolver in text) for text in (net.get(page).text for page in pages)}

    serve(db, "gw-able", MINE, kind="nftables")
    assert told() == {(False, False)}
    unable = serve(db, "gw-unable", OTHER, kind="unifi")
    assert told() == {(True, True)}
    line = db.scalars(select(SchoolLine).join(Site).where(Site.slug == SCHOOL)).one()
    line.wifi = type(line.wifi).ALWAYS
    assert told() == {(False, True)}
    unable.is_retired = True
    assert told() == {(False, False)}


def test_a_file_of_lines_says_it_before_it_is_taken_in(
    desk: Desk, world: World, db: Session, tmp_path: Path
) -> None:
    serve(db, "gw-unable", MINE, kind="unifi")
    db.commit()
    net = desk.at_work("net", Role.NETWORK)
    net.get("/staff/records/school-lines/-/file")
    content = f"site,wifi,wifi_hours\n{SCHOOL},hours,Mo-Fr 08:00-17:00\n".encode()
    form = net.form("/staff/records/school-lines/-/file")
    page = net.post("/staff/records/school-lines/-/file", **form, file=(io.BytesIO(content), "lines.csv"))
    assert f"{SCHOOL} – Gateway gw-unable (UniFi)" in page.text
    (tmp_path / "lines.csv").write_bytes(content)
    words = ["sites", "import", str(tmp_path / "lines.csv"), "--records", "school-lines"]
    done = desk.app.test_cli_runner().invoke(args=words)
    assert done.exit_code == 0 and f"{SCHOOL}: " in done.stderr and "gw-unable (UniFi)" in done.stderr


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    with running_portal(tmp_path_factory.mktemp("class-pages")) as portal:
        with portal.services.make_session.begin() as db:
            load_schools(db, now=portal.clock())
            serve(db, "gw-battant-ecoles", "ecoles", site=OF_THE_HEAD[0])
        yield portal


@pytest.mark.browser
@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_a_head_switches_the_trolley_on_and_off(portal: Portal, chromium: Browser, script: bool) -> None:
    with open_window(chromium, java_script_enabled=True) as window:
        head = Clerk(portal, window.new_page(), "fr", login=f"head.{script}", home_site="")
        head.hire(Role.SCHOOL, sites=OF_THE_HEAD)
        head.sign_in()
        cookies = window.cookies()
    with open_window(chromium, java_script_enabled=script) as window:
        window.add_cookies(cookies)  # type: ignore[arg-type]
        page = window.new_page()
        page.goto(f"{portal.url}/staff/classes?lang=fr")
        expect(page.locator("section")).to_have_count(1)
        expect(page.locator("main")).to_contain_text("Aucune classe n’est allumée.")
        page.select_option(f"#site-{TROLLEY}", OF_THE_HEAD[0])
        with page.expect_navigation():
            page.get_by_role("button", name="Allumer pour 1 h").click()
        expect(page.locator("section")).to_contain_text("Allumée par Camille Martin")
        expect(page.locator("main")).to_contain_text("1 classe est allumée.")
        with portal.services.make_session() as db:
            press = db.scalars(select(TabletClass).where(TabletClass.slug == TROLLEY)).one().press
        assert press is not None and press.on and press.site == OF_THE_HEAD[0]
        with page.expect_navigation():
            page.get_by_role("button", name="Éteindre").click()
        expect(page.locator("main")).to_contain_text("Aucune classe n’est allumée.")


@pytest.mark.browser
def test_the_classes_are_open_to_all(portal: Portal, chromium: Browser) -> None:
    """Of the whole town, with lessons that run and a class that somebody has switched on."""
    with open_window(chromium) as window:
        clerk = Clerk(portal, window.new_page(), "fr", login="noor", home_site="")
        clerk.hire(Role.NETWORK)
        clerk.sign_in()
        clerk.goto("/staff/classes")
        with clerk.page.expect_navigation():
            clerk.page.locator('form[action*="mobile-rivotte/on"] button').first.click()
        for width in WIDTHS:
            clerk.page.set_viewport_size({"width": width, "height": 800})
            assert clerk.page.evaluate("document.documentElement.scrollWidth") <= width
            if folder := os.environ.get("PICTURES"):
                clerk.page.screenshot(path=f"{folder}/classes-{width}.png", full_page=True)
        expect(clerk.page.locator("section")).to_have_count(15)
        assert broken_in_both_themes(clerk.page) == []
        clerk.page.get_by_role("link", name="Écoles et leurs lignes").click()
        clerk.page.get_by_role("link", name="École élémentaire de Battant").click()
        expect(clerk.page.locator("h1")).to_have_text("École élémentaire de Battant")
