"""Requisitions in the reader's language."""

from __future__ import annotations

from portal.i18n.translation import say, say_number
from portal.services import town_zone
from portal.staff.sessions.words import at_length
from sessions.legal_requests.finding import Doubt, Exactness, Identification, Why
from sessions.legal_requests.scopes import RequestScope, ScopeKind


def kind_in_words(kind: ScopeKind) -> str:
    return {
        ScopeKind.ORIGIN: say("public address and port at an instant"),
        ScopeKind.DEVICE: say("a device, by its MAC address"),
        ScopeKind.ADDRESS: say("an inner address"),
        ScopeKind.SITE: say("a site"),
        ScopeKind.PERSON: say("a pseudonym"),
    }[kind]


def scope_in_words(scope: RequestScope) -> str:
    """What is asked, in one sentence."""
    if scope.kind is ScopeKind.ORIGIN:
        assert scope.at is not None
        text = say(
            "Who was behind %(address)s at %(at)s, give or take %(seconds)s s?",
            address=f"{scope.public_address}:{scope.port}" if scope.port else scope.public_address,
            at=at_length(scope.at, town_zone()),
            seconds=scope.tolerance_seconds,
        )
        return text if scope.port else " ".join([text, say("No port was given.")])
    assert scope.since is not None and scope.until is not None
    return say(
        "Every stretch of access of %(kind)s, %(value)s, from %(since)s to %(until)s.",
        kind=kind_in_words(scope.kind),
        value=scope.value,
        since=at_length(scope.since, town_zone()),
        until=at_length(scope.until, town_zone()),
    )


def finding_in_words(finding: Identification) -> str:
    """How exact an answer is."""
    return {
        Exactness.ONE: say("Exactly one session."),
        Exactness.SEVERAL: say_number(
            "%(n)s candidate: nobody can say more.",
            "%(n)s candidates: nobody can say which of them.",
            finding.sessions,
        ),
        Exactness.NONE: say("No session."),
        Exactness.LISTED: say_number("%(n)s session.", "%(n)s sessions.", finding.sessions),
    }[finding.exactness]


def why_in_words(why: Why) -> str:
    return {
        Why.BLOCK: say("The ports were this client's alone."),
        Why.ALONE: say("Ports were shared, but nobody else was online behind this address."),
        Why.SHARED: say("The port is one of those that clients without a block of their own share."),
        Why.ALL_PORTS: say("The clients behind this address shared all ports."),
        Why.NO_PORT: say("Without a port, everybody behind the address fits."),
        Why.TOLERANCE: say("The ports changed hands within the tolerance of the clock."),
        Why.NOBODY: say("Nobody had this address and port then."),
        Why.UNKNOWN_ADDRESS: say("No gateway of ours has or had this address."),
        Why.WINDOW: say("What lies inside the span, and nothing beyond it."),
    }[why]


def doubt_in_words(doubt: Doubt) -> str:
    return {
        Doubt.CLOCK: say(
            "A clock that is wrong by a minute would change the answer. Ask them to check theirs."
        ),
        Doubt.ZONE: say(
            "Nothing then, but something at the same time of day in the other zone. Ask which they mean."
        ),
        Doubt.OFFSET: say("The offset that was given is neither UTC nor the town's on that day."),
        Doubt.FUTURE: say("The instant lies in the future."),
        Doubt.OLD: say("It is older than the term of keeping: rows may be gone."),
        Doubt.TWICE: say("This hour existed twice on that night. Ask for the offset."),
    }[doubt]
