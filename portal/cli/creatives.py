"""``flask campaigns picture|video|text-alone``: what a draft's message shows beside its texts."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import click
from flask.cli import with_appcontext

from ads.media import store as media
from ads.media.limits import MOST_BYTES, MOST_CAPTION_BYTES
from ads.media.preparing import prepare_picture, prepare_video
from ads.models import Creative
from auth.audit.actor import Actor, command_line
from auth.denials import Denial
from portal.cli.operator import operator
from portal.denials.rendering import page
from portal.i18n.translation import speaking
from portal.services import services

file_argument = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
alt_option = click.option(
    "--alt",
    multiple=True,
    metavar="LANGUAGE=WORDS",
    help="What is to be seen, for those who do not see it; once for each language of its texts.",
)
by_whom = click.option("--by", default="", help="Your name, for the audit log; without it, who called sudo.")


@click.command("picture")
@click.argument("creative")
@file_argument
@alt_option
@by_whom
@with_appcontext
def picture(creative: str, file: Path, alt: tuple[str, ...], by: str) -> None:
    """Show the picture in FILE (JPEG, PNG or WebP) with this message of a draft."""
    words = _by_language(alt, "--alt")
    try:
        prepared = prepare_picture(_read(file, MOST_BYTES), file.name)
        with services().make_session.begin() as db:
            set_to = media.set_picture(
                db, creative, prepared, alt=words, actor=_actor(by), now=services().clock()
            )
            _tell(set_to)
    except Denial as error:
        raise _in_words(error) from error


@click.command("video")
@click.argument("creative")
@file_argument
@alt_option
@click.option("--captions", multiple=True, metavar="LANGUAGE=FILE", help="WebVTT; once for each language.")
@click.option(
    "--transcript", multiple=True, metavar="LANGUAGE=FILE", help="What it shows and says, as a text."
)
@by_whom
@with_appcontext
def video(
    creative: str,
    file: Path,
    alt: tuple[str, ...],
    captions: tuple[str, ...],
    transcript: tuple[str, ...],
    by: str,
) -> None:
    """Show the video in FILE (MP4 or WebM, 30 seconds at most) with this message of a draft. Its sound is removed."""
    cues = {code: _named(name, "--captions") for code, name in _by_language(captions, "--captions").items()}
    texts = {
        code: _named(name, "--transcript").decode("utf-8", "replace")
        for code, name in _by_language(transcript, "--transcript").items()
    }
    words = _by_language(alt, "--alt")
    try:
        prepared = prepare_video(_read(file, MOST_BYTES), file.name, cues)
        with services().make_session.begin() as db:
            set_to = media.set_video(
                db,
                creative,
                prepared,
                alt=words,
                transcripts=texts,
                actor=_actor(by),
                now=services().clock(),
            )
            _tell(set_to)
    except Denial as error:
        raise _in_words(error) from error


@click.command("text-alone")
@click.argument("creative")
@by_whom
@with_appcontext
def text_alone(creative: str, by: str) -> None:
    """Take the picture or video of a draft's message away."""
    try:
        with services().make_session.begin() as db:
            _tell(media.remove(db, creative, actor=_actor(by), now=services().clock()))
    except Denial as error:
        raise _in_words(error) from error


def _tell(creative: Creative) -> None:
    click.echo(f"{creative.slug}\t{creative.kind}\t{creative.campaign.slug}")


def _actor(by: str) -> Actor:
    return command_line(by) if by.strip() else operator()


def _by_language(given: Iterable[str], option: str) -> dict[str, str]:
    found = dict(one.partition("=")[::2] for one in given)
    if not all(len(code) == 2 and words.strip() for code, words in found.items()):
        raise click.UsageError(f"{option} begins with a language of two letters, such as: {option} fr=…")
    return found


def _named(name: str, option: str) -> bytes:
    try:
        return _read(Path(name), MOST_CAPTION_BYTES)
    except OSError as error:
        raise click.UsageError(f"{option}: {name} cannot be read: {error.strerror}.") from error


def _read(file: Path, most: int) -> bytes:
    """The file, or so much of it that it is seen to be too large."""
    with file.open("rb") as stream:
        return stream.read(most + 1)


def _in_words(error: Denial) -> click.ClickException:
    with speaking("en"):
        refusal = page(error.reason, error.facts)
    return click.ClickException(f"{refusal.title} {refusal.text}")
