"""A message with a picture, and one with a video, keep the rules that every page keeps, whatever cannot be loaded."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import partial

import pytest
from playwright.sync_api import Browser, ViewportSize
from sqlalchemy import select
from sqlalchemy.orm import Session

from ads import campaigns
from ads.media import store as media
from ads.media.preparing import PreparedVideo, prepare_picture
from ads.models import Advertiser, Campaign, Category, Creative
from tests.ads import videos
from tests.ads.campaigns import APPROVER, AUTHOR, PARIS
from tests.clock import NOON
from tests.portal.pages.scene import PAGES, PHONE, Portal, never_asked, new_guest, open_window, running_portal
from tests.portal.pages.test_every_page import RULES, Shown
from tests.sites.images import made

SMALL = ViewportSize(width=320, height=640)
TEXTS = {
    "fr": {"title": "Le fournil rouvre", "text": "Venez voir le four s’allumer."},
    "ar": {"title": "المخبز يفتح من جديد", "text": "تعالوا لمشاهدة الفرن."},
    "en": {"title": "The bakery is open again", "text": "Come and see the oven being lit."},
}
ALT = {"fr": "Un four à pain, porte ouverte", "ar": "فرن خبز مفتوح", "en": "A bread oven, its door open"}
FETCHING = {"fetched_from_elsewhere", "first_page_fetches_anything"}
KEPT = {name: rule for name, rule in RULES.items() if name not in FETCHING}


# How far it came, when it has begun or cannot. The page lets no string be evaluated, as `wait_for_function` does.
PLAYED = """film => new Promise(done => {
    film.ontimeupdate = () => film.currentTime > 0.2 && done(film.currentTime)
    film.play().catch(() => done(-1))
    setTimeout(() => done(film.currentTime), 20000)
})"""


def show(db: Session, *, is_video: bool, now: datetime = NOON) -> None:
    """One campaign runs, with one message."""
    for one in db.scalars(select(Campaign)).all():
        campaigns.stop(db, one.slug, actor=AUTHOR, now=now)
    town = db.scalars(select(Advertiser)).first()
    assert town is not None
    values = {"name": "Fournil", "category": Category.CULTURE}
    creative = Creative(slug="fournil-1", texts=TEXTS)
    campaigns.draft(db, "fournil", town, [creative], actor=AUTHOR, now=now, **values)
    poster = prepare_picture(made.photograph(size=(1280, 960)), "four.jpg")
    if is_video:
        cues = dict.fromkeys(TEXTS, videos.CAPTIONS)
        film = PreparedVideo(videos.video(seconds=2), 640, 480, 2.0, poster, cues)
        told = {code: f"{words['text']} {ALT[code]}." for code, words in TEXTS.items()}
        media.set_video(db, "fournil-1", film, alt=ALT, transcripts=told, actor=AUTHOR, now=now)
    else:
        media.set_picture(db, "fournil-1", poster, alt=ALT, actor=AUTHOR, now=now)
    campaigns.propose(db, "fournil", actor=AUTHOR, now=now)
    campaigns.approve(db, "fournil", actor=APPROVER, zone=PARIS, now=now)


@pytest.fixture(scope="module", params=["picture", "video"])
def shown_kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def pictured(shown_kind: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    prepare = partial(show, is_video=shown_kind == "video")
    with running_portal(tmp_path_factory.mktemp(shown_kind), prepare=prepare) as portal:
        yield portal


@pytest.mark.browser
@pytest.mark.parametrize("lang", ["fr", pytest.param("ar", marks=pytest.mark.release)])
def test_the_page_keeps_every_rule(pictured: Portal, chromium: Browser, shown_kind: str, lang: str) -> None:
    with never_asked(open_window(chromium)) as window:
        guest = new_guest(pictured, window, lang)
        asked: list[str] = []
        guest.page.on("request", lambda one: asked.append(one.url))
        PAGES["landing-free"](guest)
        # Of a video, its poster; of a picture, one of its files.
        guest.page.wait_for_load_state("load")
        endings = {one.rpartition(".")[2] for one in asked if "/images/" in one}
        # Of a video, its poster and captions before somebody presses play.
        assert endings == ({"jpg", "vtt"} if shown_kind == "video" else {"avif"})
        shown = Shown(lang, guest.page, pictured, source=guest.page.content())
        broken = {}
        for rule, look in KEPT.items():
            if found := look(shown):
                broken[rule] = found
            shown.page.set_viewport_size(PHONE)
            shown.page.emulate_media(color_scheme="light")
            shown.page.evaluate("document.documentElement.removeAttribute('style')")
        assert broken == {}


@pytest.mark.browser
def test_where_nothing_can_be_loaded_the_words_are_there_and_the_button_works(
    pictured: Portal, chromium: Browser, shown_kind: str
) -> None:
    with open_window(chromium, java_script_enabled=False, viewport=SMALL) as window:
        window.route("**/images/*", lambda one: one.abort())
        guest = new_guest(pictured, window, "fr")
        PAGES["landing-free"](guest)
        tree = guest.page.locator(".message").aria_snapshot()
        assert ALT["fr"] in tree
        if shown_kind == "video":
            guest.page.locator(".message summary").click()
            assert guest.page.get_by_text(f"{TEXTS['fr']['text']} {ALT['fr']}.").is_visible()
        guest.go_online()


@pytest.mark.browser
def test_a_video_plays_when_pressed_with_its_captions(
    pictured: Portal, chromium: Browser, shown_kind: str
) -> None:
    with open_window(chromium) as window:
        guest = new_guest(pictured, window, "fr")
        PAGES["landing-free"](guest)
        films = guest.page.locator("video")
        assert films.count() == (1 if shown_kind == "video" else 0)
        if films.count():
            assert films.evaluate(PLAYED) > 0.2
            said = films.evaluate("film => Array.from(film.textTracks[0].cues, cue => cue.text)")
            assert said == ["Le four s’allume."]
            assert films.evaluate("film => film.muted && film.textTracks[0].mode === 'showing'")
