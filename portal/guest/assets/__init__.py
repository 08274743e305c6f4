"""Asset: a file that guests' pages load from our own host, script or icon, under a name that changes with its content.

Every page is whole without them. A script is plain ES2017 in strict mode, says at its top what it does, and takes its
texts from the page, which is in the reader's language.
"""

from __future__ import annotations

from http import HTTPStatus
from pathlib import Path

from flask import Blueprint, Response, abort, url_for

from portal.http.asset_files import read_assets

FOLDER = Path(__file__).parent

assets = Blueprint("assets", __name__)


ASSETS = read_assets(FOLDER)
_BY_HASHED_NAME = {asset.hashed_name: asset for asset in ASSETS.values()}


def asset_url(name: str) -> str:
    """The address of a file, for templates. Raises `KeyError` for a name that there is none of."""
    return url_for("assets.file", hashed_name=ASSETS[name].hashed_name)


@assets.get("/assets/<hashed_name>")
def file(hashed_name: str) -> Response:
    asset = _BY_HASHED_NAME.get(hashed_name)
    if asset is None:
        abort(HTTPStatus.NOT_FOUND)
    return asset.response()
