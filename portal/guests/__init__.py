"""The guests' pages."""

from __future__ import annotations

from flask import Blueprint

guests = Blueprint("guests", __name__)

from portal.guests import capport, landing, opening, passes, pause, places, signin, status, yours  # noqa: E402, F401
