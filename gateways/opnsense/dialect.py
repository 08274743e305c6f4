"""OPNsense: the page of its zone is replaced by one that asks it what it knows, forwards that, and signs in."""

from __future__ import annotations

from gateways.uam.dialect import Dialect, LoginRule

DIALECT = Dialect(
    mac=("mac",),
    address=("ip",),
    # The zone's own page. Its sign-in answers in JSON, which the page's script reads.
    login=LoginRule(
        url=("login",),
        path="/index.html",
        schemes=("https", "http"),
        ports={"http": 8000, "https": 8000},
    ),
    method="GET",
    user_field="user",
    back="back",
    error=("error",),
)
