"""Terms, classes of data and holds, in the words of the pages."""

from __future__ import annotations

from portal.i18n.retention_periods import term_in_words
from portal.i18n.translation import say
from sessions.data_classes import DataClass
from sessions.retention.models import PurgeRefusal, PurgeRun, StartEvent, TermUnit

__all__ = ["term_in_words"]


def class_in_words(data_class: DataClass) -> str:
    return {
        DataClass.CONNECTION: say("Connections: who was on, when, where, behind which address"),
        DataClass.TRAFFIC: say("Traffic: how much data was carried"),
        DataClass.ACCOUNT: say("Accounts: what somebody may use"),
        DataClass.SECURITY: say("Security: refusals and attempts"),
        DataClass.ACCEPTANCE: say("Messages shown and accepted"),
        DataClass.TRAIL: say("Audit log: what staff did"),
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
