"""The staff's pages. A process may serve them without the guests' pages, or those without these."""

from __future__ import annotations

from flask import Blueprint

staff = Blueprint("staff", __name__, url_prefix="/staff")

from portal.staff import (  # noqa: E402, F401
    access,
    account,
    batches,
    confirming,
    desk,
    exports,
    gateways,
    guesses,
    holds,
    home,
    incidents,
    passes,
    people,
    reports,
    requisitions,
    retention,
    session,
    session_exports,
    sessions,
    setup,
    signin,
    slips,
    tokens,
    trail,
    two_person,
    unmasking,
)
