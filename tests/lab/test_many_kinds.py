"""The lab's UAM gateway is what it plays, and the ways in hold on it and on openNDS."""

from __future__ import annotations

import ipaddress
from pathlib import Path

import pytest

from gateways.uam.encodings import uam_chap, uam_pap
from lab import freeradius, opennds, three_kinds, uam_box
from lab.doors import STATION
from lab.many_kinds import many_kinds, opennds_door, uam_door
from lab.report import Report
from lab.uam_rules import Counted, Rules
from tests.services.parts import program
from tests.services.town import opened

CHALLENGE, UAMSECRET = "a36efe71071911703438859a4fc7976e", "uamtopsecret"
NETWORK = STATION.network


def test_the_box_reads_what_a_portal_mixes() -> None:
    """The vectors of CoovaChilli 1.8, and a secret that is longer than the key."""
    mixed = uam_box.key(CHALLENGE, UAMSECRET)
    assert mixed.hex() == "d0830e2dc4452e3d58d1cac3032e21b9"
    assert uam_box.read_proof({"password": "a0f43f"}, mixed) == uam_box.Proof(b"pw1")
    answered = uam_box.read_proof({"response": "bb3895693b74b93cbe37ca03fb205348"}, mixed)
    assert (answered.secret[0], answered.secret[1:].hex()[:8], answered.challenge) == (0, "bb389569", mixed)
    long_one = "0123456789abcdefXYZ"
    hidden = uam_pap(long_one, challenge=CHALLENGE, uamsecret=UAMSECRET)
    assert uam_box.read_proof({"password": hidden}, mixed).secret == long_one.encode()
    chap = uam_chap("pw1", challenge=CHALLENGE, uamsecret=UAMSECRET)
    assert uam_box.read_proof({"response": chap}, mixed) == answered
    for spoilt in ({}, {"password": "zz"}, {"response": "x"}):
        with pytest.raises(ValueError):
            uam_box.read_proof(spoilt, mixed)


@pytest.mark.netns
def test_the_box_s_kernel_ends_who_is_allowed_and_counts_what_passes() -> None:
    with opened(gateways=1) as net:
        phone, portal = net.phone[0], str(net.portal_address(4))
        mac, address = phone.mac, str(phone.address(4))
        outside = str(net.internet_address(4))

        def passes() -> bool:
            done = phone.run(["ping", "-c", "1", "-W", "1", outside], check=False)
            return done.returncode == 0

        rules = net.gateway.ns.call(lambda: Rules(clients=net.gateway.clients, portal=portal, port=3990))
        assert ipaddress.ip_address(address).is_private and not passes()
        net.gateway.ns.call(lambda: rules.allow(mac, address, 60))
        assert passes()
        counted = net.gateway.ns.call(lambda: rules.counted(mac, address))
        assert counted == Counted(84, 84)
        net.gateway.ns.call(lambda: rules.forbid(mac, address))
        assert not passes()
        net.gateway.ns.call(lambda: rules.allow(mac, address, 1))
        three_kinds.until(lambda: not passes(), 5)


@pytest.mark.netns
@pytest.mark.release
def test_the_ways_in_and_the_walk_hold_on_gateways_of_three_kinds(tmp_path: Path) -> None:
    for part in (*opennds.NEEDED, *freeradius.NEEDED, "nginx", "dnsmasq"):
        program(part)
    report = Report()
    doors = (
        STATION,
        opennds_door("battant-opennds", "battant", NETWORK),
        uam_door(2, "granvelle-uam", "place-granvelle", NETWORK),
    )
    with many_kinds(tmp_path, doors, phones=10) as place:
        three_kinds.prepare(place)
        place.start()
        three_kinds.three_times(place, report)
    assert (report.failed, report.held > 30) == (0, True)
