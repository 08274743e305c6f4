"""Words for what the records hold: kinds of places, their states and hours, the reasons why a session ended."""

from __future__ import annotations

from datetime import datetime

from portal.i18n.translation import comma, day_and_time, end_time, say
from portal.public_values import PublicStay
from portal.services import services
from sessions.managed.presence import Standing
from sessions.models import EndReason
from sites.directory import Hotspot
from sites.map_background import Layer
from sites.models import SigninMethod, SiteKind, SiteState
from sites.opening_hours import DAY_MINUTES


def kind_in_words(kind: SiteKind) -> str:
    return {
        SiteKind.STATION: say("Station"),
        SiteKind.TRAM_STOP: say("Tram stop"),
        SiteKind.SQUARE: say("Square"),
        SiteKind.LANDMARK: say("Landmark"),
        SiteKind.SPORTS_HALL: say("Sports hall"),
        SiteKind.LIBRARY: say("Library"),
        SiteKind.SCHOOL: say("School"),
        SiteKind.TOWN_BUILDING: say("Town building"),
        SiteKind.SHOP: say("Shop"),
    }[kind]


def kinds_in_words(kind: SiteKind) -> str:
    """The heading over places of this kind."""
    return {
        SiteKind.STATION: say("Stations"),
        SiteKind.TRAM_STOP: say("Tram stops"),
        SiteKind.SQUARE: say("Squares and parks"),
        SiteKind.LANDMARK: say("Landmarks"),
        SiteKind.SPORTS_HALL: say("Sports halls"),
        SiteKind.LIBRARY: say("Libraries"),
        SiteKind.SCHOOL: say("Schools"),
        SiteKind.TOWN_BUILDING: say("Town buildings"),
        SiteKind.SHOP: say("Shops"),
    }[kind]


def layer_in_words(layer: Layer) -> str:
    return {
        Layer.PARK: say("Park"),
        Layer.WATER: say("Water"),
        Layer.STREET: say("Street"),
        Layer.RAIL: say("Tramway"),
        Layer.PART: say("Part of the town"),
    }[layer]


def state_in_words(spot: Hotspot) -> str:
    """Whether the wifi works there, and since or until when where that is known."""
    since = spot.state_since and _moment(spot.zone, spot.state_since)
    until = spot.state_until and end_time(spot.state_until, spot.zone, now=services().clock())
    match spot.state:
        case SiteState.LIVE if spot.slowed_since is not None:
            return say("Slowed since %(time)s", time=_moment(spot.zone, spot.slowed_since))
        case SiteState.LIVE:
            return say("Working")
        case SiteState.PLANNED:
            return say("Planned, from %(time)s", time=since) if since else say("Planned")
        case SiteState.OUTAGE:
            return say("Out of order since %(time)s", time=since) if since else say("Out of order")
        case SiteState.CLOSED:
            return say("Closed until %(time)s", time=until) if until else say("Closed")


def open_in_words(spot: Hotspot) -> str:
    """Whether the place is open now, and until or from when."""
    if spot.open and spot.closes_at is None:
        return say("Open day and night")
    if spot.open and spot.closes_at:
        return say("Open until %(time)s", time=end_time(spot.closes_at, spot.zone, now=services().clock()))
    if spot.opens_at:
        return say("Closed now, opens %(time)s", time=_moment(spot.zone, spot.opens_at))
    return say("Closed now")


def today_in_words(spot: Hotspot) -> str:
    """The hours of today, "09:00–12:00, 14:00–18:30"; nothing for a place that never closes."""
    if spot.open and spot.closes_at is None:
        return ""
    if not spot.today:
        return say("closed today")
    return say("today %(hours)s", hours=comma().join(_span_in_words(*span) for span in spot.today))


def access_in_words(spot: Hotspot) -> str:
    """How one gets in, as far as it is known."""
    if spot.step_free is None:
        return ""
    return say("step-free access") if spot.step_free else say("steps at the entrance")


def _span_in_words(start: int, end: int) -> str:
    begins, ends = (f"{minute // 60:02}:{minute % 60:02}" for minute in (start, _within_day(end)))
    # Not broken between the two.
    return f"{begins}\u2060–\u2060{ends}"


def _within_day(minute: int) -> int:
    """The end of the day is 24:00; what ends after it is told by the clock of the next."""
    return minute if minute <= DAY_MINUTES else minute - DAY_MINUTES


def method_in_words(method: str) -> str:
    return {
        SigninMethod.PATRON: say("with a library card"),
        SigninMethod.PASS: say("with a day pass"),
        SigninMethod.FREE: say("free for everybody"),
    }[SigninMethod(method)]


def standing_in_words(standing: Standing) -> str:
    """How a device stands, for staff and for its owner."""
    return {
        Standing.UP: say("It works."),
        Standing.SILENT: say("It is silent, for longer than it usually is."),
        Standing.NEVER_SEEN: say("It has not been seen yet."),
        Standing.OFF: say("It is off at this time."),
        Standing.UNKNOWN: say("Whether it works is not known at this moment."),
    }[standing]


def why_ended(last: PublicStay | None, zone: str) -> str:
    """Why the last session of a client ended, and when; what to do is the button under it."""
    if last is None:
        return say("One step is left.")
    time = end_time(last.ended_at or last.until, zone, now=services().clock())
    return {
        EndReason.EXPIRED: say("Your time was over at %(time)s.", time=time),
        EndReason.LEFT: say("You left at %(time)s.", time=time),
        EndReason.STAFF: say("The wifi's staff ended your connection at %(time)s.", time=time),
        EndReason.DEVICE_LIMIT: say("Another device of yours took over at %(time)s.", time=time),
        EndReason.POLICY: say("The rules of this place ended your connection at %(time)s.", time=time),
        EndReason.IDLE: say(
            "Your device was inactive for a long time: it was disconnected at %(time)s.", time=time
        ),
        EndReason.GATEWAY_LOST: say(
            "The equipment here failed at %(time)s. It was not your device.", time=time
        ),
        EndReason.MOVED: say("Your time went on under another address at %(time)s.", time=time),
    }[last.end_reason or EndReason.EXPIRED]


def _moment(zone: str, at: datetime) -> str:
    return day_and_time(at, zone, now=services().clock())


LABELS = (
    *(kind_in_words, kinds_in_words, state_in_words, open_in_words, today_in_words),
    *(access_in_words, method_in_words, why_ended),
)
