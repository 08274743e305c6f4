"""Gateways in words for staff: the state of one, what to do, and why packets were refused."""

from __future__ import annotations

from babel.numbers import format_decimal

from portal.i18n.translation import language, say
from sites.checks import GatewayState


def verdict_in_words(verdict: GatewayState) -> str:
    return {
        GatewayState.WELL: say("well"),
        GatewayState.NEVER_SEEN: say("never seen: nothing has come from it yet, see its set-up"),
        GatewayState.UNTRIED: say("untried: nobody has come through it yet"),
        GatewayState.SILENT: say("silent: who is online stays so, nobody new comes in"),
        GatewayState.FAULTY: say("something is wrong there: see what it says of itself"),
        GatewayState.BEHIND: say("behind: it has not taken the newest changes yet"),
        GatewayState.CLOCK_OFF: say("its clock is off: check its time service"),
        GatewayState.DRIFTING: say("drifting: it is being told again whom to let pass"),
    }[verdict]


def refusal_in_words(reason: str) -> str:
    """Why packets were refused; a reason that has no words here is told as the gateway says it."""
    words = {
        "spoofed": say("sent under an address that is not theirs"),
        "dns": say("too many name look-ups before signing in"),
        "dhcp": say("asking for addresses in another device's name, or without end"),
        "dhcp_servers": say("giving addresses to other guests: somebody's own router"),
        "routers": say("leading other guests' IPv6 astray: somebody's own router"),
    }
    return words.get(reason, reason)


def offset(seconds: float | None) -> str:
    """How far a clock is off, with its sign."""
    if seconds is None:
        return say("not known")
    signed = format_decimal(round(seconds, 1), format="+#,##0.0;-#,##0.0", locale=language())
    return say("%(seconds)s s", seconds=signed)
