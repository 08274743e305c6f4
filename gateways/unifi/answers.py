"""What a controller answers, read strictly in what counts and not at all in what does not: wire/*.txt has examples."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import json
from dataclasses import dataclass
from typing import Any

from gateways.types import InvalidMac, IpAddress, MacAddress, parse_mac
from gateways.unifi.errors import ControllerError, Trouble

LOGIN_REQUIRED = "api.err.LoginRequired"


@dataclass(frozen=True, slots=True)
class Station:
    """A device that is connected now. `is_authorized` is None where the controller does not say."""

    mac: MacAddress
    address: IpAddress | None
    is_guest: bool
    is_authorized: bool | None
    access_point: MacAddress | None


@dataclass(frozen=True, slots=True)
class Guest:
    """An authorization that runs. `end` is in seconds since the epoch by the controller's clock."""

    mac: MacAddress
    end: float
    bytes_up: int
    bytes_down: int


class Rejected(ControllerError):
    """The controller understood and said no; `message` is its code, like ``api.err.UnknownStation``."""

    def __init__(self, message: str) -> None:
        super().__init__(Trouble.REFUSAL, message)
        self.message = message


def read_rows(content: bytes) -> list[dict[str, Any]]:
    """The rows of an answer. Raises `Rejected`, and `ControllerError` for what is no answer of a controller."""
    try:
        value = json.loads(content)
        meta, rows = value["meta"], value.get("data", [])
        code = meta["rc"]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ControllerError(Trouble.ANSWER, "an answer that is not a controller's") from error
    if code == "error":
        raise Rejected(_plain(meta.get("msg", "without a reason")))
    if code != "ok" or not isinstance(rows, list):
        raise ControllerError(Trouble.ANSWER, "an answer that is neither yes nor no")
    return [row for row in rows if isinstance(row, dict)]


def read_stations(rows: list[dict[str, Any]]) -> tuple[Station, ...]:
    """The connected devices among these rows of ``stat/sta``; what has no MAC address is none."""
    found = []
    for row in rows:
        mac = _mac(row.get("mac"))
        if mac is not None:
            is_guest = row.get("is_guest") is True
            said = row.get("authorized")
            authorized = said if isinstance(said, bool) else None
            found.append(Station(mac, _address(row.get("ip")), is_guest, authorized, _mac(row.get("ap_mac"))))
    return tuple(found)


def read_guests(rows: list[dict[str, Any]], *, now: float) -> dict[MacAddress, Guest]:
    """The authorizations of ``stat/guest`` that run, the longest of each device. `now` is by the controller's clock."""
    found: dict[MacAddress, Guest] = {}
    for row in rows:
        mac, end = _mac(row.get("mac")), _number(row.get("end"))
        if mac is None or end <= now or row.get("expired") is True:
            continue
        # By the access point's view: what it transmits is the client's download.
        up, down = int(_number(row.get("rx_bytes"))), int(_number(row.get("tx_bytes")))
        if mac not in found or found[mac].end < end:
            found[mac] = Guest(mac, end, up, down)
    return found


def csrf_of(token: str) -> str:
    """The CSRF token inside a console's session cookie (a JWT, which is not ours to verify); empty where none is."""
    parts = token.split(".")
    if len(parts) != 3:
        return ""
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
        found = claims["csrfToken"]
    except (ValueError, KeyError, TypeError, binascii.Error):
        return ""
    return found if isinstance(found, str) else ""


def _mac(value: Any) -> MacAddress | None:
    try:
        return parse_mac(value) if isinstance(value, str) else None
    except InvalidMac:
        return None


def _address(value: Any) -> IpAddress | None:
    try:
        return ipaddress.ip_address(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _number(value: Any) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and 0 <= value < 2**62 else 0.0


def _plain(text: Any) -> str:
    """At most 80 printable ASCII characters of a controller's text."""
    return "".join(each for each in str(text)[:80] if " " <= each <= "~") or "without a reason"
