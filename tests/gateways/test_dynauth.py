"""Disconnect-Request and CoA-Request on the wire: what is sent, and which answers are believed (RFC 5176)."""

from __future__ import annotations

import hashlib
import hmac
import socket
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyrad import packet

from gateways.radius import dynauth
from gateways.radius.dynauth import Answer, Outcome, Peer
from gateways.radius.live_sessions import Ask, Request
from tests import radius_nas
from tests.radius_nas import Nas

DONE, UNKNOWN, NO_ANSWER = (Answer(one) for one in (Outcome.DONE, Outcome.UNKNOWN_SESSION, Outcome.NO_ANSWER))
SESSION = {"User-Name": "guest", "Acct-Session-Id": "179537353700000001"}
DISCONNECT = Request(Ask.DISCONNECT, SESSION)
# An answer on loopback takes a millisecond; where none is to come, this is all that is waited.
PATIENT, SHORT = (5.0,), (0.05, 0.05, 0.05)


@pytest.fixture
def nas() -> Iterator[Nas]:
    with radius_nas.listening() as nas:
        nas.hold("179537353700000001", "guest")
        yield nas


def peer_of(nas: Nas, **changes: object) -> Peer:
    return Peer(**{"address": "127.0.0.1", "port": nas.port, "secret": nas.secret, **changes})  # type: ignore[arg-type]


def test_a_disconnect_is_done_once_the_nas_says_so(nas: Nas) -> None:
    assert dynauth.exchange([DISCONNECT], peer_of(nas), waits=PATIENT) == [DONE]
    assert not nas.sessions
    sent = nas.requests[0]
    assert sent["User-Name"] == ["guest"] and sent["Acct-Session-Id"] == ["179537353700000001"]


def test_the_packet_is_as_the_rfc_says_to_the_byte(nas: Nas) -> None:
    """Against hmac and md5 by hand: RFC 5176 section 2.3 and 3.3, RFC 2869 section 5.14."""
    dynauth.exchange([DISCONNECT], peer_of(nas), waits=PATIENT)
    raw = nas.requests[0].raw_packet
    assert raw[0] == 40 and int.from_bytes(raw[2:4], "big") == len(raw)
    # First of all attributes, so that whoever reads on knows already who speaks.
    assert raw[20:22] == b"\x50\x12"
    unsigned = raw[:4] + bytes(16) + raw[20:22] + bytes(16) + raw[38:]
    assert raw[22:38] == hmac.new(nas.secret, unsigned, "md5").digest()
    assert raw[4:20] == hashlib.md5(raw[:4] + bytes(16) + raw[20:] + nas.secret).digest()


def test_a_change_carries_the_new_session_timeout(nas: Nas) -> None:
    change = Request(Ask.CHANGE, {**SESSION, "Session-Timeout": 900})
    assert dynauth.exchange([change], peer_of(nas), waits=PATIENT) == [DONE]
    assert nas.sessions["179537353700000001"].timeout == 900


def test_the_four_results_are_told_apart(nas: Nas) -> None:
    nas.refuses_with = 405
    refused = dynauth.exchange([DISCONNECT], peer_of(nas), waits=PATIENT)
    assert refused == [Answer(Outcome.REFUSED, "unsupported service")]
    nas.refuses_with = None
    unknown = Request(Ask.DISCONNECT, {**SESSION, "Acct-Session-Id": "another"})
    assert dynauth.exchange([unknown, DISCONNECT], peer_of(nas), waits=PATIENT) == [UNKNOWN, DONE]
    nas.is_deaf = True
    assert dynauth.exchange([DISCONNECT], peer_of(nas), waits=SHORT) == [NO_ANSWER]


def test_a_nak_without_a_cause_is_a_refusal_but_where_it_means_unknown(nas: Nas) -> None:
    nas.refuses_with = 0
    chilli = Request(Ask.DISCONNECT, SESSION, bare_nak_is_unknown=True)
    answers = dynauth.exchange([DISCONNECT, chilli], peer_of(nas), waits=PATIENT)
    assert answers == [Answer(Outcome.REFUSED, "no reason given"), UNKNOWN]
    nas.refuses_with = 501
    assert dynauth.exchange([chilli], peer_of(nas), waits=PATIENT)[0].outcome is Outcome.REFUSED


def test_a_request_is_sent_again_with_the_same_identifier_and_done_once(nas: Nas) -> None:
    """The first two answers get lost, and the third is that of the first request."""
    nas.sending = lambda _request, answer: [answer.ReplyPacket()] if len(nas.requests) == 3 else []
    assert dynauth.exchange([DISCONNECT], peer_of(nas), waits=(0.05, 0.05, 5.0)) == [DONE]
    assert len({sent.raw_packet for sent in nas.requests}) == 1


def test_an_answer_that_comes_twice_or_for_an_earlier_sending_counts_once(nas: Nas) -> None:
    nas.sending = lambda _request, answer: [answer.ReplyPacket()] * 2
    second = Request(Ask.DISCONNECT, {**SESSION, "Acct-Session-Id": "another"})
    assert dynauth.exchange([DISCONNECT, second], peer_of(nas), waits=PATIENT) == [DONE, UNKNOWN]
    assert len(nas.requests) == 2


def forgeries(request: packet.CoAPacket, answer: packet.CoAPacket) -> list[bytes]:
    """What somebody sends who has the wrong secret, no secret, an old answer, or another question in mind."""
    good = answer.ReplyPacket()
    liar = packet.CoAPacket(packet=request.raw_packet, secret=b"another secret", dict=radius_nas.DICTIONARY)
    signed = request.CreateReply()
    signed.add_message_authenticator()
    bad_signature = bytearray(signed.ReplyPacket())
    bad_signature[25] ^= 1
    bad_signature[4:20] = hashlib.md5(
        bytes(bad_signature[:4]) + request.authenticator + bytes(bad_signature[20:]) + request.secret
    ).digest()
    for_a_change = request.CreateReply()
    for_a_change.code = packet.CoAACK
    return [
        b"",
        good[:10],
        good[:4] + bytes(16),
        bytes([good[0], good[1] ^ 1]) + good[2:],
        liar.CreateReply().ReplyPacket(),
        bytes(bad_signature),
        for_a_change.ReplyPacket(),
        request.raw_packet,
    ]


def test_forged_answers_are_ignored_and_the_right_one_after_them_is_not(nas: Nas) -> None:
    nas.sending = forgeries
    assert dynauth.exchange([DISCONNECT], peer_of(nas), waits=SHORT) == [NO_ANSWER]
    nas.hold("179537353700000001", "guest")
    nas.sending = lambda request, answer: [*forgeries(request, answer), answer.ReplyPacket()]
    assert dynauth.exchange([DISCONNECT], peer_of(nas), waits=PATIENT) == [DONE]


def test_a_right_answer_from_another_port_is_ignored(nas: Nas) -> None:
    """The secret's holder at the wrong place: something that answers for the NAS."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:

        def from_elsewhere(request: packet.CoAPacket, answer: packet.CoAPacket) -> list[bytes]:
            other.sendto(answer.ReplyPacket(), request.source)
            return []

        nas.sending = from_elsewhere
        assert dynauth.exchange([DISCONNECT], peer_of(nas), waits=SHORT) == [NO_ANSWER]


def test_a_wrong_secret_is_no_answer_and_ends_nothing(nas: Nas) -> None:
    assert dynauth.exchange([DISCONNECT], peer_of(nas, secret=b"another"), waits=SHORT) == [NO_ANSWER]
    assert nas.sessions and not nas.requests


def test_signed_answers_may_be_demanded(nas: Nas) -> None:
    demanding = peer_of(nas, demands_signed_answers=True)
    assert dynauth.exchange([DISCONNECT], demanding, waits=SHORT) == [NO_ANSWER]
    nas.hold("179537353700000001", "guest")

    def signed(_request: packet.CoAPacket, answer: packet.CoAPacket) -> list[bytes]:
        answer.add_message_authenticator()
        return [answer.ReplyPacket()]

    nas.sending = signed
    assert dynauth.exchange([DISCONNECT], demanding, waits=PATIENT) == [DONE]


def test_many_at_once_each_have_their_own_answer(nas: Nas) -> None:
    wanted = [
        Request(Ask.DISCONNECT, {"User-Name": f"guest{number}", "Acct-Session-Id": f"{number}"})
        for number in range(3 * dynauth.AT_ONCE + 5)
    ]
    for number in range(0, len(wanted), 2):
        nas.hold(str(number), f"guest{number}")
    answers = dynauth.exchange(wanted, peer_of(nas), waits=PATIENT)
    assert answers == [DONE if number % 2 == 0 else UNKNOWN for number in range(len(wanted))]


def test_a_nas_that_is_away_is_asked_for_one_batch_and_no_more() -> None:
    with radius_nas.listening() as nas:
        nas.is_deaf = True
        many = [DISCONNECT] * (5 * dynauth.AT_ONCE)
        assert dynauth.exchange(many, peer_of(nas), waits=(0.05,)) == [NO_ANSWER] * len(many)
        nas.is_deaf = False
        # What had come in before it listens again, and this one.
        dynauth.exchange([DISCONNECT], peer_of(nas), waits=PATIENT)
        assert (len(nas.requests), nas.datagrams) == (1, dynauth.AT_ONCE + 1)
    # Nobody listens there now: the kernel says so, which is no answer either.
    gone = Peer("127.0.0.1", nas_port_of_nobody(), b"secret")
    assert dynauth.exchange([DISCONNECT], gone, waits=SHORT) == [NO_ANSWER]
    assert dynauth.exchange([DISCONNECT], Peer("192.0.2.1", 0, b"secret"), waits=SHORT) == [NO_ANSWER]


def nas_port_of_nobody() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def test_it_speaks_ipv6() -> None:
    with radius_nas.listening(address="::1") as nas:
        nas.hold("179537353700000001", "guest")
        assert dynauth.exchange([DISCONNECT], peer_of(nas, address="::1"), waits=PATIENT) == [DONE]


@pytest.mark.parametrize("attributes", [{"User-Name": "x" * 254}, {"Session-Timeout": -1}])
def test_what_no_packet_can_hold_is_not_sent(attributes: dict[str, str | int]) -> None:
    with pytest.raises(ValueError):
        dynauth.exchange([Request(Ask.CHANGE, attributes)], Peer("127.0.0.1", 1, b"s"), waits=SHORT)


@given(st.binary(max_size=60), st.sampled_from([26, 79, 80, 101, 1]), st.integers(0, 255))
def test_no_bytes_are_an_answer_and_none_break_it(tail: bytes, kind: int, length: int) -> None:
    asked = packet.CoAPacket(code=40, id=7, secret=b"secret")
    asked.RequestPacket()
    body = bytes([kind, length]) + tail
    raw = bytes([41, 7]) + (20 + len(body)).to_bytes(2, "big") + bytes(16) + body
    assert dynauth.read_answer(raw, asked, DISCONNECT, Peer("x", 1, b"secret")) is None


@given(st.binary(max_size=60), st.sampled_from([26, 79, 80, 101, 1]), st.integers(0, 255))
def test_attributes_of_any_form_in_a_nak_break_nothing(tail: bytes, kind: int, length: int) -> None:
    """Signed by somebody who has the secret: a NAS with a fault of its own."""
    asked = packet.CoAPacket(code=40, id=7, secret=b"secret")
    asked.RequestPacket()
    head = bytes([42, 7]) + (22 + len(tail)).to_bytes(2, "big")
    body = bytes([kind, length]) + tail
    right = hashlib.md5(head + asked.authenticator + body + b"secret").digest()
    answer = dynauth.read_answer(head + right + body, asked, DISCONNECT, Peer("x", 1, b"secret"))
    assert answer is None or answer.outcome in (Outcome.REFUSED, Outcome.UNKNOWN_SESSION)
