"""The picture or video of a creative: set on a draft, taken away, copied, checked. Its files are rows of `image_files`.

`Creative.media` names them: {"picture": reference} or {"poster": reference, "video": […], "captions": {"fr": name}}.
What is said for those who do not see or hear them stands in the creative's texts.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from ads.errors import WrongCampaignState
from ads.media.errors import MissingMedia, MissingWords, UnknownCreative, UnknownLanguage, refused
from ads.media.limits import LONGEST_TRANSCRIPT
from ads.media.preparing import PreparedVideo
from ads.models import Campaign, CampaignState, Creative, CreativeKind
from auth.audit import log
from auth.audit.actions import MEDIA_REMOVED, MEDIA_SET, AuditAction, ObjectKind
from auth.audit.actor import Actor
from sites.images import store
from sites.images.errors import N_, RefusedImage
from sites.images.preparing import PreparedFile, PreparedImage

Words = Mapping[str, str]
# What the owner of a file begins with: the slug of a creative follows.
OWNER = "creatives/"


@dataclass(frozen=True, slots=True)
class VideoReference:
    """A video by the name of its file, with its size in pixels and its length; `captions` are files by language."""

    name: str
    media_type: str
    width: int
    height: int
    seconds: float
    captions: Words


def set_picture(
    db: Session, slug: str, picture: PreparedImage, *, alt: Words, actor: Actor, now: datetime
) -> Creative:
    """Give a draft's creative this picture in place of what it had.

    `alt` says in the languages of its texts what is to be seen; what is left out stays as it was. Raises
    `UnknownCreative`, `WrongCampaignState`, `RefusedMedia`, `UnknownLanguage` and `MissingWords`.
    """
    creative = _of_draft(db, slug)
    texts = _with_words(creative, "alt", bounded_alt(alt))
    _demand_words(creative.slug, texts, "alt")
    owner = _owner(slug)
    store.remove(db, owner)
    media = {"picture": store.add(db, owner, picture)}
    _change(db, creative, CreativeKind.STILL, texts, media)
    _note(db, MEDIA_SET, creative, actor=actor, now=now)
    return creative


def set_video(
    db: Session,
    slug: str,
    video: PreparedVideo,
    *,
    alt: Words,
    transcripts: Words,
    actor: Actor,
    now: datetime,
) -> Creative:
    """Give a draft's creative this video in place of what it had. Raises as `set_picture` does.

    Each language of its texts has captions, and a transcript that says what is to be seen; `alt` names the video in a
    few words. Of both, what is left out stays as it was.
    """
    creative = _of_draft(db, slug)
    creative.texts = _with_words(creative, "alt", bounded_alt(alt))
    texts = _with_words(creative, "transcript", bounded_transcripts(transcripts))
    captions = _with_words(creative, "captions", dict.fromkeys(video.captions, "written"))
    for part, where in (("alt", texts), ("captions", captions), ("transcript", texts)):
        _demand_words(slug, where, part)
    owner = _owner(slug)
    store.remove(db, owner)
    files = {
        code: store.add_file(db, owner, PreparedFile(f"captions {code}", "text/vtt", 0, 0, words))
        for code, words in video.captions.items()
    }
    film = PreparedFile("video", "video/mp4", video.width, video.height, video.content)
    media = {
        "poster": store.add(db, owner, video.poster),
        "video": [store.add_file(db, owner, film), film.media_type, film.width, film.height, video.seconds],
        "captions": files,
    }
    _change(db, creative, CreativeKind.VIDEO, texts, media)
    _note(db, MEDIA_SET, creative, actor=actor, now=now)
    return creative


def remove(db: Session, slug: str, *, actor: Actor, now: datetime) -> Creative:
    """Leave a draft's creative its texts alone. Raises `UnknownCreative` and `WrongCampaignState`."""
    creative = _of_draft(db, slug)
    store.remove(db, _owner(slug))
    own = ("title", "text")
    texts = {code: {name: said[name] for name in own} for code, said in creative.texts.items()}
    _change(db, creative, CreativeKind.TEXT, texts, {})
    _note(db, MEDIA_REMOVED, creative, actor=actor, now=now)
    return creative


def copy(db: Session, former: Creative, slug: str) -> dict[str, Any]:
    """The media of a creative for its copy of this name, with files of its own: the copy keeps them longer."""
    names = store.copy(db, _owner(former.slug), _owner(slug))
    # Without files, where they went with the term of the former campaign: they are handed in anew.
    copied: dict[str, Any] = _renamed(former.media, names) if names else {}
    return copied


def forget(db: Session, slug: str) -> None:
    """Delete the files of a creative that is itself deleted."""
    store.remove(db, _owner(slug))


def video_of(media: Mapping[str, Any]) -> VideoReference | None:
    """What a creative's media say of its video; None where it has none."""
    if not media.get("video"):
        return None
    name, media_type, width, height, seconds = media["video"]
    return VideoReference(name, media_type, width, height, seconds, media["captions"])


def check(creatives: Collection[Creative]) -> None:
    """Raise what a creative lacks before it may be shown: `MissingMedia` or `MissingWords`."""
    for creative in creatives:
        if creative.kind is CreativeKind.TEXT:
            continue
        if not creative.media:
            raise MissingMedia(creative.slug)
        _demand_words(creative.slug, creative.texts, "alt")
        if creative.kind is CreativeKind.VIDEO:
            _demand_words(creative.slug, creative.texts, "transcript")
            video = video_of(creative.media)
            given = video.captions if video else {}
            _demand_words(
                creative.slug,
                {code: {"captions": given.get(code, "")} for code in creative.texts},
                "captions",
            )


def _owner(slug: str) -> str:
    return f"{OWNER}{slug}"


def _of_draft(db: Session, slug: str) -> Creative:
    """The creative of this name, its campaign being a draft from here to the end of this transaction."""
    creative = db.scalars(
        select(Creative).where(Creative.slug == slug), execution_options={"populate_existing": True}
    ).first()
    if creative is None:
        raise UnknownCreative(slug)
    changed = db.scalars(
        update(Campaign)
        .where(Campaign.id == creative.campaign_id, Campaign.state == CampaignState.DRAFT)
        .values(revision=Campaign.revision + 1)
        .returning(Campaign.id)
        .execution_options(synchronize_session=False)
    ).first()
    db.refresh(creative.campaign)
    if changed is None:
        raise WrongCampaignState(creative.campaign.state)
    return creative


def _with_words(creative: Creative, part: str, words: Words) -> dict[str, dict[str, str]]:
    """The texts of a creative with these words among them, by language."""
    if unknown := sorted(words.keys() - creative.texts.keys()):
        raise UnknownLanguage(creative.slug, unknown[0])
    return {
        code: {**said, part: words[code]} if code in words else dict(said)
        for code, said in creative.texts.items()
    }


def bounded_alt(alt: Words) -> Words:
    """What is to be seen, in so many words as an attribute takes; empty ones are left out."""
    if not any(text.strip() for text in alt.values()):
        return {}
    try:
        return store.read_alt(alt)
    except RefusedImage as error:
        raise refused(error, "alt") from error


def bounded_transcripts(transcripts: Words) -> Words:
    told = {code: " ".join(text.split()) for code, text in transcripts.items() if text.strip()}
    if longest := max((len(text) for text in told.values() if len(text) > LONGEST_TRANSCRIPT), default=0):
        words = N_("The transcript has %(length)s characters; at most %(most)s are taken.")
        raise refused(RefusedImage(words, length=longest, most=LONGEST_TRANSCRIPT), "transcript")
    return told


def _demand_words(slug: str, texts: Mapping[str, Words], part: str) -> None:
    for code, said in texts.items():
        if not said.get(part, "").strip():
            raise MissingWords(slug, code, part)


def _change(
    db: Session,
    creative: Creative,
    kind: CreativeKind,
    texts: dict[str, dict[str, str]],
    media: dict[str, Any],
) -> None:
    creative.kind, creative.texts, creative.media = kind, texts, media
    db.flush()


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    """The same document with the new names of its files."""
    match value:
        case dict():
            return {key: _renamed(one, names) for key, one in value.items()}
        case list():
            return [_renamed(one, names) for one in value]
        case str():
            return names.get(value, value)
        case _:
            return value


def _note(db: Session, action: AuditAction, creative: Creative, *, actor: Actor, now: datetime) -> None:
    campaign = creative.campaign
    detail = {"message": creative.slug, "kind": creative.kind.value, "revision": campaign.revision}
    log.append(db, action, ObjectKind.CAMPAIGN.named(campaign.slug), actor=actor, now=now, detail=detail)
