"""Every denial in words: on a guest's page, on a staff page, to programs, in the log of incidents and in reports."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from http import HTTPStatus
from typing import Any
from zoneinfo import ZoneInfo

from auth.denials import REASONS, Case, Denial, DenialReason, NetworkSlugs, Plural, Sentence, Text
from portal.i18n.retention_periods import term_in_words
from portal.i18n.translation import calendar_day, clock_time, comma, end_time, language, say, say_number
from portal.services import services, town_zone
from sessions.retention.law import Term

NOTHING: Mapping[str, object] = {}


@dataclass(frozen=True, slots=True)
class Cause:
    """Why something was refused, without words. Times are told in `zone`."""

    reason: DenialReason
    facts: Mapping[str, object]
    zone: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """What happened and what to do, in the reader's language. `field` names the form field it belongs to, if any.

    `onward` is where the page's button leads; None for the start of these pages. `incident` is the code under which
    staff find it in the log; empty where it was not written down. `beside` says what is wrong with each field, where
    the form says it all and needs no words above it. From its `cause` it can be worded again in another language.
    """

    status: HTTPStatus
    title: str
    text: str
    field: str | None = None
    retry_after: int | None = None
    incident: str | None = None
    onward: str | None = None
    beside: Mapping[str, str] | None = None
    cause: Cause | None = None

    @property
    def by_field(self) -> Mapping[str, str]:
        """What is wrong with each form field, by its name."""
        return self.beside or ({self.field: self.title} if self.field else {})


@dataclass(frozen=True, slots=True)
class Explanation:
    """An incident in words for staff."""

    name: str
    meaning: str
    advice: str


def guest_page(error: Denial, *, zone: str) -> Refusal:
    """The denial as the guest reads it. Times are told in `zone`."""
    return page(error.reason, error.facts, zone=zone)


def staff_page(error: Denial) -> Refusal:
    """The denial as it stands on a staff page."""
    reason = error.reason
    return page(reason, error.facts, advice=reason.staff_advice)


def page(
    reason: DenialReason,
    facts: Mapping[str, object] = NOTHING,
    *,
    zone: str | None = None,
    advice: Text | None = None,
) -> Refusal:
    """A reason on a page; `advice` stands in for its own. Times are told in `zone`, else in the town's."""
    zone = zone or town_zone().key

    def tell(at: datetime) -> str:
        if reason.day_alone:
            return _day(at, zone)
        return end_time(at, zone, now=services().clock()) if reason.with_day else clock_time(at, zone)

    formatted = _formatted(facts, tell)
    field = facts.get("field", reason.form_field)
    return Refusal(
        reason.status,
        _text(reason.title, facts, formatted),
        _text(reason.advice if advice is None else advice, facts, formatted),
        field=None if field is None else str(field),
        retry_after=_seconds(reason.retry_after, facts),
        cause=Cause(reason, facts, zone),
    )


def problem_words(reason: DenialReason, facts: Mapping[str, object] = NOTHING) -> tuple[str, str]:
    """Title and detail for a program (RFC 9457, section 3.1)."""
    texts, formatted = reason.api or reason, _formatted(facts, datetime.isoformat)
    return _text(texts.title, facts, formatted), _text(texts.advice, facts, formatted)


def problem_wait(reason: DenialReason, facts: Mapping[str, object] = NOTHING) -> int | None:
    """`Retry-After` for a program."""
    own = reason.api.retry_after if reason.api else None
    return own or _seconds(reason.retry_after, facts)


def explanation(code: str) -> Explanation:
    """The words for the reason of an incident; one that is not declared any more is called by its code."""
    reason = REASONS.find(code)
    if reason is None or reason.incident is None:
        return Explanation(code, "", "")
    words = reason.incident
    return Explanation(say(words.name), say(words.meaning), say(words.advice))


def report_line(code: str) -> str:
    """What a report calls the reason; one that is not declared any more by its code."""
    reason = REASONS.find(code)
    if reason is None or reason.incident is None:
        return code
    return say(reason.incident.report or reason.incident.name)


def facts_in_words(code: str, detail: Mapping[str, Any], tell: Callable[[datetime], str]) -> list[str]:
    """What an incident was decided on, as short sentences. `tell` says an instant."""
    reason = REASONS.find(code)
    sentences_of = reason.facts if reason else {}
    formatted = _formatted({name: _read(value) for name, value in detail.items()}, tell)
    sentences = [_text(sentences_of[name], detail, formatted) for name in sentences_of if name in detail]
    return [sentence for sentence in sentences if sentence]


def facts_to_keep(reason: DenialReason, facts: Mapping[str, object]) -> dict[str, Any]:
    """What is written down of a denial: the facts that its reason declares, in plain values."""
    kept = {name: facts[name] for name in reason.facts if name in facts}
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in kept.items()}


def _seconds(rule: int | str | None, facts: Mapping[str, object]) -> int | None:
    value = facts[rule] if isinstance(rule, str) else rule
    if isinstance(value, datetime):
        return max(1, int((value - services().clock()).total_seconds()))
    return value if isinstance(value, int) else None


def _text(text: Text, facts: Mapping[str, object], formatted: Mapping[str, object]) -> str:
    if isinstance(text, Case):
        text = text.texts.get(facts.get(text.fact), text.otherwise)
    if isinstance(text, Plural):
        return say_number(text.one, text.many, int(str(facts[text.count])))
    return say(text, **formatted) if text else ""


def _formatted(facts: Mapping[str, object], tell: Callable[[datetime], str]) -> dict[str, object]:
    return {name: _formatted_fact(value, tell) for name, value in facts.items()}


def _formatted_fact(value: object, tell: Callable[[datetime], str]) -> object:
    match value:
        case datetime():
            return tell(value)
        case NetworkSlugs():
            return comma().join(one.name for one in services().places.networks() if one.slug in value)
        case Sentence():
            return say(value.text, **{name: _said(fact) for name, fact in value.facts.items()})
        case Term():
            return term_in_words(value)
        case _:
            return value


def _day(at: datetime, zone: str) -> str:
    """The day of an instant, with its year where that is another than this one."""
    local, now = at.astimezone(ZoneInfo(zone)), services().clock().astimezone(ZoneInfo(zone))
    return calendar_day(local, language(), with_year=local.year != now.year)


def _said(fact: str | int) -> str | int:
    # The empty text is the head of a catalogue (gettext).
    return say(fact) if isinstance(fact, str) and fact else fact


def _read(value: object) -> object:
    """An instant, where a kept value is one."""
    try:
        return datetime.fromisoformat(value) if isinstance(value, str) and "T" in value else value
    except ValueError:
        return value
