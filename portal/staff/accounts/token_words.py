"""What is said about tokens of programs: their scopes, and what was refused."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus

from babel.dates import format_date

from auth.api_tokens.scopes import LONGEST_LIFE, Scope
from auth.api_tokens.service import ImpossibleLife, NoScope, TakenName, UnreadableName
from auth.staff.errors import StaffError
from portal.denials.rendering import Refusal
from portal.i18n.translation import language, say
from portal.staff import refusals
from portal.templating import TOWN_ZONE


def scope_in_words(scope: str) -> str:
    return {
        Scope.READ: say("read batches, books and the state of passes"),
        Scope.ISSUE: say("issue passes"),
        Scope.REPLACE: say("replace passes"),
        Scope.REVOKE: say("void and revoke passes"),
    }[Scope(scope)]


def day_in_words(at: datetime) -> str:
    """A day with its year: tokens last long."""
    return format_date(at.astimezone(TOWN_ZONE), "long", locale=language())


def refusal_of(error: StaffError) -> Refusal:
    """The refusal to show on the page of tokens."""
    match error:
        case TakenName():
            title = say("There is a token of this name, or there was one.")
            text, field = say("Choose another name: the audit trail tells programs apart by it."), "name"
        case UnreadableName():
            title = say("That is not a name for a token.")
            text, field = say("Use 2 to 40 small letters, digits, dots, dashes or underscores."), "name"
        case NoScope():
            title = say("Nothing was chosen that the token is for.")
            text, field = say("Choose at least one: without it the token can do nothing."), "scopes"
        case ImpossibleLife():
            title = say("How many days is the token good?")
            text, field = say("A number from 1 to %(most)s.", most=LONGEST_LIFE.days), "days"
        case _:
            return refusals.refusal_of(error)
    return Refusal(HTTPStatus.BAD_REQUEST, title, text, field=field)
