"""The encrypted network of an access point, WPA2- or WPA3-Enterprise: docs/secure-network.md."""

from __future__ import annotations

from gateways.kinds import Capabilities, Kind, Learning, Option
from gateways.radius.live_sessions import DISCONNECT_ALONE
from gateways.radius.options import COA_OPTIONS, OPTIONS
from gateways.radius.profile import RadiusProfile, wispr
from gateways.sentences import Sentence


def _ssid(text: str) -> str:
    # IEEE 802.11 section 9.4.2.2: 0 to 32 octets.
    if not text.isprintable() or not 1 <= len(text.encode()) <= 32:
        raise ValueError(Sentence("write the name of the encrypted network, of 1 to 32 octets"))
    return text


KIND = Kind(
    name="enterprise",
    product="WPA-Enterprise",
    capabilities=Capabilities(
        # It asks whenever a device joins.
        learns=Learning.PULLED,
        learns_within_seconds=5,
        # Session-Timeout (RFC 3580 section 3.17).
        ends_by_itself=True,
        extends=False,
        # By Disconnect-Request (RFC 5176), which has the device join anew.
        revokes=True,
        # By WISPr's attributes, where the access point takes them.
        limits_rates=True,
        limits_volume=False,
        accounts=True,
        reports_presence=False,
        is_heard=False,
    ),
    options=(
        *OPTIONS,
        *COA_OPTIONS,
        Option(
            name="ssid", read=_ssid, help=Sentence("The name of the encrypted network, which profiles join.")
        ),
    ),
    # By their MAC addresses nobody joins it: there would be no key to encrypt with.
    radius=RadiusProfile(
        rates=wispr, mac_service_types=frozenset(), joins_by_certificate=True, dynauth=DISCONNECT_ALONE
    ),
)
