"""RADIUS as the lab's UAM gateway speaks it, with pyrad: Access-Request, accounting, Disconnect-Request."""

from __future__ import annotations

import functools
import logging
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pyrad import packet
from pyrad.client import Client, Timeout
from pyrad.dictionary import Dictionary

BOOKS = "/usr/share/freeradius/dictionary"
NAMES = ("rfc2865", "rfc2866", "rfc2869", "rfc5176", "wispr", "chillispot")
GIGAWORD = 2**32
WAIT_SECONDS, SENDS = 5.0, 3
NO_SUCH_SESSION = 503


@dataclass(frozen=True, slots=True)
class Accepted:
    """An Access-Accept: for how many seconds, and how often it is to be reported on."""

    seconds: int
    interim: int
    class_: bytes


@functools.cache
def dictionary() -> Dictionary:
    logging.getLogger("pyrad").setLevel(logging.ERROR)
    return Dictionary(*(f"{BOOKS}.{name}" for name in NAMES))


@dataclass(frozen=True, slots=True)
class Proof:
    """A password, or with `challenge` a CHAP-Password for it (RFC 2865 section 5.3)."""

    secret: bytes
    challenge: bytes = b""


class Radius:
    """One gateway's side, from `address`."""

    def __init__(self, server: str, secret: str, *, name: str, address: str) -> None:
        self._server, self._secret = server, secret.encode()
        self._own = {"NAS_Identifier": name, "NAS_IP_Address": address}

    def ask(self, user: str, proof: Proof, *, mac: str, address: str, number: str) -> Accepted | None:
        """Ask for a user with his secret; None where the answer is no, or none came."""
        return self._ask(user, proof, "Login-User", mac=mac, address=address, number=number)

    def ask_by_mac(self, mac: str, *, address: str, number: str) -> Accepted | None:
        """Ask for a device that nobody has signed in with here."""
        name = mac.upper().replace(":", "-")
        return self._ask(name, Proof(b"macpasswd"), "Framed-User", mac=mac, address=address, number=number)

    def begin(self) -> None:
        """Say that the gateway has just started, and holds no session."""
        self._send_accounting(Acct_Status_Type="Accounting-On", Calling_Station_Id="00-00-00-00-00-00")

    def account(
        self,
        status: str,
        *,
        user: str,
        mac: str,
        address: str,
        number: str,
        class_: bytes,
        seconds: int,
        up: int,
        down: int,
        cause: str,
    ) -> None:
        """Report on a session. Bytes are said as the client sees them, which is this make's custom: what it has
        received is input."""
        fields: dict[str, Any] = self._of(mac, address, number) | {
            "User_Name": user,
            "Acct_Status_Type": status,
            "Class": class_,
            "Acct_Session_Time": seconds,
            "Acct_Input_Octets": down % GIGAWORD,
            "Acct_Input_Gigawords": down // GIGAWORD,
            "Acct_Output_Octets": up % GIGAWORD,
            "Acct_Output_Gigawords": up // GIGAWORD,
        }
        if cause:
            fields["Acct_Terminate_Cause"] = cause
        self._send_accounting(**fields)

    def _ask(
        self, user: str, proof: Proof, service: str, *, mac: str, address: str, number: str
    ) -> Accepted | None:
        client = self._client()
        request = client.CreateAuthPacket(
            User_Name=user,
            Service_Type=service,
            message_authenticator=True,
            **self._own,
            **self._of(mac, address, number),
        )
        if proof.challenge:
            request["CHAP-Challenge"], request["CHAP-Password"] = proof.challenge, proof.secret
        else:
            request["User-Password"] = request.PwCrypt(proof.secret)
        try:
            reply = client.SendPacket(request)
        except (Timeout, packet.PacketError) as error:
            print(f"no answer for {user}: {error!r}", flush=True)
            return None
        finally:
            client._CloseSocket()
        if reply.code != packet.AccessAccept:
            print(f"refused {user}: {reply.get('Reply-Message')}", flush=True)
            return None
        interim = reply["Acct-Interim-Interval"][0] if "Acct-Interim-Interval" in reply else 300
        class_ = reply["Class"][0] if "Class" in reply else b""
        return Accepted(reply["Session-Timeout"][0], interim, class_)

    def _of(self, mac: str, address: str, number: str) -> dict[str, str]:
        return {
            "Calling_Station_Id": mac.upper().replace(":", "-"),
            "Framed_IP_Address": address,
            "Acct_Session_Id": number,
        }

    def _send_accounting(self, **fields: Any) -> None:
        client = self._client()
        # The client's view (CoovaChilli's Acct-View-Point), for which the usual book has no name.
        view = bytes((0, 0, 0x38, 0xDF, 10, 6, 0, 0, 0, 2))
        try:
            request = client.CreateAcctPacket(**self._own, **fields)
            request[26] = [view]
            client.SendPacket(request)
        except Timeout:
            print(f"no answer for {fields['Acct_Status_Type']}", flush=True)
        finally:
            client._CloseSocket()

    def _client(self) -> Client:
        """A line of its own for each packet: answers are told apart by it."""
        return Client(
            self._server,
            secret=self._secret,
            dict=dictionary(),
            retries=SENDS,
            timeout=WAIT_SECONDS,
            enforce_ma=True,
        )


class DynAuth:
    """Disconnect-Requests that come in on `listener`. `end` gets Acct-Session-Id and User-Name."""

    def __init__(
        self, listener: socket.socket, secret: str, *, end: Callable[[str | None, str], bool]
    ) -> None:
        self._listener, self._secret, self._end = listener, secret.encode(), end
        self._answered: dict[tuple[Any, int, bytes], bytes] = {}

    def serve(self) -> None:
        while True:
            raw, source = self._listener.recvfrom(4096)
            request = packet.CoAPacket(secret=self._secret, dict=dictionary(), packet=raw)
            if not request.VerifyCoARequest():
                print(f"a request from {source[0]} with another secret", flush=True)
                continue
            key = (source, request.id, request.authenticator)
            if key not in self._answered:
                self._answered[key] = self._answer(request)
            self._listener.sendto(self._answered[key], source)

    def _answer(self, request: packet.CoAPacket) -> bytes:
        reply = request.CreateReply()
        number = request["Acct-Session-Id"][0] if "Acct-Session-Id" in request else None
        user = request["User-Name"][0] if "User-Name" in request else ""
        if request.code != packet.DisconnectRequest or not self._end(number, user):
            reply.code = request.code + 2
            reply.AddAttribute("Error-Cause", NO_SUCH_SESSION)
        if "Message-Authenticator" in request:
            reply.add_message_authenticator()
        answer: bytes = reply.ReplyPacket()
        return answer
