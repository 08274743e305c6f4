"""The few things that are asked of an LDAP server, each on a connection that is already open (RFC 4511).

The only place that knows ldap3. Its defaults are not ours: it would read the schema at every bind, follow
referrals with the service account's password, and keep the last password on the connection.
"""

from __future__ import annotations

import ssl
import stringprep
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import ldap3
from ldap3.utils.conv import escape_filter_chars

from auth.errors import WrongCredentials
from auth.patrons.ldap.connection import BrokenConnection, DeadlineSocket
from auth.patrons.login_names import compose

START_TLS = "1.3.6.1.4.1.1466.20037"
PASSWORD_POLICY = "1.3.6.1.4.1.42.2.27.8.5.1"
SUCCESS, SIZE_LIMIT_EXCEEDED, REFERRAL, NO_SUCH_OBJECT, BUSY, UNAVAILABLE = 0, 4, 10, 32, 51, 52
BASE: Literal["BASE"] = ldap3.BASE
# Twins that differ by a hyphen or by case, and one more to see that a filter names too many.
MOST_TWINS = 5

_REFERRAL_TAG = 3

LdapConnection = ldap3.Connection
Attributes = Mapping[str, tuple[bytes, ...]]


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry: its name, and the raw values of the attributes asked for, under their names in lower
    case.
    """

    dn: str
    attributes: Attributes


@dataclass(frozen=True, slots=True)
class SearchAnswer:
    """A few entries, and how many referrals stood where entries might have been."""

    code: int
    description: str
    entries: tuple[Entry, ...]
    referrals: int


@dataclass(frozen=True, slots=True)
class BindAnswer:
    """`message` is the server's own; `policy` the error number of the password policy control, if it sent
    one.
    """

    code: int
    description: str
    message: str
    policy: int | None


def connect(line: DeadlineSocket) -> LdapConnection:
    """Make ldap3 speak over `line`. It opens, secures and follows nothing by itself."""
    server = ldap3.Server("directory", get_info=ldap3.NONE, allowed_referral_hosts=[])
    connection = ldap3.Connection(
        server,
        auto_bind=ldap3.AUTO_BIND_NONE,
        auto_referrals=False,
        auto_range=False,
        auto_escape=False,
        check_names=False,
        read_only=True,
    )
    connection.socket = line
    connection.closed = False
    connection.listening = True
    connection.strategy._outstanding = {}
    return connection


def start_tls(connection: LdapConnection, line: DeadlineSocket, context: ssl.SSLContext, name: str) -> None:
    """Ask for StartTLS and put TLS on the line (RFC 4511 section 4.14). Raises `BrokenConnection`: there is no
    plain way.
    """
    connection.extended(START_TLS)
    if connection.result["result"] != SUCCESS:
        raise BrokenConnection(f"it refuses StartTLS ({connection.result['description']})")
    line.secure(context, name)
    connection.tls_started = True


def prepare_secret(secret: str) -> bytes:
    """The octets of a password in a simple bind. Raises `WrongCredentials` if it has none.

    RFC 4513 section 5.1.3 would have SASLprep, which makes 2 of ² and three dots of …; but directories compare the
    octets they are given, and kept those that were typed. So letters are only composed (NFC), because one keyboard
    sends é as one character and another as two. What SASLprep would leave blank (RFC 3454 table B.1) is still
    refused: a directory that prepares passwords would take it for an anonymous bind.
    """
    folded = unicodedata.normalize("NFKC", secret)
    if not "".join(letter for letter in folded if not stringprep.in_table_b1(letter)).strip():
        raise WrongCredentials
    try:
        return compose(secret).encode()
    except UnicodeEncodeError:
        raise WrongCredentials from None


def bind(connection: LdapConnection, dn: str, secret: bytes) -> BindAnswer:
    """Bind as `dn`, and forget the secret: ldap3 would keep it in two places."""
    try:
        connection.rebind(
            user=dn, password=secret, read_server_info=False, controls=[(PASSWORD_POLICY, False, None)]
        )
    except KeyError as error:
        # ldap3's decoder has no word for a referral, tag 3, in the answer to a bind (RFC 4511 section 4.1.9).
        if error.args == (_REFERRAL_TAG,):
            raise explain_code("a bind", REFERRAL, "referral") from error
        raise
    finally:
        connection.password = None
        connection.request = None
    result = connection.result
    control = (result.get("controls") or {}).get(PASSWORD_POLICY)
    policy = _policy_error(control["value"] or b"") if control else None
    _refuse_the_busy(result)
    return BindAnswer(result["result"], result["description"], result["message"], policy)


def escape(text: str) -> str:
    """`text` as a value in a filter (RFC 4515 section 3)."""
    escaped: str = escape_filter_chars(text)
    return escaped


def search_filter(template: str, spellings: tuple[str, ...]) -> str:
    """Fill a filter with what was typed, escaped; several spellings become an *or*."""
    filled = [template.replace("{login}", escape(spelling)) for spelling in spellings]
    return filled[0] if len(filled) == 1 else f"(|{''.join(filled)})"


def search(
    connection: LdapConnection,
    base: str,
    text: str,
    *,
    attributes: tuple[str, ...],
    seconds: float,
    scope: Literal["BASE", "SUBTREE"] = ldap3.SUBTREE,
    most: int = MOST_TWINS,
) -> SearchAnswer:
    """Search `base` and, unless told otherwise, all below it. Aliases stay aliases; more than `most` entries
    are never fetched.
    """
    connection.search(
        base,
        text,
        search_scope=scope,
        dereference_aliases=ldap3.DEREF_NEVER,
        attributes=list(attributes),
        size_limit=most,
        time_limit=max(1, int(seconds + 0.999)),
    )
    response, result = connection.response or [], connection.result
    connection.request = connection.response = None
    _refuse_the_busy(result)
    entries = tuple(_entry(found) for found in response if found["type"] == "searchResEntry")
    referrals = sum(1 for found in response if found["type"] == "searchResRef")
    return SearchAnswer(result["result"], result["description"], entries, referrals)


def explain_code(what: str, code: int, description: str) -> BrokenConnection:
    if code == REFERRAL:
        return BrokenConnection(
            f"it answers {what} with a referral to another server, and none is ever followed"
        )
    return BrokenConnection(f"it answers {what} with {description} ({code})")


def _refuse_the_busy(result: Mapping[str, object]) -> None:
    # These two say that another server, or another minute, would do better: the same as no answer.
    if result["result"] in (BUSY, UNAVAILABLE):
        raise BrokenConnection(f"it says that it is {result['description']}")


def _entry(found: Mapping[str, object]) -> Entry:
    raw = found["raw_attributes"]
    assert isinstance(raw, Mapping)
    return Entry(str(found["dn"]), {str(name).lower(): tuple(values) for name, values in raw.items()})


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
