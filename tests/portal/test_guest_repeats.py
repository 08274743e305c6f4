"""Every form of guests, sent again: a double press, a second tab, a page gone back to, one left open, another language.

What is there afterwards is read back from the database; the page that the press leads to is looked at besides.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from portal.services import Services
from sessions.models import AccessSession
from tests.clock import MovingClock
from tests.portal.conftest import ADA, ADA_PIN, Agent, Phone
from tests.portal.effects import changed_since, state
from tests.portal.test_pause import announcements
from tests.portal.visitors import issue, tablet_beside, use
from tests.town import BO_PHONE, Town

__all__ = ["announcements"]
ONLINE, OFFLINE = "You are online", "You are not online"
LONG_OPEN = "This page has been open for too long."
Fields = dict[str, str]


@dataclass
class Stage:
    """A phone in front of a form, with the gateway's agent beside it."""

    app: Flask
    services: Services
    clock: MovingClock
    phone: Phone
    agent: Agent
    # Of a pass, where the form takes one.
    code: str = ""

    def sign_in(self, phone: Phone | None = None) -> None:
        guest = phone or self.phone
        guest.land()
        guest.press("/signin", login=ADA, secret=ADA_PIN)
        self.agent.follow()

    def go_online(self) -> None:
        self.phone.land()
        self.clock.advance(seconds=6)
        self.phone.press("/pause")
        self.agent.follow()

    def waited(self, action: str) -> Fields:
        """The form of the present page, after the time that the message asks for."""
        form = self.phone.form(action)
        self.clock.advance(seconds=6)
        return form

    def heading(self) -> str:
        """The heading of the page that the last answer leads to, when the gateway has done what it was told."""
        self.agent.follow()
        page = self.phone.page
        if page.status_code in (302, 303):
            page = self.phone.get(page.location)
        found = re.search(r"<h1>(.*?)</h1>", page.text)
        return found.group(1) if found else page.text[-500:]


@dataclass(frozen=True)
class Form:
    """One form: what comes before it, the page that shows it (in a language), and what it says when sent."""

    action: str
    prepare: Callable[[Stage], object]
    show: Callable[[Stage, str], Fields]
    leads_to: str = ONLINE


def nothing(_: Stage) -> None:
    """Nothing comes before the first page."""


def landed(stage: Stage, lang: str) -> None:
    stage.phone.get(f"/?landing={stage.phone.landing_token()}&lang={lang}")


def card(stage: Stage, lang: str) -> Fields:
    landed(stage, lang)
    return {**stage.phone.form("/signin"), "login": ADA, "secret": ADA_PIN}


def ticket(stage: Stage, lang: str) -> Fields:
    landed(stage, lang)
    return {**stage.phone.form("/pass"), "code": stage.code}


def message(stage: Stage, lang: str) -> Fields:
    landed(stage, lang)
    return stage.waited("/pause")


def objection(stage: Stage, lang: str) -> Fields:
    """One of the buttons below the message, which send its form elsewhere, before its seconds are over."""
    landed(stage, lang)
    return stage.phone.form("/pause")


def renewal(stage: Stage, lang: str) -> Fields:
    stage.phone.get(f"/status?lang={lang}")
    return stage.waited("/pause")


def own_page(stage: Stage, lang: str) -> Fields:
    stage.phone.get(f"/status?lang={lang}")
    return last_form(stage, "/leave")


def other_device(stage: Stage, lang: str) -> Fields:
    stage.phone.get(f"/status?lang={lang}")
    return stage.phone.form("/leave")


def carrying_on(stage: Stage, lang: str) -> Fields:
    landed(stage, lang)
    return stage.phone.form("/resume")


def with_the_code(stage: Stage, lang: str) -> Fields:
    landed(stage, lang)
    (link,) = re.findall(r'href="(/resume[^"]*)"', stage.phone.page.text)
    stage.phone.get(link.replace("&amp;", "&"))
    return {**stage.phone.form("/resume"), "code": stage.code}


def moving(stage: Stage, lang: str) -> Fields:
    landed(stage, lang)
    stage.phone.post(f"/pass?lang={lang}", **stage.phone.form("/pass"), code=stage.code)
    return stage.phone.form("/pass")


def last_form(stage: Stage, action: str) -> Fields:
    """The page's last form to `action`: the one for this device, below those for the others."""
    text = stage.phone.page.text
    stage.phone.page.set_data(text[text.rindex("<form") :])
    return stage.phone.form(action)


def has_a_pass(stage: Stage) -> None:
    stage.code = issue(stage.services).codes[0]


def used_elsewhere(stage: Stage) -> None:
    has_a_pass(stage)
    use(tablet_beside(stage.phone), stage.code)
    stage.agent.follow()


def nearly_over(stage: Stage) -> None:
    stage.go_online()
    stage.clock.advance(minutes=26)


def both_devices(stage: Stage) -> None:
    stage.sign_in(tablet_beside(stage.phone))
    stage.sign_in()


def new_address(stage: Stage) -> None:
    stage.go_online()
    stage.phone.mac, stage.phone.address = "02:00:00:00:0c:07", "10.66.0.77"


def new_address_without_cookies(stage: Stage) -> None:
    stage.go_online()
    page = stage.phone.get("/status")
    stage.code = re.findall(r"/resume/(\w{4}-\w{4})", page.text)[0]
    stage.phone.browser = stage.app.test_client()
    stage.phone.mac, stage.phone.address = "02:00:00:00:0c:07", "10.66.0.77"


FREE = {
    "message": Form("/pause", nothing, message),
    "hide the message": Form("/pause/hide", nothing, objection, "Gare Viotte"),
    "report the message": Form("/pause/report", nothing, objection, "Gare Viotte"),
    "renewal": Form("/pause", nearly_over, renewal),
    "carry on": Form("/resume", new_address, carrying_on),
    "carry on with the code": Form("/resume", new_address_without_cookies, with_the_code),
    "leave, free": Form("/leave", Stage.go_online, own_page, OFFLINE),
}
LIBRARY = {
    "card": Form("/signin", nothing, card),
    "pass": Form("/pass", has_a_pass, ticket),
    "pass to this device": Form("/pass", used_elsewhere, moving),
    "leave": Form("/leave", Stage.sign_in, own_page, OFFLINE),
    "release": Form("/leave", both_devices, other_device),
}
FORMS = FREE | LIBRARY


@pytest.fixture(params=FORMS)
def form(request: pytest.FixtureRequest) -> Form:
    return FORMS[request.param]


@pytest.fixture
def stage(
    app: Flask, services: Services, town: Town, clock: MovingClock, form: Form, request: pytest.FixtureRequest
) -> Stage:
    is_free = form in FREE.values()
    gateway, address = (town.station, "10.66.0.5") if is_free else (town.pierre_bayle, "10.68.0.5")
    stage = Stage(app, services, clock, Phone(app, gateway, address=address), Agent(app, gateway))
    form.prepare(stage)
    return stage


def send(stage: Stage, form: Form, fields: Fields, lang: str = "en") -> TestResponse:
    return stage.phone.post(f"{form.action}?lang={lang}", **fields)


def test_every_form_of_guests_is_tried(app: Flask) -> None:
    rules = [rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith("guests.")]
    posts = {rule.rule for rule in rules if "POST" in (rule.methods or ())}
    # A change of language carries nothing out (test_language_change.py); to keep and to forget change the browser's
    # own cookie alone (test_kept_credentials.py). What a script tells of a message is no form (test_served.py).
    # Profiles are looked at in test_profiles.py: their forms need an access point, and one of them gives a file.
    elsewhere = {
        "/language",
        "/keep",
        "/forget",
        "/pause/seen",
        "/profile",
        "/profile/revoke",
        "/profile/file",
    }
    assert posts - elsewhere == {one.action for one in FORMS.values()}


def assert_nothing_comes_of(stage: Stage, form: Form, fields: Fields) -> None:
    """Sent once more, the form leads where it led, and no row changes."""
    before = state(stage.services)
    assert send(stage, form, fields).status_code == 303
    assert stage.heading() == form.leads_to
    assert changed_since(before, stage.services) == set()


def test_pressed_twice(stage: Stage, form: Form) -> None:
    fields = form.show(stage, "en")
    assert send(stage, form, fields).status_code == 303
    assert stage.heading() == form.leads_to
    assert_nothing_comes_of(stage, form, fields)


def test_pressed_twice_before_the_first_answer_came(stage: Stage, form: Form) -> None:
    """The browser drops the first answer, its cookie too, and the gateway has done nothing yet."""
    fields = form.show(stage, "en")
    cookies = list(stage.phone.browser._cookies.items())
    send(stage, form, fields)
    before = state(stage.services)
    stage.phone.browser._cookies.clear()
    stage.phone.browser._cookies.update(cookies)
    assert send(stage, form, fields).status_code == 303
    assert changed_since(before, stage.services) == set()
    assert stage.heading() == form.leads_to


# Carrying on needs the cookie: it is the proof that the former address was this browser's.
@pytest.mark.parametrize("form", [name for name in FORMS if name != "carry on"], indirect=True)
def test_pressed_twice_in_a_browser_that_keeps_no_cookies(stage: Stage, form: Form) -> None:
    stage.phone.browser = stage.app.test_client(use_cookies=False)
    fields = form.show(stage, "en")
    send(stage, form, fields)
    assert stage.heading() == form.leads_to
    assert_nothing_comes_of(stage, form, fields)


def test_gone_back_to_and_pressed_again(stage: Stage, form: Form) -> None:
    """The page of the form asked for anew, as a browser does that kept none of it."""
    fields = form.show(stage, "en")
    address = stage.phone.page.request.full_path
    send(stage, form, fields)
    assert stage.heading() == form.leads_to
    before = state(stage.services)
    if stage.phone.page.request.method == "GET":
        assert stage.phone.get(address).status_code == 200
    assert stage.heading() == form.leads_to or form.leads_to == OFFLINE
    assert send(stage, form, fields).status_code == 303
    assert stage.heading() == form.leads_to
    assert changed_since(before, stage.services) == set()


def test_in_two_tabs(stage: Stage, form: Form) -> None:
    one, other = form.show(stage, "en"), form.show(stage, "en")
    send(stage, form, one)
    assert stage.heading() == form.leads_to
    assert_nothing_comes_of(stage, form, other)


def test_another_language_between_the_page_and_the_button(stage: Stage, form: Form) -> None:
    """In one tab the page is read in French meanwhile; the form of either is good."""
    english = form.show(stage, "en")
    form.show(stage, "fr")
    assert send(stage, form, english).status_code == 303
    assert stage.heading() == form.leads_to


def test_left_open_for_an_hour(stage: Stage, form: Form) -> None:
    """What was typed is taken; where time ran out meanwhile, the page that comes has the button that goes on."""
    fields = form.show(stage, "en")
    stage.clock.advance(minutes=45)
    send(stage, form, fields)
    if form.leads_to == ONLINE and form in FREE.values():
        assert stage.heading() == "Gare Viotte"
        send(stage, FREE["message"], stage.waited("/pause"))
    assert stage.heading() == form.leads_to


def test_left_open_for_two_days(stage: Stage, form: Form) -> None:
    """By then the phone may be anybody's: it is told so, and nothing is done but to write the refusal down."""
    fields = form.show(stage, "en")
    stage.clock.advance(hours=49)
    before = state(stage.services)
    assert send(stage, form, fields).status_code == 410
    assert LONG_OPEN in stage.phone.page.text
    # The silence of the gateway is noted by whoever asks next.
    assert changed_since(before, stage.services) <= {"decisions", "gateways", "outages"}


@pytest.mark.parametrize("has_ended", [False, True])
def test_somebody_elses_device_is_not_released(
    reader: Phone, bayle: Agent, services: Services, has_ended: bool
) -> None:
    """A second press of *Release* is led on where the first one was right, and only there."""
    other = Phone(reader.app, reader.gateway, BO_PHONE, "10.68.0.9")
    use(other, issue(services).codes[0])
    bayle.follow()
    if has_ended:
        other.get(other.page.location)
        other.press("/leave")
    reader.land()
    reader.press("/signin", login=ADA, secret=ADA_PIN)
    bayle.follow()
    reader.get(reader.page.location)
    with services.make_session() as db:
        number = db.scalars(select(AccessSession.id).where(AccessSession.mac == BO_PHONE)).one()
    before = state(services)
    assert reader.press("/leave", device=str(number)).status_code == 403
    assert changed_since(before, services) == {"decisions"}
