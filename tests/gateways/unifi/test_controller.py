"""The line to a UniFi controller: signs in, trusts, waits and gives up as it must, on a real HTTPS server."""

from __future__ import annotations

import hashlib
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from gateways.types import parse_mac
from gateways.unifi import controller as session
from gateways.unifi import transport
from gateways.unifi.controller import Account, Controller
from gateways.unifi.errors import ControllerError, Trouble
from gateways.unifi.transport import Address
from tests.gateways.unifi.recorded import API_KEY, PASSWORD, SITE, USERNAME, RecordedController, running
from tests.services.certificates import Authority, Certificate, self_signed

PHONE = parse_mac("1c:71:25:63:e4:24")
YES = b'{"meta":{"rc":"ok"},"data":[]}'


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("unifi"))


@pytest.fixture(scope="module")
def certificate(authority: Authority) -> Certificate:
    return authority.issue("127.0.0.1", label="controller")


@pytest.fixture(params=[True, False], ids=["console", "application"])
def box(request: pytest.FixtureRequest, certificate: Certificate) -> Iterator[RecordedController]:
    with running(certificate, console=request.param) as opened:
        yield opened


@pytest.fixture
def console(certificate: Certificate) -> Iterator[RecordedController]:
    with running(certificate) as opened:
        yield opened


@pytest.fixture
def account(tmp_path: Path) -> Account:
    file = tmp_path / "password"
    file.write_text(f"{PASSWORD}\n")
    return Account(USERNAME, str(file))


@pytest.fixture
def address(authority: Authority) -> Address:
    return Address("127.0.0.1", 0, ca_file=str(authority.ca_file))


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing here waits for seconds."""
    monkeypatch.setattr(transport, "CALL_SECONDS", 1.5)
    monkeypatch.setattr(session, "REST_SECONDS", 0.0)


OPENED: list[Controller] = []


@pytest.fixture(autouse=True)
def hung_up() -> Iterator[None]:
    yield
    while OPENED:
        OPENED.pop().close()


def line_to(box: RecordedController, address: Address, account: Account) -> Controller:
    OPENED.append(Controller(replace(address, port=box.port), account))
    return OPENED[-1]


def trouble_of(line: Controller) -> Trouble:
    with pytest.raises(ControllerError) as caught:
        line.authorize(SITE, PHONE, minutes=30)
    for secret in (PASSWORD, API_KEY, "csrf-", "unifises"):
        assert secret not in caught.value.detail
    return caught.value.trouble


def test_it_authorizes_lists_and_takes_back_on_both_kinds_of_paths(
    box: RecordedController, address: Address, account: Account
) -> None:
    line = line_to(box, address, account)
    box.connect(PHONE, "10.66.0.9")
    before = box.clock()
    line.authorize(SITE, PHONE, minutes=30, up_kbps=500, down_kbps=2000, access_point="94:2a:6f:d0:30:57")
    listed = line.guests(SITE, now=0.0)
    assert before + 1795 < listed.guests[PHONE].end < before + 1810
    assert abs(listed.now - before) < 5
    (station,) = line.stations(SITE)
    assert (station.mac, str(station.address), station.is_guest, station.is_authorized) == (
        PHONE,
        "10.66.0.9",
        True,
        True,
    )
    assert box.commands("authorize-guest") == [
        {
            "cmd": "authorize-guest",
            "mac": PHONE,
            "minutes": 30,
            "up": 500,
            "down": 2000,
            "ap_mac": "94:2a:6f:d0:30:57",
        }
    ]
    line.unauthorize(SITE, PHONE)
    assert not line.guests(SITE, now=0.0).guests
    assert box.logins == 1


def test_it_signs_in_again_where_the_session_is_forgotten_and_once_only(
    box: RecordedController, address: Address, account: Account
) -> None:
    line = line_to(box, address, account)
    line.authorize(SITE, PHONE, minutes=1)
    box.forget_sessions()
    line.authorize(SITE, PHONE, minutes=2)
    assert (box.logins, len(box.commands("authorize-guest"))) == (2, 3)
    box.faults.forbidden = True
    assert trouble_of(line) is Trouble.PERMISSION
    assert box.logins == 3
    # And not at each call: consoles lock accounts that sign in too often.
    assert trouble_of(line) is Trouble.PERMISSION
    assert box.logins == 3


def test_a_console_takes_an_api_key_without_a_session(
    console: RecordedController, address: Address, tmp_path: Path
) -> None:
    file = tmp_path / "key"
    file.write_text(API_KEY)
    line_to(console, address, Account("", str(file))).authorize(SITE, PHONE, minutes=5)
    assert console.end_of(PHONE) and console.logins == 0
    file.write_text("another key")
    assert trouble_of(line_to(console, address, Account("", str(file)))) is Trouble.LOGIN


def test_a_wrong_password_is_not_tried_again_at_once(
    box: RecordedController, address: Address, account: Account
) -> None:
    Path(account.credential_file).write_text("another")
    line = line_to(box, address, account)
    assert [trouble_of(line) for _ in range(3)] == [Trouble.LOGIN] * 3
    assert box.logins == 1


@pytest.mark.parametrize("fault", ["wants_mfa", "login_limit"])
def test_a_second_factor_and_a_locked_account_are_told(
    console: RecordedController, address: Address, account: Account, fault: str
) -> None:
    setattr(console.faults, fault, True)
    assert trouble_of(line_to(console, address, account)) is Trouble.LOGIN


def test_without_a_readable_credential_nothing_is_sent(
    console: RecordedController, address: Address, tmp_path: Path
) -> None:
    assert (
        trouble_of(line_to(console, address, Account("portal", str(tmp_path / "none")))) is Trouble.CREDENTIAL
    )
    (tmp_path / "empty").write_text("\n")
    assert (
        trouble_of(line_to(console, address, Account("portal", str(tmp_path / "empty"))))
        is Trouble.CREDENTIAL
    )
    assert not [call for call in console.calls if call[0] == "POST"]


def test_another_certificate_than_the_trusted_one_gets_no_byte(
    console: RecordedController, address: Address, account: Account, tmp_path: Path
) -> None:
    foreign = Authority(tmp_path, "Foreign authority")
    stranger = self_signed(tmp_path, "127.0.0.1")
    assert (
        trouble_of(line_to(console, replace(address, ca_file=str(foreign.ca_file)), account))
        is Trouble.CERTIFICATE
    )
    assert trouble_of(line_to(console, replace(address, ca_file=""), account)) is Trouble.CERTIFICATE
    wrong = replace(address, fingerprint=fingerprint(stranger))
    assert trouble_of(line_to(console, wrong, account)) is Trouble.CERTIFICATE
    assert not console.calls


def test_a_pinned_certificate_needs_no_authority_and_no_name(
    address: Address, account: Account, tmp_path: Path
) -> None:
    own = self_signed(tmp_path, "unifi.local")
    pin = transport.read_fingerprint(fingerprint(own).upper())
    with running(own) as box:
        line_to(box, replace(address, ca_file="", fingerprint=pin), account).authorize(SITE, PHONE, minutes=5)
        assert box.end_of(PHONE)


@pytest.mark.parametrize(
    ("faults", "trouble"),
    [
        ({"body": b"<html>not a controller</html>"}, Trouble.ANSWER),
        ({"body": b"{" * 5000}, Trouble.ANSWER),
        ({"body": b'{"meta":{"rc":"maybe"}}'}, Trouble.ANSWER),
        ({"body": YES + b" " * transport.LARGEST_ANSWER_BYTES}, Trouble.ANSWER),
        ({"status": 302, "location": "https://192.0.2.1/"}, Trouble.ANSWER),
        ({"status": 502}, Trouble.AWAY),
        ({"status": 429}, Trouble.AWAY),
    ],
    ids=["html", "nested", "neither", "oversized", "redirect", "starting", "too-often"],
)
def test_what_is_no_answer_is_told_and_never_followed(
    console: RecordedController,
    address: Address,
    account: Account,
    faults: dict[str, object],
    trouble: Trouble,
) -> None:
    line = line_to(console, address, account)
    line.authorize(SITE, PHONE, minutes=5)
    for name, value in faults.items():
        setattr(console.faults, name, value)
    assert trouble_of(line) is trouble


def test_an_answer_that_comes_byte_by_byte_is_given_up_in_time(
    console: RecordedController, address: Address, account: Account
) -> None:
    line = line_to(console, address, account)
    line.authorize(SITE, PHONE, minutes=5)
    console.faults.drip_seconds = 0.3
    started = time.monotonic()
    assert trouble_of(line) is Trouble.AWAY
    assert time.monotonic() - started < 5


def test_it_is_there_again_as_soon_as_the_controller_is(
    box: RecordedController, address: Address, account: Account
) -> None:
    line = line_to(box, address, account)
    line.authorize(SITE, PHONE, minutes=5)
    box.stop()
    assert trouble_of(line) is Trouble.AWAY
    # As another machine does that was put in its place.
    box.forget_sessions()
    box.start()
    line.authorize(SITE, PHONE, minutes=6)
    assert box.commands("authorize-guest")[-1]["minutes"] == 6


def test_while_it_is_away_nobody_waits_for_a_time_out_of_his_own(
    console: RecordedController, address: Address, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "REST_SECONDS", 30.0)
    console.faults.drip_seconds = 5.0
    line = line_to(console, address, account)
    assert trouble_of(line) is Trouble.AWAY
    asked = len(console.calls)
    assert [trouble_of(line) for _ in range(20)] == [Trouble.AWAY] * 20
    assert len(console.calls) == asked


def test_many_threads_share_one_session(
    console: RecordedController, address: Address, account: Account
) -> None:
    line = line_to(console, address, account)
    macs = [parse_mac(f"02:00:00:00:01:{number:02x}") for number in range(16)]
    threads = [
        threading.Thread(target=line.authorize, args=(SITE, mac), kwargs={"minutes": 9}) for mac in macs
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(line.guests(SITE, now=0.0).guests) == set(macs)
    assert console.logins == 1


def test_what_it_notes_has_no_credential(
    console: RecordedController, address: Address, account: Account
) -> None:
    told: list[str] = []
    line = line_to(console, address, account)
    line.authorize(SITE, PHONE, minutes=5, note=lambda said, heard: told.extend((said, heard)))
    console.faults.forbidden = True
    with pytest.raises(ControllerError):
        line.guests(SITE, lambda said, heard: told.extend((said, heard)), now=0.0)
    assert "authorize-guest" in told[0] and "may not" in told[3]
    assert not [text for text in told if PASSWORD in text or "TOKEN" in text or "csrf" in text]


def test_a_command_does_not_wait_for_the_receipt_of_its_header(
    console: RecordedController, address: Address
) -> None:
    line = transport._open(replace(address, port=console.port), time.monotonic() + 5)
    with line:
        assert line.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


@pytest.mark.parametrize(
    "text",
    [
        "http://10.0.0.1",
        "https://user:pw@10.0.0.1",
        "https://10.0.0.1/manage",
        "https://",
        "https://10.0.0.1:x",
        "a b",
    ],
)
def test_only_a_bare_https_address_is_one(text: str) -> None:
    with pytest.raises(ValueError):
        transport.read_url(text)


def test_an_address_gives_host_and_port() -> None:
    assert transport.read_url("https://192.168.1.2:8443/") == ("192.168.1.2", 8443)
    assert transport.read_url("https://unifi.example.org") == ("unifi.example.org", 443)


def fingerprint(certificate: Certificate) -> str:
    der = ssl.PEM_cert_to_DER_cert(Path(certificate.certificate_file).read_text())
    return hashlib.sha256(der).hexdigest()
