"""The staff's pages in Chromium: accessible, fitting, alone; and a clerk's first minute, with the keyboard alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, Request, expect
from sqlalchemy import select

from auth.audit.log import AuditEntry
from auth.staff import accounts
from auth.staff.models import Staff
from auth.staff.roles import ALL_NETWORKS, Authority, Role
from auth.staff.totp import STEP_SECONDS
from auth.vouchers import plans
from auth.vouchers.models import Batch, Voucher
from sessions.gateway_health import dialogues
from sessions.models import Mismatch, MismatchKind, Outage
from sites.models import Gateway
from tests.actors import TESTER
from tests.ads.campaigns import make_draft, run_campaign
from tests.auth.fixed_devices.devices import admit_devices, register_device
from tests.portal.pages.axe import broken_in_both_themes
from tests.portal.pages.scene import Portal, open_window, running_portal
from tests.portal.staff.conftest import PASSWORD
from tests.portal.staff.window import DESKTOP, Clerk

pytestmark = pytest.mark.browser
# A box or a button to tick is as large as its label.
TARGETS = (
    ".go, .calm, .tap, .brand, .languages a, .menu a, summary, select, "
    ".choice, input:not([type=hidden],[type=checkbox],[type=radio])"
)
# The form of a campaign is checked by a script while it is typed.
WITH_SCRIPT = {"sheet", "batch", "batches", "search", "new-campaign", "new-campaign-refused", "campaign-edit"}
WITH_SCRIPT |= {"log-list", "log-online"}
A_LONG_CALL = "POST /api/s/default/cmd/stamgr " + "0123456789abcdef" * 8
# One of those that the demo gateway there has.
CAMERA_ADDRESS = "127.0.0.1"
CODE = re.compile(r"[2-9A-HJKMNP-Z]{3}(-[2-9A-HJKMNP-Z]{3}){2}")


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    with running_portal(tmp_path_factory.mktemp("staff-pages")) as portal:
        plans_and_campaigns(portal)
        yield portal


def plans_and_campaigns(portal: Portal) -> None:
    """Passes can be issued, one campaign runs, and another is a draft."""
    with portal.services.make_session.begin() as db:
        plans.add_first_plans(db)
        run_campaign(db, now=portal.clock(), goal=4000, price_cents=850)
        make_draft(db, "cake", goal=100)


def refused(clerk: Clerk) -> None:
    clerk.page.context.clear_cookies()
    clerk.give_password("not the password")


def second_step(clerk: Clerk) -> None:
    clerk.page.context.clear_cookies()
    clerk.give_password()


def setup(clerk: Clerk) -> None:
    services = clerk.portal.services
    with services.make_session.begin() as db:
        authority = Authority(frozenset({Role.DESK}), ALL_NETWORKS)
        login = f"new.{clerk.lang}"
        token = accounts.invite(
            db, login=login, name="Lou", authority=authority, actor=TESTER, now=services.clock()
        ).token
    clerk.goto(f"/staff/setup/{token}")


def issued(clerk: Clerk, count: str = "") -> None:
    clerk.goto("/staff/desk")
    clerk.page.fill("#count", count)
    clerk.enter("#count")


def previewed(clerk: Clerk, paper: str) -> None:
    clerk.page.select_option("#paper", paper)
    clerk.preview()


def printed(clerk: Clerk) -> None:
    with clerk.page.expect_navigation():
        clerk.page.click('button[formaction*="/desk/sheet"]')


def print_refused(clerk: Clerk) -> None:
    clerk.page.locator(".print summary").click()
    clerk.page.fill("#right", "far")
    clerk.preview()


def desk_refused(clerk: Clerk) -> None:
    clerk.goto("/staff/desk")
    clerk.page.fill("#count", "lots")
    clerk.enter("#count")


def newest(clerk: Clerk, path: str, column: object) -> None:
    with clerk.portal.services.make_session() as db:
        found = db.scalar(select(column).order_by(column.desc()))  # type: ignore[attr-defined,call-overload]
    clerk.goto(path.format(found))


def revoked(clerk: Clerk) -> None:
    newest(clerk, "/staff/passes/{}", Voucher.id)
    with clerk.page.expect_navigation():
        clerk.page.locator('form[action*="/revoke"] button').click()


def ailing(clerk: Clerk) -> None:
    """A gateway about which there is everything to say."""
    now = clerk.portal.clock()
    with clerk.portal.services.make_session.begin() as db:
        gateway = db.scalars(select(Gateway).order_by(Gateway.id)).first()
        assert gateway is not None
        gateway.health = {"clock_offset": 3.4, "held": 2, "refused": {"spoofed": 7, "dns": 1}}
        gateway.seen_at = now - timedelta(minutes=9)
        db.merge(Outage(id=1, gateway_id=gateway.id, since=now - timedelta(minutes=9)))
        db.merge(
            Mismatch(
                id=1,
                gateway_id=gateway.id,
                number=1,
                kind=MismatchKind.MISSING,
                since=now,
                last_at=now,
                reports=3,
            )
        )
        for said, answered in (
            (A_LONG_CALL, '200 {"meta":{"rc":"ok"}}'),
            ("landing", "refused: no such hid"),
        ):
            dialogues.note(db, gateway_id=gateway.id, said=said, answered=answered, now=now)
        identity = gateway.identity
    clerk.goto(f"/staff/gateways/{identity}")


def set_up(clerk: Clerk) -> None:
    """A box of another make, in whose lines a secret stands."""
    with clerk.portal.services.make_session.begin() as db:
        gateway = db.scalars(select(Gateway).order_by(Gateway.id.desc())).first()
        assert gateway is not None
        gateway.kind, identity = "opennds", gateway.identity
    clerk.goto(f"/staff/gateways/{identity}/setup")


def secrets_shown(clerk: Clerk) -> None:
    with clerk.page.expect_navigation():
        clerk.page.locator('form[action*="/setup"] button').click()


def credential_made(clerk: Clerk) -> None:
    clerk.goto("/staff/gateways/gw-viotte/setup")
    with clerk.page.expect_navigation():
        clerk.page.locator('form[action*="/credential"] button').click()


def block_asked(clerk: Clerk) -> None:
    clerk.goto("/staff/blocks")
    clerk.page.fill("#mac", "02:00:00:00:0b:01")
    clerk.page.select_option("#network", "*")
    clerk.page.select_option("#cause", "misuse")
    clerk.enter("#note")


def blocked(clerk: Clerk) -> None:
    block_asked(clerk)
    with clerk.page.expect_navigation():
        clerk.page.locator('form[action*="/blocks"] .go').click()


def recovery(clerk: Clerk) -> None:
    clerk.goto("/staff/account")
    with clerk.page.expect_navigation():
        clerk.page.locator('form[action*="/recovery"] button').click()


def confirming(clerk: Clerk) -> None:
    clerk.portal.clock.advance(minutes=11)
    clerk.goto("/staff/people")


def crisis_started(clerk: Clerk) -> None:
    clerk.goto("/staff/crisis")
    clerk.page.fill("#text-fr", "Quittez les quais.")
    clerk.page.fill("#title-fr", "Crue du Doubs")
    clerk.page.check("input[name=where][value=everywhere]")
    clerk.enter("#hours")


def crisis_refused(clerk: Clerk) -> None:
    with clerk.page.expect_navigation():
        clerk.page.locator('form[action*="/stop"] button').first.click()
    clerk.enter("#hours")


def network_looked_at(clerk: Clerk) -> None:
    """A network with its first page as guests would see it."""
    clerk.goto("/staff/records/networks/wifilib")
    clerk.page.locator("button[formaction*=preview]").click()
    clerk.page.locator("iframe").first.wait_for()


def place_clicked(clerk: Clerk) -> None:
    """A place with its pin where the map was clicked, and the weeks to come."""
    clerk.goto("/staff/records/sites/gare-viotte")
    clerk.page.locator("input[type=image][name=near]").click(position={"x": 200, "y": 90})
    clerk.page.locator("details.weeks[open]").wait_for()
    assert clerk.page.locator("#latitude").input_value() > "47.2"


def election_noted(clerk: Clerk) -> None:
    clerk.goto("/staff/elections")
    clerk.page.fill("#name", "municipales")
    for round in ("first", "last"):
        clerk.page.fill(f"#{round}_round", f"20{27 if clerk.lang == 'fr' else 33}-03-14")
    clerk.enter("#name")


def told(clerk: Clerk) -> None:
    clerk.goto("/staff/alerts")
    clerk.page.fill("#address", f"reseau-{clerk.lang}@example.org")
    clerk.page.fill("#quiet_from", "22:00")
    clerk.page.fill("#quiet_until", "07:00")
    clerk.enter("#address")


def telling_refused(clerk: Clerk) -> None:
    clerk.page.fill("#address", "nobody")
    clerk.enter("#address")


def campaign_refused(clerk: Clerk) -> None:
    clerk.page.select_option("#category", "alcohol")
    clerk.page.fill("#goal", "many")
    clerk.page.check("input[name=networks]")
    clerk.enter("#goal")


def made_token(clerk: Clerk) -> None:
    clerk.goto("/staff/tokens")
    clerk.page.fill("#name", f"tickets-{clerk.lang}")
    clerk.page.check("input[value='passes:issue']")
    clerk.page.check("input[name=reach][value=all]")
    clerk.enter("#name")


def device(clerk: Clerk) -> None:
    """A camera with a fixed address, and a page for its owner."""
    services = clerk.portal.services
    with services.make_session.begin() as db:
        admit_devices(db)
        registered = register_device(db, now=services.clock(), address=CAMERA_ADDRESS)
        services.owner_links.make(db, registered, actor=TESTER, now=services.clock())
    clerk.goto("/staff/records/devices/cam-gare")


SIGNED_OUT: dict[str, Callable[[Clerk], None]] = {
    "signin": lambda clerk: clerk.goto("/staff/signin"),
    "refused": refused,
    "second-step": second_step,
    "setup": setup,
}
SIGNED_IN: dict[str, Callable[[Clerk], None]] = {
    "overview": lambda clerk: clerk.goto("/staff/overview"),
    "help": lambda clerk: clerk.goto("/staff/help"),
    "no-such-page": lambda clerk: clerk.goto("/staff/no-such-page"),
    "search": lambda clerk: clerk.goto("/staff/search?words=bread"),
    "desk": lambda clerk: clerk.goto("/staff/desk"),
    "desk-refused": desk_refused,
    "issued": issued,
    "issued-many": lambda clerk: issued(clerk, "12"),
    "sheet": printed,
    "issued-again": lambda clerk: issued(clerk, "12"),
    "preview": lambda clerk: previewed(clerk, "l7160"),
    "preview-receipt": lambda clerk: previewed(clerk, "escpos"),
    "print-refused": print_refused,
    "desk-today": lambda clerk: clerk.goto("/staff/desk"),
    "batches": lambda clerk: clerk.goto("/staff/batches"),
    "batch": lambda clerk: newest(clerk, "/staff/batches/{}", Batch.id),
    "pass": lambda clerk: newest(clerk, "/staff/passes/{}", Voucher.id),
    "pass-revoked": revoked,
    "people": lambda clerk: clerk.goto("/staff/people"),
    "person": lambda clerk: newest(clerk, "/staff/people/{}", Staff.id),
    "tokens": made_token,
    "tokens-list": lambda clerk: clerk.goto("/staff/tokens"),
    "campaigns": lambda clerk: clerk.goto("/staff/campaigns"),
    "campaign": lambda clerk: clerk.goto("/staff/campaigns/bread"),
    "campaign-preview": lambda clerk: clerk.goto("/staff/campaigns/bread/preview"),
    "calendar": lambda clerk: clerk.goto("/staff/calendar"),
    "crisis": crisis_started,
    "crisis-refused": crisis_refused,
    "advertisers": lambda clerk: clerk.goto("/staff/payers"),
    "advertiser": lambda clerk: clerk.goto("/staff/payers/bakery"),
    "elections": election_noted,
    "new-campaign": lambda clerk: clerk.goto("/staff/new-campaign"),
    "new-campaign-refused": campaign_refused,
    "campaign-edit": lambda clerk: clerk.goto("/staff/campaigns/cake/edit"),
    "gateways": lambda clerk: clerk.goto("/staff/gateways"),
    "gateway": ailing,
    "alerts": told,
    "alerts-refused": telling_refused,
    "gateway-setup": set_up,
    "gateway-secrets": secrets_shown,
    "networks": lambda clerk: clerk.goto("/staff/records/networks"),
    "network": network_looked_at,
    "place": place_clicked,
    "gateway-new": lambda clerk: clerk.goto("/staff/records/gateways/-/new"),
    "gateway-credential": credential_made,
    "device": device,
    "devices": lambda clerk: clerk.goto("/staff/records/devices"),
    "device-new": lambda clerk: clerk.goto("/staff/records/devices/-/new"),
    "plans": lambda clerk: clerk.goto("/staff/records/plans"),
    "plan": lambda clerk: clerk.goto("/staff/records/plans/day"),
    "cards": lambda clerk: clerk.goto("/staff/patrons"),
    "limits": lambda clerk: clerk.goto("/staff/limits"),
    "blocks": blocked,
    "block-question": block_asked,
    "trail": lambda clerk: clerk.goto("/staff/trail"),
    "reports": lambda clerk: clerk.goto("/staff/reports"),
    "signed-reports": lambda clerk: clerk.goto("/staff/reports/signed"),
    "reports-refused": lambda clerk: clerk.goto("/staff/reports?first=nonsense&last=2026-01-01"),
    "account": lambda clerk: clerk.goto("/staff/account"),
    "recovery": recovery,
    "nowhere": lambda clerk: clerk.goto("/staff/nowhere"),
    "confirming": confirming,
}


@pytest.mark.parametrize("lang", ["fr", pytest.param("en", marks=pytest.mark.release)])
def test_every_page_is_open_to_all(portal: Portal, chromium: Browser, lang: str) -> None:
    """One walk through all pages: axe in light and dark, 320 pixels, targets, no script, nothing fetched."""
    with open_window(chromium, viewport=DESKTOP) as window:
        clerk = Clerk(portal, window.new_page(), lang, login=f"dana.{lang}")
        clerk.hire(Role.ADMIN)
        asked: list[Request] = []
        clerk.page.on("request", lambda request: asked.append(request))
        for name, go in SIGNED_OUT.items():
            go(clerk)
            look(clerk, f"{name}-{lang}")
        clerk.sign_in()
        for name, go in SIGNED_IN.items():
            go(clerk)
            look(clerk, f"{name}-{lang}")
        kinds = {request.resource_type for request in asked}
        assert {"document"} <= kinds <= {"document", "script", "fetch"}
        # A frame with a guests' page has it from the page that it stands in.
        ours = (f"{portal.url}/staff", "about:srcdoc")
        assert {request.url for request in asked if not request.url.startswith(ours)} == set()


def look(clerk: Clerk, name: str) -> None:
    """What holds for every page."""
    page = clerk.page
    assert broken_in_both_themes(page) == [], name
    assert page.locator("html").get_attribute("lang") == clerk.lang, name
    assert page.locator("h1").count() == 1, name
    assert page.locator("script:not([src]), [style], link[rel=stylesheet]").count() == 0, name
    own = name.rpartition("-")[0] in WITH_SCRIPT
    assert page.locator("script").count() == page.locator("nav.menu").count() + own, name
    heights = page.eval_on_selector_all(
        TARGETS, "found => found.map(one => [one.outerHTML.slice(0, 90), one.getBoundingClientRect().height])"
    )
    assert [found for found in heights if 0 < found[1] < 44] == [], name
    page.set_viewport_size({"width": 320, "height": 568})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{name} is too wide"
    page.set_viewport_size(DESKTOP)


def test_a_clerk_gives_a_pass_with_the_keyboard_alone(portal: Portal, chromium: Browser) -> None:
    """From the sign-in page to the code on the screen, and to paper: two keystrokes at the desk itself."""
    with open_window(chromium, viewport=DESKTOP, java_script_enabled=False) as window:
        clerk = Clerk(portal, window.new_page(), "fr")
        clerk.hire(Role.DESK)
        portal.clock.advance(seconds=STEP_SECONDS)
        clerk.goto("/staff/signin")
        expect(clerk.page.locator("#login")).to_be_focused()
        for text in (clerk.login, PASSWORD):
            clerk.page.keyboard.type(text)
            clerk.page.keyboard.press("Tab")
        clerk.page.keyboard.press("Enter")
        expect(clerk.page.locator("#code")).to_be_focused()
        clerk.page.keyboard.type(clerk.code())
        clerk.page.keyboard.press("Enter")
        expect(clerk.page.locator("#count")).to_be_focused()
        clerk.page.keyboard.press("Enter")
        expect(clerk.page.locator(".aloud")).to_have_text(CODE)
        expect(clerk.page.locator('form[action*="/desk/print"] .go')).to_be_focused()
        # Its answer comes when all that it did is written down.
        with clerk.page.expect_navigation():
            clerk.page.keyboard.press("Enter")
        with clerk.portal.services.make_session() as db:
            wanted = select(AuditEntry.action).where(AuditEntry.actor == "cem").order_by(AuditEntry.number)
            assert db.scalars(wanted).all()[-3:] == ["signed in", "passes issued", "slips printed"]
        expect(clerk.page.locator("#as-pdf")).to_be_visible()
