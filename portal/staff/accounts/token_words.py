"""What is said about tokens of programs: their scopes and days."""

from __future__ import annotations

from datetime import datetime

from babel.dates import format_date

from auth.api_tokens.scopes import Scope
from portal.i18n.translation import language, say
from portal.services import town_zone


def scope_in_words(scope: str) -> str:
    return {
        Scope.READ: say("read batches, books and the state of passes"),
        Scope.ISSUE: say("issue passes"),
        Scope.REPLACE: say("replace passes"),
        Scope.REVOKE: say("void and revoke passes"),
        Scope.READ_RECORDS: say("read networks, places and all that is configured"),
        Scope.WRITE_RECORDS: say("change networks, places and all that is configured"),
    }[Scope(scope)]


def day_in_words(at: datetime) -> str:
    """A day with its year: tokens last long."""
    return format_date(at.astimezone(town_zone()), "long", locale=language())
