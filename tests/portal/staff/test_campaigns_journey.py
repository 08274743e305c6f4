"""From an empty page to an approved campaign on a phone, in three browser windows: an author, an approver, a guest."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from ads import campaigns
from auth.staff.roles import Role
from tests.actors import person
from tests.portal.pages.scene import FREE, Portal, new_guest, open_window, running_portal
from tests.portal.staff.window import DESKTOP, Clerk

pytestmark = pytest.mark.browser
# Pressed keys of one field count as one step.
MOST_STEPS = 12


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    with running_portal(tmp_path_factory.mktemp("campaigns")) as portal:
        yield portal


def colleague(portal: Portal, window: BrowserContext, login: str) -> Clerk:
    clerk = Clerk(portal, window.new_page(), "fr", login=login)
    clerk.hire(Role.ADS)
    clerk.sign_in()
    return clerk


class Steps:
    """What somebody does on a page, counted."""

    def __init__(self, clerk: Clerk) -> None:
        self.page, self.count = clerk.page, 0

    def fill(self, field: str, text: str) -> None:
        self.count += 1
        self.page.fill(f'[name="{field}"]', text)

    def choose(self, field: str, label: str) -> None:
        self.count += 1
        self.page.select_option(f'[name="{field}"]', label=label)

    def follow(self, name: str) -> None:
        self.count += 1
        self.page.get_by_role("link", name=name).first.click()

    def press(self, name: str) -> None:
        self.count += 1
        self.page.get_by_role("button", name=name, exact=True).first.click()


def test_two_people_bring_a_campaign_to_a_phone(portal: Portal, chromium: Browser) -> None:
    """Without script, by what the pages say alone."""
    with (
        open_window(chromium, viewport=DESKTOP, java_script_enabled=False) as first,
        open_window(chromium, viewport=DESKTOP, java_script_enabled=False) as second,
        open_window(chromium, java_script_enabled=False) as third,
    ):
        author, approver = colleague(portal, first, "ada.m"), colleague(portal, second, "bo.l")
        author.goto("/staff/")
        steps = Steps(author)
        steps.follow("Campagnes")
        steps.follow("Nouvelle campagne")
        steps.fill("payer", "Boulangerie Ada")
        steps.fill("identity", "Ada SARL, SIREN 123 456 789")
        steps.fill("name", "Pain de Noël")
        steps.choose("category", "Commerce")
        steps.fill("title-new.1-fr", "Le pain de Noël")
        steps.fill("text-new.1-fr", "Dès sept heures.")
        steps.press("Enregistrer le brouillon")
        expect(author.page.get_by_role("heading", level=1)).to_have_text("Pain de Noël")
        steps.press("Proposer")
        expect(author.page.locator("main")).to_contain_text("une autre personne la relit")
        # The town's own messages make room, so that the next choice is this one.
        with portal.services.make_session.begin() as db:
            for one in campaigns.every(db):
                if one.slug != "pain-de-noel":
                    campaigns.stop(db, one.slug, actor=person("cleaner"), now=portal.clock())
        approver.goto("/staff/campaigns?state=proposed")
        steps.page = approver.page
        steps.follow("Pain de Noël")
        steps.press("Approuver")
        expect(approver.page.locator("main")).to_contain_text("en cours")
        guest = new_guest(portal, third, "fr")
        portal.services.stage.forget()
        guest.land(FREE)
        shown = guest.page.locator(".message")
        expect(shown).to_contain_text("Dès sept heures.")
        expect(shown).to_contain_text("Boulangerie Ada")
        assert steps.count <= MOST_STEPS
        steps.press("Arrêter maintenant")
        expect(approver.page.locator("main")).to_contain_text("arrêtée")
        portal.services.stage.forget()
        guest.land(FREE)
        expect(guest.page.locator(".message")).to_have_count(0)


def test_what_is_wrong_and_the_phone_follow_what_is_typed(portal: Portal, chromium: Browser) -> None:
    """With script: the law's short name beside the field, and the message on the phone, before anything is sent."""
    with open_window(chromium, viewport=DESKTOP) as window:
        clerk = colleague(portal, window, "lou.p")
        clerk.goto("/staff/new-campaign")
        page = clerk.page
        page.select_option("#category", label="Alcool")
        expect(page.locator("#category-wrong")).to_contain_text("Code de la santé publique, art. L3323-2")
        expect(page.locator("#category")).to_have_attribute("aria-invalid", "true")
        page.fill('[name="name"]', "Pain")
        expect(page.locator("#payer-wrong")).to_be_empty()
        page.select_option("#category", label="Commerce")
        expect(page.locator("#category-wrong")).to_be_empty()
        page.fill('[name="payer"]', "Boulangerie Ada")
        expect(page.locator("#identity-wrong")).to_contain_text("LCEN, art. 20")
        page.fill('[name="identity"]', "Ada SARL")
        page.fill('[name="title-new.1-fr"]', "Le pain")
        page.fill('[name="text-new.1-fr"]', "Dès sept heures.")
        phone = page.frame_locator("iframe.phone")
        expect(phone.locator(".message")).to_contain_text("Dès sept heures.")
        expect(phone.locator(".message")).to_contain_text("Boulangerie Ada")
        with portal.services.make_session() as db:
            assert all(one.name != "Pain" for one in campaigns.every(db))
