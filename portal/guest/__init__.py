"""Guest pages: what a person who wants to get online sees."""

from __future__ import annotations

from flask import Blueprint

guests = Blueprint("guests", __name__)

from portal.guest import (  # noqa: E402, F401
    application,
    capport,
    connecting,
    devices,
    hotspots,
    images,
    interstitial,
    keeping,
    landing,
    my_data,
    objections,
    profile_downloads,
    resuming,
    secure_network,
    seen,
    signin,
    site_states,
    sites,
    status,
    voucher,
)
