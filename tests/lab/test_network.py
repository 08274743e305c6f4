from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from lab.network import Town
from tests.services.town import opened

pytestmark = pytest.mark.netns


def reaches(net: Town, version: int, *, phone: int = 0) -> bool:
    """Whether a connection from the phone to the Internet comes through, and from the phone's own address."""
    family = socket.AF_INET if version == 4 else socket.AF_INET6
    with net.internet.socket(family) as listener, net.phone[phone].ns.socket(family) as caller:
        listener.bind(("::" if version == 6 else "0.0.0.0", 0))
        listener.listen()
        listener.settimeout(5)
        caller.settimeout(5)
        caller.connect((str(net.internet_address(version)), listener.getsockname()[1]))
        connection, peer = listener.accept()
        connection.close()
        return bool(peer[0] == str(net.phone[phone].address(version)))


def test_a_phone_reaches_the_internet_through_the_gateway_on_both_protocols() -> None:
    with opened(phones=2) as net:
        assert reaches(net, 4, phone=0)
        assert reaches(net, 6, phone=1)


def test_a_phone_that_walks_keeps_its_mac_and_takes_an_address_of_the_other_site() -> None:
    with opened(gateways=2) as net:
        net.phone[0].walk(net.gateways[1])
        assert str(net.phone[0].address(4)) == "10.66.1.10"
        assert reaches(net, 4)
        assert reaches(net, 6)
        seen = net.gateways[1].ns.run(["ip", "neigh", "show", "dev", "lan0"]).stdout
        assert net.phone[0].mac in seen


def test_the_portal_has_a_place_that_phones_reach_with_their_own_address() -> None:
    with opened() as net, net.portal.socket() as listener, net.phone[0].ns.socket() as caller:
        listener.bind((str(net.portal_address(4)), 0))
        listener.listen()
        caller.settimeout(5)
        caller.connect(listener.getsockname())
        connection, peer = listener.accept()
        connection.close()
        assert peer[0] == "10.66.0.10"


def test_a_town_that_is_killed_leaves_no_process_and_no_interface_behind() -> None:
    code = """if True:
        import subprocess, sys
        from lab.namespace import contained
        from lab.network import town
        with town(phones=1) as net:
            server = net.internet.popen(["sleep", "1000"])
            many = contained(["sh", "-c", "sleep 1000 >&2 & echo up; wait"])
            net.internet.popen(many, stdout=subprocess.PIPE, stderr=sys.stdout).stdout.readline()
            print(server.pid, net.internet.pid, net.phone[0].ns.pid, flush=True)
            input()
    """
    with opened():
        pass  # Or there is a reason, and this test is over.
    top = Path(__file__).resolve().parents[2]
    lab = subprocess.Popen(
        [sys.executable, "-c", code], cwd=top, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert lab.stdout is not None
    pids = [int(word) for word in lab.stdout.readline().split()]
    watched = [os.pidfd_open(pid) for pid in pids]
    lab.send_signal(signal.SIGKILL)
    # Whoever is left holds the pipe open.
    lab.communicate(timeout=10)
    for descriptor in watched:
        assert select.select([descriptor], [], [], 5)[0], "a process of the lab outlived it"
        os.close(descriptor)
    assert len(pids) == 3


def test_what_fails_in_a_namespace_fails_where_it_was_asked() -> None:
    with opened() as net:
        with pytest.raises(subprocess.CalledProcessError):
            net.phone[0].run(["false"])
        with pytest.raises(ZeroDivisionError):
            net.phone[0].call(lambda: 1 / 0)
