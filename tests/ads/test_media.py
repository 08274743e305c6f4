"""The picture of a message: set on a draft alone, with words for those who do not see it, and copied with it."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from ads import campaigns
from ads.errors import WrongCampaignState
from ads.media import store as media
from ads.media.errors import MissingMedia, MissingWords, RefusedMedia, UnknownCreative, UnknownLanguage
from ads.media.preparing import prepare_picture
from ads.models import Creative, CreativeKind
from auth.audit.log import AuditEntry
from sites.images import store
from sites.images.models import ImageFile
from sites.images.preparing import PreparedFile, PreparedImage
from tests.ads.campaigns import AUTHOR, make_draft
from tests.clock import NOON
from tests.sites.images import made

ALT = {"fr": "Une  miche de pain", "en": "A loaf of bread"}
# As a decoder gives it: what is kept and named is looked at here, not how it is made.
PICTURE = PreparedImage(
    (
        PreparedFile("page", "image/avif", 400, 300, b"small"),
        PreparedFile("page", "image/jpeg", 400, 300, b"plain"),
    ),
    b"dots",
)
BY = {"actor": AUTHOR, "now": NOON}


def names(db: Session) -> set[str]:
    return set(db.scalars(select(ImageFile.name)))


def creative(db: Session, slug: str = "bread-1") -> Creative:
    return db.scalars(select(Creative).where(Creative.slug == slug)).one()


def test_a_picture_is_made_anew_in_two_sizes_and_three_formats() -> None:
    found = prepare_picture(made.photograph(size=(3000, 2000)), "pain.jpg")
    sizes = [(one.media_type, one.width, one.height) for one in found.files]
    assert sizes == [
        (f"image/{kind}", *size) for size in ((400, 267), (800, 533)) for kind in ("avif", "webp", "jpeg")
    ]
    assert all(made.opened(one.content).size == (one.width, one.height) for one in found.files)


def test_what_weighs_most_still_comes_within_its_bytes() -> None:
    """Noise is what no encoder makes small."""
    found = prepare_picture(made.noise((900, 900)), "bruit.png")
    assert [len(one.content) <= (30_000 if one.width == 400 else 60_000) for one in found.files] == [True] * 6


def test_a_file_that_is_none_is_refused_with_its_reason() -> None:
    with pytest.raises(RefusedMedia) as refusal:
        prepare_picture(b"GIF89a" + bytes(20), "a.gif")
    assert refusal.value.why.text % refusal.value.why.facts == "The file is a GIF: take a JPEG, PNG or WebP."
    assert refusal.value.field == "picture"


def test_a_draft_is_given_a_picture_another_and_none(db: Session) -> None:
    draft = make_draft(db)
    media.set_picture(db, "bread-1", PICTURE, alt=ALT, **BY)
    db.commit()
    row = creative(db)
    assert row.kind is CreativeKind.STILL and row.texts["fr"]["alt"] == "Une miche de pain"
    assert names(db) == {one[1] for one in row.media["picture"]["files"]} and len(names(db)) == 2
    assert draft.revision == 2
    other = PreparedImage((PreparedFile("page", "image/jpeg", 400, 300, b"other"),))
    before = names(db)
    media.set_picture(db, "bread-1", other, alt={"fr": "Un croissant"}, **BY)
    assert names(db).isdisjoint(before) and len(names(db)) == 1
    assert row.texts["fr"]["alt"] == "Un croissant" and row.texts["en"]["alt"] == "A loaf of bread"
    media.remove(db, "bread-1", **BY)
    assert names(db) == set() and row.kind is CreativeKind.TEXT and row.media == {}
    assert row.texts["fr"] == {"title": "Bonjour", "text": "Du pain frais."}
    entries = db.scalars(select(AuditEntry).order_by(AuditEntry.number)).all()
    assert [one.action for one in entries[-3:]] == [*["message picture set"] * 2, "message picture removed"]
    assert {one.object for one in entries[-3:]} == {"campaign:bread"}


def test_each_language_says_what_is_to_be_seen(db: Session) -> None:
    make_draft(db)
    for alt, refused in (
        ({"fr": "Une miche"}, MissingWords("bread-1", "en", "alt")),
        ({**ALT, "de": "Ein Brot"}, UnknownLanguage("bread-1", "de")),
        ({}, MissingWords("bread-1", "fr", "alt")),
    ):
        with pytest.raises(type(refused)) as caught:
            media.set_picture(db, "bread-1", PICTURE, alt=alt, **BY)
        assert caught.value.facts == refused.facts
    with pytest.raises(RefusedMedia):
        media.set_picture(db, "bread-1", PICTURE, alt={"fr": "x" * 201, "en": "x"}, **BY)
    assert names(db) == set()


def test_only_a_draft_changes_and_is_proposed_whole(db: Session) -> None:
    make_draft(db)
    with pytest.raises(UnknownCreative):
        media.set_picture(db, "cake-1", PICTURE, alt=ALT, **BY)
    row = creative(db)
    row.kind = CreativeKind.STILL
    with pytest.raises(MissingMedia):
        campaigns.propose(db, "bread", **BY)
    media.set_picture(db, "bread-1", PICTURE, alt=ALT, **BY)
    row.texts = {**row.texts, "de": {"title": "Guten Tag", "text": "Frisches Brot."}}
    with pytest.raises(MissingWords):
        campaigns.propose(db, "bread", **BY)
    media.set_picture(db, "bread-1", PICTURE, alt={"de": "Ein Brot"}, **BY)
    campaigns.propose(db, "bread", **BY)
    before = names(db)
    for change in (
        lambda: media.set_picture(db, "bread-1", PICTURE, alt=ALT, **BY),
        lambda: media.remove(db, "bread-1", **BY),
    ):
        with pytest.raises(WrongCampaignState):
            change()
    assert names(db) == before


def test_a_copy_has_files_of_its_own(db: Session) -> None:
    make_draft(db)
    media.set_picture(db, "bread-1", PICTURE, alt=ALT, **BY)
    campaigns.duplicate(db, "bread", "cake", **BY)
    copied, former = creative(db, "cake-1"), creative(db)
    assert copied.kind is CreativeKind.STILL and copied.texts == former.texts
    media.remove(db, "bread-1", **BY)
    kept = [store.find(db, one[1]) for one in copied.media["picture"]["files"]]
    assert [one and one.content for one in kept] == [b"small", b"plain"]
    assert copied.media["picture"]["placeholder"] == "ZG90cw=="


def test_the_files_of_a_message_that_is_taken_out_go_with_it(db: Session) -> None:
    draft = make_draft(db, messages=2)
    media.set_picture(db, "bread-2", PICTURE, alt=ALT, **BY)
    kept = [creative(db)]
    campaigns.redraft(db, "bread", draft.advertiser, kept, revision=draft.revision, **BY)
    assert names(db) == set()
