"""Troubles in words, for the overview, alerts and the command line."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any
from urllib.parse import quote

from portal.denials.rendering import explanation
from portal.i18n.translation import end_time, say
from portal.services import services, town_zone
from sessions.troubles.kinds import Severity
from sessions.troubles.models import Trouble
from sessions.troubles.service import kind_of

STAFF = "/staff/"
_NAMES = re.compile(r"%\((\w+)\)s")


def title_of(trouble: Trouble) -> str:
    """What is so, in the language of this request or of `speaking`."""
    return say(kind_of(trouble).title, **_facts(trouble))


def advice_of(trouble: Trouble) -> str:
    """What to do."""
    return say(kind_of(trouble).advice, **_facts(trouble))


def severity_in_words(severity: Severity) -> str:
    return {
        Severity.BROKEN: say("broken"),
        Severity.WARNING: say("look at it"),
        Severity.WAITING: say("waits for somebody"),
    }[severity]


def path_of(trouble: Trouble) -> str:
    """The page on which it is mended, as a path on the host of the staff's pages; the overview where there is none."""
    values = {name: quote(str(value), safe="") for name, value in _plain(trouble).items()}
    return STAFF + kind_of(trouble).page.format_map(values)


def _plain(trouble: Trouble) -> dict[str, Any]:
    return {**trouble.detail, "subject": trouble.subject}


def _facts(trouble: Trouble) -> dict[str, Any]:
    kind = kind_of(trouble)
    # An older version may have written the row, without a fact that the words name by now.
    facts = {**dict.fromkeys(_NAMES.findall(kind.title + kind.advice), "?"), **_plain(trouble)}
    for name in kind.times:
        at = datetime.fromisoformat(str(facts[name]))
        facts[name] = end_time(at, town_zone().key, now=services().clock())
    if "reason" in facts:
        facts["reason_words"] = explanation(str(facts["reason"])).name
    return facts
