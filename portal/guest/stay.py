"""What the status page says of a connection, and when it will say something else: for the page and for its script."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ads.acceptances import may_renew
from ads.models import CivicOverride
from sessions import policy
from sessions.clients import SeenAccess
from sites.models import Gateway, SigninMethod

# How long before its end a session is said to end soon; where that can be renewed, not before it can.
WARNING = timedelta(minutes=5)
# The page without script asks so many seconds after the change, rounded up, so that the gateway has closed the door.
AFTER_THE_CHANGE, SECOND = timedelta(seconds=0.5), timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class OpenStay:
    """`state` is "online", "ended", "connecting" (the gateway has not confirmed) or "unknown" (who asks is not known).

    `key` is another one whenever the page would be another one, but for the time left. Times are as of now.
    """

    state: str
    key: str
    left: timedelta = timedelta(0)
    may_renew: bool = False
    is_ending: bool = False
    renewal_opens: datetime | None = None
    # Until the page says something else.
    changes_in: timedelta = timedelta(0)

    @property
    def refresh_seconds(self) -> int:
        """After how many seconds a page without script asks again."""
        return -(-(self.changes_in + AFTER_THE_CHANGE) // SECOND)

    def as_json(self) -> dict[str, object]:
        """For the script of the page: times in seconds from now, on the server's clock."""
        if self.state != "online":
            return {"state": self.state, "key": self.key}
        return {
            "state": self.state,
            "key": self.key,
            "seconds_left": self.left.total_seconds(),
            "changes_in": self.changes_in.total_seconds(),
            "may_renew": self.may_renew,
            "renewal_opens": None if self.renewal_opens is None else self.renewal_opens.isoformat(),
        }


OFFLINE = OpenStay("ended", "ended")
CONNECTING = OpenStay("connecting", "connecting")
UNKNOWN = OpenStay("unknown", "unknown")


def offline(override: CivicOverride | None) -> OpenStay:
    """No session, at a site with this crisis message, if any."""
    return replace(OFFLINE, key=OFFLINE.key + _key_of(override))


def stay_of(
    access: SeenAccess, gateway: Gateway, *, now: datetime, override: CivicOverride | None = None
) -> OpenStay:
    """An open session at the gateway where its client is, and the crisis message that is shown there."""
    is_renewable = gateway.network.allows(SigninMethod.FREE) and bool(gateway.renewal_window)
    opens = policy.renewal_opens(access.until, window=gateway.renewal_window)
    warns = max(opens, access.until - WARNING) if is_renewable else access.until - WARNING
    ends = access.until if override is None else override.ends_at
    changes = (at for at in (opens if is_renewable else warns, warns, access.until, ends) if at > now)
    is_open, is_ending = may_renew(access, gateway, now=now), now >= warns
    return OpenStay(
        state="online",
        key=f"{access.id}-{access.until.timestamp():.0f}-{is_open:d}{is_ending:d}{_key_of(override)}",
        left=access.until - now,
        may_renew=is_open,
        is_ending=is_ending,
        renewal_opens=opens if is_renewable else None,
        changes_in=min((at - now for at in changes), default=timedelta()),
    )


def _key_of(override: CivicOverride | None) -> str:
    return "" if override is None else f"-crisis{override.id}"


def share_left(access: SeenAccess, lease_length: timedelta, left: timedelta) -> int:
    """How much of a lease is left, from 0 to 100, of its full length or of the whole stay if that was shorter.

    A pass is one stay, however long it is.
    """
    stay = access.until - access.started_at
    whole = stay if access.method is SigninMethod.PASS else min(lease_length, stay)
    return round(100 * max(0.0, min(1.0, left / whole))) if whole else 0
