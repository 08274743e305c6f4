"""A device that joins an encrypted network, as wpa_supplicant does it: by its program eapol_test."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from auth.devices.certificates import KeyPair
from tests.services.freeradius import FreeRadius
from tests.services.parts import program

# Long enough for a handshake on a machine that does much besides; what is refused is refused at once.
PATIENCE_SECONDS = 15


@dataclass(frozen=True, slots=True)
class Joined:
    """What came of it: the last answer's attributes by number, as the program prints them, and all that it said."""

    is_in: bool
    attributes: dict[int, str]
    said: str

    def number(self, attribute: int) -> int:
        return int(self.attributes[attribute])

    def vendor(self, number: int) -> list[bytes]:
        """The attributes of one vendor (RFC 2865 section 5.26), each with its type and length before it."""
        found = re.findall(r"Attribute 26 \(Vendor-Specific\) length=\d+\n\s+Value: ([0-9a-f]+)", self.last)
        return [bytes.fromhex(one)[4:] for one in found if int(one[:8], 16) == number]

    @property
    def last(self) -> str:
        return self.said.rpartition("Received RADIUS message")[2]


@dataclass(frozen=True, slots=True)
class Supplicant:
    """A device with a certificate, and what it expects of the server."""

    folder: Path
    pair: KeyPair
    authority: str
    host: str
    mac: str = "02:00:00:00:0a:01"
    outer: str = "anonymous@portal.example.org"
    # RFC 9190; wpa_supplicant 2.10 does not offer it by itself.
    with_tls_1_3: bool = False

    def join(self, server: FreeRadius, secret: str) -> Joined:
        for name, text in (("ca", self.authority), ("device", self.pair.certificate), ("key", self.pair.key)):
            (self.folder / f"{name}.pem").write_text(text)
        (self.folder / "network.conf").write_text(self._configuration())
        place = [
            "-c",
            str(self.folder / "network.conf"),
            "-a",
            "127.0.0.1",
            "-p",
            str(server.server.auth_port),
        ]
        who = ["-s", secret, "-M", self.mac, "-t", str(PATIENCE_SECONDS)]
        done = subprocess.run(
            [program("eapol_test"), *place, *who],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=60,
        )
        return Joined(done.returncode == 0, _attributes(done.stdout), done.stdout)

    def _configuration(self) -> str:
        tls_1_3 = '    phase1="tls_disable_tlsv1_3=0"\n' if self.with_tls_1_3 else ""
        return (
            "network={\n"
            '    ssid="secure"\n    key_mgmt=WPA-EAP\n    eap=TLS\n'
            f'    identity="{self.outer}"\n    domain_match="{self.host}"\n'
            f'    ca_cert="{self.folder}/ca.pem"\n    client_cert="{self.folder}/device.pem"\n'
            f'    private_key="{self.folder}/key.pem"\n{tls_1_3}'
            "}\n"
        )


def _attributes(said: str) -> dict[int, str]:
    """The attributes of the last RADIUS message that came."""
    last = said.rpartition("Received RADIUS message")[2]
    found = re.findall(r"Attribute (\d+) \([^)]*\) length=\d+\n\s+Value: (.*)", last)
    return {int(number): value.strip("'") for number, value in found}
