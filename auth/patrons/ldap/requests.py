"""The few things that are asked of an LDAP server, each on a connection that is already open (RFC 4511).

ldap3 puts TLS on the line where StartTLS is asked for; binds and searches are written and read by
`auth.patrons.ldap.messages`, and nothing of a password stays here. A referral is never followed.
"""

from __future__ import annotations

import ssl
import stringprep
import unicodedata
from collections.abc import Mapping
from typing import NamedTuple

import ldap3
from ldap3.utils.conv import escape_filter_chars

from auth.errors import WrongCredentials
from auth.patrons.ldap import messages
from auth.patrons.ldap.connection import BrokenConnection, DeadlineSocket
from auth.patrons.login_names import compose

START_TLS = "1.3.6.1.4.1.1466.20037"
PASSWORD_POLICY = "1.3.6.1.4.1.42.2.27.8.5.1"
SUCCESS, SIZE_LIMIT_EXCEEDED, REFERRAL, NO_SUCH_OBJECT, BUSY, UNAVAILABLE = 0, 4, 10, 32, 51, 52
BASE, SUBTREE = 0, 2
# Twins that differ by a hyphen or by case, and one more to see that a filter names too many.
MOST_TWINS = 5

# RFC 4511 section 4.4: a message of the server's own accord, to say that it ends the connection.
_UNSOLICITED = 0
_READ_AT_ONCE = 16_384

Attributes = Mapping[str, tuple[bytes, ...]]


class Entry(NamedTuple):
    """One entry: its name, and the raw values of the attributes asked for, under their names in lower
    case.
    """

    dn: str
    attributes: Attributes


class SearchAnswer(NamedTuple):
    """A few entries, and how many referrals stood where entries might have been."""

    code: int
    description: str
    entries: tuple[Entry, ...]
    referrals: int


class BindAnswer(NamedTuple):
    """`message` is the server's own; `policy` the error number of the password policy control, if it sent
    one.
    """

    code: int
    description: str
    message: str
    policy: int | None


class LdapConnection:
    """The line to a server that speaks LDAP: one request after the other, each with a number of its own."""

    def __init__(self, line: DeadlineSocket) -> None:
        self._line = line
        self._number = 0
        self._received = b""

    def next_number(self) -> int:
        self._number = self._number % (2**31 - 1) + 1
        return self._number

    def send(self, octets: bytes) -> None:
        self._line.sendall(octets)

    def receive(self) -> messages.Message:
        """The next message that answers the last request. Raises `BrokenConnection`, and `MalformedMessage`."""
        while (found := messages.read_message(self._received)) is None:
            octets = self._line.recv(_READ_AT_ONCE)
            if not octets:
                raise BrokenConnection("it closed the connection")
            self._received += octets
        message, end = found
        self._received = self._received[end:]
        if message.number == _UNSOLICITED:
            raise BrokenConnection("it closed the connection")
        if message.number != self._number:
            raise messages.MalformedMessage("answers another request")
        return message


def start_tls(line: DeadlineSocket, context: ssl.SSLContext, name: str) -> None:
    """Ask for StartTLS and put TLS on the line (RFC 4511 section 4.14). Raises `BrokenConnection`: there is no
    plain way.
    """
    server = ldap3.Server("directory", get_info=ldap3.NONE, allowed_referral_hosts=[])
    connection = ldap3.Connection(
        server, auto_bind=ldap3.AUTO_BIND_NONE, auto_referrals=False, check_names=False, read_only=True
    )
    connection.socket, connection.closed, connection.listening = line, False, True
    connection.strategy._outstanding = {}
    connection.extended(START_TLS)
    if connection.result["result"] != SUCCESS:
        raise BrokenConnection(f"it refuses StartTLS ({connection.result['description']})")
    line.secure(context, name)


def prepare_secret(secret: str) -> bytes:
    """The octets of a password in a simple bind. Raises `WrongCredentials` if it has none.

    RFC 4513 section 5.1.3 would have SASLprep, which makes 2 of ² and three dots of …; but directories compare the
    octets they are given, and kept those that were typed. So letters are only composed (NFC), because one keyboard
    sends é as one character and another as two. What SASLprep would leave blank (RFC 3454 table B.1) is still
    refused: a directory that prepares passwords would take it for an anonymous bind.
    """
    if secret.isascii() and secret.strip():
        # Nearly always: of these none is composed, and none left blank.
        return secret.encode()
    folded = unicodedata.normalize("NFKC", secret)
    if not "".join(letter for letter in folded if not stringprep.in_table_b1(letter)).strip():
        raise WrongCredentials
    try:
        return compose(secret).encode()
    except UnicodeEncodeError:
        raise WrongCredentials from None


def bind(connection: LdapConnection, dn: str, secret: bytes) -> BindAnswer:
    """Bind as `dn`."""
    number = connection.next_number()
    connection.send(messages.bind_request(number, dn, secret, control=PASSWORD_POLICY))
    answer = connection.receive()
    if answer.tag != messages.BIND_RESPONSE:
        raise messages.MalformedMessage("does not answer a bind")
    outcome = _outcome(answer)
    control = messages.control_of(answer.controls, PASSWORD_POLICY)
    policy = None if control is None else _policy_error(control)
    return BindAnswer(outcome.code, outcome.description, outcome.message, policy)


def escape(text: str) -> str:
    """`text` as a value in a filter (RFC 4515 section 3)."""
    escaped: str = escape_filter_chars(text)
    return escaped


def search(
    connection: LdapConnection,
    base: str,
    asked: str | bytes,
    *,
    attributes: tuple[str, ...],
    seconds: float,
    scope: int = SUBTREE,
    most: int = MOST_TWINS,
) -> SearchAnswer:
    """Search `base` and, unless told otherwise, all below it. Aliases stay aliases; more than `most` entries
    are never fetched. `asked` is a filter, as text or encoded already.
    """
    number, entries, referrals = connection.next_number(), list[Entry](), 0
    octets = messages.search_request(
        number,
        base,
        messages.encode_filter(asked) if isinstance(asked, str) else asked,
        attributes=attributes,
        scope=scope,
        most=most,
        seconds=max(1, int(seconds + 0.999)),
    )
    connection.send(octets)
    while (answer := connection.receive()).tag != messages.DONE:
        if answer.tag == messages.ENTRY:
            entries.append(Entry(*messages.entry_of(answer.body)))
        elif answer.tag == messages.REFERENCE:
            referrals += 1
        else:
            raise messages.MalformedMessage("does not answer a search")
    outcome = _outcome(answer)
    return SearchAnswer(outcome.code, outcome.description, tuple(entries), referrals)


def explain_code(what: str, code: int, description: str) -> BrokenConnection:
    if code == REFERRAL:
        return BrokenConnection(
            f"it answers {what} with a referral to another server, and none is ever followed"
        )
    return BrokenConnection(f"it answers {what} with {description} ({code})")


def _outcome(answer: messages.Message) -> messages.Outcome:
    outcome = messages.outcome_of(answer.body)
    # These two say that another server, or another minute, would do better: the same as no answer.
    if outcome.code in (BUSY, UNAVAILABLE):
        raise BrokenConnection(f"it says that it is {outcome.description}")
    return outcome


def _policy_error(value: bytes) -> int | None:
    """The `error` of a PasswordPolicyResponseValue (draft-behera-ldap-password-policy-10 section 6.2).

    A BER sequence of an optional warning (tag A0) and an optional enumerated error (tag 81), always short.
    """
    at = 2
    while at + 2 < len(value):
        tag, length = value[at], value[at + 1]
        if tag == 0x81 and length == 1:
            return value[at + 2]
        at += 2 + length
    return None
