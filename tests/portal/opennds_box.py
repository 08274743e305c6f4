"""An openNDS as the portal meets it: landings that browsers bring, and authmon's questions. It sees no packets.

It lets in whom the portal names, says so, and reports ends, each in openNDS' own form.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from dataclasses import dataclass, field
from urllib.parse import quote, unquote, urlencode

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from portal.gateway_api.fas import FASKEY
from portal.gateway_api.secrets import secret_of
from sites.models import Gateway
from tests.portal.conftest import PORTAL, Phone

NAME = "Gare%20Viotte%20Node%3a020000000001%20"
OUTSIDE = "203.0.113.10"


@dataclass
class OpenNdsBox:
    """`inside` are those whom it lets pass: their MAC, and the words of their entry."""

    app: Flask
    gateway: Gateway
    name: str = NAME
    faskey: str = ""
    inside: dict[str, list[str]] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    browser: FlaskClient = field(init=False)

    def __post_init__(self) -> None:
        self.browser = self.app.test_client(use_cookies=False)
        if not self.faskey:
            with self.app.app_context():
                self.faskey = secret_of(self.gateway, FASKEY)

    @property
    def path(self) -> str:
        return f"/gateways/{self.gateway.kind}/{self.gateway.identity}/"

    @property
    def hash(self) -> str:
        return hashlib.sha256(self.name.encode()).hexdigest()

    def hid(self, mac: str) -> str:
        """The digest of a token that stays the client's until it has been in."""
        token = self.tokens.setdefault(mac, secrets.token_hex(4))
        return hashlib.sha256(token.encode()).hexdigest()

    def rhid(self, mac: str) -> str:
        return hashlib.sha256((self.hid(mac) + self.faskey).encode()).hexdigest()

    def text(self, phone: Phone, **changes: str) -> str:
        fields = {
            "hid": self.hid(phone.mac),
            "clientip": address_of(phone.mac),
            "clientmac": phone.mac,
            "client_type": "cpd_can",
            "gatewayname": self.name,
            "version": "9.10.0",
            "gatewayaddress": "10.66.0.1:2050",
            "gatewaymac": "020000000001",
            "originurl": quote("http://example.org/", safe=""),
            "clientif": "br-lan",
            **changes,
        }
        return (
            ", ".join(f"{name}={value}" for name, value in fields.items())
            + ", themespec=(null), (null)(null)"
        )

    def landing(self, phone: Phone, *, is_encrypted: bool = True, **changes: str) -> str:
        """Where openNDS sends this phone's browser."""
        text = self.text(phone, **changes).encode()
        if not is_encrypted:
            return f"{self.path}?fas={base64.b64encode(text).decode()}"
        iv = secrets.token_hex(8)
        padded = text + bytes([16 - len(text) % 16]) * (16 - len(text) % 16)
        key = self.faskey.encode()[:32].ljust(32, b"\0")
        encryptor = Cipher(algorithms.AES256(key), modes.CBC(iv.encode())).encryptor()
        fas = base64.b64encode(base64.b64encode(encryptor.update(padded) + encryptor.finalize())).decode()
        return f"{self.path}?{urlencode({'fas': fas, 'iv': iv})}"

    def ask(
        self, action: str, said: str = "none", /, *, by_get: bool = False, **changes: str
    ) -> TestResponse:
        """One request of authmon, from the gateway's own address. `changes` stand in the form as they are."""
        form = {"auth_get": action, "gatewayhash": self.hash, "payload": _encoded(said), **changes}
        outside = {"REMOTE_ADDR": OUTSIDE}
        if by_get:
            query = "&".join(f"{name}={value}" for name, value in form.items())
            return self.browser.get(f"{self.path}?{query}", base_url=PORTAL, environ_overrides=outside)
        return self.browser.post(self.path, base_url=PORTAL, data=form, environ_overrides=outside)

    def round(self, *, by_get: bool = False) -> list[list[str]]:
        """authmon's two requests; the words of the entries that were new to it."""
        told = self.ask("view", by_get=by_get).text
        assert told.startswith("*"), told
        new = []
        for entry in told.split()[1:]:
            words = unquote(entry).split()
            mac = next((mac for mac in self.tokens if self.rhid(mac) == words[0]), None)
            if mac is not None and mac not in self.inside:
                self.inside[mac] = words
                new.append(words)
        acknowledged = " ".join(["*", *(words[0] for words in new)])
        assert self.ask("view", acknowledged, by_get=by_get).text == "ack"
        return new

    def restart(self) -> None:
        """All its clients are out, and have new tokens; authmon says that it has begun anew."""
        self.restart_quietly()
        self.ask("clear")

    def restart_quietly(self) -> None:
        """The same where there is no authmon, or the portal was away."""
        self.inside.clear()
        self.tokens.clear()

    def report_end(self, mac: str, method: str = "timeout_deauth", **changes: str) -> TestResponse:
        """The end of a stay, whose client gets a new token."""
        words, token = self.inside.pop(mac), self.tokens.pop(mac)
        fields = {
            "method": method,
            "clientmac": mac,
            "bytes_incoming": "706000",
            "bytes_outgoing": "12000",
            "session_start": "1795372382",
            "session_end": "1795372443",
            "token": token,
            "custom": words[6].replace("=", "%3d"),
            **changes,
        }
        return self.ask("deauthed", ", ".join(f"{name}={value}" for name, value in fields.items()))


def address_of(mac: str) -> str:
    """The address that a card has behind the gateway, whose own the portal sees."""
    return f"10.66.0.{100 + int(mac[-2:], 16)}"


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
