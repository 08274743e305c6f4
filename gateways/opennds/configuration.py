"""The lines that an operator pastes into an openNDS: Debian's 9.10 by its own file, OpenWrt's 10.x by UCI."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from gateways.set_up import Lines, SetUp

_DEBIAN = Path(__file__).with_name("debian")
# Programs that stand before those of the same name for openNDS alone.
PROGRAMS = "/etc/opennds/bin"
DROP_IN = "/etc/systemd/system/opennds.service.d/arobase.conf"
DEBIAN_FILE, OPENWRT_FILE = "/etc/opennds/opennds.conf", "/etc/config/opennds"
# Who is silent for a day is out; the deadline of a stay is the portal's affair.
IDLE_MINUTES = 1440


@dataclass(frozen=True, slots=True)
class OpenNdsSettings:
    """What one openNDS must be told. `fas_url` is the address of its FAS at the portal, and `portal_address` the IPv4
    address behind that name, or empty where it is not known. `longest_minutes` is the longest stay that there is:
    nobody who gets past the portal stays longer."""

    name: str
    interface: str
    fas_url: str
    portal_address: str
    faskey: str
    level: str
    poll_seconds: str
    longest_minutes: int
    binauth: str

    @property
    def port(self) -> int:
        parts = urlsplit(self.fas_url)
        return parts.port or (443 if parts.scheme == "https" else 80)

    @property
    def host(self) -> str:
        return urlsplit(self.fas_url).hostname or ""

    @property
    def path(self) -> str:
        return urlsplit(self.fas_url).path


def set_up(settings: OpenNdsSettings, *more: Lines) -> SetUp:
    """The lines for either system, and `more` that go with them."""
    debian = Lines(f"{DEBIAN_FILE} (openNDS 9.10 of Debian: the whole file)", _debian(settings))
    openwrt = Lines(f"{OPENWRT_FILE} (openNDS 10 and newer: the whole file)", _openwrt(settings))
    return SetUp((debian, openwrt, *_repairs(), *more), secrets=(settings.faskey,))


def _repairs() -> tuple[Lines, ...]:
    """What openNDS 9.10 needs on Debian 12 to start, and to keep rates."""
    path = f"[Service]\nEnvironment=PATH={PROGRAMS}:/usr/sbin:/usr/bin:/sbin:/bin\n"
    programs = [
        Lines(
            f"{PROGRAMS}/{name} (Debian 12, mode 0755)", (_DEBIAN / f"{name}.sh").read_text(encoding="ascii")
        )
        for name in ("nft", "iptables")
    ]
    return (Lines(f"{DROP_IN} (Debian 12)", path), *programs)


def _options(settings: OpenNdsSettings) -> dict[str, str]:
    """In the names of both. Small letters: openNDS' helpers find no others."""
    return {
        "gatewayinterface": settings.interface,
        "gatewayname": settings.name,
        "fasport": str(settings.port),
        "faspath": settings.path,
        "fasremoteip": settings.portal_address or "THE-PORTALS-IPV4-ADDRESS",
        "fasremotefqdn": settings.host,
        "faskey": settings.faskey,
        "fas_secure_enabled": settings.level,
        "login_option_enabled": "0",
        "checkinterval": "15",
        "sessiontimeout": str(settings.longest_minutes),
        "authidletimeout": str(IDLE_MINUTES),
        "binauth": settings.binauth,
    }


def _debian(settings: OpenNdsSettings) -> str:
    """The daemon refuses nat_traversal_poll_interval and ends; authmon finds it behind the # too."""
    options = "".join(f"{name} {value}\n" for name, value in _options(settings).items())
    return (
        f"{options}#nat_traversal_poll_interval {settings.poll_seconds}\n"
        "FirewallRuleSet authenticated-users {\nFirewallRule allow all\n}\n"
        "FirewallRuleSet users-to-router {\n"
        "FirewallRule allow udp port 53\nFirewallRule allow tcp port 53\nFirewallRule allow udp port 67\n}\n"
    )


def _openwrt(settings: OpenNdsSettings) -> str:
    options = _options(settings) | {"nat_traversal_poll_interval": settings.poll_seconds, "enabled": "1"}
    rules = {
        "authenticated_users": ("allow all",),
        "users_to_router": ("allow udp port 53", "allow tcp port 53", "allow udp port 67"),
    }
    lines = [f"\toption {name} '{value}'" for name, value in options.items()]
    lines += [f"\tlist {name} '{rule}'" for name, several in rules.items() for rule in several]
    return "\n".join(["config opennds 'setup'", *lines, ""])
