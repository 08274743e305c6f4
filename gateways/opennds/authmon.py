"""What openNDS' authmon asks of the portal, and the answers in its exact form.

openNDS 9.10 and 10.x, documentation "FAS, level 3": ``auth_get``, ``gatewayhash`` and a base64 ``payload``, by POST at
level 3 and in the query at level 4.
"""

from __future__ import annotations

import base64
import binascii
import enum
import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from urllib.parse import quote, unquote

from gateways.opennds.landing import read_fields
from gateways.types import InvalidMac, MacAddress, parse_mac

# authmon cuts the list at 1022 characters without a word, in the middle of an entry, which is then for a whole day.
MOST_ENTRIES, MOST_CHARACTERS = 4, 900
LONGEST_PAYLOAD = 4096
# openNDS keeps 32 bits of each, signed.
LARGEST = 2**31 - 1
NOTHING = "*"
ACK = "ack"
# What is said of a request that is none: authmon logs what does not begin with a star, and lets nobody in.
REFUSED = "refused"
_HASH = re.compile(r"[0-9a-f]{64}")
_NUMBER = re.compile(r"[0-9]{1,10}")
_COUNTER = re.compile(r"[0-9]{1,17}")


class BadRequest(ValueError):
    """No request of authmon's."""


class Asked(enum.StrEnum):
    """What authmon wants."""

    # The gateway has started, a few seconds ago: whatever waits from before is stale.
    CLEAR = "clear"
    # With payload "none" the list; with "* rhid rhid" those are in.
    VIEW = "view"
    LIST = "list"
    DEAUTHED = "deauthed"
    CUSTOM = "custom"


@dataclass(frozen=True, slots=True)
class AuthmonRequest:
    """One request. `payload` is decoded, and a stranger's text."""

    asked: Asked
    gateway_hash: str
    payload: str

    @property
    def acknowledged(self) -> tuple[str, ...] | None:
        """The rhids of those who were let in; None where this is no acknowledgement."""
        if self.asked is not Asked.VIEW or not self.payload.startswith(NOTHING):
            return None
        return tuple(word for word in self.payload.split() if _HASH.fullmatch(word))


@dataclass(frozen=True, slots=True)
class Entry:
    """Let this client in for `minutes`, at these ceilings in kbit/s; 0 leaves the gateway's own setting in force.

    `number` is the access session's, which comes back in the report of the end.
    """

    rhid: str
    minutes: int
    up_kbps: int
    down_kbps: int
    number: int

    def __post_init__(self) -> None:
        """Raises ValueError where openNDS would read something else than it says, or its shell would."""
        if not _HASH.fullmatch(self.rhid):
            raise ValueError("an rhid is 64 digits")
        if not 1 <= self.minutes <= LARGEST:
            raise ValueError("no minutes are the gateway's own length, not none")
        if not 0 <= min(self.up_kbps, self.down_kbps) <= max(self.up_kbps, self.down_kbps) <= LARGEST:
            raise ValueError("rates are whole and not negative")
        if not 0 < self.number < 2**32:
            raise ValueError("a session's number has 32 bits")

    def line(self) -> str:
        """The entry as it stands in the list. A root's shell evaluates it: it holds digits and base64, nothing else."""
        custom = base64.b64encode(str(self.number).encode()).decode()
        words = (self.rhid, self.minutes, self.up_kbps, self.down_kbps, 0, 0, custom)
        return quote(" ".join(map(str, words)), safe="")


@dataclass(frozen=True, slots=True)
class EndReport:
    """A client's access has ended at the gateway. Times are in seconds since the epoch by the gateway's clock.

    `token` is what the gateway alone knew of the client: the landing's hid is its digest.
    """

    method: str
    token: str
    mac: MacAddress
    number: int
    bytes_down: int
    bytes_up: int
    began: int
    ended: int

    def is_of(self, hid: str) -> bool:
        """Whether the gateway made this `hid` of the token: nobody else could tell it."""
        return hashlib.sha256(self.token.encode()).hexdigest() == hid


def read_request(fields: Mapping[str, str]) -> AuthmonRequest:
    """Read the form or the query of a request. Raises `BadRequest`."""
    payload = fields.get("payload", "")
    if len(payload) > LONGEST_PAYLOAD:
        raise BadRequest("its payload is longer than any of authmon's")
    gateway_hash = fields.get("gatewayhash", "")
    if not _HASH.fullmatch(gateway_hash):
        raise BadRequest("its gatewayhash is not 64 digits")
    try:
        return AuthmonRequest(Asked(fields.get("auth_get", "")), gateway_hash, _text(payload))
    except ValueError as error:
        raise BadRequest("its auth_get or its payload is not one of authmon's") from error


def fitting(entries: Iterable[Entry]) -> list[Entry]:
    """As many of the entries as authmon reads whole. The others come in its next round."""
    chosen = list(islice(entries, MOST_ENTRIES))
    while len(answer(chosen)) > MOST_CHARACTERS:
        chosen.pop()
    return chosen


def answer(entries: Iterable[Entry]) -> str:
    """The list that authmon reads."""
    return " ".join([NOTHING, *(entry.line() for entry in entries)])


def read_end(payload: str) -> EndReport:
    """Read the payload of `Asked.DEAUTHED`. Some 10.x encode it twice. Raises `BadRequest`."""
    text = payload
    if "method=" not in text:
        try:
            text = _text(payload)
        except ValueError as error:
            raise BadRequest("no report of an end") from error
    fields = read_fields(text)
    try:
        number = _text(unquote(fields["custom"]))
        if not _NUMBER.fullmatch(number) or not re.fullmatch(r"[a-z_]{1,40}", fields["method"]):
            raise ValueError("no number of ours, or no method")
        return EndReport(
            method=fields["method"],
            token=fields["token"],
            mac=parse_mac(fields["clientmac"]),
            number=int(number),
            bytes_down=_count(fields["bytes_incoming"]),
            bytes_up=_count(fields["bytes_outgoing"]),
            began=_count(fields["session_start"]),
            ended=_count(fields["session_end"]),
        )
    except (KeyError, InvalidMac, ValueError) as error:
        raise BadRequest("a report of an end that none of our sessions had") from error


def _count(text: str) -> int:
    if not _COUNTER.fullmatch(text):
        raise ValueError("no counter")
    return int(text)


def _text(payload: str) -> str:
    """The text of base64 in which a plus sign may have arrived as a space."""
    try:
        return base64.b64decode(payload.replace(" ", "+"), validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise ValueError("not base64 of a text") from error
