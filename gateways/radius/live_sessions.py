"""How a session that runs on a NAS is named in a request about it, and how products differ in that (RFC 5176).

Nothing is imported here that a gateway's own machine would lack. What is not marked as seen on the wire is what the
vendor's own documents say.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

Attributes = Mapping[str, str | int]

# The whole of the set that RFC 5176 section 3 has for naming a session and its NAS.
EVERYTHING = (
    "User-Name",
    "Acct-Session-Id",
    "Calling-Station-Id",
    "Framed-IP-Address",
    "NAS-Identifier",
    "NAS-IP-Address",
)
# Of these, one at least has to be there.
NAMES_A_SESSION = frozenset({"User-Name", "Acct-Session-Id", "Calling-Station-Id", "Framed-IP-Address"})
LARGEST = 2**32 - 1


class Ask(enum.IntEnum):
    """What is asked: the code of its packet (RFC 5176 section 2). The next two codes are its ACK and its NAK."""

    DISCONNECT = 40
    CHANGE = 43


@dataclass(frozen=True, slots=True)
class Request:
    """One request: the attributes that say which session, and those that are to change.

    With `bare_nak_is_unknown`, a NAK without an Error-Cause says that there is no such session (CoovaChilli).
    """

    ask: Ask
    attributes: Attributes
    bare_nak_is_unknown: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveSession:
    """A session as the NAS itself has named it, to the letter: it compares texts. Empty is what it never said.

    `started_at` is None for a session of which no Accounting-Request has come.
    """

    user_name: str
    acct_session_id: str = ""
    calling_station_id: str = ""
    framed_address: str = ""
    nas_identifier: str = ""
    nas_address: str = ""
    started_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DynamicAuthorization:
    """How boxes of one product take Disconnect-Request and CoA-Request.

    `named_by` are the attributes that name a session there; a strict NAS refuses what it does not know. `changes` is
    whether it takes CoA-Request with Session-Timeout.
    """

    changes: bool
    named_by: tuple[str, ...] = EVERYTHING
    # Event-Timestamp has to be there. Elsewhere it is left out: a box whose clock is off drops what bears one.
    demands_timestamp: bool = False
    # A NAK without Error-Cause means that there is no such session.
    bare_nak_is_unknown: bool = False
    # Session-Timeout in a CoA-Request counts from the start of the session, not from now.
    counts_from_start: bool = False

    def disconnect(self, session: LiveSession, *, now: datetime) -> Request | None:
        """End this session; None where it cannot be named: a request that names none could mean all."""
        name = self._name(session, now)
        return Request(Ask.DISCONNECT, name, self.bare_nak_is_unknown) if name else None

    def change(
        self, session: LiveSession, *, until: datetime, rates: Attributes, now: datetime
    ) -> Request | None:
        """Let this session last until then, at these rates; None where that cannot be said.

        Never a second longer: what is left of a second is cut.
        """
        start = session.started_at if self.counts_from_start else now
        name = self._name(session, now)
        if not self.changes or not name or start is None or until - now < timedelta(seconds=1):
            return None
        seconds = min(int((until - start).total_seconds()), LARGEST)
        attributes = {**name, "Session-Timeout": seconds, **rates}
        return Request(Ask.CHANGE, attributes, self.bare_nak_is_unknown)

    def _name(self, session: LiveSession, now: datetime) -> dict[str, str | int]:
        said: Mapping[str, str] = {
            "User-Name": session.user_name,
            "Acct-Session-Id": session.acct_session_id,
            "Calling-Station-Id": session.calling_station_id,
            "Framed-IP-Address": session.framed_address,
            "NAS-Identifier": session.nas_identifier,
            "NAS-IP-Address": session.nas_address,
        }
        name: dict[str, str | int] = {key: said[key] for key in self.named_by if said[key]}
        if not name.keys() & NAMES_A_SESSION:
            return {}
        if self.demands_timestamp:
            name["Event-Timestamp"] = int(now.timestamp())
        return name


# Seen on the wire (1.8 and 1.9): it needs User-Name, tolerates the others, and gives no Error-Cause.
COOVACHILLI = DynamicAuthorization(changes=True, bare_nak_is_unknown=True, counts_from_start=True)
# By RFC 5176; documented for MikroTik, Aruba, Ruckus.
DISCONNECT_AND_CHANGE = DynamicAuthorization(changes=True)
DISCONNECT_ALONE = DynamicAuthorization(changes=False)
# The dashboard's cloud passes requests on by session, and drops those without a timestamp within five minutes.
MERAKI = DynamicAuthorization(changes=False, named_by=("Acct-Session-Id",), demands_timestamp=True)
# It looks sessions up by the device; what it does not know is an "unsupported attribute".
CISCO = DynamicAuthorization(changes=False, named_by=("User-Name", "Acct-Session-Id", "Calling-Station-Id"))
