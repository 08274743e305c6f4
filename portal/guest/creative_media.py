"""The picture or video of a message, as its page shows it, with what is read by those who do not see it."""

from __future__ import annotations

from dataclasses import dataclass

from ads.media.store import video_of
from portal.guest.images import ShownImage, image_url, shown_image
from portal.i18n.translation import best_language
from portal.public_values import PublicMessage


@dataclass(frozen=True, slots=True)
class ShownVideo:
    """What a `video` element says. It has no sound; `captions` is the address of a WebVTT in `language`."""

    url: str
    media_type: str
    width: int
    height: int
    captions: str
    language: str
    transcript: str


@dataclass(frozen=True, slots=True)
class ShownMedia:
    """A still picture, or the poster of `video`."""

    image: ShownImage
    video: ShownVideo | None


def shown_media(creative: PublicMessage) -> ShownMedia | None:
    """The picture or video of a message, in the reader's language; None for text alone."""
    media = creative.media
    if not media:
        return None
    spoken = best_language(creative.texts)
    said = creative.texts.get(spoken, {})
    alt = {"alt": {spoken: said.get("alt", "")}}
    image = shown_image({**(media.get("picture") or media["poster"]), **alt})
    assert image is not None
    video = video_of(media)
    if video is None:
        return ShownMedia(image, None)
    captions = video.captions.get(spoken, "")
    return ShownMedia(
        image,
        ShownVideo(
            image_url(video.name),
            video.media_type,
            video.width,
            video.height,
            image_url(captions) if captions else "",
            spoken,
            said.get("transcript", ""),
        ),
    )
