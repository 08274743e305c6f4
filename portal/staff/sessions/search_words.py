"""What the templates of the log can say."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import url_for

from auth.staff.roles import Action, may
from portal.denials.rendering import explanation
from portal.i18n.gateway_refusals import refusal_in_words
from portal.i18n.translation import day_and_time, say
from portal.services import services, town_zone
from portal.staff.access import current_staff
from portal.staff.sessions.access_audit import address_of
from portal.staff.sessions.denial_words import device_in_words, step_in_words
from portal.staff.sessions.timeline_words import event_in_words
from portal.staff.sessions.words import (
    at_length,
    day,
    end_in_words,
    instant,
    short,
    standing,
    state_in_words,
    utc,
    way_in_words,
)
from sessions.log.denials import show_code
from sessions.log.masks import MaskedField
from sessions.log.query import State
from sessions.log.search import Last, LogQuery, Same, Show
from sessions.models import Decision
from sites.models import Site

_NEEDED = {MaskedField.DEVICES: Action.UNMASK_DEVICES, MaskedField.PERSONS: Action.UNMASK_PERSONS}


def veil_in_words(veil: MaskedField) -> str:
    return {
        MaskedField.DEVICES: say("MAC addresses, addresses and ports"),
        MaskedField.PERSONS: say("Pseudonyms and numbers of passes"),
    }[veil]


def may_lift(veil: MaskedField) -> bool:
    return may(current_staff().authority, _NEEDED[veil])


def unmask_url(veil: MaskedField) -> str:
    return url_for(f"staff.unmask_{veil.value}")


def last_in_words(last: Last) -> str:
    return {
        Last.QUARTER: say("the last 15 minutes"),
        Last.HOUR: say("the last hour"),
        Last.TODAY: say("today"),
        Last.YESTERDAY: say("yesterday"),
        Last.WEEK: say("the last 7 days"),
    }[last]


def show_in_words(show: Show) -> str:
    return {
        Show.ALL: say("sessions and refusals"),
        Show.SESSIONS: say("sessions"),
        Show.REFUSALS: say("refusals"),
    }[show]


def same_in_words(same: Same, like: str) -> str:
    row = (
        say("session %(number)s", number=like)
        if like.isdigit()
        else say("incident %(code)s", code=show_code(like))
    )
    return {
        Same.DEVICE: say("Only the device of %(row)s.", row=row),
        Same.ADDRESS: say("Only the address of %(row)s.", row=row),
        Same.PERSON: say("Only the person of %(row)s.", row=row),
    }[same]


def shortcuts() -> list[tuple[str, str]]:
    """The questions that are asked most, each with its address."""
    return [
        (say("Online now"), address_of(LogQuery(state=State.OPEN))),
        (say("Last 15 minutes"), address_of(LogQuery(last=Last.QUARTER))),
        (say("Refusals of the last hour"), address_of(LogQuery(last=Last.HOUR, show=Show.REFUSALS))),
        (say("All sessions"), address_of(LogQuery(show=Show.SESSIONS))),
    ]


def zone_of(site: Site | None) -> ZoneInfo:
    return site.tzinfo if site is not None else town_zone()


def on_log(at: datetime, zone: ZoneInfo) -> str:
    """When it was: the time of day, with its day where that is not today."""
    return day_and_time(at, zone.key, now=services().clock())


def is_refusal(line: object) -> bool:
    return isinstance(line, Decision)


VOCABULARY: dict[str, Any] = {
    "veils": lambda: list(MaskedField),
    "moment_in": instant,
    "day_of": day,
    **{
        function.__name__: function
        for function in (
            veil_in_words,
            may_lift,
            unmask_url,
            last_in_words,
            show_in_words,
            same_in_words,
            shortcuts,
            zone_of,
            on_log,
            is_refusal,
            show_code,
            explanation,
            device_in_words,
            step_in_words,
            way_in_words,
            standing,
            state_in_words,
            end_in_words,
            short,
            at_length,
            utc,
            event_in_words,
            refusal_in_words,
        )
    },
}
