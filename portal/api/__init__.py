"""API: passes issued, read, replaced and taken back by programs with a token.

Served beside the staff's pages, and never where only guests are served.
"""

from __future__ import annotations

from flask import Blueprint

api = Blueprint("api", __name__, url_prefix="/api/v1")
