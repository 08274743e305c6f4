"""Gateways, Debian's FreeRADIUS with the configuration that the portal writes, and the portal: all of it real."""

from __future__ import annotations

import socket
import ssl
import subprocess
from collections.abc import Iterator

import pytest
from pyrad import packet

from portal.cli.radius_config import SHARED_SECRET
from portal.gateway_api import radius_self_test, self_tests
from portal.gateway_api.secrets import secret_of
from tests.gateways.contract.portal import IDENTITY
from tests.gateways.radius import udp_proxy
from tests.gateways.radius.place import SENDERS, Place, opened
from tests.services.nas import Silence, dictionary
from tests.services.parts import program

MAC = "Calling_Station_Id"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with opened(tmp_path_factory.mktemp("radius")) as place:
        yield place


@pytest.mark.parametrize("how", ["pap", "chap", "mschap2"])
def test_the_credentials_of_a_session_let_its_device_in(place: Place, how: str) -> None:
    access, client, carried = place.enter({"pap": 10, "chap": 11, "mschap2": 12}[how])
    place.portal.rules(idle_seconds=900)
    nas = place.nas()
    station = {MAC: client.mac.upper().replace(":", "-"), "NAS_Identifier": "box-0"}
    assert nas.ask(carried.user, "wrong", how=how, **station).code == packet.AccessReject
    assert not place.portal.is_confirmed(access)
    place.clock.advance(seconds=60)
    reply = nas.ask(carried.user, carried.secret, how=how, **station)
    assert reply.code == packet.AccessAccept
    assert reply["Session-Timeout"] == [1740]
    assert reply["Acct-Interim-Interval"] == [300]
    assert reply["Idle-Timeout"] == [900]
    assert reply["Class"] == [f"arobase-{access.id}".encode()]
    assert place.portal.is_confirmed(access)
    # It asks again: the same answer, with the time that is left.
    place.clock.advance(seconds=40)
    assert nas.ask(carried.user, carried.secret, how=how, **station)["Session-Timeout"] == [1700]
    place.portal.rules(idle_seconds=0)


def test_a_refusal_says_why_and_nothing_of_what_an_acceptance_would(place: Place) -> None:
    _, client, carried = place.enter(13)
    for how in ("pap", "chap"):
        reply = place.nas().ask(carried.user, "wrong", how=how, **{MAC: client.mac})
        assert set(reply.keys()) <= {"Reply-Message", "Message-Authenticator"}
    reply = place.nas().ask("%{User-Password}", "x", **{MAC: client.mac})
    assert reply.code == packet.AccessReject
    assert reply["Reply-Message"] == ["Merci de vous connecter depuis la première page."]


def test_another_device_and_another_gateway_are_refused(place: Place) -> None:
    access, client, carried = place.enter(14)
    refused = [
        place.nas().ask(carried.user, carried.secret, **{MAC: "02:00:00:00:00:99"}),
        place.nas().ask(carried.user, carried.secret),
        place.nas("gate-1").ask(carried.user, carried.secret, **{MAC: client.mac}),
        place.nas().ask(carried.user, carried.secret, **{MAC: client.mac}, NAS_Identifier="box-1"),
    ]
    assert [reply.code for reply in refused] == [packet.AccessReject] * 4
    assert refused[-1]["Reply-Message"] == ["This gateway is recorded under another name."]
    assert not place.portal.is_confirmed(access)
    place.portal.end(access)
    gone = place.nas().ask(carried.user, carried.secret, **{MAC: client.mac})
    assert gone.code == packet.AccessReject
    assert gone["Reply-Message"] == ["Votre temps est écoulé. Merci de vous reconnecter."]


def test_a_request_without_a_message_authenticator_is_dropped_and_told(place: Place) -> None:
    access, client, carried = place.enter(15)
    with pytest.raises(Silence):
        place.nas(patience=1.0).ask(carried.user, carried.secret, is_signed=False, **{MAC: client.mac})
    assert not place.portal.is_confirmed(access)
    assert "bears no Message-Authenticator" in place.told()[0]


def test_a_wrong_shared_secret_is_told_to_the_operator(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    _, client, carried = place.enter(16)
    monkeypatch.setattr(radius_self_test, "LOG", place.server.log_file)

    def missing(identity: str) -> list[str]:
        with place.portal.app.app_context():
            return [finding.name for finding in self_tests.self_test(place.gateway(identity))]

    assert "radius_secret_differs" not in missing(IDENTITY)
    nas = place.nas(patience=1.0, secret="another-secret-than-the-portals")
    with pytest.raises(Silence):
        nas.ask(carried.user, carried.secret, **{MAC: client.mac})
    assert place.server.wait_for("Shared secret is incorrect")
    assert "radius_secret_differs" in missing(IDENTITY) and "radius_secret_differs" not in missing("gate-1")
    # A box that signs nothing is believed nothing either; that its password is garbled says why.
    with pytest.raises(Silence):
        nas.ask(carried.user, carried.secret, is_signed=False, **{MAC: client.mac})
    assert "the shared secret differs" in place.told()[0]


def test_a_refusal_that_was_turned_on_its_way_is_no_acceptance(place: Place) -> None:
    """CVE-2024-3596, with everything that the attack would need but the collision: a proxy in the middle."""
    _, client, carried = place.enter(17)
    with udp_proxy.turning_refusals(place.server.server.auth_port) as proxy:
        nas = place.nas(patience=1.0, port=proxy.port)
        with pytest.raises(Silence):
            nas.ask(carried.user, "wrong", **{MAC: client.mac})
        assert proxy.turned == 1
        # What it leaves alone passes.
        assert nas.ask(carried.user, carried.secret, **{MAC: client.mac}).code == packet.AccessAccept


def test_a_portal_that_is_away_refuses_nobody_and_is_asked_again(place: Place) -> None:
    """The box sends the same packet again, which the server must not take for one that it has still to answer."""
    _, client, carried = place.enter(18)
    nas, books = place.nas(patience=1.5), place.nas(patience=1.5)
    place.stop_portal()
    try:
        with pytest.raises(Silence):
            books.account("Start", Acct_Session_Id="away", **{MAC: client.mac})
        with pytest.raises(Silence):
            nas.ask(carried.user, carried.secret, **{MAC: client.mac})
    finally:
        place.start_portal()
    assert nas.again().code == packet.AccessAccept
    assert books.again().code == packet.AccountingResponse


def test_a_known_device_goes_on_by_its_mac_address_at_another_gateway_too(place: Place) -> None:
    access, client, _ = place.enter(19, seconds=600)
    station = client.mac.upper().replace(":", "-")
    by_mac = {MAC: station, "Service_Type": "Framed-User"}
    reply = place.nas().ask(station, "macpasswd", **by_mac)
    assert reply.code == packet.AccessAccept and reply["Session-Timeout"] == [600]
    assert place.portal.is_confirmed(access)
    # Another site of the network, before the device has an address there: no time is added.
    place.clock.advance(seconds=100)
    reply = place.nas("gate-1").ask(station, station, how="chap", **by_mac)
    assert reply.code == packet.AccessAccept and reply["Session-Timeout"] == [500]
    # Nobody's device, a guest who types a MAC address, and a session that is over.
    stranger = {MAC: "02-00-00-00-00-98", "Service_Type": "Framed-User"}
    assert place.nas().ask("02-00-00-00-00-98", "x", **stranger).code == packet.AccessReject
    typed = {MAC: station, "Service_Type": "Login-User"}
    assert place.nas().ask(station, "x", **typed).code == packet.AccessReject
    place.portal.end(access)
    assert place.nas().ask(station, "macpasswd", **by_mac).code == packet.AccessReject


def test_rates_reach_the_gateway_in_its_own_attributes(place: Place) -> None:
    place.portal.rules(rate_down_kbps=2000, rate_up_kbps=500)
    _, client, carried = place.enter(20)
    place.portal.rules(rate_down_kbps=0, rate_up_kbps=0)
    reply = place.nas().ask(carried.user, carried.secret, **{MAC: client.mac})
    assert reply["WISPr-Bandwidth-Max-Down"] == [2_000_000]
    assert reply["WISPr-Bandwidth-Max-Up"] == [500_000]


def test_accounting_reaches_the_books(place: Place) -> None:
    """As CoovaChilli sends it: its counters have the client's view, which it says with each packet."""
    access, client, carried = place.enter(21)
    nas = place.nas()
    reply = nas.ask(carried.user, carried.secret, **{MAC: client.mac})
    told = {
        "Acct_Session_Id": "17953735é",
        "User_Name": carried.user,
        "Class": reply["Class"][0],
        "Framed_IP_Address": "10.66.0.21",
        MAC: client.mac.upper(),
    }
    now = int(place.clock().timestamp())
    assert nas.account("Start", Event_Timestamp=now, **told).code == packet.AccountingResponse
    counted = {"Acct_Input_Octets": 1_295_645, "Acct_Output_Octets": 34_627, "Acct_Input_Gigawords": 1}
    place.clock.advance(seconds=27)
    nas.account("Interim-Update", Acct_Session_Time=27, Event_Timestamp=now + 27, **counted, **told)
    assert place.portal.downloaded(access) == 34_627
    nas.account(
        "Stop",
        Acct_Session_Time=28,
        Event_Timestamp=now + 28,
        Acct_Terminate_Cause="User-Request",
        **counted,
        **told,
    )
    row = place.accounted("17953735é")
    assert (row.access_id, row.stop_cause, row.seconds) == (access.id, "User-Request", 28)
    assert (row.bytes_up, row.user_name) == (2**32 + 1_295_645, carried.user)
    assert row.stopped_at is not None
    # What nobody could use is acknowledged, or the box would send it for ever.
    for nothing in ({"Acct_Session_Id": "nobody"}, {}):
        assert nas.account("Stop", **nothing).code == packet.AccountingResponse
    assert nas.account("Accounting-On").code == packet.AccountingResponse


def test_radclient_is_let_in(place: Place) -> None:
    _, client, carried = place.enter(22)
    with place.portal.app.app_context():
        secret = secret_of(place.gateway(), SHARED_SECRET)
    asked = (
        f"User-Name={carried.user}, User-Password={carried.secret}, Calling-Station-Id={client.mac}, "
        "Message-Authenticator=0x00"
    )
    server = f"127.0.0.1:{place.server.server.auth_port}"
    done = subprocess.run(
        [program("radclient"), "-x", server, "auth", secret],
        input=asked,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert "Received Access-Accept" in done.stdout, done.stdout + done.stderr


def test_over_tls_a_certificate_of_the_authority_is_needed(place: Place) -> None:
    """RFC 6614. A request over TLS needs no Message-Authenticator."""
    own = place.authority.issue("gate-tls.example.org", label="gate-tls")
    context = ssl.create_default_context(cafile=place.authority.ca_file)
    context.check_hostname = False
    _, client, _ = place.enter(23)
    names = {"User_Name": client.mac, "Calling_Station_Id": client.mac, "Service_Type": "Call-Check"}
    asked = packet.AuthPacket(secret=b"radsec", dict=dictionary(), **names)
    asked["User-Password"] = asked.PwCrypt(client.mac)
    with pytest.raises((ssl.SSLError, ConnectionError, AssertionError)):
        _over_tls(place, context, asked)
    context.load_cert_chain(own.certificate_file, own.key_file)
    assert _over_tls(place, context, asked).code == packet.AccessAccept


def _over_tls(place: Place, context: ssl.SSLContext, asked: packet.AuthPacket) -> packet.Packet:
    server = ("127.0.0.1", place.server.server.radsec_port)
    plain = socket.create_connection(server, timeout=5, source_address=(SENDERS["gate-tls"][0], 0))
    with context.wrap_socket(plain, server_hostname="radius.example.org") as line:
        line.sendall(asked.RequestPacket())
        heard = line.recv(4096)
        assert heard
        return asked.CreateReply(packet=heard)


def test_the_server_takes_its_own_configuration(place: Place) -> None:
    done = subprocess.run(
        [program("freeradius"), "-C", "-X", "-d", str(place.server.server.folder)],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert "Configuration appears to be OK" in done.stdout, done.stdout[-2000:]


def test_two_boxes_have_secrets_of_their_own(place: Place) -> None:
    secrets = {nas.secret for nas in place.server.nas if nas.proto == "*"}
    assert len(secrets) == 2 and all(len(secret) == 52 for secret in secrets)
    _, client, carried = place.enter(24)
    foreign = place.nas("gate-1", address="127.0.0.1", patience=1.0)
    with pytest.raises(Silence):
        foreign.ask(carried.user, carried.secret, **{MAC: client.mac})
    assert f"(from client {IDENTITY}-0)" in place.server.log()
