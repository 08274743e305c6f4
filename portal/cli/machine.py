"""What ``flask doctor`` asks of the machine that the portal runs on: clock, name, units, and the front."""

from __future__ import annotations

import re
import socket
import subprocess
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from config.findings import ConfigFinding, Severity, fault, good, warning
from gateways.nftables import host as machine

UNITS = ("arobase-portal", "arobase-gateway-api", "arobase-staff", "arobase-sweep", "arobase-front")
GATEWAY_UNIT = "arobase-gateway"
NGINX_SECONDS = 20.0


def looked(what: str, look: Callable[[], Iterable[ConfigFinding]]) -> list[ConfigFinding]:
    """What `look` finds. That it fails is a finding too: what else was found is still told."""
    try:
        return list(look())
    except Exception as error:
        return [fault(f"{what} could not be looked at: {type(error).__name__}: {error}")]


def check_clock(now: float) -> ConfigFinding:
    """Whether the clock, `now` seconds since the epoch, can be right, and something keeps it right."""
    if trouble := machine.clock_trouble(now=now):
        return fault(trouble)
    if machine.is_synchronised():
        return good("the clock is kept by time servers.")
    return warning(
        "no time server keeps this machine's clock: timedatectl set-ntp true; with chrony: chronyc tracking"
    )


def check_name(host: str, *, one_box: bool) -> ConfigFinding:
    """Whether the portal's name leads to this machine, as on one box with the gateway it must."""
    try:
        found = sorted({str(one[4][0]) for one in socket.getaddrinfo(host, 443, type=socket.SOCK_STREAM)})
    except (OSError, UnicodeError):
        return fault(
            f"this machine finds no address for {host}: write it into /etc/hosts, or ask your resolver."
        )
    resolved = f"{host} is {', '.join(found)} here"
    if all(machine.is_own(each) for each in found):
        return good(f"{resolved}.")
    if one_box:
        return fault(
            f"{resolved}, not this machine alone: write its address on the clients' side into /etc/hosts."
        )
    return warning(
        f"{resolved}, not this machine alone: right only if that leads here by a translation or proxy."
    )


def check_units(gateway: bool, *, booted: Path = machine.BOOTED) -> list[ConfigFinding]:
    """Whether the portal's units are active, and with `gateway` the agent's."""
    units = [*UNITS, GATEWAY_UNIT] if gateway else list(UNITS)
    states = machine.unit_states(units, booted=booted)
    if states is None:
        return [
            warning("systemd does not run this machine: whether the portal's parts run was not looked at.")
        ]
    found = [
        fault(f"{unit} is {state}: systemctl enable --now {unit}; journalctl -u {unit} says why")
        for unit, state in states.items()
        if state != "active"
    ]
    return found or [good(f"{', '.join(units)} are active.")]


def check_nginx(file: Path, *, program: Sequence[str] = ("nginx",)) -> list[ConfigFinding]:
    """Whether nginx takes its configuration. Nothing where there is none: another front may stand here."""
    if not file.exists():
        return [
            warning(f"{file} is missing: arobase front nginx > {file}, unless another front stands here.")
        ]
    done = subprocess.run(
        [*program, "-t", "-q", "-c", str(file)],
        capture_output=True,
        text=True,
        timeout=NGINX_SECONDS,
        check=False,
    )
    if done.returncode:
        said = done.stderr.strip().splitlines() or ["no reason given"]
        return [fault(f"nginx does not take {file}: {said[0]}: arobase front nginx > {file}")]
    return [good(f"nginx takes {file}.")]


def radius_server_version() -> tuple[int, ...] | None:
    """The version of FreeRADIUS on this machine; None where there is none."""
    try:
        done = subprocess.run(
            ["freeradius", "-v"], capture_output=True, text=True, timeout=NGINX_SECONDS, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return None
    found = re.search(r"FreeRADIUS Version (\d+(?:\.\d+)*)", done.stdout)
    return tuple(map(int, found.group(1).split("."))) if found else None


def is_sound(found: Iterable[ConfigFinding]) -> bool:
    return not any(one.severity is Severity.FAULT for one in found)
