"""Asset: a file that guests' pages load from our own host, script or icon, under a name that changes with its content.

Every page is whole without them. A script is plain ES2017 in strict mode, says at its top what it does, and takes its
texts from the page, which is in the reader's language.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

from flask import Blueprint, Response, abort, url_for

FOLDER = Path(__file__).parent
MEDIA_TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
}
# What has another content has another name: a copy is good for as long as a browser keeps it (RFC 8246).
CACHE_CONTROL = "public, max-age=31536000, immutable"

assets = Blueprint("assets", __name__)


@dataclass(frozen=True, slots=True)
class Asset:
    """A file as it is sent. `hashed_name` is the last part of its address: ``status.6b1f0c2e9d3a.js``."""

    hashed_name: str
    media_type: str
    body: bytes


def read_assets(folder: Path = FOLDER) -> dict[str, Asset]:
    """The files of a folder whose kind guests' pages load, by their plain names."""
    return {path.name: _read(path) for path in sorted(folder.iterdir()) if path.suffix in MEDIA_TYPES}


def _read(path: Path) -> Asset:
    body = path.read_bytes()
    digest = hashlib.sha256(body).hexdigest()[:12]
    return Asset(f"{path.stem}.{digest}{path.suffix}", MEDIA_TYPES[path.suffix], body)


ASSETS = read_assets()
_BY_HASHED_NAME = {asset.hashed_name: asset for asset in ASSETS.values()}


def asset_url(name: str) -> str:
    """The address of a file, for templates. Raises `KeyError` for a name that there is none of."""
    return url_for("assets.file", hashed_name=ASSETS[name].hashed_name)


@assets.get("/assets/<hashed_name>")
def file(hashed_name: str) -> Response:
    asset = _BY_HASHED_NAME.get(hashed_name)
    if asset is None:
        abort(HTTPStatus.NOT_FOUND)
    return Response(asset.body, content_type=asset.media_type, headers={"Cache-Control": CACHE_CONTROL})
