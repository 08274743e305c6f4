"""Pictures in the database: kept for an owner, replaced, found by the name in their address.

What the owner's row keeps of a picture is a small document, a *reference*: the text for those who do not see it, by
language, the placeholder, and the files with their sizes. `ImageReference` reads it.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from sites.images.errors import N_, RefusedImage
from sites.images.models import ImageFile
from sites.images.preparing import PreparedFile, PreparedImage

SUFFIXES = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/webp": "webp",
    "image/avif": "avif",
    "video/mp4": "mp4",
    "text/vtt": "vtt",
}
ALT_LENGTH = 200


@dataclass(frozen=True, slots=True)
class FileReference:
    """A file by its name, with its size in pixels."""

    use: str
    name: str
    media_type: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class ImageReference:
    """A picture as its owner's row knows it. `placeholder` is a WebP in base64, or empty."""

    alt: Mapping[str, str]
    files: tuple[FileReference, ...]
    placeholder: str = ""

    def of_use(self, use: str) -> tuple[FileReference, ...]:
        """The files for a use (see `Rendition`), the smallest first."""
        return tuple(sorted((one for one in self.files if one.use == use), key=lambda one: one.width))


def read_reference(document: Mapping[str, Any] | None) -> ImageReference | None:
    """What a row says of its picture; None where it has none."""
    if not document:
        return None
    files = tuple(FileReference(*one) for one in document["files"])
    return ImageReference(document.get("alt", {}), files, document.get("placeholder", ""))


def keep(db: Session, owner: str, image: PreparedImage, *, alt: Mapping[str, str]) -> dict[str, Any]:
    """Keep this picture in place of the owner's former one; gives the reference for the owner's row.

    `alt` says in at least one language what is to be seen. Raises `RefusedImage` without it.
    """
    told = read_alt(alt)
    remove(db, owner)
    return {"alt": told, **add(db, owner, image)}


def read_alt(alt: Mapping[str, str]) -> dict[str, str]:
    """The words for those who do not see a picture, by language. Raises `RefusedImage` where there are none."""
    told = {language: " ".join(text.split()) for language, text in alt.items() if text.strip()}
    if not told:
        raise RefusedImage(N_("Say in a few words what is to be seen, for those who do not see it."))
    if longest := max((len(text) for text in told.values() if len(text) > ALT_LENGTH), default=0):
        raise RefusedImage(
            N_("The words for those who do not see the picture are %(length)s characters; at most %(most)s."),
            length=longest,
            most=ALT_LENGTH,
        )
    return told


def add(db: Session, owner: str, image: PreparedImage) -> dict[str, Any]:
    """Keep this picture beside what the owner has; gives its reference, without words."""
    files = [
        [one.use, add_file(db, owner, one), one.media_type, one.width, one.height] for one in image.files
    ]
    db.flush()
    placeholder = base64.b64encode(image.placeholder).decode()
    return {"files": files} | ({"placeholder": placeholder} if placeholder else {})


def add_file(db: Session, owner: str, file: PreparedFile) -> str:
    """Keep one file for this owner; gives its name."""
    name = _name(owner, file.use, file.media_type, file.content)
    db.add(ImageFile(owner=owner, name=name, media_type=file.media_type, content=file.content))
    return name


def copy(db: Session, owner: str, to: str) -> dict[str, str]:
    """Keep the files of one owner for another one too; gives the new name of each."""
    names = {}
    for row in db.scalars(select(ImageFile).where(ImageFile.owner == owner)).all():
        names[row.name] = _name(to, row.name, row.media_type, row.content)
        db.add(ImageFile(owner=to, name=names[row.name], media_type=row.media_type, content=row.content))
    db.flush()
    return names


def remove(db: Session, owner: str) -> None:
    """Forget the files of this owner's picture."""
    db.execute(delete(ImageFile).where(ImageFile.owner == owner))


def find(db: Session, name: str) -> ImageFile | None:
    """The file of this name."""
    return db.scalars(select(ImageFile).where(ImageFile.name == name)).first()


def _name(owner: str, use: str, media_type: str, content: bytes) -> str:
    """A name that nobody can guess the content by, and that is another for other content or another owner."""
    digest = hashlib.sha256(f"{owner}/{use}\0".encode() + content).hexdigest()
    return f"{digest[:24]}.{SUFFIXES[media_type]}"
