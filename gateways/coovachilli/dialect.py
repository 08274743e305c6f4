"""CoovaChilli's redirect and login: captured from 1.8 and 1.9."""

from __future__ import annotations

from gateways.uam.dialect import Dialect, LoginRule, Outcome
from gateways.uam.encodings import Encoding

DIALECT = Dialect(
    mac=("mac",),
    address=("ip",),
    # It takes GET alone, unless it is told to take a POST (uamallowpost).
    login=LoginRule(host=("uamip",), port=("uamport",), path="/logon", ports={"http": 3990}),
    method="GET",
    encodings=(Encoding.UAM_CHAP, Encoding.UAM_PAP),
    response_field="response",
    back="userurl",
    is_signed=True,
    challenge=("challenge",),
    session=("sessionid",),
    outcome=("res",),
    outcomes={
        "notyet": Outcome.NOT_YET,
        "splash": Outcome.NOT_YET,
        "challenge": Outcome.NOT_YET,
        # For programs that sign in by themselves; here it was opened by a browser.
        "wispr": Outcome.NOT_YET,
        "success": Outcome.PASSES,
        "already": Outcome.PASSES,
        "failed": Outcome.REFUSED,
        "logoff": Outcome.LEFT,
    },
    reason=("reason",),
    reasons={"timeout": Outcome.UNANSWERED, "other": Outcome.STALE},
    reply=("reply",),
    renewal_path="/prelogin",
)
