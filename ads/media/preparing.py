"""From a file that staff hand in to what a message shows. Takes seconds: not within a transaction."""

from __future__ import annotations

from ads.media.errors import refused
from sites.images.errors import RefusedImage
from sites.images.preparing import PreparedImage, prepare
from sites.images.shapes import MESSAGE


def prepare_picture(content: bytes, filename: str) -> PreparedImage:
    """The picture in this file, made anew in the sizes that messages need. Raises `RefusedMedia`."""
    try:
        return prepare(content, filename, MESSAGE)
    except RefusedImage as error:
        raise refused(error, "picture") from error
