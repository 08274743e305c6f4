"""A gateway as FreeRADIUS sees it: it sends Access-Requests and accounting (pyrad), and keeps what it is answered."""

from __future__ import annotations

import functools
import hashlib
import logging
import os
from typing import Any

from pyrad import packet
from pyrad.client import Client, Timeout
from pyrad.dictionary import Dictionary

from tests.services import mschap
from tests.services.freeradius import FreeRadius
from tests.services.parts import newest

DICTIONARIES = (
    *("rfc2865", "rfc2866", "rfc2868", "rfc2869", "rfc5176", "microsoft", "wispr", "chillispot"),
    *("mikrotik", "pfsense", "aruba", "airespace", "ruckus", "cisco"),
)


@functools.cache
def dictionary() -> Dictionary:
    """The attributes that the server knows too."""
    # Of attributes that it cannot encode it says so; none of them is used here.
    logging.getLogger("pyrad").setLevel(logging.ERROR)
    return Dictionary(*(str(newest(f"usr/share/freeradius/dictionary.{name}")) for name in DICTIONARIES))


class Silence(Exception):
    """The server did not answer."""


class RadiusNas:
    """One gateway at `address`, which is one of 127.0.0.0/8."""

    def __init__(
        self,
        server: FreeRadius,
        secret: str,
        *,
        address: str = "127.0.0.1",
        patience: float = 3.0,
        port: int | None = None,
    ) -> None:
        self._client = Client(
            "127.0.0.1",
            authport=port or server.server.auth_port,
            acctport=server.server.acct_port,
            secret=secret.encode(),
            dict=dictionary(),
            retries=1,
            timeout=patience,
            # A reply without a Message-Authenticator is none (CVE-2024-3596).
            enforce_ma=True,
        )
        self._client.bind((address, 0))
        self._last: packet.Packet | None = None

    def close(self) -> None:
        self._client._CloseSocket()

    def ask(
        self, user: str, password: str, *, how: str = "pap", is_signed: bool = True, **attributes: Any
    ) -> packet.Packet:
        """Send an Access-Request. Raises `Silence`."""
        request = self._client.CreateAuthPacket(
            User_Name=user, message_authenticator=is_signed or None, **attributes
        )
        match how:
            case "pap":
                request["User-Password"] = request.PwCrypt(password)
            case "chap":
                request["CHAP-Challenge"] = challenge = os.urandom(16)
                request["CHAP-Password"] = _chap(password, challenge)
            case "mschap2":
                request["MS-CHAP-Challenge"], request["MS-CHAP2-Response"] = mschap.response(user, password)
            case "none":
                pass
        return self._send(request)

    def account(self, status: str, **attributes: Any) -> packet.Packet:
        """Send an Accounting-Request. Raises `Silence`."""
        return self._send(self._client.CreateAcctPacket(Acct_Status_Type=status, **attributes))

    def again(self) -> packet.Packet:
        """Send the last packet once more as it was, which a box does that has heard nothing. Raises `Silence`."""
        assert self._last is not None
        return self._send(self._last)

    def _send(self, request: packet.Packet) -> packet.Packet:
        self._last = request
        try:
            return self._client.SendPacket(request)
        except Timeout as error:
            raise Silence from error


def _chap(password: str, challenge: bytes) -> bytes:
    """CHAP-Password (RFC 2865 section 5.3): identifier and MD5 of identifier, password, challenge."""
    identifier = os.urandom(1)
    return identifier + hashlib.md5(identifier + password.encode() + challenge).digest()
