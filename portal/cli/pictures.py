"""What the commands for logos and photographs have in common."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from sites.images.errors import RefusedImage
from sites.images.preparing import PreparedImage, prepare
from sites.images.shapes import ImageShape
from sites.images.sniffing import MOST_BYTES

alt_option = click.option(
    "--alt",
    type=(str, str),
    multiple=True,
    metavar="LANGUAGE WORDS",
    help="What is to be seen, for those who do not see it: --alt fr 'Les armes de la ville'. Once for each language.",
)
remove_option = click.option("--remove", is_flag=True, help="Take it away.")


def prepare_file(file: Path | None, shape: ImageShape, *, remove: bool) -> PreparedImage | None:
    """The picture in the file, decoded and made anew; None where it is to be taken away."""
    if (file is None) is not remove:
        raise click.UsageError("Name a file, or say --remove.")
    if file is None:
        return None
    with refusals_as_errors(f"{file.name}: "), file.open("rb") as stream:
        return prepare(stream.read(MOST_BYTES + 1), file.name, shape)


@contextmanager
def refusals_as_errors(about: str = "") -> Iterator[None]:
    """Say why a picture is refused, after what it is about."""
    try:
        yield
    except RefusedImage as error:
        raise click.ClickException(f"{about}{error.reason}") from error


def alt_texts(given: tuple[tuple[str, str], ...]) -> dict[str, str]:
    for language, _ in given:
        if not re.fullmatch("[a-z]{2}", language):
            raise click.UsageError(
                f"{language!r} is no language of two letters: --alt fr 'Les armes de la ville'."
            )
    return dict(given)
