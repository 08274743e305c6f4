"""Why somebody was refused, in the words of a report. A rule that is not known here is called by its own name."""

from __future__ import annotations

from portal.i18n.translation import say
from sessions.log.denials import Rule


def rule_in_words(rule: str) -> str:
    known = {
        Rule.WRONG_CREDENTIALS: say("Card number or PIN wrong"),
        Rule.EXPIRED_CARD: say("Card expired"),
        Rule.BLOCKED_CARD: say("Card blocked"),
        Rule.PASSWORD_TO_CHANGE: say("PIN to be changed first"),
        Rule.WRONG_PLACE: say("Card of another network"),
        Rule.DIRECTORY_AWAY: say("Cards could not be checked"),
        Rule.UNREADABLE_CODE: say("Code of a pass mistyped"),
        Rule.UNKNOWN_PASS: say("Pass unknown"),
        Rule.SPENT_PASS: say("Pass used up"),
        Rule.EXPIRED_PASS: say("Pass past its date"),
        Rule.VOID_PASS: say("Pass void"),
        Rule.SUSPENDED_PASS: say("Pass suspended"),
        Rule.FOREIGN_PASS: say("Pass of another place"),
        Rule.PASS_IN_USE: say("Pass in use on other devices"),
        Rule.TOO_EARLY: say("Message accepted before its time was over"),
        Rule.NOT_DUE: say("Renewal asked for too early"),
        Rule.SPENT_TICKET: say("Message accepted already"),
        Rule.TOO_MANY_ATTEMPTS: say("Too many attempts"),
        Rule.EXPIRED_PAGE: say("Page too old"),
        Rule.FOREIGN_PAGE: say("Page of another device"),
        Rule.FOREIGN_FORM: say("Form from another site"),
        Rule.NOT_HERE: say("Not on our wifi"),
        Rule.NOT_OFFERED: say("Way of signing in not offered here"),
        Rule.UNCONFIRMED: say("Gateway did not answer"),
        Rule.BUSY: say("Too many at once"),
        Rule.FAULT: say("Fault of ours"),
    }
    return known[Rule(rule)] if rule in set(Rule) else rule
