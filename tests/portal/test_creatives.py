"""A message with a picture or video: handed in by command, shown with its words, served, and gone with its campaign."""

from __future__ import annotations

import re
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import select

from ads import campaigns
from ads.models import Campaign, Creative
from portal.services import Services
from sites.images.models import ImageFile
from tests.ads import videos
from tests.ads.campaigns import APPROVER, AUTHOR, PARIS, make_draft
from tests.clock import NOON, MovingClock
from tests.portal.conftest import Agent, Phone
from tests.sites.images import made
from tests.town import Town

ALT = ("--alt", "fr=Une miche de pain", "--alt", "en=A loaf of bread")
WORDS = ("fr", "en")


def run(app: Flask, *words: str) -> Result:
    return app.test_cli_runner().invoke(args=["campaigns", *words])


@pytest.fixture
def folder(services: Services, town: Town, tmp_path: Path) -> Path:
    """A draft, and what somebody may hand in for its one message."""
    with services.make_session.begin() as db:
        make_draft(db, ends_at=NOON + timedelta(days=30))
    made.write(tmp_path, "pain.jpg", made.photograph())
    made.write(tmp_path, "four.mp4", videos.video())
    made.write(tmp_path, "bad.mp4", videos.HLS)
    made.write(tmp_path, "bad.jpg", b"<svg onload='alert(1)'/>")
    for code in WORDS:
        made.write(tmp_path, f"{code}.vtt", videos.CAPTIONS)
        made.write(tmp_path, f"{code}.txt", f"Le four s’allume ({code}).".encode())
    return tmp_path


def let_run(services: Services) -> None:
    with services.make_session.begin() as db:
        campaigns.propose(db, "bread", actor=AUTHOR, now=NOON)
        campaigns.approve(db, "bread", actor=APPROVER, zone=PARIS, now=NOON)
    services.stage.forget()


def hand_in_video(app: Flask, folder: Path, *more: str) -> Result:
    words = [
        *(f"--captions={code}={folder}/{code}.vtt" for code in WORDS),
        *(f"--transcript={code}={folder}/{code}.txt" for code in WORDS),
    ]
    return run(app, "video", "bread-1", f"{folder}/four.mp4", *ALT, *words, *more)


def addresses(page: str) -> list[str]:
    return sorted(set(re.findall(r"/images/[0-9a-f]{24}\.[a-z0-9]+", page)))


def test_a_picture_stands_in_the_message_with_its_words(
    app: Flask, services: Services, folder: Path, town: Town, clock: MovingClock, station: Agent
) -> None:
    done = run(app, "picture", "bread-1", f"{folder}/pain.jpg", *ALT, "--by", "Ada Diallo")
    assert (done.exit_code, done.output) == (0, "bread-1\tstill\tbread\n")
    let_run(services)
    phone = Phone(app, town.station)
    page = phone.land().text
    assert 'alt="A loaf of bread" lang="en"' in page
    assert [one.rpartition(".")[2] for one in addresses(page)].count("avif") == 2
    largest, other = 0, Phone(app, town.station, address="192.0.2.1")
    for address in addresses(page):
        answer = other.get(address)
        assert answer.status_code == HTTPStatus.OK
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        made.opened(answer.data)
        largest = max(largest, len(answer.data))
    # As sent, without what a front packs: the page with its style, and the heaviest of its pictures.
    assert len(page.encode()) + largest <= 100_000
    # Nobody fetched a picture: what was accepted counts all the same.
    clock.advance(seconds=16)
    assert phone.press("/pause").status_code == HTTPStatus.SEE_OTHER
    station.follow()
    assert station.macs == {phone.mac}


def test_a_video_is_played_by_whoever_presses_and_sent_in_parts(
    app: Flask, services: Services, folder: Path, town: Town
) -> None:
    done = hand_in_video(app, folder)
    assert (done.exit_code, done.output) == (0, "bread-1\tvideo\tbread\n")
    let_run(services)
    phone = Phone(app, town.station)
    page = phone.land().text
    tag = re.search(r"<video[^>]*>", page)
    assert tag is not None and "autoplay" not in tag[0]
    assert all(word in tag[0] for word in (" controls ", " muted ", " playsinline ", ' preload="none" '))
    assert "Le four s’allume (en)." in page and 'aria-label="A loaf of bread"' in page
    found = {one.rpartition(".")[2]: one for one in addresses(page)}
    assert found.keys() == {"jpg", "mp4", "vtt"}
    assert phone.get(found["vtt"]).mimetype == "text/vtt"
    whole = phone.get(found["mp4"])
    assert whole.headers["Accept-Ranges"] == "bytes" and whole.mimetype == "video/mp4"
    part = phone.get(found["mp4"], Range="bytes=4-11")
    assert part.status_code == HTTPStatus.PARTIAL_CONTENT
    assert part.data == whole.data[4:12]
    assert part.headers["Content-Range"] == f"bytes 4-11/{len(whole.data)}"
    beyond = phone.get(found["mp4"], Range="bytes=99999999-")
    assert beyond.status_code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE
    same = phone.get(found["mp4"], **{"If-None-Match": whole.headers["ETag"]})
    assert same.status_code == HTTPStatus.NOT_MODIFIED


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("picture", "bread-1", "{}/bad.jpg", *ALT), "The file is an SVG"),
        (("picture", "bread-1", "{}/pain.jpg"), "does not say in the language “fr” what is to be seen"),
        (("picture", "cake-1", "{}/pain.jpg", *ALT), "There is no message cake-1."),
        (("picture", "bread-1", "{}/pain.jpg", "--alt", "french"), "--alt begins with a language"),
        (("picture", "bread-1", "{}/four.mp4", *ALT), "The file is a film"),
        (("video", "bread-1", "{}/bad.mp4", *ALT), "a list that names other files"),
        (("video", "bread-1", "{}/four.mp4", *ALT), "has no captions in the language “fr”"),
        (("video", "bread-1", "{}/four.mp4", *ALT, "--captions", "fr={}/none.vtt"), "cannot be read"),
        (("video", "bread-1", "{}/four.mp4", *ALT, "--captions", "fr={}/fr.txt"), "are no WebVTT"),
    ],
)
def test_what_cannot_be_is_refused_in_words_and_never_served(
    app: Flask, services: Services, folder: Path, words: tuple[str, ...], told: str
) -> None:
    done = run(app, *(word.format(folder) for word in words))
    assert done.exit_code != 0 and told in done.output
    with services.make_session() as db:
        assert db.scalars(select(ImageFile)).all() == []
        assert db.scalars(select(Creative)).one().media == {}


def test_what_runs_is_not_changed_and_a_draft_can_go_back_to_text(
    app: Flask, services: Services, folder: Path
) -> None:
    assert run(app, "picture", "bread-1", f"{folder}/pain.jpg", *ALT).exit_code == 0
    assert run(app, "text-alone", "bread-1").output == "bread-1\ttext\tbread\n"
    let_run(services)
    done = run(app, "picture", "bread-1", f"{folder}/pain.jpg", *ALT)
    assert done.exit_code != 0 and "in the state “running”" in done.output


@pytest.mark.parametrize("is_stopped", [True, False])
def test_pictures_leave_a_term_after_their_campaign(
    app: Flask, services: Services, folder: Path, town: Town, clock: MovingClock, is_stopped: bool
) -> None:
    with services.make_session.begin() as db:
        make_draft(db, "cake")
    for name in ("bread-1", "cake-1"):
        assert run(app, "picture", name, f"{folder}/pain.jpg", *ALT).exit_code == 0
    let_run(services)
    if is_stopped:
        assert run(app, "stop", "bread").exit_code == 0

    def purge() -> Result:
        return app.test_cli_runner().invoke(args=["retention", "purge", "--confirm", "--by", "Ada"])

    clock.advance(days=200 if is_stopped else 380)
    assert "image_files\tdue 0" in purge().output
    clock.advance(days=200 if is_stopped else 30)
    assert "image_files\tdue 6\tdeleted 6\theld 0\tleft 0\tof 12" in purge().output
    with services.make_session() as db:
        assert {one.owner for one in db.scalars(select(ImageFile))} == {"creatives/cake-1"}
        assert set(db.scalars(select(Campaign.slug))) == {"bread", "cake"}
    # A copy of the campaign has to be given its picture anew.
    assert run(app, "duplicate", "bread", "again").exit_code == 0
    refused = run(app, "propose", "again", "--by", "Ada")
    assert refused.exit_code != 0 and "has no picture or video yet" in refused.output
