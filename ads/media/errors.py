"""Why a file is not taken for a message, and what its picture or video still lacks."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

from auth.denials import N_, Case, Denial, Sentence, declare
from sites.images.errors import RefusedImage


@dataclass(eq=False)
class RefusedMedia(Denial):
    """A file that is not taken: `why` says what is wrong with it and what to do. `field` is its field in a form."""

    reason = declare(
        "refused_media",
        HTTPStatus.UNPROCESSABLE_ENTITY,
        N_("This file is not taken."),
        N_("The reason: %(why)s"),
    )
    why: Sentence
    field: str


@dataclass(eq=False)
class UnknownCreative(Denial):
    """There is no creative of this name."""

    reason = declare(
        "unknown_creative",
        HTTPStatus.NOT_FOUND,
        N_("There is no message %(slug)s."),
        N_("Look for its name at its campaign."),
    )
    slug: str


@dataclass(eq=False)
class MissingMedia(Denial):
    """The creative is to have a picture or a video, and has none."""

    reason = declare(
        "missing_media",
        HTTPStatus.CONFLICT,
        N_("The message %(slug)s has no picture or video yet."),
        N_("Hand in its file, or take it as text alone."),
    )
    slug: str


# What a creative says in each language of its texts, and does not.
LACKING: dict[object, str] = {
    "alt": N_("The message %(slug)s does not say in the language “%(language)s” what is to be seen."),
    "captions": N_("The video of the message %(slug)s has no captions in the language “%(language)s”."),
    "transcript": N_("The video of the message %(slug)s has no transcript in the language “%(language)s”."),
}


@dataclass(eq=False)
class MissingWords(Denial):
    """A creative has no `field` ("alt", "captions" or "transcript") in a language of its texts."""

    reason = declare(
        "missing_words",
        HTTPStatus.UNPROCESSABLE_ENTITY,
        Case("field", LACKING),
        N_("Whoever does not see or hear it reads this in its place: write it down, then send it again."),
    )
    slug: str
    language: str
    field: str


@dataclass(eq=False)
class UnknownLanguage(Denial):
    """Words in a language in which the creative has no text."""

    reason = declare(
        "unknown_media_language",
        HTTPStatus.UNPROCESSABLE_ENTITY,
        N_("The message %(slug)s has no text in the language “%(language)s”."),
        N_("Give these words in the languages that its texts have."),
    )
    slug: str
    language: str


def refused(error: RefusedImage, field: str) -> RefusedMedia:
    """The refusal of a picture as a denial."""
    return RefusedMedia(Sentence(error.text, error.facts), field)
