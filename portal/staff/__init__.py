"""The staff's pages. A process may serve them without the guests' pages, or those without these."""

from __future__ import annotations

from flask import Blueprint

staff = Blueprint("staff", __name__, url_prefix="/staff")

from portal.staff import access, account, confirming, home, people, setup, signin, trail  # noqa: E402, F401
