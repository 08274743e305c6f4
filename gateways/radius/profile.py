"""What a kind that speaks RADIUS says of itself: by having this value, a kind belongs to the family."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gateways.radius.live_sessions import DynamicAuthorization

# Of these a gateway sends one when it asks for a device by its MAC address, before anybody has typed anything: Framed
# or Call-Check (RFC 2865 section 5.6), by name, or by number where the server has no name for it.
BY_MAC = frozenset({"Framed-User", "Call-Check", "2", "10"})
# From the rates down and up in kbit/s, both at least 1, the reply attributes that say so.
RateAttributes = Callable[[int, int], Mapping[str, int | str]]


def wispr(down_kbps: int, up_kbps: int) -> Mapping[str, int | str]:
    """WISPr-Bandwidth-Max-*, in bit/s."""
    return {"WISPr-Bandwidth-Max-Down": down_kbps * 1000, "WISPr-Bandwidth-Max-Up": up_kbps * 1000}


def chillispot(down_kbps: int, up_kbps: int) -> Mapping[str, int | str]:
    """ChilliSpot-Bandwidth-Max-*, in kbit/s."""
    return {"ChilliSpot-Bandwidth-Max-Down": down_kbps, "ChilliSpot-Bandwidth-Max-Up": up_kbps}


def mikrotik(down_kbps: int, up_kbps: int) -> Mapping[str, int | str]:
    """Mikrotik-Rate-Limit: rx/tx as the router sees it, so the client's upload comes first."""
    return {"Mikrotik-Rate-Limit": f"{up_kbps}k/{down_kbps}k"}


def pfsense(down_kbps: int, up_kbps: int) -> Mapping[str, int | str]:
    """pfSense-Bandwidth-Max-*, in bit/s."""
    return {"pfSense-Bandwidth-Max-Down": down_kbps * 1000, "pfSense-Bandwidth-Max-Up": up_kbps * 1000}


def no_rates(_down_kbps: int, _up_kbps: int) -> Mapping[str, int | str]:
    """For boxes that take no rate from RADIUS."""
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class RadiusProfile:
    """How boxes of a kind speak RADIUS, where they differ.

    `mac_service_types`: the Service-Types of a request for a device by its MAC address; None where any may be, so that
    a User-Name that is the device's own MAC address says enough. `counts_by_default`: whose view the octets of
    accounting have where neither the packet nor the record says so: "nas" (RFC 2866 section 5.3: Input is what came
    from the client) or "client".
    """

    rates: RateAttributes = wispr
    mac_service_types: frozenset[str] | None = BY_MAC
    counts_by_default: str = "nas"
    # Its requests name the device, by Calling-Station-Id or Framed-IP-Address. Where a kind names none, whoever has the
    # credentials of a session may use them once more on another device.
    names_clients: bool = True
    # It keeps Idle-Timeout (RFC 2865 section 5.28).
    keeps_idle_timeout: bool = True
    # Devices join there with the certificate that the portal made for them (EAP-TLS).
    joins_by_certificate: bool = False
    # How it takes Disconnect-Request and CoA-Request; None where it listens for none, and so takes nothing back.
    dynauth: DynamicAuthorization | None = None
    # Where the operator has switched that on (option `reauthenticates`), it asks about each device that passes, so
    # often, and lets go of whoever may pass no more. 0: it never asks again.
    reauthenticates_seconds: int = 0
