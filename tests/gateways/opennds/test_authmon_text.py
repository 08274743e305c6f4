"""authmon's dialogue in its exact form: a root's shell on the gateway evaluates each answer."""

from __future__ import annotations

import base64
import re
import subprocess
from pathlib import Path
from urllib.parse import parse_qsl, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateways.opennds import authmon
from gateways.opennds.authmon import Asked, BadRequest, Entry, read_end, read_request

WIRE = Path(authmon.__file__).parent / "wire" / "authmon-9.10.0.txt"
RHID = "426055286eea4971df6a8f502e712ef8c7ca60928e7f61dfb46514b7f8395393"
HASH = "21497d364b8c90fe1b5a55357f5273d465aca6116ef6ba5dcc8189e4efc81b91"
END = (
    "method=timeout_deauth, clientmac=02:00:00:00:01:0b, bytes_incoming=706, bytes_outgoing=12, "
    "session_start=1795372382, session_end=1795372443, token=594f9bf5, custom={custom}"
)


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def form(**changes: str) -> dict[str, str]:
    return {"auth_get": "view", "gatewayhash": HASH, "payload": encoded("none"), **changes}


def entry(number: int = 1234, minutes: int = 480) -> Entry:
    return Entry(RHID, minutes, 256, 512, number)


def test_the_dialogue_is_that_which_was_seen_on_the_wire() -> None:
    lines = WIRE.read_text(encoding="ascii").splitlines()[1:]
    asked = [read_request(dict(parse_qsl(line[2:]))) for line in lines if line.startswith(">")]
    answers = [line[2:] for line in lines if line.startswith("<")]
    assert [one.asked for one in asked] == [Asked.VIEW, Asked.VIEW, Asked.DEAUTHED]
    assert asked[0].acknowledged is None and asked[0].payload == "none"
    assert authmon.answer([entry()]) == answers[0]
    assert asked[1].acknowledged == (RHID,) and answers[1] == authmon.ACK
    ended = read_end(asked[2].payload)
    assert (ended.method, ended.number, ended.bytes_down, ended.ended - ended.began) == (
        "timeout_deauth",
        1234,
        706,
        61,
    )


def test_nobody_to_let_in_is_a_star_and_nobody_let_in_is_an_acknowledgement_of_none() -> None:
    assert authmon.answer([]) == "*"
    assert read_request(form(payload=encoded("*"))).acknowledged == ()


def test_a_list_is_never_longer_than_what_authmon_reads_whole() -> None:
    """At 1022 characters the sixth of seven entries was cut behind its rhid, and its client in for a day."""
    many = [Entry(RHID, 2**31 - 1, 2**31 - 1, 2**31 - 1, 2**32 - 1 - n) for n in range(20)]
    told = authmon.answer(authmon.fitting(many))
    assert authmon.fitting(many) == many[:4]
    assert len(told) <= authmon.MOST_CHARACTERS
    assert told.startswith("* ") and len(told.split(" ")) == 5


@pytest.mark.parametrize(
    "fields", [{"minutes": 0}, {"minutes": -1}, {"minutes": 2**31}, {"up_kbps": -1}, {"number": 0}]
)
def test_what_openNDS_reads_otherwise_is_never_said(fields: dict[str, int]) -> None:
    good = {"minutes": 1, "up_kbps": 0, "down_kbps": 0, "number": 1}
    with pytest.raises(ValueError):
        Entry(rhid=RHID, **{**good, **fields})


@pytest.mark.parametrize(
    "text", ["$(touch /tmp/x)", "`id`", "; reboot", "a\nb", RHID + "\n", RHID[:-1] + "}", ""]
)
def test_no_rhid_but_digits_reaches_the_shell(text: str) -> None:
    with pytest.raises(ValueError):
        Entry(text, 1, 0, 0, 1)


@given(st.integers(1, 2**31 - 1), st.integers(0, 2**31 - 1), st.integers(1, 2**32 - 1))
def test_an_entry_holds_nothing_that_a_shell_reads_as_more(minutes: int, rate: int, number: int) -> None:
    line = unquote(Entry(RHID, minutes, rate, rate, number).line())
    assert re.fullmatch(r"[0-9a-f]{64}( [0-9]+){5} [A-Za-z0-9+/]+={0,2}", line)
    assert len(line.split()[-1]) <= 126


def test_the_shell_of_authmon_reads_the_entry_as_it_was_meant() -> None:
    """The two lines of authmon.sh that take an entry apart."""
    script = 'authparams=$(printf "${1//%/\\\\x}"); eval echo $authparams'
    read = subprocess.run(
        ["bash", "-c", script, "bash", entry().line()], capture_output=True, text=True, check=True
    )
    assert read.stdout.split() == [RHID, "480", "256", "512", "0", "0", encoded("1234")]


@pytest.mark.parametrize(
    "changes",
    [
        {"auth_get": "everything"},
        {"auth_get": ""},
        {"gatewayhash": "0"},
        {"gatewayhash": HASH.upper()},
        {"payload": "*"},
        {"payload": "A" * 5000},
        {"payload": base64.b64encode(b"\xff\xfe").decode()},
    ],
)
def test_what_authmon_does_not_ask_is_refused(changes: dict[str, str]) -> None:
    with pytest.raises(BadRequest):
        read_request(form(**changes))


@pytest.mark.parametrize("times", [0, 1, 2])
def test_the_end_of_a_stay_is_read_however_often_it_was_encoded(times: int) -> None:
    text = END.format(custom="MTIzNA%3d%3d")
    for _ in range(times):
        text = encoded(text)
    if times == 2:
        # The request's own base64 is off already: once more is what some of 10.x do, twice more nobody does.
        with pytest.raises(BadRequest):
            read_end(text)
    else:
        ended = read_end(text)
        assert (ended.number, ended.mac, ended.bytes_up) == (1234, "02:00:00:00:01:0b", 12)


@pytest.mark.parametrize(
    "custom", ["", "none", encoded("none"), encoded("12;id"), encoded("-1"), "MTIz$(id)", encoded("9" * 30)]
)
def test_an_end_of_none_of_our_sessions_is_refused(custom: str) -> None:
    with pytest.raises(BadRequest):
        read_end(END.format(custom=custom))


@given(st.text(max_size=200))
def test_whatever_is_reported_is_read_or_refused(text: str) -> None:
    with pytest.raises(BadRequest):
        read_end(text)
