"""UAM: the captured vectors, and what is refused of a query that anybody may have written."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateways.uam.dialect import Dialect, LoginRule, Outcome
from gateways.uam.encodings import (
    Encoding,
    InvalidChallenge,
    mikrotik_bytes,
    mikrotik_chap,
    uam_chap,
    uam_key,
    uam_pap,
)
from gateways.uam.login import Answer, Login, carriage
from gateways.uam.query import InvalidRedirect
from gateways.uam.redirect import read
from gateways.uam.signature import is_signed, sign

SECRET = "uamtopsecret"
SERVER = "http://10.99.0.1:8080/uam"
CHALLENGE = "a36efe71071911703438859a4fc7976e"
# What CoovaChilli 1.8 sent.
CAPTURED = (
    b"res=notyet&uamip=10.1.0.1&uamport=3990&challenge=a36efe71071911703438859a4fc7976e&called=02-09-2D-97-3D-00"
    b"&mac=02-AA-BB-CC-DD-01&ip=10.1.0.2&ssid=LabGuest&nasid=labgw&sessionid=179537335000000001"
    b"&userurl=http%3a%2f%2f203.0.113.10%2fstart%3fx%3d1&md=5175D36B10DB8CF6FFCABD7987A5F66D"
)
FIELDS = Dialect(
    mac=("mac",),
    address=("ip",),
    login=LoginRule(host=("uamip",), port=("uamport",), path="/logon", ports={"http": 3990}),
    method="GET",
    encodings=(Encoding.UAM_CHAP, Encoding.UAM_PAP),
    response_field="response",
    challenge=("challenge",),
    session=("sessionid",),
    outcome=("res",),
    outcomes={"notyet": Outcome.NOT_YET, "failed": Outcome.REFUSED},
    reason=("reason",),
    reasons={"timeout": Outcome.UNANSWERED, "other": Outcome.STALE},
    reply=("reply",),
    echoed={"nas": ("nasid",)},
)
WHOLE = replace(
    FIELDS, login=LoginRule(url=("login",), path="/login", schemes=("http", "https"), kept=("zone",))
)


def asking(**changed: str) -> bytes:
    """A query like CoovaChilli's, with some of it changed."""
    said = {"res": "notyet", "uamip": "10.1.0.1", "uamport": "3990", "challenge": CHALLENGE}
    said |= {"mac": "02-AA-BB-CC-DD-01", "ip": "10.1.0.2"} | changed
    return "&".join(f"{name}={quote(value, safe='')}" for name, value in said.items()).encode()


def test_the_captured_redirect_is_signed_and_says_who_is_there_and_where_to_sign_in() -> None:
    assert is_signed(CAPTURED, uamserver=SERVER, uamsecrets=[SECRET])
    found = read(FIELDS, CAPTURED)
    assert (found.mac, str(found.address), found.outcome) == (
        "02:aa:bb:cc:dd:01",
        "10.1.0.2",
        Outcome.NOT_YET,
    )
    assert found.login is not None and found.login.url == "http://10.1.0.1:3990/logon"
    assert found.login.is_at({"10.1.0.1"}) and found.login.is_at({"10.1.0.1:3990"})
    assert (found.challenge, found.session, found.echoed) == (
        CHALLENGE,
        "179537335000000001",
        (("nas", "labgw"),),
    )
    assert "203.0.113" not in repr(found), "where the guest wanted to go is kept"


@pytest.mark.parametrize(
    ("query", "server", "secrets"),
    [
        (CAPTURED.replace(b"CC-DD-01", b"CC-DD-02"), SERVER, [SECRET]),
        (CAPTURED.replace(b"10.1.0.1&", b"10.1.0.9&"), SERVER, [SECRET]),
        # Encoded anew, it is another text.
        (CAPTURED.replace(b"%3a%2f", b"%3A%2F"), SERVER, [SECRET]),
        (CAPTURED, SERVER.replace("http:", "https:"), [SECRET]),
        (CAPTURED, SERVER, ["another", ""]),
        (CAPTURED, SERVER, []),
        (CAPTURED.partition(b"&md=")[0], SERVER, [SECRET]),
        (CAPTURED + b"&mac=02-AA-BB-CC-DD-02", SERVER, [SECRET]),
    ],
)
def test_what_was_changed_or_made_elsewhere_is_not_signed(
    query: bytes, server: str, secrets: list[str]
) -> None:
    assert not is_signed(query, uamserver=server, uamsecrets=secrets)


def test_an_empty_uamsecret_signs_nothing() -> None:
    md = sign(SERVER.encode() + b"?mac=02-AA-BB-CC-DD-01", uamsecret="")
    assert not is_signed(f"mac=02-AA-BB-CC-DD-01&md={md}".encode(), uamserver=SERVER, uamsecrets=[""])


def test_a_uamserver_with_a_query_of_its_own_is_signed_as_it_stands() -> None:
    server = f"{SERVER}?venue=7"
    md = sign(f"{server}&res=notyet".encode(), uamsecret=SECRET)
    assert is_signed(f"venue=7&res=notyet&md={md}".encode(), uamserver=server, uamsecrets=["new", SECRET])


def test_the_secret_is_hidden_as_coovachilli_reads_it() -> None:
    assert uam_key(CHALLENGE, SECRET).hex() == "d0830e2dc4452e3d58d1cac3032e21b9"
    assert uam_pap("pw1", challenge=CHALLENGE, uamsecret=SECRET) == "a0f43f"
    long = uam_pap("0123456789abcdefXYZ", challenge=CHALLENGE, uamsecret=SECRET)
    assert long == "e0b23c1ef070180a60e8aba1604a44df88da54"
    assert uam_chap("pw1", challenge=CHALLENGE, uamsecret=SECRET) == "bb3895693b74b93cbe37ca03fb205348"


@pytest.mark.parametrize("challenge", ["", "a3", CHALLENGE[:-1] + "g", CHALLENGE + "00", f" {CHALLENGE[1:]}"])
def test_a_challenge_that_is_none_hides_nothing(challenge: str) -> None:
    with pytest.raises(InvalidChallenge):
        uam_key(challenge, SECRET)


def test_the_challenge_alone_hides_nothing() -> None:
    with pytest.raises(ValueError, match="uamsecret is needed"):
        uam_pap("pw1", challenge=CHALLENGE, uamsecret="")


def test_mikrotiks_octal_escapes_are_bytes() -> None:
    challenge = r"\357\015\330\013\021\234\145\245\303\253\142\246\133\175\375\316"
    assert mikrotik_bytes(challenge).hex() == "ef0dd80b119c65a5c3ab62a65b7dfdce"
    assert mikrotik_bytes("a\\072b") == b"a:b"
    assert mikrotik_chap("pw1", ident=r"\371", challenge=challenge) == "f88b873a70af6ae1d7249f8c95fca49a"


@pytest.mark.parametrize("text", ["", "\\", r"\400", r"\9", r"\37", r"\x41", "é", "a\nb", r"\001" * 65])
def test_other_escapes_are_refused(text: str) -> None:
    with pytest.raises(InvalidChallenge):
        mikrotik_bytes(text)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"mac": ""}, "no MAC"),
        ({"mac": "ff:ff:ff:ff:ff:ff"}, "no MAC"),
        ({"mac": "02-AA-BB-CC-DD-01' OR 1=1"}, "no MAC"),
        ({"ip": ""}, "missing"),
        ({"ip": "0.0.0.0"}, "no client's"),
        ({"ip": "224.0.0.1"}, "no client's"),
        ({"ip": "fe80::1%eth0"}, "no client's"),
        ({"ip": "10.1.0.2\r\nX: y"}, "control"),
        ({"uamip": ""}, "missing"),
        ({"uamip": "10.1.0.1@evil.example"}, "host and port"),
        ({"uamip": "evil.example/x?"}, "host and port"),
        ({"uamport": "99999"}, "host and port"),
        ({"uamport": "0"}, "host and port"),
        ({"uamport": "3990/../"}, "host and port"),
        ({"res": "perhaps"}, "no meaning"),
        ({"challenge": "x" * 3000}, "too long"),
    ],
)
def test_a_hostile_query_is_refused(changed: dict[str, str], why: str) -> None:
    with pytest.raises(InvalidRedirect, match=why):
        read(FIELDS, asking(**changed))


def test_a_name_that_comes_twice_is_refused() -> None:
    with pytest.raises(InvalidRedirect, match="mac comes twice"):
        read(FIELDS, asking() + b"&mac=02-AA-BB-CC-DD-02")
    assert read(FIELDS, asking() + b"&other=1&other=2&nothing").mac == "02:aa:bb:cc:dd:01"
    with pytest.raises(InvalidRedirect, match="too many"):
        read(FIELDS, asking() + b"&a=1" * 70)
    with pytest.raises(InvalidRedirect, match="query is too long"):
        read(FIELDS, asking() + b"&userurl=" + b"a" * 7000)


def test_two_spellings_that_disagree_are_refused() -> None:
    both = replace(FIELDS, mac=("mac", "client_mac"))
    assert read(both, asking(client_mac="02-AA-BB-CC-DD-01")).mac == "02:aa:bb:cc:dd:01"
    with pytest.raises(InvalidRedirect, match="mac or client_mac disagree"):
        read(both, asking(client_mac="02-AA-BB-CC-DD-02"))


@pytest.mark.parametrize(
    "login",
    [
        "javascript:alert(1)",
        "ftp://10.5.50.1/login",
        "//10.5.50.1/login",
        "http://10.5.50.1/logout",
        "http://10.5.50.1/login/../../x",
        "http://guest@10.5.50.1/login",
        "http://10.5.50.1#@evil.example/login",
        "http://10.5.50.1\\@evil.example/login",
        "http://evil.example'/login",
        "http://10.5.50.1:x/login",
        "http://[::1/login",
        "http:///login",
        "http://10.5.50.1/login\t",
    ],
)
def test_a_whole_login_address_that_is_none_of_the_makes_is_refused(login: str) -> None:
    with pytest.raises(InvalidRedirect):
        read(WHOLE, asking(login=login))


@pytest.mark.parametrize(
    ("login", "url", "hosts", "other"),
    [
        ("http://10.5.50.1/login", "http://10.5.50.1/login", {"10.5.50.1"}, {"10.5.50.2", "10.5.50.1:443"}),
        (
            "https://Wifi.Example.org:443/login",
            "https://wifi.example.org/login",
            {"wifi.example.org"},
            {"example.org"},
        ),
        (
            "http://10.5.50.1:8002/login?to=x&zone=z",
            "http://10.5.50.1:8002/login?zone=z",
            {"10.5.50.1:8002"},
            {"10.5.50.1"},
        ),
        ("http://[FD66::1]/login", "http://[fd66::1]/login", {"[fd66::1]"}, {"fd66::1"}),
    ],
)
def test_a_login_address_is_of_a_registered_host_or_not(
    login: str, url: str, hosts: set[str], other: set[str]
) -> None:
    found = read(WHOLE, asking(login=login)).login
    assert found is not None and found.url == url
    assert found.is_at(hosts) and not found.is_at(other) and not found.is_at(set())


@pytest.mark.parametrize(
    ("changed", "outcome"),
    [
        ({"res": "failed", "reason": "reject"}, Outcome.REFUSED),
        ({"res": "failed", "reason": "timeout"}, Outcome.UNANSWERED),
        ({"res": "failed", "reason": "other"}, Outcome.STALE),
        ({"res": "failed"}, Outcome.REFUSED),
        ({"res": ""}, Outcome.NOT_YET),
    ],
)
def test_the_outcome_is_read_in_the_makes_own_words(changed: dict[str, str], outcome: Outcome) -> None:
    found = read(FIELDS, asking(reply="unknown user " + "é" * 300, **changed))
    assert found.outcome is outcome and len(found.reply) == 200


@pytest.mark.parametrize(
    ("encoding", "fields"),
    [
        (Encoding.PLAIN, {"password": "pw1"}),
        (Encoding.UAM_PAP, {"password": "a0f43f"}),
        (Encoding.UAM_CHAP, {"response": "bb3895693b74b93cbe37ca03fb205348"}),
    ],
)
def test_the_browser_carries_user_and_secret_as_the_make_wants_them(
    encoding: Encoding, fields: dict[str, str]
) -> None:
    login = Login.of(read(FIELDS, CAPTURED))
    assert login is not None
    kept = Login.from_told(login.told())
    found = carriage(
        replace(FIELDS, back="userurl", constants={"popup": "no"}),
        kept,
        Answer("guest", "pw1", "https://portal/opening"),
        encoding=encoding,
        uamsecret=SECRET,
    )
    assert found.url == "http://10.1.0.1:3990/logon" and found.method == "GET"
    said = {"popup": "no", "nas": "labgw", "username": "guest", "userurl": "https://portal/opening"}
    assert found.fields == said | fields


@given(st.binary(max_size=400))
def test_no_query_does_more_than_be_refused(query: bytes) -> None:
    for dialect in (FIELDS, WHOLE):
        try:
            read(dialect, asking() + b"&login=" + query)
        except InvalidRedirect:
            continue
