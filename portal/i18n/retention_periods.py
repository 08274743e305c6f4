"""How long a term is, in the words of the pages."""

from __future__ import annotations

from portal.i18n.translation import say_number
from sessions.retention.law import Term
from sessions.retention.models import TermUnit


def term_in_words(term: Term) -> str:
    match term.unit:
        case TermUnit.DAYS:
            return say_number("%(n)s day", "%(n)s days", term.amount)
        case TermUnit.MONTHS:
            return say_number("%(n)s month", "%(n)s months", term.amount)
        case TermUnit.YEARS:
            return say_number("%(n)s year", "%(n)s years", term.amount)
