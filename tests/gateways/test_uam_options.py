"""What operators set at gateways that carry: hosts and encodings, in one form or with what to write instead."""

from __future__ import annotations

import pytest

from gateways.uam.encodings import Encoding
from gateways.uam.options import UAMSERVER, encodings, hosts_of, login_hosts, read_login_hosts


def test_hosts_are_read_in_one_form() -> None:
    text = read_login_hosts(" 10.5.50.1, Login.Example.org:8443\n10.5.50.1 [FD66:0::1]:3990 ")
    assert text == "10.5.50.1,[fd66::1]:3990,login.example.org:8443"
    assert hosts_of(text) == {"10.5.50.1", "[fd66::1]:3990", "login.example.org:8443"}
    assert hosts_of("") == set()


@pytest.mark.parametrize(
    "text",
    [
        "http://10.5.50.1",
        "10.5.50.1/login",
        "a@b",
        "*.example.org",
        "10.5.50.1:0",
        "10.5.50.1:x",
        "a..b",
        "-a",
        "10.5.50.1:",
        ",".join(f"10.0.0.{n}" for n in range(40)),
    ],
)
def test_what_is_no_host_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no host|at most"):
        read_login_hosts(text)


def test_a_make_without_a_usual_host_must_have_one() -> None:
    assert login_hosts("10.5.50.1").default is None
    with pytest.raises(ValueError, match="at least one host"):
        login_hosts("10.5.50.1").read(" , ")


def test_an_encoding_is_one_that_the_make_speaks() -> None:
    option = encodings(Encoding.UAM_CHAP, Encoding.UAM_PAP)
    assert (option.default, option.read("uam-pap")) == ("uam-chap", "uam-pap")
    with pytest.raises(ValueError, match="'plain' is none of uam-chap, uam-pap"):
        option.read("plain")


@pytest.mark.parametrize("text", ["portal.example.org/uam", "ftp://x/", "https:///x", "https://é.example/"])
def test_a_uamserver_is_an_address(text: str) -> None:
    assert (
        UAMSERVER.read("https://portal.example.org/uam?venue=7") == "https://portal.example.org/uam?venue=7"
    )
    assert UAMSERVER.read("") == ""
    with pytest.raises(ValueError, match="exactly as it stands"):
        UAMSERVER.read(text)
