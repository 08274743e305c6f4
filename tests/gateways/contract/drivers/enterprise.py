"""An access point's encrypted network: whoever was let in has a certificate, and joins with it through FreeRADIUS."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from auth.audit import actor
from auth.devices import authority, certificates
from auth.devices import service as devices
from auth.devices.models import Device
from auth.patrons.local import PatronRecord, hash_of_no_secret
from gateways.types import Client, MacAddress
from portal.app import system_clock
from portal.cli.radius_config import secure_files
from sessions import clients
from sites.models import SigninMethod
from tests.gateways.contract.drivers.nas import NasDriver, Passing, free_port, opened_nas
from tests.services.eapol import Supplicant
from tests.services.freeradius import FreeRadius

OPTIONS = {"ssid": "SECURE"}


class AccessPoint(NasDriver):
    """An access point with devices that have wpa_supplicant. Certificates go by the clock of the machine."""

    def __init__(self, folder: Path, port: int) -> None:
        super().__init__(folder, "enterprise", port, options=OPTIONS)
        self._folder = folder
        self._supplicants: dict[MacAddress, Supplicant] = {}
        self.portal.subject_of = self._subject
        self.portal.allow(SigninMethod.PATRON)
        services = self.portal.services
        with services.make_session.begin() as db:
            now, by = system_clock(), actor.command_line("")
            authority.make(db, "Wi-Fi", tokens=services.encrypted_tokens, actor=by, now=now)

    def connect(self, server: FreeRadius) -> None:
        super().connect(server)
        self.radius = server

    def sign_in(self, client: Client) -> bool:
        if not self._is_let_in(client):
            return False
        phone = self._supplicants.get(client.mac) or self._enrol(client)
        joined = phone.join(self.radius, self.secret)
        if not joined.is_in:
            return False
        self._sessions += 1
        now = self.clock().timestamp()
        session_id, until = f"{int(now)}{self._sessions:08d}", now + joined.number(27)
        class_, rates = bytes.fromhex(joined.attributes[25]), _rates(joined.vendor(14122))
        self.let_pass(client, Passing(phone.outer, session_id, now, until, class_, *rates))
        return True

    def _is_let_in(self, client: Client) -> bool:
        gateway = self.portal.gateway
        with self.portal.services.make_session() as db:
            found = clients.online(db, network_id=gateway.network_id, mac=client.mac, now=self.clock())
        return found is not None

    def _subject(self, mac: MacAddress) -> str:
        return self.portal.services.pseudonyms.of("patron", _card(mac))

    def _enrol(self, client: Client) -> Supplicant:
        """The certificate of this device, made as of now, on record as of the portal's own time."""
        services = self.portal.services
        with services.make_session.begin() as db:
            ours = authority.in_force(db, tokens=services.encrypted_tokens, now=system_clock())
            real, ours_now = system_clock(), self.clock()
            pair, serial = certificates.make_device(ours, until=real + timedelta(days=9), now=real)
            db.add(PatronRecord(card=_card(client.mac), secret_hash=hash_of_no_secret()))
            db.add(
                Device(
                    serial=serial,
                    subject=self._subject(client.mac),
                    encrypted_login=services.encrypted_tokens.encrypt(
                        devices.PURPOSE, {"login": _card(client.mac)}, now=ours_now, life=devices.LIFE
                    ),
                    nonce=serial[:32],
                    name="phone",
                    issued_at=ours_now,
                    until=ours_now + devices.LIFE,
                    terms_version="2026-1",
                    terms_language="fr",
                    terms_digest="0" * 64,
                )
            )
        folder = self._folder / f"phone-{client.mac.replace(':', '')}"
        folder.mkdir()
        host = certificates.server_name(services.settings.portal_url)
        phone = Supplicant(folder, pair, ours.certificate, host, client.mac)
        self._supplicants[client.mac] = phone
        return phone


def _card(mac: MacAddress) -> str:
    return f"29{mac.replace(':', '')}"


def _rates(attributes: list[bytes]) -> tuple[int, int]:
    """Down and up in bit/s of WISPr's attributes 8 and 7."""
    found = {one[0]: int.from_bytes(one[2:6]) for one in attributes if one[0] in (7, 8)}
    return found.get(8, 0), found.get(7, 0)


@contextmanager
def opened(folder: Path) -> Iterator[AccessPoint]:
    driver = AccessPoint(folder, free_port())
    with driver.portal.app.app_context():
        secure = secure_files([driver.portal.gateway])
    with opened_nas(driver, folder, secure=secure) as opened_one:
        assert isinstance(opened_one, AccessPoint)
        yield opened_one
