"""The files of pictures and videos, as they are sent. Each belongs to one owner, whose row says how it is shown."""

from __future__ import annotations

from sqlalchemy import LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, Key


class ImageFile(Base):
    """One file of a picture or video. `name` changes with its content, so that browsers may keep what they have."""

    __tablename__ = "image_files"

    id: Mapped[Key]
    # What is replaced or removed together: "networks/bibliotheques/logo", "sites/gare-viotte/photograph",
    # "creatives/citadelle".
    owner: Mapped[str] = mapped_column(String(120), index=True)
    name: Mapped[str] = mapped_column(String(40), unique=True)
    media_type: Mapped[str] = mapped_column(String(20))
    content: Mapped[bytes] = mapped_column(LargeBinary)
