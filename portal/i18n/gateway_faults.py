"""The faults that a gateway reports, in words for the staff page and the command line."""

from __future__ import annotations

from gateways.faults import Fault, FaultCode
from portal.i18n.translation import say


def fault_in_words(fault: Fault) -> str:
    """What a gateway says is wrong with it, and what to do; a code that is new to us is told as it stands."""
    words = {
        FaultCode.BLOCKED_4: say(
            "People who are signed in do not reach the Internet over IPv4: other rules on that machine drop their "
            "packets. Look for another firewall or for Docker there."
        ),
        FaultCode.BLOCKED_6: say(
            "People who are signed in do not reach the Internet over IPv6: other rules on that machine drop their "
            "packets. Look for another firewall or for Docker there."
        ),
        FaultCode.NO_ROUTE_4: say(
            "Its way to the Internet over IPv4 does not lead through an uplink of its settings. Is the line up?"
        ),
        FaultCode.NO_ROUTE_6: say(
            "Its way to the Internet over IPv6 does not lead through an uplink of its settings. Is the line up?"
        ),
        FaultCode.UNPROVED: say(
            "It cannot prove that people who are signed in reach the Internet: its log says why."
        ),
        FaultCode.OFFLOADED: say(
            "A flowtable takes its clients' packets past the rules: nobody's end is kept. "
            "Take their interface out of it."
        ),
        FaultCode.UNCHECKED: say("It cannot check its own rules: its log says why."),
        FaultCode.UNREADABLE: say("It cannot read its own rules, and reports no traffic: its log says why."),
        FaultCode.DISK: say(
            "Its disk is full or read-only. It serves from memory: after a restart, people may have to sign in again."
        ),
        FaultCode.SAME_NETWORK: say(
            "Its clients' addresses overlap the network of its uplink: choose another prefix for the clients."
        ),
        FaultCode.LEASES_FILE: say("The DHCP server's list of leases is gone. Does it run?"),
        FaultCode.DHCP_POOL: say(
            "Nearly all of its addresses are given away, and new phones may get none. Is the prefix too small, or does "
            "somebody take them?"
        ),
        FaultCode.BRIDGED: say(
            "Bridged frames pass its rules (bridge-nf-call): access points may not reach their controller."
        ),
        FaultCode.RADIO: say(
            "The hours of its wifi are known, and it cannot switch its access points off and on: name their interfaces "
            "in radio_interfaces of its settings, or give them a schedule of their own."
        ),
        FaultCode.NOT_AUTHORIZED: say(
            "The controller said yes, and does not do it: the portal tells it again. If this stays, look at its access "
            "points and at the name of its site."
        ),
    }
    known = next((text for code, text in words.items() if code == fault.code), None)
    sentence = known or say("A fault that this portal has no words for yet: %(code)s.", code=fault.code)
    return f"{sentence} ({fault.detail})" if fault.detail else sentence
