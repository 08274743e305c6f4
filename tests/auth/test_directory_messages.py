"""Our octets are ldap3's, and what is no LDAP is refused by name."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ldap3 import BASE, DEREF_NEVER, SUBTREE
from ldap3.operation.bind import bind_operation
from ldap3.operation.search import search_operation
from ldap3.protocol.convert import build_controls_list
from ldap3.protocol.rfc4511 import LDAPMessage, MessageID, ProtocolOp
from ldap3.utils.conv import escape_filter_chars
from pyasn1.codec.ber import encoder

from auth.patrons.ldap import messages
from auth.patrons.ldap.requests import PASSWORD_POLICY, BrokenConnection, LdapConnection, bind

BASE_DN = "ou=people,dc=library,dc=test"
TEMPLATES = [
    "(uid={login})",
    "(&(objectClass=libraryCard)(|(uid={login})(mail={login}@library.test)))",
    "(&(!(cardBlocked=TRUE))(cn=lib-{login}*))",
    "(cn=*{login}*end)",
    "(uid:2.5.13.2:={login})",
    "(uid~={login})",
]
# ldap3 drops blanks at the ends of a value, which no login has (`auth.patrons.login_names`).
LOGINS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=140).filter(
    lambda login: login == login.strip()
)


def with_ldap3(number: int, kind: str, operation: object, *, controls: object = None) -> bytes:
    message = LDAPMessage()
    message["messageID"] = MessageID(number)
    message["protocolOp"] = ProtocolOp().setComponentByName(kind, operation)
    if controls:
        message["controls"] = build_controls_list(controls)
    octets: bytes = encoder.encode(message)
    return octets


@given(st.integers(1, 2**31 - 1), st.text(min_size=1, max_size=200), st.binary(min_size=1, max_size=300))
def test_a_bind_is_ldap3s_octet_for_octet(number: int, dn: str, secret: bytes) -> None:
    dn = dn.encode(errors="replace").decode()
    operation = bind_operation(3, "SIMPLE", dn, secret)
    theirs = with_ldap3(number, "bindRequest", operation, controls=[(PASSWORD_POLICY, False, None)])
    assert messages.bind_request(number, dn, secret, control=PASSWORD_POLICY) == theirs


@pytest.mark.parametrize(("dn", "secret"), [("", b"secret"), ("cn=ada", b"")])
def test_nobody_is_bound_without_a_name_or_a_secret(dn: str, secret: bytes) -> None:
    with pytest.raises(ValueError, match="proves nobody"):
        messages.bind_request(1, dn, secret, control=PASSWORD_POLICY)


@given(
    st.integers(1, 2**31 - 1),
    st.sampled_from(TEMPLATES),
    st.lists(LOGINS, min_size=1, max_size=3),
    st.sampled_from([BASE, SUBTREE]),
    st.integers(0, 70_000),
)
def test_a_search_is_ldap3s_octet_for_octet(
    number: int, template: str, logins: list[str], scope: str, most: int
) -> None:
    filled = [template.replace("{login}", escape_filter_chars(login)) for login in logins]
    text = filled[0] if len(filled) == 1 else f"(|{''.join(filled)})"
    attributes = ("entryUUID", "shadowExpire")
    operation = search_operation(
        BASE_DN, text, scope, DEREF_NEVER, attributes, most, 5, False, None, None, None, False
    )
    ours = messages.search_request(
        number,
        BASE_DN,
        messages.login_filter(template, tuple(logins)),
        attributes=attributes,
        scope={BASE: 0, SUBTREE: 2}[scope],
        most=most,
        seconds=5,
    )
    assert ours == with_ldap3(number, "searchRequest", operation)


WHOLE = messages.bind_request(7, "cn=a", b"b", control="1.2")


@given(st.binary(max_size=40))
def test_a_message_is_read_where_it_is_whole_and_not_before(further: bytes) -> None:
    assert all(messages.read_message(WHOLE[:size]) is None for size in range(len(WHOLE)))
    found = messages.read_message(WHOLE + further)
    assert found is not None
    message, end = found
    assert (message.number, message.tag, end) == (7, messages.BIND_REQUEST, len(WHOLE))
    assert messages.control_of(message.controls, "1.2") == b""
    assert messages.control_of(message.controls, "1.3") is None


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        (b"\x0a\x01\x00\x04\x00\x04\x00", (0, "")),
        (b"\x0a\x01\x00\x04\x00\x04\x01x", (0, "x")),
        (b"\x0a\x01\x31\x04\x00\x04\x00", (49, "")),
    ],
)
def test_what_a_response_says_is_read(body: bytes, outcome: tuple[int, str]) -> None:
    assert messages.outcome_of(body) == outcome


@given(st.binary(max_size=60))
def test_whatever_comes_is_a_message_or_none_or_is_refused(octets: bytes) -> None:
    for begun in (octets, b"\x30" + octets, b"\x30\x20\x02\x01\x01" + octets):
        try:
            found = messages.read_message(begun)
            if found is not None:
                messages.outcome_of(found[0].body)
                messages.entry_of(found[0].body)
                messages.control_of(found[0].controls, "1.2")
        except messages.MalformedMessage:
            continue


@pytest.mark.parametrize(
    ("octets", "why"),
    [
        (b"HTTP/1.1 400 Bad Request", "does not begin"),
        (b"\x30\x80\x02\x01\x01", "no length"),
        (b"\x30\x85\x01\x01\x01\x01\x01", "no length"),
        (b"\x30\x05\x02\x01\x01\x61\x20", "too soon"),
        (b"\x30\x05\x02\x03\x01\x01\x01", "too soon"),
        (b"\x30\x09\x02\x05\x01\x01\x01\x01\x01\x61\x00", "no number"),
        (b"\x30\x05\x04\x01\x01\x61\x00", "0x4 where 0x2"),
        (b"\x30\x06\x02\x01\x01\x7f\x01\x00", "tag of several"),
    ],
)
def test_what_is_no_message_is_refused(octets: bytes, why: str) -> None:
    with pytest.raises(messages.MalformedMessage, match=why):
        messages.read_message(octets)


@pytest.mark.parametrize(
    ("number", "fault"),
    [(1, None), (2, messages.MalformedMessage), (0, BrokenConnection)],
)
def test_a_bind_believes_only_what_answers_it(number: int, fault: type[Exception] | None) -> None:
    """Not the word of success that another one was given; what comes without a question ends the line."""
    line: Any
    line, server = socket.socketpair()
    with line, server:
        server.sendall(bytes.fromhex(f"300c0201{number:02x}61070a010004000400"))
        if fault is None:
            assert bind(LdapConnection(line), "cn=ada", b"secret").code == 0
        else:
            with pytest.raises(fault):
                bind(LdapConnection(line), "cn=ada", b"secret")
