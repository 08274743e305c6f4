"""What an alert says, in the language of whoever is told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from portal.i18n.translation import day_and_time, say, say_number
from portal.services import services, town_zone
from portal.trouble_words import advice_of, path_of, severity_in_words, title_of
from sessions.alerts.messages import Claimed
from sessions.alerts.models import Stage
from sessions.troubles.service import kind_of

RULE = "\n\n"


def subject_of(told: Sequence[Claimed]) -> str:
    """One trouble by its name, several by their number."""
    town = services().settings.town
    if len(told) == 1:
        return f"[{town}] {_headline(told[0])}"
    return f"[{town}] " + say_number(
        "%(n)s change in what is broken", "%(n)s changes in what is broken", len(told)
    )


def text_of(told: Sequence[Claimed]) -> str:
    """Every trouble in a few lines: what, since when, what to do, where."""
    end = say("Sent once for each trouble, by the wifi portal of %(town)s.", town=services().settings.town)
    return RULE.join([*map(_lines, told), end]) + "\n"


def document_of(told: Sequence[Claimed]) -> dict[str, Any]:
    """The same for a program; chats show `text`."""
    return {
        "text": "\n".join(_headline(one) for one in told),
        "town": services().settings.town,
        "troubles": [_document(one) for one in told],
    }


def _headline(one: Claimed) -> str:
    if one.stage is Stage.OVER:
        return say("over: %(title)s", title=title_of(one.trouble))
    severity = severity_in_words(kind_of(one.trouble).severity)
    return say("%(severity)s: %(title)s", severity=severity, title=title_of(one.trouble))


def _lines(one: Claimed) -> str:
    lines = [_headline(one), say("Since %(when)s.", when=_when(one.trouble.since))]
    if one.stage is Stage.OVER and one.trouble.over_at is not None:
        lines.append(say("Over since %(when)s.", when=_when(one.trouble.over_at)))
    else:
        lines.append(advice_of(one.trouble))
    lines.append(_link(one))
    return "\n".join(lines)


def _document(one: Claimed) -> dict[str, Any]:
    trouble = one.trouble
    return {
        "id": trouble.id,
        "stage": one.stage.value,
        "kind": trouble.kind,
        "subject": trouble.subject,
        "severity": kind_of(trouble).severity.value,
        "title": title_of(trouble),
        "advice": advice_of(trouble),
        "since": trouble.since.isoformat(),
        "over_at": trouble.over_at.isoformat() if trouble.over_at else None,
        "networks": trouble.networks,
        "url": _link(one),
    }


def _when(at: Any) -> str:
    return day_and_time(at, town_zone().key, now=services().clock())


def _link(one: Claimed) -> str:
    settings = services().settings
    return (settings.staff_url or settings.portal_url) + path_of(one.trouble)
