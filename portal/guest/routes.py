"""All pages of guests: importing this module gives them to the blueprint."""

from __future__ import annotations

from portal.guest import (  # noqa: F401
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
