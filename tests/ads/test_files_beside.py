"""Pictures and videos that a document of campaigns names: they lie beside it, and are made anew."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from ads import campaigns, loading
from ads.demo import load_announcements, read_announcements
from ads.loading import UnreadableCampaigns
from ads.media import store as media
from ads.models import Creative, CreativeKind
from sites.images.models import ImageFile
from tests.ads import videos
from tests.ads.campaigns import AUTHOR, PARIS
from tests.clock import NOON
from tests.sites.images import made

PAYER = {"slug": "bakery", "name": "Bakery", "identity": "Ada SARL, SIREN 123"}
WORDS = {"title": "Du pain", "text": "Tous les jours."}
KNOWN: dict[str, frozenset[str]] = dict.fromkeys(
    ("campaigns", "networks", "sites", "site_kinds"), frozenset()
)
SEEN = {"fr": {**WORDS, "alt": "Une miche"}}
TOLD = {"fr": {**WORDS, "alt": "Le four", "transcript": "Le four s’allume."}}


def document(**creative: Any) -> dict[str, Any]:
    return {
        "advertisers": [PAYER],
        "campaigns": [
            {
                "slug": "bread",
                "name": "Bread",
                "advertiser": "bakery",
                "category": "commerce",
                "creatives": [{"slug": "bread-1", "texts": SEEN, **creative}],
            }
        ],
    }


def faults(folder: Path | None, **creative: Any) -> list[str]:
    with pytest.raises(UnreadableCampaigns) as caught:
        loading.read(document(**creative), KNOWN, zone=PARIS, folder=folder)
    return [one.removeprefix("campaign bread, creative bread-1: ") for one in caught.value.faults]


def load(db: Session, folder: Path, **creative: Any) -> Creative:
    wanted = loading.read(document(**creative), loading.known_names(db), zone=PARIS, folder=folder)
    loading.save(db, wanted, actor=AUTHOR, now=NOON)
    return db.scalars(select(Creative)).one()


def test_a_picture_beside_the_document_is_shown(db: Session, tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    picture = tmp_path / "pictures" / "bread.jpg"
    picture.write_bytes(made.photograph(size=(800, 600)))
    one = load(db, tmp_path, picture="pictures/bread.jpg")
    assert (one.kind, one.texts) == (CreativeKind.STILL, SEEN)
    assert len(one.media["picture"]["files"]) == len(db.scalars(select(ImageFile)).all()) == 6
    campaigns.propose(db, "bread", actor=AUTHOR, now=NOON)
    # Loaded again it stays as it is, whatever lies there now.
    picture.unlink()
    assert load(db, tmp_path, picture="pictures/bread.jpg").media == one.media


def test_a_video_is_shown_with_captions_and_transcript(db: Session, tmp_path: Path) -> None:
    (tmp_path / "bread.mp4").write_bytes(videos.video())
    (tmp_path / "bread.fr.vtt").write_bytes(videos.CAPTIONS)
    one = load(db, tmp_path, video="bread.mp4", captions={"fr": "bread.fr.vtt"}, texts=TOLD)
    assert (one.kind, one.texts) == (CreativeKind.VIDEO, TOLD)
    film = media.video_of(one.media)
    assert film is not None and set(film.captions) == {"fr"}
    campaigns.propose(db, "bread", actor=AUTHOR, now=NOON)


def test_no_name_leads_out_of_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "campaigns"
    folder.mkdir()
    (tmp_path / "secret.jpg").write_bytes(made.photograph(size=(800, 600)))
    (folder / "link.jpg").symlink_to(tmp_path / "secret.jpg")
    (folder / "loop.jpg").symlink_to(folder / "loop.jpg")
    os.mkfifo(folder / "pipe.jpg")
    for name, fault in (
        ("../secret.jpg", "it lies outside of the folder"),
        (str(tmp_path / "secret.jpg"), "it lies outside of the folder"),
        ("link.jpg", "it lies outside of the folder"),
        ("/dev/zero", "it lies outside of the folder"),
        ("loop.jpg", ""),
        ("pipe.jpg", "there is no such file"),
        (".", "there is no such file"),
        ("bread.jpg", "there is no such file"),
        ("b" * 5000, "it cannot be read"),
        ("a\0b", ""),
        ("", "the name of a file"),
        (["bread.jpg"], "the name of a file"),
    ):
        found = faults(folder, picture=name)
        assert len(found) == 1, (name, found)
        assert found[0].startswith("picture: ") and fault in found[0], found
    assert "no folder" in faults(None, picture="bread.jpg")[0]


def test_all_that_is_wrong_with_files_and_words_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "bread.jpg").write_bytes(b"GIF89a" + bytes(20))
    (tmp_path / "bread.mp4").write_bytes(b"hello, I am a film")
    (tmp_path / "bread.vtt").write_bytes(b"1\n00:00:01,000 --> 00:00:02,000\nBonjour\n")
    texts = {"fr": WORDS, "en": {**WORDS, "alt": "x" * 201}}
    found = faults(tmp_path, picture="bread.jpg", texts=texts, viewing_seconds=0, colour="red")
    for number, (begin, part) in enumerate(
        (
            ("colour", "no such field"),
            ("viewing_seconds", "a whole number"),
            ("picture", "GIF"),
            ("texts", "at most 200"),
            ("texts", "“fr” what is to be seen"),
        )
    ):
        assert found[number].startswith(f"{begin}: ") and part in found[number], found
    assert len(found) == 5
    texts = {"fr": {**WORDS, "transcript": "x" * 4001}, "en": WORDS}
    found = faults(tmp_path, video="bread.mp4", captions={"de": "bread.vtt"}, texts=texts, kind="still")
    assert [one.partition(":")[0] for one in found] == [
        *("video", "captions", "kind", "texts", "texts", "texts", "texts")
    ]
    assert "no video that is known here" in found[0] and "de: The captions are no WebVTT" in found[1]


def test_files_that_do_not_fit_together_are_refused(tmp_path: Path) -> None:
    (tmp_path / "bread.fr.vtt").write_bytes(videos.CAPTIONS)
    assert faults(tmp_path, captions={"fr": "bread.fr.vtt"}) == ["captions: there is no video"]
    found = faults(tmp_path, picture="a.jpg", video="b.mp4", captions={"de": "bread.fr.vtt"}, texts=TOLD)
    assert "video: a picture or a video, not both" in found
    assert "captions: de: the message has no text in this language" in found
    assert any("no captions in the language “fr”" in one for one in found)


def test_the_demo_town_has_a_picture_in_each_language_of_its_texts(db: Session) -> None:
    wanted = read_announcements(loading.known_names(db))
    load_announcements(db, now=NOON, wanted=wanted)
    shown = [one for one in db.scalars(select(Creative)) if one.kind is CreativeKind.STILL]
    assert [one.slug for one in shown] == ["citadelle"]
    assert all(said["alt"] for said in shown[0].texts.values())
    # Loaded again, no picture is made anew: it stays as it is.
    again = read_announcements(loading.known_names(db))
    assert not any("picture" in one for _, messages in again.campaigns for one in messages)
    assert load_announcements(db, now=NOON, wanted=again) == 0
