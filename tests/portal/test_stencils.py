"""A crowd is served from one rendered page, and nobody meets anything of anybody else."""

from __future__ import annotations

import base64
import json
import re
import threading

import pytest
from flask import Flask

import portal.caches.pages
from portal.caches.pages import PageCache, Placeholder, whole_minute
from portal.services import Services
from tests.clock import NOON, MovingClock
from tests.portal.conftest import Agent, Phone
from tests.town import Town

TOKEN = re.compile(r"ey[\w-]+\.[\w-]+\.[\w-]+")
# What each client has for itself: tokens, and the code that gives the rest of the time back.
OWN = re.compile(rf"{TOKEN.pattern}|\b[0-9A-Z]{{4}}\u2011[0-9A-Z]{{4}}\b")
VISIT = Placeholder("visit")


def crowd(app: Flask, town: Town) -> list[Phone]:
    return [
        Phone(app, town.station, f"02:00:00:00:0c:{number:02x}", f"10.66.0.{50 + number}")
        for number in range(3)
    ]


def answer(token: str) -> dict[str, str]:
    payload = token.split(".")[1]
    return dict(json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))))


def test_every_token_on_a_page_is_its_readers_own(app: Flask, town: Town) -> None:
    for phone in crowd(app, town):
        page = phone.land().text
        found = [answer(token) for token in TOKEN.findall(page)]
        assert {each["aud"] for each in found} == {"visit", "ticket"}
        assert {each["mac"] for each in found} == {phone.mac}
        assert "hole" not in page


def test_a_page_of_the_crowd_is_what_it_would_be_alone(
    app: Flask, town: Town, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, third = crowd(app, town)
    first.land()
    shared = OWN.sub("OWN", second.land().text)
    monkeypatch.setattr(portal.caches.pages, "KEPT_SECONDS", -1.0)
    assert OWN.sub("OWN", third.land().text) == shared


def test_the_crowd_is_rendered_for_once(app: Flask, town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    first, *others = crowd(app, town)
    first.land()
    monkeypatch.setattr("portal.guest.pages.render_page", lambda *_a, **_k: pytest.fail("rendered again"))
    for phone in others:
        assert phone.land().status_code == 200


def test_a_crowd_of_two_languages_reads_two_pages(app: Flask, town: Town) -> None:
    first, second, third = crowd(app, town)
    first.land()
    french = second.get(f"/?landing={second.landing_token()}&lang=fr").text
    english = third.get(f"/?landing={third.landing_token()}&lang=en").text
    assert '<html lang="fr">' in french
    assert '<html lang="en">' in english


def test_the_end_told_is_that_of_the_minute(app: Flask, town: Town, clock: MovingClock) -> None:
    first, second, _ = crowd(app, town)
    before = TOKEN.sub("", first.land().text)
    clock.advance(minutes=1)
    assert TOKEN.sub("", second.land().text) != before


def test_two_gateways_share_no_page(app: Flask, town: Town) -> None:
    here, there = Phone(app, town.station), Phone(app, town.battant, "02:00:00:00:0b:01", "10.67.0.5")
    assert "Gare Viotte" in here.land().text
    assert "Battant" in there.land().text


def test_what_was_typed_stands_on_no_other_page(app: Flask, town: Town) -> None:
    one = Phone(app, town.pierre_bayle, address="10.68.0.5")
    other = Phone(app, town.pierre_bayle, "02:00:00:00:0b:01", "10.68.0.6")
    one.land()
    assert "99887766" in one.press("/signin", login="99887766", secret="wrong").text
    assert "99887766" not in other.land().text


def test_a_page_is_remembered_for_a_moment_only(monkeypatch: pytest.MonkeyPatch) -> None:
    stencils, pages = PageCache(), iter(["old hole.visit.hole", "new hole.visit.hole"])
    assert stencils.fill("key", lambda: next(pages), {VISIT: "a"}).octets == b"old a"
    assert stencils.fill("key", lambda: next(pages), {VISIT: "b"}).octets == b"old b"
    monkeypatch.setattr(portal.caches.pages, "KEPT_SECONDS", -1.0)
    assert stencils.fill("key", lambda: next(pages), {VISIT: "c"}).octets == b"new c"


def test_strangers_cannot_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(portal.caches.pages, "MOST", 3)
    stencils = PageCache()
    for number in range(20):
        stencils.fill(number, lambda: "page", {})
        assert len(stencils._pages) <= 4


def test_a_page_like_no_other_is_not_remembered() -> None:
    stencils = PageCache()
    assert stencils.fill(None, lambda: "first", {}).octets == b"first"
    assert stencils.fill(None, lambda: "second", {}).octets == b"second"


def test_one_of_a_crowd_renders_and_the_others_wait_for_it() -> None:
    """Right after a start all come at once, and all would compile the same templates."""
    stencils, rendered, shown = PageCache(), list[str](), list[bytes]()
    is_beside = threading.Event()

    def beside() -> str:
        is_beside.set()
        return "beside"

    others = [
        threading.Thread(target=lambda: shown.append(stencils.fill("key", beside, {}).octets))
        for _ in range(4)
    ]

    def render() -> str:
        for other in others:
            other.start()
        # Whoever would render beside this does it meanwhile.
        is_beside.wait(0.1)
        rendered.append("first")
        return "page"

    assert stencils.fill("key", render, {}).octets == b"page"
    for other in others:
        other.join()
    assert (shown, rendered) == ([b"page"] * 4, ["first"]) and not is_beside.is_set()


# What the page of a session tells its own script beside.
SCRIPTS = re.compile(r' data-(key|left|changes)="[^"]*"')


def online(app: Flask, town: Town, clock: MovingClock, station: Agent) -> list[Phone]:
    """A crowd that pressed the button together, a second apart."""
    phones = crowd(app, town)
    for phone in phones:
        phone.land()
    clock.advance(seconds=10)
    for phone in phones:
        phone.press("/pause")
        clock.advance(seconds=1)
    station.follow()
    for phone in phones:
        phone.get("/opening", follow=False)
    return phones


def test_a_session_page_has_its_readers_own_tokens_code_and_seconds(
    app: Flask, town: Town, clock: MovingClock, station: Agent
) -> None:
    codes, keys = set(), set()
    for phone in online(app, town, clock, station):
        page = phone.get("/status").text
        assert "You are online" in page and ".hole" not in page
        assert {answer(token)["mac"] for token in TOKEN.findall(page)} == {phone.mac}
        said = phone.get("/status.json").json
        assert f'data-key="{said["key"]}"' in page
        assert f'data-left="{said["seconds_left"]}"' in page
        assert f'data-changes="{said["changes_in"]}"' in page
        found = re.search(r"/resume/([0-9A-Z-]+)", page)
        assert found is not None and phone.get(f"/resume/{found[1]}").status_code == 200
        codes.add(found[1])
        keys.add(said["key"])
    assert len(codes) == len(keys) == 3


def test_a_session_page_of_the_crowd_is_what_it_would_be_alone(
    app: Flask, town: Town, clock: MovingClock, station: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, third = online(app, town, clock, station)
    # Their codes are alike in an address and in words.
    own = re.compile(rf"{TOKEN.pattern}|\b[0-9A-Z]{{4}}-[0-9A-Z]{{4}}\b|{SCRIPTS.pattern}")
    first.get("/status")
    shared = own.sub("OWN", second.get("/status").text)
    monkeypatch.setattr(portal.caches.pages, "KEPT_SECONDS", -1.0)
    assert own.sub("OWN", third.get("/status").text) == shared
    monkeypatch.undo()
    clock.advance(minutes=26)
    renewal = first.get("/status").text
    assert 'action="/pause' in renewal and own.sub("OWN", renewal) != shared
    tickets = [answer(token) for token in TOKEN.findall(second.get("/status").text)]
    assert {one["mac"] for one in tickets} == {second.mac} and {one["aud"] for one in tickets} == {
        "visit",
        "ticket",
    }


def test_a_crowd_that_is_online_is_rendered_for_once(
    app: Flask, town: Town, clock: MovingClock, station: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, *others = online(app, town, clock, station)
    first.get("/status")
    monkeypatch.setattr("portal.guest.status_page.render_page", lambda *_a, **_k: pytest.fail("rendered"))
    for phone in others:
        assert "You are online" in phone.get("/status").text


def test_a_crowd_that_has_left_is_told_so_by_one_page_with_tokens_of_its_own(
    app: Flask, town: Town, clock: MovingClock, station: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    phones = first, second, third = online(app, town, clock, station)
    own = [f"/status?visit={phone.form('/leave')['visit']}" for phone in phones]
    for phone in (first, second):
        phone.press("/leave")
    page = first.get(own[0]).text
    assert "You left at" in page
    with monkeypatch.context() as changed:
        changed.setattr("portal.guest.pages.render_page", lambda *_a, **_k: pytest.fail("rendered again"))
        shared = second.get(own[1]).text
    assert {answer(token)["mac"] for token in TOKEN.findall(shared)} == {second.mac} and "hole." not in shared
    assert TOKEN.sub("", shared) == TOKEN.sub("", page)
    # Who stayed until the end reads something else in the same minute.
    clock.advance(hours=1)
    assert "You left at" in second.get(own[1]).text
    assert "Your time was over at" in third.get(own[2]).text


def test_an_end_at_midnight_is_told_on_no_other_page() -> None:
    """It is told as the minute before: see `portal.i18n.translation.end_time`."""
    midnight = NOON.replace(hour=0)
    assert whole_minute(midnight) != whole_minute(midnight.replace(second=30))
    assert whole_minute(NOON.replace(second=1)) == whole_minute(NOON.replace(second=59))
