"""Videos: made anew without sound and without what the file said; what no page may ever show is refused in words."""

from __future__ import annotations

import sys

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from ads import campaigns
from ads.media import preparing
from ads.media import store as media
from ads.media.captions import clean_captions
from ads.media.errors import MissingWords, RefusedMedia
from ads.media.limits import MOST_BYTES_MADE
from ads.media.preparing import PreparedVideo, prepare_video
from ads.models import Creative, CreativeKind
from sites.images.errors import RefusedImage
from sites.images.models import ImageFile
from sites.images.preparing import PreparedFile, PreparedImage
from tests.ads import videos
from tests.ads.campaigns import AUTHOR, make_draft
from tests.clock import NOON
from tests.sites.images import made

BY = {"actor": AUTHOR, "now": NOON}
ALT = {"fr": "Un four à pain", "en": "A bread oven"}
TRANSCRIPTS = {"fr": "Le four s’allume.", "en": "The oven is lit."}
POSTER = PreparedImage((PreparedFile("page", "image/jpeg", 400, 300, b"still"),))
VIDEO = PreparedVideo(b"film", 640, 480, 4.0, POSTER, {"fr": b"WEBVTT\n", "en": b"WEBVTT \n"})


def reason(refusal: RefusedMedia) -> str:
    return refusal.why.text % refusal.why.facts if refusal.why.facts else refusal.why.text


@pytest.mark.parametrize("name", list(videos.HOSTILE))
def test_it_is_refused_in_words(name: str) -> None:
    filename, content, words = videos.HOSTILE[name]
    with pytest.raises(RefusedMedia) as refusal:
        prepare_video(content if isinstance(content, bytes) else content(), filename, {})
    assert refusal.value.field == "video"
    assert words in reason(refusal.value)


@pytest.mark.parametrize("name", list(videos.BAD_CAPTIONS))
def test_captions_are_refused_in_words(name: str) -> None:
    content, words = videos.BAD_CAPTIONS[name]
    with pytest.raises(RefusedMedia) as refusal:
        prepare_video(videos.video(), "a.mp4", {"fr": content})
    assert refusal.value.field == "captions" and words in reason(refusal.value)


def test_captions_are_written_anew_as_plain_words() -> None:
    given = (
        b"\xef\xbb\xbfWEBVTT - by Josiane\r\n\r\nSTYLE\r\n::cue{color:red}\r\n\r\nintro\r\n"
        b"00:00:01.000 --> 00:00:02.500 align:start\r\n<v Josiane><b>Bon</b> &amp; <i>chaud</i>\r\n"
    )
    assert clean_captions(given) == b"WEBVTT\n\n00:01.000 --> 00:02.500\nBon &amp; chaud\n"
    for bad in (b"<script>alert(1)</script>", b"<img src=x onerror=alert(1)>"):
        with pytest.raises(RefusedImage):
            clean_captions(b"WEBVTT\n\n00:01.000 --> 00:02.000\n" + bad + b"\n\n00:02.000 --> x\ny\n")
        assert b"<" not in clean_captions(b"WEBVTT\n\n00:01.000 --> 00:02.000\nx" + bad + b"\n")[8:]


@pytest.mark.parametrize(
    ("name", "options", "size", "wanted"),
    [
        ("film.MP4", (*videos.H264, "-movflags", "+faststart"), "1280x720", (640, 360)),
        ("film.webm", ("-c:v", "libvpx"), "240x320", (240, 320)),
        ("film.mov", (*videos.H264, "-metadata", "artist=Josiane"), "322x242", (322, 242)),
    ],
)
def test_a_good_one_is_made_anew(
    name: str, options: tuple[str, ...], size: str, wanted: tuple[int, int]
) -> None:
    content = videos.video(name.lower(), *options, size=size, seconds=2, sound=not name.endswith("webm"))
    found = prepare_video(content, name, {"fr": videos.CAPTIONS})
    assert (found.width, found.height) == wanted and 1.5 <= found.seconds <= 2.5
    said = videos.probed(found.content)
    assert said.count("[STREAM]") == 1 and "codec_name=h264" in said and "pix_fmt=yuv420p" in said
    assert "Josiane" not in said and b"Josiane" not in found.content and "[CHAPTER]" not in said
    # What tells a player where all is stands before the pictures.
    assert found.content.index(b"moov") < found.content.index(b"mdat")
    assert found.captions["fr"].startswith(b"WEBVTT\n\n00:00.000 --> 00:01.500\n")
    for one in found.poster.files:
        picture = made.opened(one.content)
        assert abs(picture.width / picture.height - wanted[0] / wanted[1]) < 0.02


def test_a_decoder_that_crashes_hangs_or_writes_on_refuses_one_video(monkeypatch: pytest.MonkeyPatch) -> None:
    written = f"open('video.mp4', 'wb').write(bytes({MOST_BYTES_MADE} + 1))"
    whole = "import os, sys; from ads.media import worker; os.chdir(sys.argv[2]); worker.bound(); "
    for program, limit in (
        ("import os; os.abort()", 60.0),
        ("while True: pass", 0.5),
        (whole + written, 60.0),
        (whole + "bytes(2_000_000_000)", 60.0),
    ):
        monkeypatch.setattr(preparing, "COMMAND", [sys.executable, "-c", program])
        monkeypatch.setattr(preparing, "LIMIT_SECONDS", limit)
        with pytest.raises(RefusedMedia) as refusal:
            prepare_video(videos.video(), "a.mp4", {})
        assert "too much memory or time" in reason(refusal.value)


def test_the_decoder_has_no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither itself nor what it starts, whatever address family it asks for."""
    program = (
        "import json, socket, subprocess, sys; from ads.media import worker; worker.bound(); tries = []\n"
        "for family in (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX):\n"
        "    try: socket.socket(family); tries.append('open')\n"
        "    except PermissionError: tries.append('none')\n"
        "child = subprocess.run([sys.executable, '-c', 'import socket; socket.socket()'], capture_output=True)\n"
        "tries.append('none' if b'PermissionError' in child.stderr else 'open')\n"
        "print(json.dumps({'refused': ' '.join(tries), 'facts': {}}))"
    )
    monkeypatch.setattr(preparing, "COMMAND", [sys.executable, "-c", program])
    with pytest.raises(RefusedMedia) as refusal:
        prepare_video(videos.video(), "a.mp4", {})
    assert reason(refusal.value) == "none none none none"


def test_a_draft_is_given_a_video_with_its_words(db: Session) -> None:
    make_draft(db)
    for words, part in (
        ({"alt": {}, "transcripts": TRANSCRIPTS}, "alt"),
        ({"alt": ALT, "transcripts": {"fr": "x"}}, "transcript"),
    ):
        with pytest.raises(MissingWords) as refusal:
            media.set_video(db, "bread-1", VIDEO, **words, **BY)
        assert refusal.value.field == part
        db.rollback()
        make_draft(db)
    silent = PreparedVideo(b"film", 640, 480, 4.0, POSTER, {"fr": b"WEBVTT\n"})
    with pytest.raises(MissingWords) as refusal:
        media.set_video(db, "bread-1", silent, alt=ALT, transcripts=TRANSCRIPTS, **BY)
    assert (refusal.value.field, refusal.value.language) == ("captions", "en")
    db.rollback()
    make_draft(db)
    media.set_video(db, "bread-1", VIDEO, alt=ALT, transcripts=TRANSCRIPTS, **BY)
    db.commit()
    row = db.scalars(select(Creative)).one()
    kept = {one.name: one for one in db.scalars(select(ImageFile))}
    video = media.video_of(row.media)
    assert row.kind is CreativeKind.VIDEO and video is not None and len(kept) == 4
    assert (kept[video.name].media_type, kept[video.name].content) == ("video/mp4", b"film")
    assert kept[video.captions["en"]].content == b"WEBVTT \n" and video.seconds == 4.0
    campaigns.duplicate(db, "bread", "cake", **BY)
    copied = db.scalars(select(Creative).where(Creative.slug == "cake-1")).one()
    again = media.video_of(copied.media)
    assert again is not None and again.name not in kept and set(again.captions.values()).isdisjoint(kept)
    campaigns.propose(db, "cake", **BY)
