"""uspot's UAM: CoovaChilli's, with one challenge for each device, and other words for the outcome."""

from __future__ import annotations

from gateways.uam.dialect import Dialect, LoginRule, Outcome
from gateways.uam.encodings import Encoding

DIALECT = Dialect(
    mac=("mac",),
    address=("ip",),
    login=LoginRule(host=("uamip",), port=("uamport",), path="/logon", ports={"http": 3990}),
    method="GET",
    # Of a secret in UAM's own hiding it reads sixteen characters alone.
    encodings=(Encoding.UAM_CHAP,),
    response_field="response",
    is_signed=True,
    challenge=("challenge",),
    session=("sessionid",),
    outcome=("res",),
    outcomes={
        "notyet": Outcome.NOT_YET,
        "success": Outcome.PASSES,
        "already": Outcome.PASSES,
        "reject": Outcome.REFUSED,
        "logoff": Outcome.LEFT,
    },
    reply=("reply",),
    has_fixed_challenge=True,
)
