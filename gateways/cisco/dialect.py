"""Cisco's wireless controllers, AireOS and 9800: external web authentication."""

from __future__ import annotations

from gateways.uam.dialect import Dialect, LoginRule, Outcome

DIALECT = Dialect(
    mac=("client_mac",),
    login=LoginRule(url=("switch_url",), path="/login.html", schemes=("https", "http")),
    back="redirect_url",
    constants={"buttonClicked": "4", "err_flag": "0"},
    outcome=("statusCode",),
    outcomes={
        "1": Outcome.PASSES,
        "2": Outcome.REFUSED,
        "3": Outcome.REFUSED,
        "4": Outcome.REFUSED,
        "5": Outcome.REFUSED,
    },
)
