"""Staff pages: the scripts that some of them load from our own host, under names that change with their content.

Every page is whole without it; a page that has one says so in its security policy.
"""

from __future__ import annotations

from http import HTTPStatus
from pathlib import Path

from flask import Response, abort, url_for

from portal.http.asset_files import read_assets
from portal.http.security_headers import allow_scripts
from portal.staff import staff
from portal.staff.access import anyone

ASSETS = read_assets(Path(__file__).parent)
_BY_HASHED_NAME = {asset.hashed_name: asset for asset in ASSETS.values()}


def staff_asset(name: str) -> str:
    """The address of a script, for templates: the page's security policy then lets it run. Raises `KeyError` for a name
    that there is none of."""
    allow_scripts()
    return url_for("staff.asset", hashed_name=ASSETS[name].hashed_name)


@staff.get("/assets/<hashed_name>")
@anyone
def asset(hashed_name: str) -> Response:
    found = _BY_HASHED_NAME.get(hashed_name)
    if found is None:
        abort(HTTPStatus.NOT_FOUND)
    return found.response()
