"""Terms, classes of data and holds, in the words of the pages."""

from __future__ import annotations

from http import HTTPStatus

from portal.denials.rendering import Refusal
from portal.i18n.retention_periods import term_in_words
from portal.i18n.translation import say
from sessions.data_classes import DataClass
from sessions.retention.holds import BadHold, OverHold, SamePerson
from sessions.retention.models import PurgeRefusal, PurgeRun, StartEvent, TermUnit
from sessions.retention.periods import BelowLaw, OpenChange, OverChange, StaleRule, UnreadableTerm
from sessions.retention.periods import SamePerson as SameShortener

__all__ = ["term_in_words"]


def class_in_words(data_class: DataClass) -> str:
    return {
        DataClass.CONNECTION: say("Connections: who was on, when, where, behind which address"),
        DataClass.TRAFFIC: say("Traffic: how much data was carried"),
        DataClass.ACCOUNT: say("Accounts: what somebody may use"),
        DataClass.SECURITY: say("Security: refusals and attempts"),
        DataClass.ACCEPTANCE: say("Messages shown and accepted"),
        DataClass.TRAIL: say("Audit trail: what staff did"),
    }[data_class]


def unit_in_words(unit: TermUnit) -> str:
    return {
        TermUnit.DAYS: say("days"),
        TermUnit.MONTHS: say("months"),
        TermUnit.YEARS: say("years"),
    }[unit]


def start_in_words(event: StartEvent) -> str:
    return {
        StartEvent.CONNECTION_END: say("from the end of the connection"),
        StartEvent.ACCOUNT_END: say("from the end of the account"),
        StartEvent.EVENT: say("from the day it happened"),
    }[event]


def outcome_in_words(run: PurgeRun) -> str:
    """How a purge ended."""
    if run.refused is PurgeRefusal.CLOCK:
        return say("Refused: the clock cannot be right.")
    if run.refused is PurgeRefusal.RUNAWAY:
        return say("Refused: more would go than ever does.")
    if run.finished_at is None:
        return say("Under way.")
    return say("Done; the count is right.") if run.adds_up else say("Done; the count is NOT right.")


def keeping_refusal(error: Exception) -> Refusal:
    """The refusal to show for what the keeping of data refuses."""
    match error:
        case UnreadableTerm():
            return Refusal(
                HTTPStatus.BAD_REQUEST,
                say("This term cannot be used."),
                say("A whole number, from one day to ten years, and the text of law that says so."),
                field="amount",
            )
        case BelowLaw():
            least = term_in_words(error.floor.term) if error.floor.term else ""
            return Refusal(
                HTTPStatus.BAD_REQUEST,
                say("The law asks for more than that."),
                say("At least %(term)s: %(source)s.", term=least, source=error.floor.source),
                field="amount",
            )
        case OpenChange():
            return Refusal(
                HTTPStatus.CONFLICT,
                say("A shorter term of this class waits already."),
                say("Withdraw it first, if another one is wanted."),
            )
        case OverChange():
            return Refusal(
                HTTPStatus.CONFLICT,
                say("This shorter term does not wait any more."),
                say("Look at what holds now, and change that if you still want to."),
            )
        case SameShortener():
            return Refusal(
                HTTPStatus.CONFLICT,
                say("A shorter term, and a purge after it, take a second person."),
                say("Ask a colleague who answers for data protection for the whole town."),
            )
        case StaleRule():
            return Refusal(
                HTTPStatus.CONFLICT,
                say("Somebody else changed this line in between."),
                say("Look at what holds now, and change that if you still want to."),
            )
        case SamePerson():
            return Refusal(
                HTTPStatus.CONFLICT,
                say("A hold is confirmed, and lifted, by a second person."),
                say("Ask a colleague who answers for data protection."),
            )
        case OverHold():
            return Refusal(
                HTTPStatus.CONFLICT,
                say("This hold has ended, or was confirmed before."),
                say("The list below says what holds now."),
            )
        case BadHold():
            return Refusal(
                HTTPStatus.BAD_REQUEST,
                say("This hold was not placed."),
                {
                    "reference": say("Give the reference of the order."),
                    "reason": say("Say why, in a sentence."),
                    "expires_at": say("Give its last day: from tomorrow, three years at most."),
                    "mac": say("A MAC address looks like 02:00:00:00:0a:01."),
                    "site": say("There is no such site."),
                    "network": say("Choose the network whose hold it is."),
                    "until": say("The end of the window comes after its beginning, both as 2026-11-26."),
                    "scope": say(
                        "Say what is held: a MAC address, an address, a pseudonym, a site or a window."
                    ),
                }[error.field],
                field="mac" if error.field == "scope" else error.field,
            )
        case _:
            raise error
