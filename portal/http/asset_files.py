"""Asset files: scripts and icons of ours, each under a name that changes with its content, so that browsers keep it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from flask import Response

MEDIA_TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
}
# What has another content has another name: a copy is good for as long as a browser keeps it (RFC 8246).
CACHE_CONTROL = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class Asset:
    """A file as it is sent. `hashed_name` is the last part of its address: ``status.6b1f0c2e9d3a.js``."""

    hashed_name: str
    media_type: str
    body: bytes

    def response(self) -> Response:
        return Response(self.body, content_type=self.media_type, headers={"Cache-Control": CACHE_CONTROL})


def read_assets(folder: Path) -> dict[str, Asset]:
    """The files of a folder whose kind pages load, by their plain names."""
    return {path.name: _read(path) for path in sorted(folder.iterdir()) if path.suffix in MEDIA_TYPES}


def _read(path: Path) -> Asset:
    body = path.read_bytes()
    digest = hashlib.sha256(body).hexdigest()[:12]
    return Asset(f"{path.stem}.{digest}{path.suffix}", MEDIA_TYPES[path.suffix], body)
