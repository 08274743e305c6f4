"""pfSense: its own page is replaced by one that forwards what it knows, under names of ours."""

from __future__ import annotations

from gateways.uam.dialect import Dialect, LoginRule

DIALECT = Dialect(
    mac=("mac",),
    address=("ip",),
    # $PORTAL_ACTION$: the zone's own port, and its name in the query.
    login=LoginRule(
        url=("login",),
        path="/index.php",
        schemes=("https", "http"),
        ports={"http": 8002, "https": 8003},
        kept=("zone",),
    ),
    user_field="auth_user",
    secret_field="auth_pass",
    back="redirurl",
    constants={"accept": "1"},
    echoed={"zone": ("zone",)},
    error=("error",),
)
