"""Guest pages: what a person who wants to get online sees."""

from __future__ import annotations

from flask import Blueprint

guests = Blueprint("guests", __name__)
