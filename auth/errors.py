"""Why a card does not let somebody in, and what bounds guessing: each reason with its texts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from http import HTTPStatus

from auth.denials import N_, UNTIL, Denial, Incident, declare


class AuthError(Denial):
    """Root of all denials of this room. `subject` is the pseudonym of the person it concerns, where that is known."""

    subject: str | None = None


class WrongCredentials(AuthError):
    """Unknown login or wrong secret: one answer for both, on purpose."""

    reason = declare(
        "wrong_credentials",
        HTTPStatus.FORBIDDEN,
        N_("Card number or PIN is wrong."),
        N_("Use the PIN of your library account. Forgotten it? The desk can set a new one."),
        incident=Incident(
            N_("Card number or PIN wrong"),
            N_("The library's directory knows no such card, or it knows it and the PIN was another one."),
            N_(
                "Ask for the number printed on the card, and have the PIN set anew at the library's desk if in doubt."
            ),
        ),
        form_field="login",
    )


@dataclass(eq=False)
class ExpiredCard(AuthError):
    """The secret was right; the card ended on `on` (the last day it was valid)."""

    reason = declare(
        "expired_card",
        HTTPStatus.FORBIDDEN,
        N_("Your card needs renewing."),
        N_("The desk renews it in a minute. Until then, ask there for a pass for the day."),
        incident=Incident(
            N_("Card to be renewed"),
            N_("Number and PIN were right; the card's own end is over."),
            N_("The library's desk renews it in a minute. A day pass helps until then."),
            report=N_("Card expired"),
        ),
        facts={"on": N_("The card ended on %(on)s.")},
    )
    on: date


class ClosedSite(AuthError):
    """The wifi of this place is closed: for works, or for good."""

    reason = declare(
        "closed_site",
        HTTPStatus.FORBIDDEN,
        N_("The wifi of this place is closed."),
        N_("The list of hotspots says since when, and which other places are near."),
        incident=Incident(
            N_("Place closed"),
            N_("The record of the place says that its wifi is closed now, for works or for good."),
            N_("Whoever looks after the place changes its state under Places."),
        ),
    )


class BlockedCard(AuthError):
    """The secret was right; the library has blocked the card."""

    reason = declare(
        "blocked_card",
        HTTPStatus.FORBIDDEN,
        N_("Your card is blocked."),
        N_("The desk can tell you why and put it right. You can also ask there for a pass for the day."),
        incident=Incident(
            N_("Card blocked"),
            N_("Number and PIN were right; the library has blocked the card."),
            N_("Only the library can say why and put it right. A day pass helps until then."),
        ),
    )


class PasswordToChange(AuthError):
    """The secret was right and the card is good; the directory wants another secret before it is used again."""

    reason = declare(
        "password_to_change",
        HTTPStatus.FORBIDDEN,
        N_("Your PIN has to be changed first."),
        N_(
            "It was the right one, and your card is not blocked. Change it in your library account, or ask the "
            "desk for a new one. Until then, ask there for a pass for the day."
        ),
        incident=Incident(
            N_("PIN to be changed first"),
            N_(
                "Number and PIN were right and the card is good; the library's directory wants a new PIN first."
            ),
            N_(
                "They change it in their library account, or the library's desk sets a new one. A day pass helps "
                "until then."
            ),
        ),
    )


class WrongPlace(AuthError):
    """The secret was right; this person may not use this network or site."""

    reason = declare(
        "wrong_place",
        HTTPStatus.FORBIDDEN,
        N_("Your card does not open this network."),
        N_("Ask at the desk which network is yours."),
        incident=Incident(
            N_("Card not for this network"),
            N_("Number and PIN were right; this group of patrons does not use this network."),
            N_("Name the network that is theirs, or give a day pass."),
            report=N_("Card of another network"),
        ),
    )


class ManagedDevice(AuthError):
    """The town keeps this device online by a register of its own: nobody signs in on it."""

    reason = declare(
        "managed_device",
        HTTPStatus.CONFLICT,
        N_("This device needs no sign-in."),
        N_("The town has set it up: it goes online by itself, when and where its register says."),
        incident=Incident(
            N_("Sign-in on a managed device"),
            N_("The device is in the register of fixed devices or in a class, and is online by that."),
            N_("Nothing: its register says when it is online. Staff of the network can look there."),
        ),
    )


@dataclass(eq=False)
class TooManyAttempts(AuthError):
    """The budget against guessing is spent until `until`."""

    reason = declare(
        "too_many_attempts",
        HTTPStatus.TOO_MANY_REQUESTS,
        N_("Too many attempts."),
        N_("Try again at %(until)s, or ask at the desk."),
        staff_advice=N_("Try again at %(until)s."),
        incident=Incident(
            N_("Too many attempts"),
            N_(
                "This device, this account or this place has used up its attempts; a quarter of an hour without any "
                "gives them back."
            ),
            N_("Wait until the time given. Trying meanwhile does no harm and no good."),
        ),
        retry_after="until",
        facts=UNTIL,
    )
    until: datetime


@dataclass(eq=False)
class DirectoryUnavailable(AuthError):
    """The directory did not answer in time, or not as it should. `cause` is for the operator, never the guest."""

    reason = declare(
        "directory_away",
        HTTPStatus.SERVICE_UNAVAILABLE,
        N_("We cannot check cards right now."),
        N_("It is not your PIN. Try again in a minute, or ask at the desk for a pass for the day."),
        incident=Incident(
            N_("Directory of cards away"),
            N_(
                "The library's directory gave no answer in time. No card can be checked then, and no PIN is wrong."
            ),
            N_("It is not their PIN. A day pass works meanwhile; tell the operator if it lasts."),
            report=N_("Cards could not be checked"),
        ),
        retry_after="retry_after_seconds",
    )
    cause: str
    retry_after_seconds: int = 5

    def __str__(self) -> str:
        return self.cause
