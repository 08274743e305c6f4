"""Sessions in words for staff: how one stands, why it ended, how it was let in, and each instant with its zone."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from markupsafe import Markup

from portal.i18n.translation import say, write_date
from sessions.log.query import ListedSession, State
from sessions.models import AccessSession, EndReason
from sites.models import SigninMethod


def end_in_words(reason: EndReason | str) -> str:
    """Why a session ended."""
    return {
        EndReason.EXPIRED: say("time was over"),
        EndReason.LEFT: say("left by the guest"),
        EndReason.STAFF: say("ended by staff"),
        EndReason.DEVICE_LIMIT: say("gave way to another device"),
        EndReason.POLICY: say("ended by a rule of the place"),
        EndReason.IDLE: say("device silent for too long"),
        EndReason.GATEWAY_LOST: say("gateway silent at the end"),
        EndReason.MOVED: say("went on under another address"),
    }[EndReason(reason)]


def way_in_words(method: SigninMethod | str) -> str:
    return {
        SigninMethod.PATRON: say("Card"),
        SigninMethod.PASS: say("Pass"),
        SigninMethod.FREE: say("Free access, with a message"),
        SigninMethod.MANAGED: say("Managed device"),
    }[SigninMethod(method)]


def state_in_words(state: State | str) -> str:
    return {State.OPEN: say("online"), State.ENDED: say("ended")}[State(state)]


def standing(access: ListedSession | AccessSession, zone: ZoneInfo) -> str:
    """How a session stands: until when, or why it ended."""
    if access.ended_at is None or access.end_reason is None:
        return say("online until %(time)s", time=short(access.until, zone))
    return f"{short(access.ended_at, zone)}, {end_in_words(access.end_reason)}"


def short(at: datetime, zone: ZoneInfo) -> str:
    """A time of day with its seconds, in the zone of the place; with the offset where that hour exists twice."""
    local = at.astimezone(zone)
    text = write_date(local, "HH:mm:ss")
    if local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset():
        text += f" (UTC{local.strftime('%z')[:3]})"
    return text


def utc(at: datetime) -> str:
    """The same instant in UTC."""
    return f"{at.astimezone(UTC):%H:%M:%S} UTC"


def at_length(at: datetime, zone: ZoneInfo) -> str:
    """Day, time and offset there, and UTC beside it: one hour a year exists twice."""
    local = at.astimezone(zone)
    there = write_date(local, "d MMM yyyy HH:mm:ss")
    offset = local.strftime("%z")
    return f"{there} (UTC{offset[:3]}:{offset[3:]}) · {at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def instant(at: datetime, zone: ZoneInfo) -> Markup:
    """A time of day as a part of a page; whoever needs more finds day, offset and UTC behind it."""
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        at.astimezone(UTC).isoformat(), at_length(at, zone), short(at, zone)
    )


def day(at: datetime, zone: ZoneInfo) -> str:
    return write_date(at.astimezone(zone), "EEEE d MMMM yyyy")
